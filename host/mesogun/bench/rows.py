"""What the bench found, as rows that are written to a file and read again."""

from collections.abc import Iterable, Sequence
from typing import Any

from mesogun.bench.cells import TRAINS, Cell
from mesogun.bench.measure import Finding, Measured


def row_of(measured: Measured) -> dict[str, Any]:
    """One cell as plain data."""
    cell = measured.cell
    return {
        "syringe": cell.syringe,
        "needle": cell.needle,
        "viscosity_mpa_s": cell.viscosity_mpa_s,
        "train": cell.train.id,
        "advance": cell.advance,
        "draws": measured.draws,
        "stored_ul": round(measured.stored_ul, 3),
        "first_percent": [round(each, 2) for each in measured.first_percent],
        "lowest_kpa": round(measured.lowest_kpa, 2),
        "skin_percent": measured.skin_percent and round(measured.skin_percent, 3),
        "findings": [
            [each.requirement, each.what, round(each.value, 3), each.bound, each.unit]
            for each in measured.findings
        ],
    }


def measured_of(row: dict[str, Any]) -> Measured:
    """The same back again."""
    train = next(each for each in TRAINS if each.id == row["train"])
    cell = Cell(row["syringe"], row["needle"], row["viscosity_mpa_s"], train, row["advance"])
    return Measured(
        cell,
        row["draws"],
        tuple(Finding(*each) for each in row["findings"]),
        (row["first_percent"][0], row["first_percent"][1]),
        row["lowest_kpa"],
        row["stored_ul"],
        row["skin_percent"],
    )


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows as a table of Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
