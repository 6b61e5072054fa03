"""From the edges on the STEP pin to motion as the plant takes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mesogun.virtual.pulse_stream import Run

LONGEST_STEP_NS: Final = 10_000_000
"""The last step of a train is over by then: a rotor settles within milliseconds."""


@dataclass(frozen=True, slots=True)
class Step:
    """A rising edge on STEP.

    Attributes:
        ns: when.
        forward: DIR at that moment.
        driven: the driver was enabled.
    """

    ns: int
    forward: bool
    driven: bool


class Motion:
    """Turns steps into runs; a step takes until the next one, or as long as the one before it took.

    Steps at one interval, in one direction, become one run, so that the plant's work depends on
    changes of speed and not on steps.
    """

    def __init__(self) -> None:
        self._waiting: list[Step] = []
        self._interval_ns = LONGEST_STEP_NS

    @property
    def pending_ns(self) -> int | None:
        """Begin of the first step that was not over at the last look, None if all are."""
        return self._waiting[0].ns if self._waiting else None

    def add(self, step: Step) -> None:
        """Add the next step."""
        self._waiting.append(step)

    def until(self, now_ns: int) -> Iterator[Run]:
        """Yield the motion that is over by `now_ns`, in order."""
        steps = self._waiting
        first = done = 0
        while done < len(steps):
            interval_ns = self._interval(done, now_ns)
            if interval_ns is None:
                break
            if done > first and (
                interval_ns != self._interval_ns
                or steps[done].forward != steps[first].forward
                or steps[done].driven != steps[first].driven
                or steps[done].ns != steps[done - 1].ns + interval_ns
            ):
                yield self._run(first, done)
                first = done
            self._interval_ns = interval_ns
            done += 1
        if done > first:
            yield self._run(first, done)
        del steps[:done]

    def _interval(self, index: int, now_ns: int) -> int | None:
        """How long a step takes, None if that is not known yet or lasts beyond `now_ns`."""
        steps = self._waiting
        if index + 1 < len(steps):
            return min(steps[index + 1].ns - steps[index].ns, LONGEST_STEP_NS)
        expected_ns = self._interval_ns
        return expected_ns if steps[index].ns + expected_ns <= now_ns else None

    def _run(self, first: int, end: int) -> Run:
        begin, interval_ns = self._waiting[first], self._interval_ns
        return Run(
            start_ns=begin.ns,
            end_ns=begin.ns + (end - first) * interval_ns,
            first_edge_ns=begin.ns,
            interval_ns=interval_ns,
            pulses=end - first,
            forward=begin.forward,
            driven=begin.driven,
        )
