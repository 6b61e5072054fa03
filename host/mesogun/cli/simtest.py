"""`mesogun simtest`: try to break the record in a simulated world."""

from typing import Annotated

import typer

from mesogun.cli.options import Json
from mesogun.cli.printer import Answer


def simtest(
    seeds: Annotated[
        int, typer.Option(min=1, max=10_000_000, metavar="N", help="How many worlds.")
    ] = 100,
    first: Annotated[
        int, typer.Option(min=0, max=0xFFFF_FFFF, metavar="K", help="Number of the first one.")
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            metavar="J",
            help="Processes that share the work.  [default: as many as there are processors]",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=0xFFFF_FFFF, metavar="K", help="Run this world alone."),
    ] = None,
    trace: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write what happens in the world of --seed."),
    ] = None,
    _json: Json = False,
) -> Answer:
    """Try to break the record: simulated worlds full of faults, each from a seed.

    Host, cable, gun and syringe are simulated together, with cut cables, lost power, killed hosts
    and worn flash, and judged by what must never happen. Exit code 1 if a rule does not hold.
    """
    from mesogun.cli import simtest_work
    from mesogun.errors import UsageError

    if seed is not None:
        return simtest_work.run_one(seed, trace)
    if trace is not None:
        raise UsageError("--trace shows one world: name it with --seed K.")
    return simtest_work.run_many(first, seeds, jobs)
