"""What is said around a treatment: the plan before it, the report after it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mesogun.console.desk import ScreenDesk
from mesogun.console.report import write_report
from mesogun.desk.attending import Settled, attend, checked_name
from mesogun.desk.overview import overview
from mesogun.desk.planning import Plan, completed
from mesogun.desk.summary import Visited, problems, summary
from mesogun.errors import MesogunError, UsageError
from mesogun.program import Program, dump_toml, load
from mesogun.words import _


@dataclass(frozen=True)
class Chosen:
    """What is to be given.

    Attributes:
        name: id of a treatment or a technique; of a file its path.
        title: in words, English.
        is_file: it is one.
    """

    name: str
    title: str
    is_file: bool = False


def treat(
    desk: ScreenDesk, chosen: Chosen, settled: Settled, told: Callable[[Visited], None]
) -> None:
    """Plan, give and report; each error is told, and Enter ends it.

    Args:
        desk: of the person who treats.
        chosen: what is to be given.
        settled: the gun, and who treats.
        told: called with what the visit came to.
    """
    try:
        _visit(desk, chosen, settled, told)
    except KeyboardInterrupt:
        desk.tell(_("Broken off."))
    except MesogunError as error:
        desk.show([str(error), *getattr(error, "__notes__", ())])
        _wait(desk)
    if desk.crash is not None:
        raise desk.crash


def _wait(desk: ScreenDesk) -> None:
    try:
        desk.choose(_("How do you want to go on?"), [_("Back to the day")])
    except KeyboardInterrupt:
        return


def _visit(
    desk: ScreenDesk, chosen: Chosen, settled: Settled, told: Callable[[Visited], None]
) -> None:
    program = load(chosen.name) if chosen.is_file else completed(desk, Plan(chosen.name))
    desk.show(["", *overview(program).text, ""])
    ways = [_("Give it now"), _("Back to the day, nothing moves")]
    if not chosen.is_file:
        ways.insert(1, _("Keep it as a program file"))
    way = desk.choose(_("This is the plan. How do you want to go on?"), ways)
    if way == len(ways) - 1:
        return
    if way == 1:
        _keep(desk, program)
        _wait(desk)
        return
    patient_ref = desk.ask(
        _("Patient reference, a code and never a name (Enter: none)"), _read_patient
    )
    settled = replace(settled, patient_ref=patient_ref)
    visited = attend(desk, settled, program, is_named=chosen.is_file, is_seen=True)
    told(visited)
    desk.show([*problems(visited.result), *summary(visited), ""])
    _hand_over(desk, visited)


def _read_patient(answer: str) -> str | None:
    return checked_name(_("The patient reference"), answer) if answer else None


def _keep(desk: ScreenDesk, program: Program) -> None:
    def write(name: str) -> Path:
        path = Path(name if name.endswith(".toml") else f"{name}.toml")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(dump_toml(program))
        except FileExistsError:
            raise UsageError(
                _("{file} exists already: write another name.").format(file=path)
            ) from None
        except OSError as error:
            raise UsageError(
                _("{file} cannot be written ({reason}): write another name.").format(
                    file=path, reason=error.strerror
                )
            ) from None
        return path

    file = desk.ask(_("Name of the file, such as face.toml"), write)
    desk.tell(_("Written to {file}.").format(file=file))


def _hand_over(desk: ScreenDesk, visited: Visited) -> None:
    ways = [_("Back to the day"), _("Write the report as PDF"), _("Write the report as HTML")]
    while way := desk.choose(_("It is over. How do you want to go on?"), ways):
        desk.tell(_("Writing the report ..."))
        path = write_report(visited.result.session, "pdf" if way == 1 else "html")
        desk.tell(_("Report written to {file}.").format(file=path))
