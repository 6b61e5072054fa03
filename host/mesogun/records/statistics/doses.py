"""Error of single doses, as of pumps that deliver a discrete bolus, and what a pressure does to it.

IEC 60601-2-24 tests such a pump (its type 3) by 25 successive doses at the smallest and at the
largest setting and asks for the mean error, the worst error above and the worst below, in percent
of the setting. A back-pressure of plus and minus 13.33 kPa (100 mmHg) is disclosed by how far it
shifts the mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite, sqrt
from statistics import fmean

from mesogun.errors import UsageError

SUCCESSIVE_DOSES = 25
"""Doses of one test of IEC 60601-2-24, type 3."""

BACK_PRESSURE_KPA = 13.33
"""Both signs of this are tested: 100 mmHg, IEC 60601-2-24."""


@dataclass(frozen=True)
class DoseAccuracy:
    """What the errors of a run of doses come to, percent of the set dose.

    Attributes:
        shots: how many doses.
        mean_percent: mean error; with one setting for all it is the error of the mean dose.
        deviation_percent: standard deviation of the sample (n - 1), None for a single dose.
        under_percent: smallest error, the worst one below unless all are above.
        over_percent: largest error, the worst one above unless all are below.
    """

    shots: int
    mean_percent: float
    deviation_percent: float | None
    under_percent: float
    over_percent: float

    @property
    def worst_percent(self) -> float:
        """Error that is farthest from zero, with its sign."""
        return max(self.over_percent, self.under_percent, key=abs)


def dose_errors_percent(delivered_nl: Sequence[float], set_nl: Sequence[float]) -> list[float]:
    """Return 100 (delivered - set) / set of each dose, percent.

    Args:
        delivered_nl: volumes that were delivered; nl, or any other unit that both share.
        set_nl: what each of them was set to, above zero; `[set_nl] * 25` for one setting.

    Raises:
        UsageError: if the two differ in length, or a set dose is not above zero.
    """
    if len(delivered_nl) != len(set_nl):
        raise UsageError(
            f"{len(delivered_nl)} delivered doses and {len(set_nl)} set doses do not pair up; give "
            "the set dose of each delivered one."
        )
    wrong = next((dose for dose in set_nl if not dose > 0), None)
    if wrong is not None:
        raise UsageError(
            f"A set dose of {wrong} has no error in percent of it; leave doses out that were not "
            "set to more than 0."
        )
    return [100 * (made - asked) / asked for made, asked in zip(delivered_nl, set_nl, strict=True)]


def dose_accuracy(errors_percent: Sequence[float]) -> DoseAccuracy:
    """Return mean, standard deviation and worst of the errors of doses.

    Raises:
        UsageError: if there is none, or one is not a finite number.
    """
    mean, deviation = mean_and_deviation(errors_percent)
    return DoseAccuracy(
        shots=len(errors_percent),
        mean_percent=mean,
        deviation_percent=deviation,
        under_percent=min(errors_percent),
        over_percent=max(errors_percent),
    )


def count_within(errors_percent: Sequence[float], limit_percent: float) -> int:
    """Return how many errors are not farther from zero than `limit_percent`, which is allowed."""
    return sum(abs(error) <= limit_percent for error in errors_percent)


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean and the standard deviation of the sample (n - 1), None for one value.

    Raises:
        UsageError: if there is no value, or one is not a finite number.
    """
    if not values:
        raise UsageError("There is no value to take a mean of; give at least one.")
    wrong = next((value for value in values if not isfinite(value)), None)
    if wrong is not None:
        raise UsageError(f"{wrong} is no measured value; leave out what was not measured.")
    mean = fmean(values)
    if len(values) == 1:
        return mean, None
    return mean, sqrt(fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


@dataclass(frozen=True)
class BackPressureEffect:
    """How a back-pressure at the tip of the needle changes the dose.

    Attributes:
        shift_percent: by back-pressure in kPa, mean dose against the one without, percent.
        percent_per_kpa: slope of the straight line through zero that fits best (least squares).
    """

    shift_percent: dict[float, float]
    percent_per_kpa: float

    @property
    def worst_percent(self) -> float:
        """Shift that is farthest from zero, with its sign."""
        return max(self.shift_percent.values(), key=abs)


def back_pressure_effect(doses_nl: Mapping[float, Sequence[float]]) -> BackPressureEffect:
    """Return how the mean dose shifts with back-pressure.

    Args:
        doses_nl: delivered doses by back-pressure in kPa, all of one setting; 0 is the reference.
            The test of the standard has -13.33, 0 and 13.33 (`BACK_PRESSURE_KPA`).

    Raises:
        UsageError: if the reference or every other pressure is missing, a pressure has no dose, or
            nothing was delivered at the reference.
    """
    if 0 not in doses_nl or len(doses_nl) < 2:
        raise UsageError(
            f"Doses at {sorted(doses_nl)} kPa do not show a shift; give those at 0 kPa and at one "
            "other pressure at least."
        )
    reference = mean_and_deviation(doses_nl[0])[0]
    if not reference > 0:
        raise UsageError(
            f"A mean dose of {reference} nl at 0 kPa is no reference; repeat the doses without "
            "back-pressure."
        )
    shifts = {
        kpa: 100 * (mean_and_deviation(doses)[0] / reference - 1)
        for kpa, doses in doses_nl.items()
        if kpa
    }
    slope = fsum(kpa * shift for kpa, shift in shifts.items()) / fsum(kpa * kpa for kpa in shifts)
    return BackPressureEffect(shifts, slope)
