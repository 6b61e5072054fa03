"""The usual pair and the hard corner, on whatever else may lie between plunger and tissue."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from mesogun.bench.cells import NAPPAGE, Cell
from mesogun.bench.measure import seeds
from mesogun.bench.replay import AIR, Bed, Delivered, curve, deliver, specimen
from mesogun.bench.trains import motion_of
from mesogun.catalog import get_needle, get_syringe
from mesogun.records.statistics import dose_errors_percent

HEADINGS: Final = (
    "pair",
    "mounted",
    "advance",
    "early ul",
    "in window %",
    "first %",
    "third on %",
    "worst specimen",
    "dribble ul",
    "worst specimen",
)
USUAL: Final = Cell("bd-plastipak-5", "30g-4", 1.0, NAPPAGE)
HARD: Final = Cell("bd-plastipak-10", "30g-13", 1.0, NAPPAGE)
BEDS: Final = {
    "mounted directly": AIR,
    "15 cm of tubing": Bed(tubing_mm=150.0),
    "a bubble of 50 ul": Bed(air_ul=50.0),
    "in skin": Bed(tissue="intradermal"),
}
_TOLD_UL_PER_KPA: Final = {"15 cm of tubing": 0.071, "a bubble of 50 ul": 0.3}
"""Compliance that a calibration would find on top of the syringe's."""
_SHOTS: Final = 12
_WINDOW_SHOT: Final = 4
_SAMPLE_NS: Final = 1_000_000


@dataclass(frozen=True)
class Row:
    """One pair on one bed; errors in percent, volumes in nanolitres.

    Attributes:
        cell: what is given.
        mounted: a key of `BEDS`, or that and what the gun was told of it.
        bed: the same.
        window_percent: share of the fifth shot that leaves the needle while it is pushed.
        nominal: what a gun as it should be delivers.
        drawn: what specimens deliver.
    """

    cell: Cell
    mounted: str
    bed: Bed
    window_percent: float
    nominal: Delivered
    drawn: tuple[Delivered, ...]

    def cells(self) -> tuple[str, ...]:
        """The row under `HEADINGS`."""
        errors = [dose_errors_percent(self.nominal.doses_nl, self._planned)]
        errors += [dose_errors_percent(each.doses_nl, self._planned) for each in self.drawn]
        late = [max(map(abs, each[2:])) for each in errors]
        every = (self.nominal, *self.drawn)
        return (
            f"{get_syringe(self.cell.syringe).title}, {get_needle(self.cell.needle).title}",
            self.mounted,
            "yes" if self.cell.advance else "no",
            f"{motion_of(self.cell).planned.stored_nl / 1000:.1f}",
            f"{self.window_percent:.0f}",
            f"{round(errors[0][0])}",
            f"{late[0]:.1f}",
            f"{max(late):.1f}",
            f"{self.nominal.dribble_nl / 1000:.1f}",
            f"{max(each.dribble_nl for each in every) / 1000:.1f}",
        )

    @property
    def _planned(self) -> list[float]:
        return [self.cell.train.dose_ul * 1000] * len(self.nominal.doses_nl)


def measure_pairs(draws: int) -> Iterator[Row]:
    """Measure both pairs on every bed, with and without pressure advance.

    Args:
        draws: specimens of each row.
    """
    for cell in (USUAL, HARD):
        for mounted, bed in BEDS.items():
            for each in (cell.without_advance(), cell):
                yield _row(each, mounted, bed, draws)
    for mounted, more in _TOLD_UL_PER_KPA.items():
        give = get_syringe(USUAL.syringe).compliance_ul_per_kpa + more
        told = replace(USUAL, compliance_ul_per_kpa=give)
        yield _row(told, f"{mounted}, told {more:g} ul/kPa more", BEDS[mounted], draws)


def _row(cell: Cell, mounted: str, bed: Bed, draws: int) -> Row:
    motion = motion_of(cell).first(_SHOTS)
    made = [
        deliver(motion, specimen(cell, seed, bed), seed, bed)
        for seed in (None, *(seeds(draws) if draws else ()))
    ]
    begin_ns = motion.starts_ns[_WINDOW_SHOT] + motion.lead_ns
    end_ns = begin_ns + round(cell.train.inject_s * 1e9)
    seen = curve(motion, specimen(cell, None, bed), None, end_ns, _SAMPLE_NS, bed)
    before_nl = max(
        nl for ns, nl in zip(seen.time_ns, seen.needle_nl, strict=True) if ns <= begin_ns
    )
    share = (max(seen.needle_nl) - before_nl) / (cell.train.dose_ul * 1000)
    return Row(cell, mounted, bed, share * 100, made[0], tuple(made[1:]))
