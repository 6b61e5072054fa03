"""Whether the pressures of a session tell of something that raised no alarm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from mesogun.records.view import SessionRecord, Shot

FALLEN: Final = 0.7
RISEN: Final = 1.4
"""Undisturbed guns of the occlusion bench keep 0.96 to 1.09 (docs/occlusion.md); skin varies."""
_LEAST_SHOTS: Final = 8
_LEAST_KPA: Final = 20
"""Less is hardly more than what friction and the sensor's zero may be off by."""
_MOST_COMPARED: Final = 10


@dataclass(frozen=True)
class Drift:
    """How far the highest pressure of equal shots has moved in a step of the program.

    Attributes:
        step: of the program, from 0.
        first_kpa: median of its first shots, without the very first, which winds the drive up.
        last_kpa: median of its last shots.
    """

    step: int
    first_kpa: float
    last_kpa: float

    @property
    def ratio(self) -> float:
        """Last over first."""
        return self.last_kpa / max(self.first_kpa, 1.0)

    @property
    def is_suspicious(self) -> bool:
        """Whether that is more than shots into the same skin differ by."""
        enough = max(self.first_kpa, self.last_kpa) >= _LEAST_KPA
        return enough and not FALLEN <= self.ratio <= RISEN


def pressure_drifts(record: SessionRecord) -> Iterator[Drift]:
    """Yield the suspicious drifts of a session, a step of the program at most one."""
    steps: dict[int, list[Shot]] = {}
    for shot in record.shots:
        steps.setdefault(shot.step, []).append(shot)
    for step, shots in steps.items():
        peaks = [each.pressure_kpa for each in shots if each.is_complete]
        drift = drift_of(step, [kpa for kpa in peaks if kpa is not None])
        if drift is not None and drift.is_suspicious:
            yield drift


def drift_of(step: int, peaks_kpa: Sequence[int]) -> Drift | None:
    """Return how far the peaks of a step moved, None if there are too few to tell."""
    if len(peaks_kpa) < _LEAST_SHOTS:
        return None
    compared = min(max(len(peaks_kpa) // 4, 3), _MOST_COMPARED)
    first, last = peaks_kpa[1 : compared + 1], peaks_kpa[-compared:]
    return Drift(step, median(first), median(last))
