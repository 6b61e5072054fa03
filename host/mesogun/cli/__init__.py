"""The command `mesogun`: one file a command group, one printer, one table of exit codes.

What `app` lists and the signatures of the commands load fast; what a command works with is imported
when it runs, so that `mesogun --help` answers at once.
"""

from mesogun.cli.entry import main

__all__ = ["main"]
