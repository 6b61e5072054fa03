"""`mesogun catalog`: what is built in, each figure with its source."""

import typer

from mesogun.cli.options import Json
from mesogun.cli.printer import Answer

app = typer.Typer(help="Show what is built in, with sources.")


@app.command()
def treatments(_json: Json = False) -> Answer:
    """Treatments, each with the program that `mesogun run NAME` makes of it."""
    from mesogun.cli import catalog_tables

    return catalog_tables.treatments()


@app.command()
def techniques(_json: Json = False) -> Answer:
    """Techniques with the doses, rates and depths that are accepted."""
    from mesogun.cli import catalog_tables

    return catalog_tables.techniques()


@app.command()
def syringes(_json: Json = False) -> Answer:
    """Syringes by brand and size."""
    from mesogun.cli import catalog_tables

    return catalog_tables.syringes()


@app.command()
def needles(_json: Json = False) -> Answer:
    """Needles by gauge and length."""
    from mesogun.cli import catalog_tables

    return catalog_tables.needles()


@app.command()
def layers(_json: Json = False) -> Answer:
    """Depth classes of the skin."""
    from mesogun.cli import catalog_tables

    return catalog_tables.layers()


@app.command()
def care(_json: Json = False) -> Answer:
    """What to lay out, to ask before a treatment, and to tell the patient."""
    from mesogun.cli import catalog_tables

    return catalog_tables.care()


@app.command()
def sources(_json: Json = False) -> Answer:
    """What the figures rest on."""
    from mesogun.cli import catalog_tables

    return catalog_tables.sources()
