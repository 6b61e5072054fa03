"""Volume that was delivered, as a curve over time: from single deliveries or from samples.

The curve is what a balance under the needle would have seen. Recorded shots make ramps, or steps if
their duration is not known; a plant or a balance gives samples.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from operator import le
from typing import NamedTuple

from mesogun.errors import UsageError

SETTLING_S = 0.5
"""After a stop what leaves the needle in this time still belongs to the dose."""

_ROUNDING_S = 1e-9
"""Deliveries that overlap by less follow one another: the smallest unit of simulated time."""


class Delivery(NamedTuple):
    """A volume that is delivered evenly from `start_s` on; with no duration, at once."""

    start_s: float
    duration_s: float
    volume_nl: float


@dataclass(frozen=True)
class DeliveryCurve:
    """Delivered volume over time, straight between its points.

    Attributes:
        times_s: of the points, never falling, two or more. Two points of one time are a step.
        volumes_nl: delivered since any moment before the first point. It falls where a needle
            draws in.

    Raises:
        UsageError: if the two differ in length, a time falls, or a number is not finite.
    """

    times_s: Sequence[float]
    volumes_nl: Sequence[float]

    def __post_init__(self) -> None:
        times_s, volumes_nl = self.times_s, self.volumes_nl
        if len(times_s) != len(volumes_nl) or len(times_s) < 2:
            raise UsageError(
                f"{len(times_s)} times and {len(volumes_nl)} volumes make no curve; give as many "
                "of one as of the other, two at least."
            )
        if not (all(map(isfinite, times_s)) and all(map(isfinite, volumes_nl))):
            raise UsageError("A point of a curve is not a finite number; leave it out.")
        if not all(map(le, times_s, islice(times_s, 1, None))):
            place = next(i for i in range(1, len(times_s)) if times_s[i] < times_s[i - 1])
            raise UsageError(
                f"Point {place} of a curve is at {times_s[place]} s, before the one at "
                f"{times_s[place - 1]} s; sort the points by time."
            )

    @classmethod
    def from_deliveries(
        cls, deliveries: Iterable[Delivery], start_s: float, end_s: float
    ) -> "DeliveryCurve":
        """Return the curve of deliveries that follow one another.

        Args:
            deliveries: in the order of time, none before the one before it is over.
            start_s: where the curve begins, with 0 nl; not later than the first delivery.
            end_s: where it ends; not earlier than the last delivery.

        Raises:
            UsageError: if deliveries overlap or lie outside the curve.
        """
        times_s, volumes_nl = [start_s], [0.0]
        for delivery in deliveries:
            begin_s = delivery.start_s
            if abs(begin_s - times_s[-1]) < _ROUNDING_S:
                begin_s = times_s[-1]
            if begin_s < times_s[-1] or delivery.duration_s < 0:
                raise UsageError(
                    f"{delivery} begins before {times_s[-1]} s, where the curve begins or the "
                    "delivery before it ends, or takes less than no time; give them one by one."
                )
            times_s += (begin_s, begin_s + delivery.duration_s)
            volumes_nl += (volumes_nl[-1], volumes_nl[-1] + delivery.volume_nl)
        if end_s < times_s[-1]:
            raise UsageError(
                f"The last delivery is over at {times_s[-1]} s and the curve at {end_s} s already; "
                "let the curve end later."
            )
        return cls((*times_s, end_s), (*volumes_nl, volumes_nl[-1]))

    @property
    def start_s(self) -> float:
        """Time of the first point."""
        return self.times_s[0]

    @property
    def end_s(self) -> float:
        """Time of the last point."""
        return self.times_s[-1]

    def volume_nl(self, time_s: float) -> float:
        """Return the volume at a time; at a step, the one after it.

        Raises:
            UsageError: if the curve does not reach that time.
        """
        if not self.start_s <= time_s <= self.end_s:
            raise UsageError(
                f"The curve has no volume at {time_s} s: it goes from {self.start_s} s to "
                f"{self.end_s} s. Record longer or ask for less."
            )
        after = bisect_right(self.times_s, time_s)
        if after == len(self.times_s):
            return self.volumes_nl[-1]
        begin_s, begin_nl = self.times_s[after - 1], self.volumes_nl[after - 1]
        share = (time_s - begin_s) / (self.times_s[after] - begin_s)
        return begin_nl + share * (self.volumes_nl[after] - begin_nl)

    def sample(self, start_s: float, sample_s: float) -> list[float]:
        """Return the volume at `start_s` and after every whole `sample_s` that fits, nl.

        Steps that lie on a sample fall on either side of it by rounding: begin between two shots.

        Raises:
            UsageError: if not a single `sample_s` above 0 fits.
        """
        fits = (self.end_s - start_s) / sample_s if sample_s > 0 else 0
        count = int(fits * (1 + 1e-12))  # a whole number of samples may miss by rounding
        if count < 1:
            raise UsageError(
                f"No sample of {sample_s} s fits between {start_s} s and the end of the curve at "
                f"{self.end_s} s; record longer or sample faster."
            )
        return [self.volume_nl(min(start_s + i * sample_s, self.end_s)) for i in range(count + 1)]


def dribble_nl(
    curve: DeliveryCurve,
    stop_s: float,
    until_s: float | None = None,
    settling_s: float = SETTLING_S,
) -> float:
    """Return the volume that leaves the needle later than `settling_s` after a stop, nl.

    It is the highest that the curve rises after that moment; what is drawn in later is not set off.

    Args:
        curve: what leaves the needle, sampled until nothing does any more.
        stop_s: last motion that was to deliver.
        until_s: next motion, or None for the end of the curve.
        settling_s: how long after the stop the flow still belongs to the dose.

    Raises:
        UsageError: if the curve does not reach from the settled moment to `until_s`.
    """
    settled_s = stop_s + settling_s
    end_s = curve.end_s if until_s is None else until_s
    settled_nl = curve.volume_nl(settled_s)
    if end_s < settled_s:
        raise UsageError(
            f"Nothing can be said about dribble until {end_s} s, as it counts from {settled_s} s "
            f"on, {settling_s} s after the stop; look longer."
        )
    first = bisect_right(curve.times_s, settled_s)
    last = bisect_left(curve.times_s, end_s)
    later_nl = curve.volumes_nl[first:last]
    return max((settled_nl, curve.volume_nl(end_s), *later_nl)) - settled_nl
