"""The physics from the motor's steps to the liquid that leaves the needle.

Drive: rotor, screw and play push a plunger. Liquid: what the plunger sweeps is stored in the
compliance of syringe, tubing and trapped air, and leaves through the needle against the tissue.
Units inside: nl, kPa, s, mm, N.
"""

import math
import random
from collections.abc import Iterable

from mesogun.errors import MesogunError
from mesogun.virtual.plant_parameters import (
    ATMOSPHERE_KPA,
    FULL_STEPS_OF_A_SLIP,
    PlantParameters,
)
from mesogun.virtual.pulse_stream import Run

FORCE_ADC_MAX = 4095
STEP_ERROR_KPA = 0.05
SETTLED_KPA = 1e-3

_STALL_LOOK_S = 1e-3
_PLAY_LOOK_S = 1e-4
_GAMMA = 1 - math.sqrt(0.5)  # makes the two-stage Rosenbrock method of order 2 L-stable


class PlantError(MesogunError):
    """The plant was driven against the order of time."""


class _Liquid:
    """Stored volume and tissue pressure as a pair of differential equations.

        dS/dt   = swept - Q          P = P(S)
        dP_t/dt = (Q - P_t / R_t) / C_t
        P - P_t = R Q + L Q |Q|

    Integrated by the two-stage Rosenbrock method ROS2 (Verwer 1999, order 2, L-stable), which takes
    long steps through the stiff start of a short needle; the step follows the error of its embedded
    first-order solution. What leaves the needle is the difference between swept and stored, so
    volume is conserved whatever the step.
    """

    def __init__(self, parameters: PlantParameters, step_error_kpa: float) -> None:
        self.occluded = False
        self.in_tissue = False
        self.air_nl = 0.0
        self.stored_nl = 0.0
        self.tissue_kpa = 0.0
        self.needle_nl = 0.0
        self.trials = 0
        self._compliance = parameters.compliance_nl_per_kpa
        self._resistance = parameters.needle_resistance_kpa_s_per_nl
        self._loss = parameters.needle_loss_kpa_s2_per_nl2
        self._tissue_compliance = parameters.tissue_compliance_nl_per_kpa
        self._tissue_leak = 1 / parameters.tissue_resistance_kpa_s_per_nl
        self._step_error_kpa = step_error_kpa
        self._step_s = 1e-3

    @property
    def settled(self) -> bool:
        across_kpa = 0.0 if self.occluded else self.pressure(self.stored_nl)[0] - self.tissue_kpa
        return abs(across_kpa) < SETTLED_KPA and abs(self.tissue_kpa) < SETTLED_KPA

    def pressure(self, stored_nl: float) -> tuple[float, float]:
        """Gauge pressure and its slope dP/dS.

        Solves S = C P + V P / (P_0 + P): a spring, and air of volume V at ambient pressure that
        follows Boyle's law. Without air the same root stays at vacuum when more is pulled than
        the spring holds: the liquid then tears and a void takes up the rest.
        """
        linear = self._compliance * ATMOSPHERE_KPA + self.air_nl - stored_nl
        root = math.sqrt(linear * linear + 4 * self._compliance * stored_nl * ATMOSPHERE_KPA)
        if linear > 0:
            pressure = 2 * stored_nl * ATMOSPHERE_KPA / (linear + root)
        else:
            pressure = (root - linear) / (2 * self._compliance)
        return pressure, (pressure + ATMOSPHERE_KPA) / max(root, 1e-9)

    def stored_at(self, pressure_kpa: float) -> float:
        """Stored volume at a pressure above vacuum; the inverse of `pressure`."""
        air = self.air_nl * pressure_kpa / (ATMOSPHERE_KPA + pressure_kpa)
        return self._compliance * pressure_kpa + air

    def flow(self, across_kpa: float) -> tuple[float, float]:
        """Flow through the needle in nl/s and its slope dQ/dP."""
        if self.occluded:
            return 0.0, 0.0
        size = abs(across_kpa)
        root = math.sqrt(self._resistance * self._resistance + 4 * self._loss * size)
        return 2 * across_kpa / (self._resistance + root), 1 / root

    def advance(self, swept_nl_s: float, duration_s: float) -> None:
        """Go on for `duration_s` while the plunger sweeps at a constant rate."""
        left_s = duration_s
        while left_s > 0:
            if swept_nl_s == 0 and self.settled:
                return
            step_s = min(self._step_s, left_s)
            stored_nl, tissue_kpa, error_kpa = self._trial(swept_nl_s, step_s)
            self.trials += 1
            growth = 0.9 * math.sqrt(self._step_error_kpa / max(error_kpa, 1e-12))
            if error_kpa > self._step_error_kpa:
                self._step_s = step_s * max(growth, 0.1)
                continue
            self.needle_nl += swept_nl_s * step_s - (stored_nl - self.stored_nl)
            self.stored_nl = stored_nl
            self.tissue_kpa = tissue_kpa
            self._step_s = max(self._step_s, step_s * min(growth, 5.0))
            left_s -= step_s

    def _trial(self, swept: float, step_s: float) -> tuple[float, float, float]:
        """One step: stored volume and tissue pressure after it, and the error in kPa."""
        stored, tissue = self.stored_nl, self.tissue_kpa
        pressure, stiffness = self.pressure(stored)
        flow, slope = self.flow(pressure - tissue)
        implicit = _GAMMA * step_s
        a11 = 1 + implicit * slope * stiffness
        a12 = -implicit * slope
        a21, a22 = 0.0, 1.0
        if self.in_tissue:
            share = implicit / self._tissue_compliance
            a21 = -share * slope * stiffness
            a22 = 1 + share * (slope + self._tissue_leak)
        determinant = a11 * a22 - a12 * a21

        rate_s, rate_t = swept - flow, self._tissue_rate(flow, tissue)
        s1 = (rate_s * a22 - a12 * rate_t) / determinant
        t1 = (a11 * rate_t - a21 * rate_s) / determinant

        ahead = tissue + step_s * t1
        pressure, stiffness_ahead = self.pressure(stored + step_s * s1)
        flow = self.flow(pressure - ahead)[0]
        rate_s, rate_t = swept - flow - 2 * s1, self._tissue_rate(flow, ahead) - 2 * t1
        s2 = (rate_s * a22 - a12 * rate_t) / determinant
        t2 = (a11 * rate_t - a21 * rate_s) / determinant

        half = step_s / 2
        # At vacuum the pressure does not tell how much is missing; the end of the void does.
        stiffness = max(stiffness, stiffness_ahead)
        error = max(abs(half * (s1 + s2)) * stiffness, abs(half * (t1 + t2)))
        return stored + half * (3 * s1 + s2), tissue + half * (3 * t1 + t2), error

    def _tissue_rate(self, flow: float, tissue: float) -> float:
        if not self.in_tissue:
            return 0.0
        return (flow - tissue * self._tissue_leak) / self._tissue_compliance


