"""The command `mesogun`: one file a command group, one printer, one table of exit codes.

What `app` lists and the signatures of the commands load fast; what a command works with is imported
when it runs, so that `mesogun --help` answers at once.
"""

import gc
from collections.abc import Sequence

_GARBAGE = 200_000
"""Objects between two collections. Python's usual 700 cost a seventh of the time of a command that
shows a session: most of it goes into importing modules, 140,000 objects and next to no garbage."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; see `mesogun.cli.entry.main`."""
    gc.set_threshold(_GARBAGE)
    from mesogun.cli import entry

    return entry.main(arguments)


__all__ = ["main"]
