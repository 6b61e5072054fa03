"""`mesogun firmware`: what runs on the gun."""

from typing import Annotated

import typer

from mesogun.cli.options import Json
from mesogun.cli.printer import Answer

app = typer.Typer(help="Build, flash and check the gun's firmware.")

_Port = Annotated[
    str,
    typer.Option(
        "--port",
        envvar="MESOGUN_PORT",
        metavar="auto|URL",
        help="auto for the one board that is connected, or a serial port or URL.",
    ),
]


@app.command()
def build(
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FOLDER", help="Write the files here.")
    ] = "build/firmware",
    _json: Json = False,
) -> Answer:
    """Compile the firmware into a folder, with its manifest."""
    from mesogun.cli import firmware_work

    return firmware_work.build(output)


@app.command()
def flash(
    port: _Port = "auto",
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also over other files, a running program or a newer version."
        ),
    ] = False,
    _json: Json = False,
) -> Answer:
    """Put the firmware onto a board and prove that it runs; the gun's record stays.

    A gun that runs is only changed with a hand on it: hold its trigger
    while you connect it, and for 3 s.
    """
    from mesogun.cli import firmware_work

    return firmware_work.flash(port, force)


@app.command()
def verify(port: _Port = "auto", _json: Json = False) -> Answer:
    """Compare every file on a board with this firmware; exit code 1 if one differs."""
    from mesogun.cli import firmware_work

    return firmware_work.verify(port)


@app.command()
def info(port: _Port = "auto", _json: Json = False) -> Answer:
    """Show what is on a board; moves and changes nothing."""
    from mesogun.cli import firmware_work

    return firmware_work.info(port)


@app.command()
def image(
    download: Annotated[
        bool, typer.Option("--download", help="Get the official one for the Raspberry Pi Pico.")
    ] = False,
    _json: Json = False,
) -> Answer:
    """Show the MicroPython image that the emulated board uses, or get one."""
    from mesogun.cli import firmware_work

    return firmware_work.image(download)