class Plant:
    """A gun's drive, syringe, needle and tissue, moved by the runs of a pulse stream.

    The syringe is full, without pressure, and the pusher touches its plunger. The needle is in the
    air until `new_point`.

    Attributes:
        parameters: the specimen that is simulated.
        plunger_nl: volume that the plunger has swept, pulled back counts negative.
        full_step_slips: full steps that the motor lost, four at a time.
    """

    def __init__(
        self, parameters: PlantParameters, seed: int, *, step_error_kpa: float = STEP_ERROR_KPA
    ) -> None:
        self.parameters = parameters
        self.plunger_nl = 0.0
        self.full_step_slips = 0
        self._liquid = _Liquid(parameters, step_error_kpa)
        self._noise = random.Random(seed)
        self._now_ns = 0
        self._moved_ns = 0
        self._direction = 0
        self._pullout_n = parameters.pullout_force_n(0)
        self._play_mm = 0.0  # free way between pusher and plunger; all of the backlash if it pulls
        self._lag_steps = 0.0  # how far the field has left a slipping rotor behind
        self._travel_mm = 0.0

    @property
    def needle_nl(self) -> float:
        """Volume that has left the needle: the truth about a dose."""
        return self._liquid.needle_nl

    @property
    def stored_nl(self) -> float:
        """Volume that was swept and has not left: it dribbles when the motor stops."""
        return self._liquid.stored_nl

    @property
    def integration_steps(self) -> int:
        """Steps that the integrator has tried: what the simulation has cost so far."""
        return self._liquid.trials

    @property
    def pressure_kpa(self) -> float:
        """Gauge pressure in the syringe."""
        return self._liquid.pressure(self._liquid.stored_nl)[0]

    @property
    def tissue_kpa(self) -> float:
        """Back-pressure of the tissue at the tip of the needle."""
        return self._liquid.tissue_kpa

    @property
    def flow_nl_s(self) -> float:
        """Flow out of the needle; negative while it draws in."""
        return self._liquid.flow(self.pressure_kpa - self.tissue_kpa)[0]

    @property
    def remaining_nl(self) -> float:
        """Volume that the plunger can still sweep before it meets the end of the barrel."""
        return self.parameters.capacity_ml * 1e6 - self.plunger_nl

    @property
    def in_tissue(self) -> bool:
        """True while the needle is in tissue."""
        return self._liquid.in_tissue

    @property
    def occluded(self) -> bool:
        """True while nothing passes the needle."""
        return self._liquid.occluded

    @occluded.setter
    def occluded(self, occluded: bool) -> None:
        self._liquid.occluded = occluded

    @property
    def trapped_air_ul(self) -> float:
        """Air in the syringe, as volume at ambient pressure; set it where there is no pressure."""
        return self._liquid.air_nl / 1000

    @trapped_air_ul.setter
    def trapped_air_ul(self, air_ul: float) -> None:
        self._liquid.air_nl = air_ul * 1000

    @property
    def force_n(self) -> float:
        """Force between pusher and plunger; negative while it pulls."""
        if 0 < self._play_mm < self.parameters.backlash_mm:
            return 0.0
        if self._lag_steps and self._at_the_end:
            return self._pullout_n
        push_n = self.pressure_kpa * self.parameters.area_mm2 * 1e-3
        return push_n + self._direction * self._friction_n

    def force_adc_raw(self) -> int:
        """Take one reading of the force sensor, 0 to 4095 over the full scale, with its noise."""
        p = self.parameters
        seen_n = self.force_n * p.force_gain + p.force_offset_n
        seen_n += self._noise.gauss(0, p.force_noise_n)
        return max(0, min(FORCE_ADC_MAX, round(seen_n / p.force_full_scale_n * FORCE_ADC_MAX)))

    def new_point(self) -> None:
        """Put the needle into fresh tissue, which has no pressure yet."""
        self._liquid.in_tissue = True
        self._liquid.tissue_kpa = 0.0

    def withdraw(self) -> None:
        """Take the needle out of the tissue."""
        self._liquid.in_tissue = False
        self._liquid.tissue_kpa = 0.0

    def advance(self, to_ns: int, runs: Iterable[Run] = ()) -> None:
        """Move to `to_ns` with the motion that a pulse stream handed over for that time.

        Raises:
            PlantError: a run or `to_ns` lies before the time that the plant has reached.
        """
        for run in runs:
            if run.driven:
                self._rest(run.start_ns)
                self._move(run)
                self._now_ns = self._moved_ns = run.end_ns
        self._rest(to_ns)

    def _rest(self, to_ns: int) -> None:
        if to_ns < self._now_ns:
            raise PlantError(
                f"plant: {to_ns} ns lies before {self._now_ns} ns, where it already is; hand over "
                "each run once and in the order of time"
            )
        self._liquid.advance(0.0, (to_ns - self._now_ns) / 1e9)
        self._now_ns = to_ns

    def _move(self, run: Run) -> None:
        p = self.parameters
        if run.start_ns - self._moved_ns >= p.break_loose_rest_s * 1e9:
            self._travel_mm = 0.0
        turns_per_step = 1 / (p.steps_per_revolution * p.microsteps)
        self._pullout_n = p.pullout_force_n(60e9 / run.interval_ns * turns_per_step)
        self._direction = 1 if run.forward else -1
        left_s = (run.end_ns - run.start_ns) / 1e9
        rate = run.pulses / left_s
        act = self._forward if run.forward else self._backward
        while left_s > 0:
            left_s -= act(rate, left_s)

    def _forward(self, rate: float, left_s: float) -> float:
        """Go forward at `rate` steps/s until something changes; return the time that it took."""
        p = self.parameters
        if self._play_mm:
            return self._take_up_play(-rate * p.mm_per_step, self._play_mm, left_s)
        stall_kpa = (self._pullout_n - self._friction_n) / p.area_mm2 * 1e3
        if self._lag_steps or self._at_the_end or self.pressure_kpa >= stall_kpa:
            return self._slip(rate, p.slip_steps - self._lag_steps, left_s)
        swept_nl_s = rate * p.nl_per_step
        headroom_nl = self._liquid.stored_at(stall_kpa) - self._liquid.stored_nl
        stall_s = max(headroom_nl / swept_nl_s, _STALL_LOOK_S)
        return self._sweep(swept_nl_s, min(left_s, stall_s, self.remaining_nl / swept_nl_s))

    def _backward(self, rate: float, left_s: float) -> float:
        """Go backward at `rate` steps/s until something changes; return the time that it took.

        Pressure above the friction keeps the plunger on the pusher; below it the plunger stays
        until the pusher has crossed the play and pulls.
        """
        p = self.parameters
        if self._lag_steps:
            return self._slip(-rate, self._lag_steps, left_s)
        swept_nl_s = -rate * p.nl_per_step
        free_mm = p.backlash_mm - self._play_mm
        if free_mm <= 0:
            return self._sweep(swept_nl_s, left_s)
        follow_kpa = self._friction_n / p.area_mm2 * 1e3
        if self._play_mm or self.pressure_kpa <= follow_kpa:
            return self._take_up_play(rate * p.mm_per_step, free_mm, left_s)
        excess_nl = self._liquid.stored_nl - self._liquid.stored_at(follow_kpa)
        follow_s = max(excess_nl / (max(self.flow_nl_s, 0.0) - swept_nl_s), _PLAY_LOOK_S)
        return self._sweep(swept_nl_s, min(left_s, follow_s))

    @property
    def _at_the_end(self) -> bool:
        return self.remaining_nl < 1e-3

    @property
    def _friction_n(self) -> float:
        p = self.parameters
        fade = math.exp(-self._travel_mm / p.break_loose_travel_mm)
        return p.glide_friction_n + p.break_loose_extra_n * fade

    def _sweep(self, swept_nl_s: float, duration_s: float) -> float:
        self._liquid.advance(swept_nl_s, duration_s)
        self.plunger_nl += swept_nl_s * duration_s
        self._travel_mm += abs(swept_nl_s) * duration_s / (self.parameters.area_mm2 * 1000)
        return duration_s

    def _take_up_play(self, speed_mm_s: float, free_mm: float, left_s: float) -> float:
        needed_s = free_mm / abs(speed_mm_s)
        if needed_s <= left_s:
            self._play_mm = self.parameters.backlash_mm if speed_mm_s > 0 else 0.0
        else:
            self._play_mm += speed_mm_s * left_s
        return self._stand(min(needed_s, left_s))

    def _slip(self, rate: float, free_steps: float, left_s: float) -> float:
        """The field turns and the rotor does not, until they are in phase again."""
        needed_s = free_steps / abs(rate)
        if needed_s > left_s:
            self._lag_steps += rate * left_s
            return self._stand(left_s)
        self._lag_steps = 0.0
        if rate > 0:
            self.full_step_slips += FULL_STEPS_OF_A_SLIP
        return self._stand(needed_s)

    def _stand(self, duration_s: float) -> float:
        self._liquid.advance(0.0, duration_s)
        return duration_s
