"""`mesogun run`: deliver a program."""

from typing import Annotated

import typer

from mesogun.cli.options import (
    AutoTrigger,
    DeliveryName,
    Json,
    NeedleId,
    Port,
    Seed,
    Speed,
    SyringeId,
)
from mesogun.cli.printer import Answer


def run(
    program: Annotated[
        str,
        typer.Argument(metavar="PROGRAM", help="A treatment, a technique or a program file."),
    ],
    port: Port = "auto",
    speed: Speed = None,
    seed: Seed = None,
    auto_trigger: AutoTrigger = False,
    syringe: SyringeId = None,
    needle: NeedleId = None,
    delivery: DeliveryName = None,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID=yes|no", help="An answer to the checklist (`mesogun catalog care`)."
        ),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Start without asking, unusual values included; on a real gun the checklist is "
            "asked all the same, unless --answer gives it.",
        ),
    ] = False,
    operator: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who treats; goes into the record.")
    ] = None,
    patient_ref: Annotated[
        str | None, typer.Option(metavar="CODE", help="A code for the patient, never a name.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Write progress lines where no terminal is.")
    ] = False,
    _json: Json = False,
) -> Answer:
    """Deliver a program and store the record of it."""
    from mesogun.cli.treating import treat
    from mesogun.desk.attending import Settled

    settled = Settled(
        port=port,
        speed=speed,
        seed=seed,
        auto_trigger=auto_trigger,
        answers=tuple(answer or ()),
        yes=yes,
        operator=operator,
        patient_ref=patient_ref,
    )
    return treat(
        program, settled, syringe=syringe, needle=needle, delivery=delivery, verbose=verbose
    )
