"""`mesogun sessions`: the record of what was delivered."""

from datetime import datetime
from typing import Annotated

import typer

from mesogun.cli.options import Force, Json, OutputFile
from mesogun.cli.printer import Answer

app = typer.Typer(help="List, show, print, export, verify and complete records.")

_Session = Annotated[
    str, typer.Argument(metavar="SESSION", help="A session's id, or the beginning of it.")
]
_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@app.command("list")
def list_(
    since: Annotated[
        datetime | None,
        typer.Option(formats=_DATES, metavar="DATE", help="Made on this day or later."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_DATES, metavar="DATE", help="Made before this day.")
    ] = None,
    operator: Annotated[str | None, typer.Option(metavar="NAME", help="Exactly this one.")] = None,
    patient_ref: Annotated[
        str | None, typer.Option(metavar="CODE", help="Exactly this one.")
    ] = None,
    gun: Annotated[
        str | None, typer.Option(metavar="BOARD", help="Its board id, or the beginning of it.")
    ] = None,
    last: Annotated[int, typer.Option(min=0, help="At most this many, 0 for all.")] = 20,
    _json: Json = False,
) -> Answer:
    """List sessions, the newest first; dates are days of this computer's time zone."""
    from mesogun.cli import session_tables

    return session_tables.listed(since, until, operator, patient_ref, gun, last)


@app.command()
def show(
    session: _Session,
    shots: Annotated[bool, typer.Option("--shots", help="List each shot.")] = False,
    _json: Json = False,
) -> Answer:
    """Show a session: what was planned, what was delivered, what went wrong."""
    from mesogun.cli import session_tables

    return session_tables.shown(session, shots)


@app.command()
def report(
    session: _Session,
    output: OutputFile = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="pdf|html", help="By the file's name if not given, else PDF."
        ),
    ] = None,
    paper: Annotated[str, typer.Option(metavar="a4|letter", help="Size of a PDF's pages.")] = "a4",
    language: Annotated[
        str | None,
        typer.Option(
            "--lang", metavar="LANG", help="Such as fr; else MESOGUN_LANG, or the system's."
        ),
    ] = None,
    force: Force = False,
    _json: Json = False,
) -> Answer:
    """Write a session's report, to print, sign and keep, with a page for the patient."""
    from mesogun.cli import reporting

    return reporting.reported(session, output, form, paper, language, force)


@app.command()
def export(
    session: _Session,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="csv|json|fhir|ics",
            help="One line a shot, everything, for a hospital's system, or the course of the "
            "treatment as a calendar.",
        ),
    ] = "json",
    output: OutputFile = None,
    force: Force = False,
    _json: Json = False,
) -> Answer:
    """Write a session for other programs: CSV, JSON, FHIR, or its course."""
    from mesogun.cli import exporting

    return exporting.exported(session, form, output, force)


@app.command()
def verify(
    sessions: Annotated[
        list[str] | None, typer.Argument(metavar="[SESSION]...", help="All if none is named.")
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(
            "--port",
            metavar="sim|auto|URL",
            help="Compare with what this gun has in its own memory too, which nobody who can write "
            "the store can change; sim for every virtual gun that was kept.",
        ),
    ] = None,
    _json: Json = False,
) -> Answer:
    """Prove that nothing of a record was changed or lost, or name what was."""
    from mesogun.cli import verifying

    return verifying.verified(sessions or [], port)


@app.command("erase-patient")
def erase_patient(
    patient_ref: Annotated[str, typer.Argument(metavar="REF", help="Exactly this reference.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Erase without asking.")] = False,
    _json: Json = False,
) -> Answer:
    """Erase a patient reference from all sessions; what was delivered stays, and stays proven."""
    from mesogun.cli import erasing

    return erasing.erase_patient(patient_ref, yes)


@app.command()
def sync(
    port: Annotated[
        str | None,
        typer.Option(
            "--port",
            envvar="MESOGUN_PORT",
            metavar="sim|auto|URL",
            help="One gun, or sim for every virtual gun whose run was broken off. Without it: "
            "these and every gun that is connected.",
        ),
    ] = None,
    _json: Json = False,
) -> Answer:
    """Store what guns still hold, such as after a crash of this computer."""
    from mesogun.cli import syncing

    return syncing.sync(port)
