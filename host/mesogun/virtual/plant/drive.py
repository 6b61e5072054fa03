"""Motor, driver and screw: how pulses become travel of the pusher, or a slip."""

import math
import random

from mesogun.virtual.plant.faults import Faults
from mesogun.virtual.plant.liquid import Liquid
from mesogun.virtual.plant.stopper import Stopper
from mesogun.virtual.plant_parameters import FULL_STEPS_OF_A_SLIP, PlantParameters

SG_RESULT_MAX = 510

_STALL_LOOK_S = 1e-3
_FULL_STEPS_OF_A_LOOK = 8
_AT_THE_END_NL = 1e-3


class StallGuard:
    """The load measurement of the TMC2209 and its DIAG output.

    SG_RESULT falls from a value that grows with the speed, as the back-EMF from which it is
    measured, to nothing at the load at which the motor slips. The noise grows as the back-EMF
    vanishes: below `PlantParameters.stallguard_least_rpm` the value says nothing. The driver
    measures each full step, the plant every eighth and at each slip.

    Attributes:
        threshold: SGTHRS, 0 to 255; DIAG reports an SG_RESULT of not more than twice this.
        least_rpm: speed below which DIAG reports nothing (TCOOLTHRS).
        diag: DIAG has reported since this was last set to False.
        result: last SG_RESULT, even, 0 to 510.
    """

    def __init__(self, parameters: PlantParameters, seed: int) -> None:
        self.threshold = 40
        self.least_rpm = 10.0
        self.diag = False
        self.result = 0
        self._free = parameters.stallguard_free
        self._noise = parameters.stallguard_noise
        self._least_rpm = parameters.stallguard_least_rpm
        self._random = random.Random(f"stallguard {seed}")

    def measure(self, load: float, speed_rpm: float) -> None:
        """Measure at a share of the load that the motor can take, 0 to 1."""
        weak = self._least_rpm / speed_rpm
        seen = self._free * max(0.0, 1 - load) / (1 + weak)
        seen += self._random.gauss(0, self._noise * (1 + weak * weak))
        self.result = 2 * round(max(0.0, min(SG_RESULT_MAX, seen)) / 2)
        if speed_rpm >= self.least_rpm and self.result <= 2 * self.threshold:
            self.diag = True


