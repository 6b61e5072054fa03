"""The requirements R06 to R12 of one cell, over specimens drawn within their tolerances."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Final

from mesogun.bench.cells import Cell
from mesogun.bench.replay import Bed, Delivered, deliver, specimen, stopped_dribble_nl
from mesogun.bench.trains import Motion, motion_of
from mesogun.records.statistics import (
    back_pressure_effect,
    dose_errors_percent,
    tolerance_interval,
)
from mesogun.records.statistics.doses import BACK_PRESSURE_KPA, SUCCESSIVE_DOSES
from mesogun.words import N_

MEAN_PERCENT: Final = 5.0
DRIBBLE_UL: Final = 10.0
BACK_UL: Final = 50.0
TOLERANCE_SHOTS: Final = 60


@dataclass(frozen=True)
class Finding:
    """One requirement on one cell.

    Attributes:
        requirement: R06 to R12.
        what: in words.
        value: the worst of all specimens.
        bound: what it must not exceed.
        unit: of both.
    """

    requirement: str
    what: str
    value: float
    bound: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.value <= self.bound


@dataclass(frozen=True)
class Measured:
    """What was found of one cell.

    Attributes:
        cell: which.
        draws: specimens; 0 is the nominal one alone.
        findings: one a requirement that says something about this train.
        first_percent: error of the first shot, lowest and highest.
        lowest_kpa: lowest pressure in the syringe after a shot.
        stored_ul: what the gun pushed early.
        skin_percent: worst shot that counts in skin, each at a fresh point; None if not measured.
            The standards measure into the open, and so do the requirements.
    """

    cell: Cell
    draws: int
    findings: tuple[Finding, ...]
    first_percent: tuple[float, float]
    lowest_kpa: float
    stored_ul: float
    skin_percent: float | None

    @property
    def failing(self) -> tuple[Finding, ...]:
        """What is not met."""
        return tuple(each for each in self.findings if not each.holds)

    @property
    def holds(self) -> bool:
        """Whether every requirement is met."""
        return not self.failing

    def finding(self, what: str) -> Finding:
        """The finding that is called so."""
        return next(each for each in self.findings if each.what == what)


def seeds(draws: int) -> list[int | None]:
    """The specimens of so many draws; the nominal one alone for none."""
    return list(range(draws)) if draws else [None]


def measure(cell: Cell, draws: int) -> Measured:
    """Measure one cell.

    Args:
        cell: which.
        draws: how many specimens, 0 for the nominal one.
    """
    motion = motion_of(cell)
    dose_nl = cell.train.dose_ul * 1000
    errors: list[list[float]] = []
    runs: list[Delivered] = []
    worst: dict[str, float] = {}
    for seed in seeds(draws):
        plant = specimen(cell, seed)
        made = deliver(motion, plant, seed)
        runs.append(made)
        found = dose_errors_percent(made.doses_nl, [dose_nl] * len(made.doses_nl))
        errors.append(found)
        seen = {
            "mean": abs(fmean(_of_mean(cell, found))),
            "tolerance": _reach(found[cell.train.skipped : TOLERANCE_SHOTS]),
            "shift": _shift(cell, motion, seed, made),
            "record": abs(made.total_nl / motion.delivered_nl - 1) * 100,
            "end": made.dribble_nl,
            "stop": stopped_dribble_nl(motion, plant, seed),
        }
        if cell.train.id == "nappage":
            bed = Bed(tissue="intradermal")
            skin = deliver(motion, specimen(cell, seed, bed), seed, bed)
            late = dose_errors_percent(skin.doses_nl, [dose_nl] * len(skin.doses_nl))
            seen["skin"] = max(map(abs, late[cell.train.skipped :]))
        worst = {key: max(worst.get(key, 0.0), value) for key, value in seen.items()}
    counted = [abs(each) for one in errors for each in one[cell.train.skipped :]]
    return Measured(
        cell,
        draws,
        _findings(cell, motion, worst, max(counted)),
        (min(one[0] for one in errors), max(one[0] for one in errors)),
        min(run.lowest_kpa for run in runs),
        motion.planned.stored_nl / 1000,
        worst.get("skin"),
    )


def _findings(
    cell: Cell, motion: Motion, worst: dict[str, float], shot_percent: float
) -> tuple[Finding, ...]:
    train = cell.train
    mean = "R08" if train.id == "mesoperfusion" else "R06"
    rows = [
        (mean, N_("mean"), worst["mean"], MEAN_PERCENT, "%"),
        ("R06", N_("worst shot"), shot_percent, train.worst_percent, "%"),
        ("R07", N_("tolerance interval"), worst["tolerance"], train.spread_percent, "%"),
        ("R09", N_("back-pressure"), worst["shift"], 5.0, "%"),
        ("R10", N_("recorded volume"), worst["record"], 5.0, "%"),
        ("R10", N_("recorded steps"), float(_unrecorded_steps(motion)), 0.0, "steps"),
        ("R11", N_("dribble at the end"), worst["end"] / 1000, DRIBBLE_UL, "ul"),
        ("R11", N_("dribble after a stop"), worst["stop"] / 1000, DRIBBLE_UL, "ul"),
        ("R12", N_("back in one piece"), most_back_nl(motion) / 1000, BACK_UL, "ul"),
    ]
    return tuple(Finding(*row) for row in rows)


def _of_mean(cell: Cell, errors: Sequence[float]) -> Sequence[float]:
    """The shots that a mean is of: all of a mesoperfusion, 25 successive ones of the others."""
    if cell.train.id == "mesoperfusion":
        return errors
    return errors[cell.train.skipped : cell.train.skipped + SUCCESSIVE_DOSES]


def _reach(errors: Sequence[float]) -> float:
    """The end of the tolerance interval that is farther from zero."""
    interval = tolerance_interval(errors)
    return max(abs(interval.low), abs(interval.high))


def _shift(cell: Cell, motion: Motion, seed: int | None, made: Delivered) -> float:
    """How far back-pressure shifts the mean dose, the farther of both signs, percent."""
    doses = {0.0: made.doses_nl[:SUCCESSIVE_DOSES]}
    for kpa in (-BACK_PRESSURE_KPA, BACK_PRESSURE_KPA):
        bed = Bed(outlet_kpa=kpa)
        there = deliver(motion.first(SUCCESSIVE_DOSES), specimen(cell, seed, bed), seed, bed)
        doses[kpa] = there.doses_nl
    return abs(back_pressure_effect(doses).worst_percent)


def _unrecorded_steps(motion: Motion) -> int:
    """By how many steps the gun's record differs from the pulses on its STEP pin."""
    forward = sum(run.pulses for run in motion.runs if run.forward)
    backward = sum(run.pulses for run in motion.runs if not run.forward)
    return abs(forward - motion.recorded_steps[0]) + abs(backward - motion.recorded_steps[1])


def most_back_nl(motion: Motion) -> float:
    """The most that goes back between two deliveries, nanolitres."""
    ways = groupby(motion.runs, key=lambda run: run.forward)
    steps = [sum(run.pulses for run in runs) for forward, runs in ways if not forward]
    return max(steps, default=0) * motion.pl_per_step / 1000
