"""What leaves the needle over time, in samples."""

from dataclasses import dataclass, field


@dataclass
class Curve:
    """Samples at even times; the n-th entry of each list belongs to the n-th sample.

    Attributes:
        period_ns: time between two samples.
        nl_per_step: volume that a pulse stands for in `commanded_nl`.
        time_ns: simulated time.
        needle_nl: volume that has left the needle.
        commanded_nl: volume that the pulses stand for, those backward taken off.
        pressure_kpa: gauge pressure in the syringe.
    """

    period_ns: int
    nl_per_step: float
    time_ns: list[int] = field(default_factory=list[int])
    needle_nl: list[float] = field(default_factory=list[float])
    commanded_nl: list[float] = field(default_factory=list[float])
    pressure_kpa: list[float] = field(default_factory=list[float])

    def take(self, time_ns: int, needle_nl: float, steps: float, pressure_kpa: float) -> None:
        """Append a sample."""
        self.time_ns.append(time_ns)
        self.needle_nl.append(needle_nl)
        self.commanded_nl.append(steps * self.nl_per_step)
        self.pressure_kpa.append(pressure_kpa)
