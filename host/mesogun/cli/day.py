"""Opens the console, and tells at its end what a person may not have seen."""

import sys

from mesogun.cli.exit_codes import DONE, INTERRUPTED
from mesogun.cli.printer import Answer, show, tell
from mesogun.console.app import Console
from mesogun.desk.attending import Settled, checked_name
from mesogun.desk.simulation import parse_speed
from mesogun.desk.summary import problems, summary
from mesogun.errors import UsageError
from mesogun.words import _


def spend_day(settled: Settled) -> Answer:
    """Open the console until a person or a signal ends it.

    Raises:
        UsageError: there is no terminal, or an option is wrong.
    """
    if settled.operator is not None:
        checked_name("--operator", settled.operator)
    parse_speed(settled.speed)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(_("The console needs a terminal. Without one, `mesogun run` treats."))
    console = Console(settled)
    console.run(mouse=False)
    failed = console.return_code not in (None, 0)
    if console.visited and (failed or console.ended_by is not None):
        last = console.visited[-1]
        for problem in problems(last.result):
            tell(problem)
        show(summary(last), stderr=True)
        tell(_("The gun was stopped and its record is stored."))
    if failed:
        raise RuntimeError("the console failed; its message stands above")
    sessions = [name for each in console.visited for name in each.result.sessions]
    code = DONE if console.ended_by is None else INTERRUPTED
    return Answer([{"id": name} for name in sessions], [], code)
