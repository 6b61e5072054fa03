"""Options that several commands share."""

from typing import Annotated

import typer

from mesogun.cli.printer import Printer


def _choose_json(context: typer.Context, chosen: bool) -> bool:
    if chosen:
        context.ensure_object(Printer).as_json = True
    return chosen


Json = Annotated[
    bool, typer.Option("--json", help="Write the result as JSON.", callback=_choose_json)
]
Port = Annotated[
    str,
    typer.Option(
        "--port",
        envvar="MESOGUN_PORT",
        metavar="sim|rp2040|auto|URL",
        help="sim for a virtual gun, rp2040 for an emulated board, auto for the gun that is "
        "connected, or a serial port or URL.",
    ),
]
SyringeId = Annotated[
    str | None,
    typer.Option("--syringe", metavar="ID", help="A syringe of `mesogun catalog syringes`."),
]
NeedleId = Annotated[
    str | None,
    typer.Option("--needle", metavar="ID", help="A needle of `mesogun catalog needles`."),
]
DeliveryName = Annotated[
    str | None,
    typer.Option(
        "--delivery",
        metavar="dry|wet|mixed",
        help="dry, wet (a film between pricks) or mixed, in place of the usual one.",
    ),
]
Area = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="Treated area, such as '12x8 cm' or '96 cm2'."),
]
Spacing = Annotated[
    float | None, typer.Option(metavar="MM", help="Distance of the points on the area.")
]
Speed = Annotated[
    str | None,
    typer.Option(metavar="N|max", help="Simulated seconds a second (virtual gun).  [default: 1]"),
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=0xFFFF_FFFF,
        metavar="N",
        help="Makes a run repeatable (virtual gun).  [default: at random]",
    ),
]
AutoTrigger = Annotated[
    bool, typer.Option("--auto-trigger", help="A virtual operator works the trigger.")
]
OutputFile = Annotated[
    str | None, typer.Option("-o", "--output", metavar="FILE", help="Write to this file.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")]