class Drive:
    """The motor behind the stopper.

    The screw's lead error repeats each turn: its travel is that of a perfect screw and
    a sin(2 pi turns + phase). The travel between two looks is swept at an even rate, so travel and
    volume are exact at each.

    Attributes:
        full_step_slips: full steps that the motor lost in either direction, four at a time.
        end_nl: swept volume at which the plunger meets the end of the barrel.
        stallguard: the driver's view of the load.
    """

    def __init__(
        self, parameters: PlantParameters, seed: int, faults: Faults, liquid: Liquid, fineness: int
    ) -> None:
        self.full_step_slips = 0
        self.stallguard = StallGuard(parameters, seed)
        self._faults = faults
        self._liquid = liquid
        self._fineness = fineness
        self._rotor_steps = 0.0
        self._lag_steps = 0.0  # how far the field has left a slipping rotor behind
        self.load_syringe(parameters)

    def load_syringe(self, parameters: PlantParameters) -> None:
        """Take the barrel, stopper and volume of another syringe into the calculation."""
        p = parameters
        self._parameters = p
        self.stopper = Stopper(p, self._liquid, self._fineness)
        self.end_nl = p.capacity_ml * 1e6
        self._look_steps = _FULL_STEPS_OF_A_LOOK * p.microsteps / self._fineness
        self._turns_per_step = 1 / (p.steps_per_revolution * p.microsteps)
        self._nl_per_mm = p.area_mm2 * 1000
        self._nl_per_step = p.nl_per_step
        self._most_nl_per_step = p.nl_per_step * (1 + 2 * math.pi * p.lead_error_mm / p.lead_mm)
        self._screw_nl = self._screw_at(self._rotor_steps)

    @property
    def supply_v(self) -> float:
        """Voltage of the motor's supply."""
        sagged = self._faults.supply_v
        return self._parameters.supply_v if sagged is None else sagged

    @property
    def force_n(self) -> float:
        """Force between pusher and plunger; negative while it pulls."""
        if self._lag_steps > 0 and self._at_the_end:
            return self._most_n
        return self.stopper.push_kpa * self._parameters.area_mm2 * 1e-3

    def turn(self, steps_per_s: float, speed_rpm: float, duration_s: float) -> None:
        """Turn the field at a rate, negative backward.

        Args:
            steps_per_s: rate of the pulses.
            speed_rpm: speed that the torque depends on.
            duration_s: how long.
        """
        self._rpm = speed_rpm
        self._most_n = self._parameters.pullout_force_n(speed_rpm, self.supply_v)
        left_s = duration_s
        while left_s > 0:
            left_s -= self._turn(steps_per_s, left_s)

    def _turn(self, rate: float, left_s: float) -> float:
        """Turn until something changes; return the time that it took."""
        stopper = self.stopper
        ahead = 1 if rate > 0 else -1
        push_n = ahead * stopper.push_kpa * self._parameters.area_mm2 * 1e-3
        # A motor without current does not turn, even where the load would help it.
        too_hard = push_n >= self._most_n or not self._most_n
        if self._lag_steps or too_hard or (ahead > 0 and self._at_the_end):
            return self._slip(rate, left_s)
        look = self._look_steps
        node = (math.floor(ahead * self._rotor_steps / look + 1e-9) + 1) * look * ahead
        node_s = (node - self._rotor_steps) / rate
        if ahead < 0:
            return self._travel(rate, min(left_s, node_s), node if node_s <= left_s else None)
        most_nl_s = rate * self._most_nl_per_step
        hold_n = min(self._most_n, self._faults.coupling_holds_n)
        headroom_s = stopper.headroom_s(hold_n / self._parameters.area_mm2 * 1e3, most_nl_s)
        look_s = min(
            left_s,
            (self.end_nl - stopper.swept_nl) / most_nl_s,
            max(headroom_s, _STALL_LOOK_S / self._fineness),
        )
        if push_n >= self._faults.coupling_holds_n:
            return self._slide_past(rate, min(look_s, node_s))
        return self._travel(rate, min(look_s, node_s), node if node_s <= look_s else None)

    @property
    def _at_the_end(self) -> bool:
        return self.end_nl - self.stopper.swept_nl < _AT_THE_END_NL

    def _screw_at(self, rotor_steps: float) -> float:
        p = self._parameters
        turns = rotor_steps * self._turns_per_step + p.screw_phase_turns
        error_mm = p.lead_error_mm * math.sin(2 * math.pi * turns)
        return rotor_steps * self._nl_per_step + error_mm * self._nl_per_mm

    def _travel(self, rate: float, duration_s: float, node: float | None) -> float:
        """Travel for a time, which ends at a place where the driver measures if one is given."""
        self._rotor_steps = self._rotor_steps + rate * duration_s if node is None else node
        screw_nl = self._screw_at(self._rotor_steps)
        self.stopper.advance((screw_nl - self._screw_nl) / duration_s, duration_s)
        self._screw_nl = screw_nl
        if node is not None:
            push_n = math.copysign(self.stopper.push_kpa, self.stopper.push_kpa * rate)
            push_n *= self._parameters.area_mm2 * 1e-3
            self.stallguard.measure(max(0.0, push_n) / max(self._most_n, 1e-9), self._rpm)
        return duration_s

    def _slide_past(self, rate: float, duration_s: float) -> float:
        """Let the pusher slide along the plunger, which goes on as far as its push carries it."""
        swept_nl_s = 0.0
        if self.stopper.glides_forward:
            swept_nl_s = min(rate * self._nl_per_step, max(0.0, self._liquid.outflow_nl_s))
        self._rotor_steps += rate * duration_s
        self._screw_nl = self._screw_at(self._rotor_steps)
        self.stopper.advance(swept_nl_s, duration_s)
        return duration_s

    def _slip(self, rate: float, left_s: float) -> float:
        """The field turns and the rotor does not, until they are in phase again."""
        lag = self._lag_steps
        goes_on = lag * rate >= 0
        if goes_on and not lag:
            self.stallguard.measure(1.0, self._rpm)
        free_steps = self._parameters.slip_steps - abs(lag) if goes_on else abs(lag)
        needed_s = free_steps / abs(rate)
        taken_s = min(needed_s, left_s)
        if needed_s > left_s:
            self._lag_steps += rate * left_s
        else:
            self._lag_steps = 0.0
            self.full_step_slips += FULL_STEPS_OF_A_SLIP if goes_on else 0
        self.stopper.advance(0.0, taken_s)
        return taken_s
