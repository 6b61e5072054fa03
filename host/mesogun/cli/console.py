"""`mesogun console`: the screen for the whole day."""

from typing import Annotated

import typer

from mesogun.cli.options import AutoTrigger, Json, Port, Seed, Speed
from mesogun.cli.printer import Answer


def console(
    port: Port = "auto",
    operator: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who treats; goes into the record.")
    ] = None,
    speed: Speed = None,
    seed: Seed = None,
    auto_trigger: AutoTrigger = False,
    _json: Json = False,
) -> Answer:
    """Open the screen for the whole day: guns, treatments, records; for a terminal of 80x24."""
    from mesogun.cli.day import spend_day
    from mesogun.desk.attending import Settled

    return spend_day(Settled(port, speed, seed, auto_trigger, operator=operator))
