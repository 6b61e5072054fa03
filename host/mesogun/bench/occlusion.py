"""The alarm against blocked needles, measured: misses, false alarms, and how long it takes.

R24 asks for no miss in 300 occlusions and at most one false alarm in 10,800 shots, R25 for at most
100 ul on release. The guns are drawn within their tolerances and run the real firmware.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import product
from math import sqrt
from pathlib import Path
from random import Random
from statistics import fmean, median
from typing import Any, Final

from mesogun.bench.cells import NEEDLES, SYRINGES
from mesogun.bench.fluid import WORKS, Case, Flow, Trial, spoil, work_on
from mesogun.program.alarm import BOLUS_UL, FOUND_S, FOUND_SHOTS
from mesogun.records.pressures import drift_of
from mesogun.virtual.plant import Plant
from mesogun_protocol.enums import Fault

HEADINGS: Final = (
    "work",
    "syringe",
    "needle",
    "blocked",
    "missed",
    "s",
    "s at most",
    "shots at most",
    "ul at most",
    "clean shots",
    "false alarms",
)
OTHER_HEADINGS: Final = (
    "what goes wrong",
    "work",
    "syringe",
    "guns",
    "stopped",
    "by",
    "after s",
    "delivered %",
    "peaks, last to first",
    "told by the record",
)

CLEAN: Final = "nothing"
BLOCKED: Final = "the needle is blocked at once"
_FLOWS: Final = {work.id for work in WORKS if isinstance(work, Flow)}
_OTHER_BRAND: Final = "the barrel has 20 % more area"
"""The one thing that is wrong from the start."""
_OTHER_NEEDLE: Final = "30g-4"
_OTHER_WORKS: Final = (WORKS[0], WORKS[2], WORKS[-2])
_WIDER: Final = sqrt(1.2)
_OTHER_S: Final = 20.0
_OTHER_LEAD: Final = 8


def _wider(plant: Plant) -> None:
    plant.load_syringe(plant.parameters.inner_diameter_mm * _WIDER)


def _leaks(plant: Plant) -> None:
    plant.faults.leak(1 / plant.parameters.needle_resistance_kpa_s_per_nl)


HARMS: Final[dict[str, Callable[[Plant], None]]] = {
    "the needle closes in 10 s": lambda plant: plant.faults.occlude(over_s=10.0),
    "the needle lets 10 % pass": lambda plant: plant.faults.occlude(0.1),
    "the needle lets 30 % pass": lambda plant: plant.faults.occlude(0.3),
    "a leak as wide as the needle": _leaks,
    "a bubble of 50 ul": lambda plant: plant.faults.trap_air(50.0),
    "the pusher slips at 8 N": lambda plant: plant.faults.slip_plunger(8.0),
    _OTHER_BRAND: _wider,
}


@dataclass(frozen=True)
class Found:
    """One trial; `harm` is a key of `HARMS`, `BLOCKED` or `CLEAN`."""

    harm: str
    work: str
    syringe: str
    needle: str
    seed: int
    trial: Trial

    @property
    def missed(self) -> bool:
        """A blocked needle that R24 or R25 would have had found otherwise."""
        trial = self.trial
        shots = trial.after_shots if self.work not in _FLOWS else FOUND_SHOTS + 1
        in_time = trial.after_s <= FOUND_S or shots <= FOUND_SHOTS
        return (
            trial.fault is not Fault.OCCLUSION or not in_time or trial.released_nl > BOLUS_UL * 1000
        )


def supported() -> Iterator[Case]:
    """The works that R24 and R25 are claimed for: those of which `mesogun check` says nothing."""
    for work, syringe, needle in product(WORKS, SYRINGES, NEEDLES):
        case = Case(work, syringe, needle)
        if case.supported():
            yield case


def blocked(case: Case, draws: int) -> Iterator[Found]:
    """Block needles at random moments."""
    for seed in _seeds(case, draws):
        yield _found(BLOCKED, case, seed, spoil(case, seed, lambda plant: plant.faults.occlude()))


def clean(case: Case, draws: int) -> Iterator[Found]:
    """Let guns work undisturbed."""
    for seed in _seeds(case, draws):
        yield _found(CLEAN, case, seed, work_on(case, seed))


def others(draws: int) -> Iterator[Found]:
    """Whatever else goes wrong, on one needle and three syringes."""
    for (harm, act), work, syringe in product(HARMS.items(), _OTHER_WORKS, SYRINGES[:3]):
        case = Case(work, syringe, _OTHER_NEEDLE)
        lead = None if harm == _OTHER_BRAND else _OTHER_LEAD
        for seed in _seeds(case, draws):
            yield _found(harm, case, seed, spoil(case, seed, act, _OTHER_S, lead))


def _seeds(case: Case, draws: int) -> list[int]:
    """Other guns for each case."""
    draw = Random(f"{case.work.id} {case.syringe} {case.needle}")
    return [draw.getrandbits(32) for _ in range(draws)]


def _found(harm: str, case: Case, seed: int, trial: Trial) -> Found:
    return Found(harm, case.work.id, case.syringe, case.needle, seed, trial)


def shots_of(each: Found) -> int:
    """Shots of a trial; a flow without end counts as one."""
    return max(each.trial.shots, 1)


def rows(found: Iterable[Found]) -> list[tuple[str, ...]]:
    """The table of blocked needles and undisturbed works, under `HEADINGS`."""
    cases: dict[tuple[str, str, str], list[Found]] = {}
    for each in found:
        if each.harm in (BLOCKED, CLEAN):
            cases.setdefault((each.work, each.syringe, each.needle), []).append(each)
    return [_row(key, trials) for key, trials in cases.items()]


def _row(key: tuple[str, str, str], found: list[Found]) -> tuple[str, ...]:
    blocks = [each.trial for each in found if each.harm == BLOCKED]
    quiet = [each for each in found if each.harm == CLEAN]
    return (
        *key,
        str(len(blocks)),
        str(sum(each.missed for each in found if each.harm == BLOCKED)),
        *(
            (
                f"{median(each.after_s for each in blocks):.2f}",
                f"{max(each.after_s for each in blocks):.2f}",
                f"{max(each.after_shots for each in blocks)}",
                f"{max(each.released_nl for each in blocks) / 1000:.0f}",
            )
            if blocks
            else ("",) * 4
        ),
        str(sum(map(shots_of, quiet))),
        str(sum(each.trial.fault is not Fault.NONE for each in quiet)),
    )


def other_rows(found: Iterable[Found]) -> list[tuple[str, ...]]:
    """The table of whatever else went wrong, under `OTHER_HEADINGS`."""
    cases: dict[tuple[str, str, str], list[Trial]] = {}
    for each in found:
        if each.harm in HARMS:
            cases.setdefault((each.harm, each.work, each.syringe), []).append(each.trial)
    return [_other_row(key, trials) for key, trials in cases.items()]


def _other_row(key: tuple[str, str, str], trials: list[Trial]) -> tuple[str, ...]:
    stopped = [each for each in trials if each.fault is not Fault.NONE]
    names = Counter(each.fault.name.lower() for each in stopped)
    drifts = [drift for each in trials if (drift := drift_of(0, each.peaks_kpa))]
    ratios = [each.ratio for each in drifts]
    return (
        *key,
        str(len(trials)),
        str(len(stopped)),
        ", ".join(names),
        f"{median(each.after_s for each in stopped):.1f}" if stopped else "",
        f"{fmean(each.delivered for each in trials) * 100:.0f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}" if ratios else "",
        str(sum(each.is_suspicious for each in drifts)),
    )


def totals(found: Iterable[Found]) -> str:
    """The whole in one sentence."""
    every = [*found]
    blocks = [each for each in every if each.harm == BLOCKED]
    quiet = [each for each in every if each.harm == CLEAN]
    return (
        f"{sum(each.missed for each in blocks)} missed of {len(blocks)} blocked needles; "
        f"{sum(each.trial.fault is not Fault.NONE for each in quiet)} false alarms in "
        f"{sum(map(shots_of, quiet)):,} shots."
    )


def row_of(each: Found) -> dict[str, Any]:
    """A trial as plain data."""
    row = asdict(each)
    row["trial"]["fault"] = each.trial.fault.name
    return row


def append_row(each: Found, path: Path) -> None:
    """Append a trial to a file of JSON, one a line."""
    with path.open("a") as lines:
        lines.write(json.dumps(row_of(each)) + "\n")
