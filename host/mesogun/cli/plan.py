"""`mesogun plan` and `mesogun check`: make a program file, and see what a program would do."""

from typing import Annotated

import typer

from mesogun.cli.options import Force, Json, NeedleId, OutputFile, SyringeId
from mesogun.cli.printer import Answer


def plan(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A treatment or a technique.")],
    output: OutputFile = None,
    syringe: SyringeId = None,
    needle: NeedleId = None,
    area: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Treated area, such as '12x8 cm' or '96 cm2'."),
    ] = None,
    spacing_mm: Annotated[
        float | None, typer.Option(metavar="MM", help="Distance of the points on the area.")
    ] = None,
    force: Force = False,
    _json: Json = False,
) -> Answer:
    """Make a program file of a treatment or technique."""
    from mesogun.cli.files import write_new
    from mesogun.cli.overview import overview
    from mesogun.program import dump_toml
    from mesogun.program import plan as make

    program = make(name, syringe=syringe, needle=needle, area=area, spacing_mm=spacing_mm)
    answer = overview(program)
    content = dump_toml(program)
    if output is None:
        return Answer(answer.data | {"file": None, "content": content}, [content.rstrip()])
    write_new(output, content, force=force)
    return Answer(answer.data | {"file": output}, [*answer.text, "", f"Written to {output}."])


def check(
    program: Annotated[
        str, typer.Argument(metavar="FILE", help="A program file; or a treatment or technique.")
    ],
    syringe: SyringeId = None,
    needle: NeedleId = None,
    _json: Json = False,
) -> Answer:
    """Check a program and tell what it would do."""
    from mesogun.cli.overview import overview
    from mesogun.program import resolve

    return overview(resolve(program, syringe=syringe, needle=needle))
