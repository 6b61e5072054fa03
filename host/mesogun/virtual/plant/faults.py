"""What can go wrong with a plant, on demand."""

import math

from mesogun.errors import UsageError

FORCE_ADC_MAX = 4095


class Faults:
    """Faults of one plant; each acts from the moment it is called and can be taken back.

    A wrong syringe is a syringe that is loaded (`Plant.load_syringe`), an empty one is a plunger at
    its end (`Plant.remaining_nl`); trigger and interlock belong to the hands, not to the plant.

    Attributes:
        passage: share of the flow that passes the needle at the same pressure: 1 is open, 0 closed.
        air_nl: air in the syringe as volume at ambient pressure.
        leak_nl_per_s_kpa: flow past stopper or Luer joint a kPa of pressure.
        coupling_holds_n: push at which the pusher slides past the plunger.
        force_offset_n: what the force sensor shows too much.
        force_stuck_raw: what the force sensor shows whatever the force, None if it follows.
        supply_v: voltage to which the supply has sagged, None if it has not.
    """

    def __init__(self) -> None:
        self.passage = 1.0
        self.air_nl = 0.0
        self.leak_nl_per_s_kpa = 0.0
        self.coupling_holds_n = math.inf
        self.force_offset_n = 0.0
        self.force_stuck_raw: int | None = None
        self.supply_v: float | None = None
        self._narrows_to = 1.0
        self._narrows_per_s = 0.0

    @property
    def narrowing(self) -> bool:
        """True while `passage` is on its way to another value."""
        return self.passage != self._narrows_to

    def occlude(self, passage: float = 0.0, over_s: float = 0.0) -> None:
        """Let less through the needle: sudden or slow, whole or partial.

        Args:
            passage: share that still passes at the end, 0 to 1; 1 frees the needle.
            over_s: time in which it comes about at an even rate; 0 is at once.

        Raises:
            UsageError: a value is out of its range.
        """
        _check("passage", passage, 0.0, 1.0)
        _check("over_s", over_s)
        self._narrows_to = passage
        if over_s:
            self._narrows_per_s = (passage - self.passage) / over_s
        else:
            self.passage = passage

    def trap_air(self, air_ul: float) -> None:
        """Put a bubble into the syringe that stays there; 0 takes it out.

        Args:
            air_ul: its volume at ambient pressure, 0 or more.

        Raises:
            UsageError: the volume is negative.
        """
        _check("air_ul", air_ul)
        self.air_nl = air_ul * 1000

    def leak(self, nl_per_s_kpa: float) -> None:
        """Let liquid out at a rate that is proportional to the pressure; 0 seals it again.

        Args:
            nl_per_s_kpa: leak rate a kPa above ambient, 0 or more. A 27G x 13 mm needle passes
                3700 with water.

        Raises:
            UsageError: the rate is negative.
        """
        _check("nl_per_s_kpa", nl_per_s_kpa)
        self.leak_nl_per_s_kpa = nl_per_s_kpa

    def slip_plunger(self, holds_n: float) -> None:
        """Let the pusher slide past the plunger where it has to push harder; `math.inf` mends it.

        Args:
            holds_n: push that is still transmitted, 0 or more.

        Raises:
            UsageError: the force is negative.
        """
        _check("holds_n", holds_n)
        self.coupling_holds_n = holds_n

    def offset_force_sensor(self, offset_n: float) -> None:
        """Shift the zero of the force sensor; 0 mends it."""
        _check("offset_n", offset_n, -math.inf)
        self.force_offset_n = offset_n

    def stick_force_sensor(self, raw: int) -> None:
        """Freeze the force sensor at a reading; `free_force_sensor` mends it.

        Args:
            raw: the reading, 0 to 4095; 0 is a torn wire.

        Raises:
            UsageError: the converter has no such reading.
        """
        _check("raw", raw, 0, FORCE_ADC_MAX)
        self.force_stuck_raw = raw

    def free_force_sensor(self) -> None:
        """Let the force sensor follow the force again."""
        self.force_stuck_raw = None

    def sag_supply(self, volts: float) -> None:
        """Let the supply sag to a voltage until `restore_supply`.

        Args:
            volts: voltage under load, 0 or more.

        Raises:
            UsageError: the voltage is negative.
        """
        _check("volts", volts)
        self.supply_v = volts

    def restore_supply(self) -> None:
        """Let the supply have its own voltage again."""
        self.supply_v = None

    def elapse(self, duration_s: float) -> None:
        """Let a slow occlusion go on; the plant calls this as its time passes."""
        if self.narrowing:
            there = self._narrows_to
            step = self._narrows_per_s * duration_s
            self.passage = there if abs(there - self.passage) <= abs(step) else self.passage + step


def _check(name: str, value: float, least: float = 0.0, most: float = math.inf) -> None:
    if not least <= value <= most:
        raise UsageError(
            f"fault: {name} = {value} is not between {least} and {most}, the range in which the "
            "physics has a meaning; give another value"
        )
