"""A plant on a pulse stream, and the syringes that its tests load."""

from dataclasses import replace

from mesogun.virtual.plant import Plant
from mesogun.virtual.plant_parameters import PlantParameters
from mesogun.virtual.pulse_stream import PulseStream
from mesogun_protocol.pulse import DWELL_TICKS, PULSE_TICKS, encode_segment

TICKS_PER_S = 5_000_000
SECOND_NS = 10**9
TEN_ML = PlantParameters.for_syringe_and_needle(14.5, 10, 0.21, 13)
THREE_ML = PlantParameters.for_syringe_and_needle(8.66, 3, 0.21, 4)
EVEN = replace(TEN_ML, lead_error_mm=0.0)
"""A perfect screw, where a test is about something else."""
FREE = replace(EVEN, glide_friction_n=0.0, break_loose_extra_n=0.0)
"""No friction either: stored volume is pressure times compliance."""
LINEAR = replace(FREE, needle_loss_factor=0.0)
"""A linear needle on top of that: an R C filter."""


def pulses(steps: int, duration_s: float) -> list[int]:
    """Steps in a time, negative steps backward."""
    interval = round(duration_s * TICKS_PER_S / abs(steps)) - PULSE_TICKS
    return list(encode_segment(steps > 0, True, abs(steps), interval))


def dwell(duration_s: float) -> list[int]:
    """A time of rest, in items of 10 ms."""
    items = max(1, round(duration_s * 100))
    return list(encode_segment(True, False, items, TICKS_PER_S // 100 - DWELL_TICKS))


class Gun:
    """A pulse stream with a plant on it."""

    def __init__(self, parameters: PlantParameters, seed: int = 1, fineness: int = 1) -> None:
        self.plant = Plant(parameters, seed, fineness=fineness)
        self.stream = PulseStream()
        self.stream.set_budget(0, 10**9)
        self.stream.set_driver(0, True)
        self.now_ns = 0

    def run(self, words: list[int], slice_ns: int | None = None) -> None:
        self.stream.submit(self.now_ns, words)
        end_ns = self.stream.ends_ns
        assert end_ns is not None
        while self.now_ns < end_ns:
            self.wait_ns(end_ns - self.now_ns if slice_ns is None else slice_ns)

    def wait_ns(self, duration_ns: int) -> None:
        self.now_ns += duration_ns
        self.plant.advance(self.now_ns, self.stream.advance(self.now_ns))

    @property
    def imbalance_nl(self) -> float:
        plant = self.plant
        return plant.plunger_nl - plant.needle_nl - plant.leaked_nl - plant.stored_nl
