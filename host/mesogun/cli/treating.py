"""One run of a program at a terminal, and what it comes to as an answer."""

from mesogun.cli.exit_codes import DONE, FAILED, INTERRUPTED
from mesogun.cli.printer import Answer
from mesogun.cli.terminal import Terminal
from mesogun.desk.attending import Settled, attend
from mesogun.desk.desk import Desk
from mesogun.desk.planning import asked_syringe, checked_delivery
from mesogun.desk.summary import Visited, problems, summary, summary_data
from mesogun.errors import UsageError
from mesogun.program import Program, resolve
from mesogun.treatment import read_answers
from mesogun.words import _
from mesogun_protocol.enums import EndReason


def treat(
    name: str,
    settled: Settled,
    *,
    syringe: str | None = None,
    needle: str | None = None,
    delivery: str | None = None,
    verbose: bool = False,
) -> Answer:
    """Carry out a run.

    Args:
        name: of a treatment, a technique or a program file.
        settled: what is not asked any more.
        syringe: in place of the program's own.
        needle: likewise.
        delivery: likewise.
        verbose: write progress lines where no terminal is.

    Raises:
        UsageError: if the program or the options are wrong, or nobody confirmed; nothing moved.
        MesogunError: as the texts say.
    """
    desk = Terminal(verbose)
    read_answers(settled.answers)
    program, is_named = _program(desk, name, settled, syringe, needle, delivery)
    return answered(desk, attend(desk, settled, program, is_named=is_named))


def answered(desk: Desk, visited: Visited) -> Answer:
    """What a visit came to, with what was not as it should be told."""
    for problem in problems(visited.result):
        desk.tell(problem)
    return Answer(
        summary_data(visited),
        summary(visited),
        _code(visited),
    )


def _program(
    desk: Terminal,
    name: str,
    settled: Settled,
    syringe: str | None,
    needle: str | None,
    delivery_name: str | None,
) -> tuple[Program, bool]:
    """The program, and whether its syringe was named; else it is asked for, or a simulation's."""
    delivery = checked_delivery(delivery_name)
    program = resolve(name, syringe=syringe, needle=needle, delivery=delivery)
    by_name = program.origin.label == name and not program.origin.lines
    if syringe is not None or not by_name:
        return program, True
    if desk.attended and not settled.yes:
        chosen = asked_syringe(desk)
        return resolve(name, syringe=chosen, needle=needle, delivery=delivery), False
    if not settled.is_simulated:
        raise UsageError(
            _(
                "No syringe was named, and none is assumed: brand and size decide the dose. Write "
                "--syringe ID with one of `mesogun catalog syringes`."
            )
        )
    return program, False


def _code(visited: Visited) -> int:
    """A fault that was mended is told and recorded; what counts is how the visit ended."""
    result = visited.result
    if not result.record_complete:
        return FAILED
    if result.ended is EndReason.COMPLETE:
        return INTERRUPTED if visited.shots_left else DONE
    return INTERRUPTED if result.ended is EndReason.STOPPED else FAILED
