"""The list of all commands."""

from typing import Annotated

import typer

from mesogun.cli import (
    bench,
    catalog,
    console,
    firmware,
    gun,
    plan,
    run,
    sessions,
    sim,
    simtest,
    version,
)
from mesogun.cli.printer import Printer

app = typer.Typer(
    help="Control a mesotherapy injector gun, real or virtual, and keep the record of what it did.",
    epilog="Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 the gun refused "
    "or faulted, 2 usage or invalid program, 3 no gun or more than one, 4 version mismatch, 5 link "
    "lost, 130 interrupted.",
    # Plain help pages: the decorated ones cost 0.1 s each time.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _debug(context: typer.Context, chosen: bool) -> bool:
    if chosen:
        context.ensure_object(Printer).debug = True
    return chosen


@app.callback()
def _root(
    _debug: Annotated[
        bool,
        typer.Option(
            "--debug", callback=_debug, help="Write a traceback with errors (or MESOGUN_DEBUG=1)."
        ),
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=version.show_and_exit, is_eager=True, help="Write the version."
        ),
    ] = False,
) -> None:
    pass


app.command()(run.run)
app.command()(console.console)
app.command()(plan.plan)
app.command()(plan.check)
app.add_typer(catalog.app, name="catalog")
app.command()(gun.status)
app.command()(gun.stop)
app.command()(gun.devices)
app.add_typer(sessions.app, name="sessions")
app.add_typer(firmware.app, name="firmware")
app.command()(sim.sim)
app.command()(simtest.simtest)
app.add_typer(bench.app, name="bench")
app.command()(version.version)
