"""`mesogun sim`: serve a virtual gun to other programs."""

from collections.abc import Iterator
from typing import Annotated

import typer

from mesogun.cli.options import AutoTrigger, Json, NeedleId, Seed, Speed, SyringeId
from mesogun.cli.printer import Answer


def sim(
    pty: Annotated[
        bool, typer.Option("--pty", help="On a pseudo-terminal; what is done without --tcp.")
    ] = False,
    tcp: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="On TCP, such as 127.0.0.1:4711; port 0 picks one."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Allow a HOST that other computers can reach.")
    ] = False,
    seed: Seed = None,
    speed: Speed = None,
    auto_trigger: AutoTrigger = False,
    syringe: SyringeId = None,
    needle: NeedleId = None,
    emulated: Annotated[
        bool,
        typer.Option(
            "--rp2040",
            help="The gun on an emulated RP2040, blank until it is flashed; --speed 0.2 suits it.",
        ),
    ] = False,
    _json: Json = False,
) -> Iterator[Answer]:
    """Serve a virtual gun to other programs.

    Writes the port to use, and runs until Ctrl-C.
    """
    from mesogun.cli.serving import serving
    from mesogun.errors import UsageError

    if pty and tcp is not None:
        raise UsageError("--pty and --tcp exclude each other. Keep one of them.")
    return serving(tcp, public, seed, speed, auto_trigger, syringe, needle, emulated)
