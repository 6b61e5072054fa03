"""The accuracy bench as a whole: measures the grid, writes its table and its pictures."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mesogun.bench.cells import Cell
from mesogun.bench.measure import Measured, measure
from mesogun.bench.rows import row_of, table
from mesogun.catalog import get_needle, get_syringe

HEADINGS = (
    "syringe",
    "needle",
    "mPa s",
    "train",
    "advance",
    "early ul",
    "mean %",
    "worst %",
    "R07 %",
    "R09 %",
    "R10 %",
    "end ul",
    "stop ul",
    "in skin %",
    "first %",
    "kPa",
    "verdict",
)


def run(
    cells: Iterable[Cell], draws: int, done: Callable[[Measured], None], *, plainly: bool
) -> list[Measured]:
    """Measure cells one after the other.

    Args:
        cells: with pressure advance.
        draws: specimens of each, 0 for the nominal one.
        done: called with each as it is known.
        plainly: each also without pressure advance.
    """
    found: list[Measured] = []
    for cell in cells:
        for each in (cell, cell.without_advance()) if plainly else (cell,):
            found.append(measure(each, draws))
            done(found[-1])
    return found


def table_row(measured: Measured) -> tuple[str, ...]:
    """One cell as a row under `HEADINGS`; a figure past its bound has an exclamation mark."""
    cell = measured.cell
    figures = {each.what: each for each in measured.findings}

    def shown(what: str) -> str:
        if what not in figures:
            return ""
        return f"{figures[what].value:.1f}" + ("" if figures[what].holds else "!")

    low, high = measured.first_percent
    return (
        get_syringe(cell.syringe).title,
        get_needle(cell.needle).title,
        f"{cell.viscosity_mpa_s:g}",
        cell.train.id,
        "yes" if cell.advance else "no",
        f"{measured.stored_ul:.1f}",
        *(
            shown(what)
            for what in (
                "mean",
                "worst shot",
                "tolerance interval",
                "back-pressure",
                "recorded volume",
                "dribble at the end",
                "dribble after a stop",
            )
        ),
        "" if measured.skin_percent is None else f"{measured.skin_percent:.1f}",
        f"{round(low)} to {round(high)}",
        f"{measured.lowest_kpa:.0f}",
        "holds" if measured.holds else "fails: " + why(measured),
    )


def why(measured: Measured) -> str:
    """What a cell fails by, in words."""
    return "; ".join(
        f"{each.what} {each.value:.1f} {each.unit}, {each.bound:g} allowed ({each.requirement})"
        for each in measured.failing
    )


def _fails(measured: Measured) -> Iterator[str]:
    """The same as lines of TOML."""
    if measured.holds:
        yield "fails = []"
        return
    yield "fails = ["
    for each in measured.failing:
        yield (
            f'    {{ requirement = "{each.requirement}", what = "{each.what}", '
            f'value = {each.value:.1f}, bound = {each.bound:.1f}, unit = "{each.unit}" }},'
        )
    yield "]"


def append_row(each: Measured, path: Path) -> None:
    """Append what was found to a file of JSON, one cell a line: a long run may be cut short."""
    with path.open("a") as rows:
        rows.write(json.dumps(row_of(each)) + "\n")


def markdown(found: Iterable[Measured]) -> str:
    """The table as Markdown."""
    return table(HEADINGS, map(table_row, found))


def catalog_toml(found: Iterable[Measured]) -> str:
    """What `mesogun.catalog` holds of it: each cell with pressure advance, and what it fails by."""
    lines = [
        "# Which trains keep R06 to R12 at the needle of the virtual gun. Written by",
        "# `mesogun bench accuracy` (accuracy.toml in its folder), never by hand. A program that",
        "# asks for no more than a train that holds is covered: mesogun/program/accuracy.py.",
        "",
        'source = "bench-accuracy"',
    ]
    for each in found:
        cell, train = each.cell, each.cell.train
        if cell.advance:
            lines += [
                "",
                "[[measured]]",
                f'id = "{cell.id}"',
                f'syringe = "{cell.syringe}"',
                f'needle = "{cell.needle}"',
                f"viscosity_mpa_s = {cell.viscosity_mpa_s}",
                f"dose_ul = {train.dose_ul}",
                f"inject_s = {train.inject_s}",
                f"period_s = {train.period_s}",
                f"skips = {train.skipped}",
                f"draws = {each.draws}",
                *_fails(each),
            ]
    return "\n".join(lines) + "\n"
