"""`mesogun plan` and `mesogun check`: make a program file, and see what a program would do."""

from typing import Annotated

import typer

from mesogun.cli.options import (
    Area,
    DeliveryName,
    Force,
    Json,
    NeedleId,
    OutputFile,
    Spacing,
    SyringeId,
)
from mesogun.cli.printer import Answer

Picture = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Draw timeline and points (.png, .svg or .pdf)."),
]


def plan(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A treatment or a technique.")],
    output: OutputFile = None,
    syringe: SyringeId = None,
    needle: NeedleId = None,
    area: Area = None,
    spacing_mm: Spacing = None,
    delivery: DeliveryName = None,
    picture: Picture = None,
    force: Force = False,
    _json: Json = False,
) -> Answer:
    """Make a program file of a treatment or technique; asks for what is missing."""
    from mesogun.cli.planning import planned
    from mesogun.desk.planning import Plan

    wishes = Plan(name, syringe, needle, area, spacing_mm, delivery)
    return planned(wishes, output, picture, force)


def check(
    program: Annotated[
        str, typer.Argument(metavar="FILE", help="A program file; or a treatment or technique.")
    ],
    syringe: SyringeId = None,
    needle: NeedleId = None,
    delivery: DeliveryName = None,
    picture: Picture = None,
    force: Force = False,
    _json: Json = False,
) -> Answer:
    """Check a program and tell what it would do."""
    from mesogun.cli.planning import drawn
    from mesogun.desk.planning import checked_delivery
    from mesogun.program import resolve

    found = resolve(program, syringe=syringe, needle=needle, delivery=checked_delivery(delivery))
    return drawn(found, picture, force)
