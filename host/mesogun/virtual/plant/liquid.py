"""Stored volume, needle and tissue: what becomes of the liquid that the stopper pushes."""

import math

from mesogun.virtual.plant.faults import Faults
from mesogun.virtual.plant_parameters import ATMOSPHERE_KPA, PlantParameters

STEP_ERROR_KPA = 0.001
SETTLED_KPA = 1e-3

_LEAST_PHASE = 1e-5  # below it, what differences of exponentials lose exceeds what the series does
_FIRST_STEP_S = 1e-3
_LEAST_STEP_S = 1e-6


class Liquid:
    """Stored volume and tissue pressure as a pair of differential equations.

        dS/dt   = swept - Q - Q_l          P = P(S)
        dP_t/dt = (Q - P_t / R_t) / C_t    Q_l = G max(P, 0)
        P - P_t - P_0 = R Q + L Q |Q|

    Integrated by the exponential Rosenbrock-Euler method (Hochbruck and Ostermann 2010, order 2):
    each step solves the equations as they are linear where it begins, so a linear needle is exact
    whatever the step, a stiff one costs no more, and the step follows how far the equations bend
    within it. The leak is integrated along; what leaves the needle is what was swept and neither
    stored nor leaked, so volume is conserved whatever the step.

    Attributes:
        compliance_nl_per_kpa: stored volume a kPa, without air; whoever changes it sets `stored_nl`
            such that the pressure stays physical.
        stored_nl: volume that the pressure holds.
        needle_nl: volume that has left through the needle.
        leaked_nl: volume that has left elsewhere.
        tissue_kpa: back-pressure that the tissue has built up.
        in_tissue: False while the needle is in the air.
        trials: steps that were tried.
    """

    def __init__(self, parameters: PlantParameters, faults: Faults, fineness: int) -> None:
        self.stored_nl = 0.0
        self.needle_nl = 0.0
        self.leaked_nl = 0.0
        self.tissue_kpa = 0.0
        self.in_tissue = False
        self.trials = 0
        self.compliance_nl_per_kpa = parameters.compliance_nl_per_kpa
        self._faults = faults
        self._outlet_kpa = parameters.outlet_kpa
        self._resistance = parameters.outlet_resistance_kpa_s_per_nl
        self._loss = parameters.needle_loss_kpa_s2_per_nl2
        self._tissue_compliance = parameters.tissue_compliance_nl_per_kpa
        self._tissue_drain = 1 / parameters.tissue_resistance_kpa_s_per_nl
        self._step_error_kpa = STEP_ERROR_KPA / fineness**3
        self._step_s = _FIRST_STEP_S

    @property
    def settled(self) -> bool:
        """True if nothing flows any more that is worth a step."""
        pressure_kpa = self.pressure_kpa
        faults = self._faults
        if faults.leak_nl_per_s_kpa and pressure_kpa >= SETTLED_KPA:
            return False
        across_kpa = pressure_kpa - self.tissue_kpa - self._outlet_kpa if faults.passage else 0.0
        return abs(across_kpa) < SETTLED_KPA and abs(self.tissue_kpa) < SETTLED_KPA

    @property
    def pressure_kpa(self) -> float:
        """Gauge pressure in the syringe."""
        return self.pressure(self.stored_nl)[0]

    @property
    def flow_nl_s(self) -> float:
        """Flow out of the needle."""
        return self.flow(self.pressure_kpa - self.tissue_kpa - self._outlet_kpa)[0]

    @property
    def outflow_nl_s(self) -> float:
        """Flow out of the needle and the leak."""
        pressure_kpa = self.pressure_kpa
        through = self.flow(pressure_kpa - self.tissue_kpa - self._outlet_kpa)[0]
        return through + self._faults.leak_nl_per_s_kpa * max(pressure_kpa, 0.0)

    @property
    def reach_kpa(self) -> tuple[float, float]:
        """Lowest and highest pressure that can come of itself while nothing is swept."""
        low = high = self.pressure_kpa
        if self._faults.passage:
            ends = (low, self._outlet_kpa, self._outlet_kpa + self.tissue_kpa)
            low, high = min(ends), max(ends)
        return (min(low, 0.0) if self._faults.leak_nl_per_s_kpa else low), high

    def pressure(self, stored_nl: float) -> tuple[float, float]:
        """Gauge pressure and its slope dP/dS.

        Solves S = C P + V P / (P_0 + P): a spring, and air of volume V at ambient pressure that
        follows Boyle's law. Without air the same root stays at vacuum when more is pulled than
        the spring holds: the liquid then tears and a void takes up the rest.
        """
        compliance, air_nl = self.compliance_nl_per_kpa, self._faults.air_nl
        if not air_nl:
            pressure = stored_nl / compliance
            return (pressure, 1 / compliance) if pressure > -ATMOSPHERE_KPA else _VACUUM
        linear = compliance * ATMOSPHERE_KPA + air_nl - stored_nl
        root = math.sqrt(linear * linear + 4 * compliance * stored_nl * ATMOSPHERE_KPA)
        if linear > 0:
            pressure = 2 * stored_nl * ATMOSPHERE_KPA / (linear + root)
        else:
            pressure = (root - linear) / (2 * compliance)
        return pressure, (pressure + ATMOSPHERE_KPA) / max(root, 1e-9)

    def stored_at(self, pressure_kpa: float) -> float:
        """Stored volume at a pressure, the inverse of `pressure`; below vacuum there is none."""
        if pressure_kpa <= -ATMOSPHERE_KPA:
            return -math.inf
        air_nl = self._faults.air_nl * pressure_kpa / (ATMOSPHERE_KPA + pressure_kpa)
        return self.compliance_nl_per_kpa * pressure_kpa + air_nl

    def flow(self, across_kpa: float) -> tuple[float, float]:
        """Flow through the needle in nl/s and its slope dQ/dP."""
        passage = self._faults.passage
        resistance = self._resistance
        root = math.sqrt(resistance * resistance + 4 * self._loss * abs(across_kpa))
        return 2 * passage * across_kpa / (resistance + root), passage / root

    def advance(
        self, swept_nl_s: float, duration_s: float, least_outflow_nl_s: float = 0.0
    ) -> float:
        """Go on for `duration_s` while a constant rate is swept.

        Args:
            swept_nl_s: volume that the stopper sweeps a second.
            duration_s: time to go on for.
            least_outflow_nl_s: end before that if the outflow has fallen to this; 0 is never.

        Returns:
            The time that was gone through.
        """
        left_s = duration_s
        while left_s > 0:
            if swept_nl_s == 0 and abs(self.tissue_kpa) < SETTLED_KPA and self.settled:
                return duration_s
            step_s = min(self._step_s, left_s)
            if least_outflow_nl_s:
                fall_s = self._fall_s(swept_nl_s, least_outflow_nl_s)
                if fall_s <= 0:
                    break
                step_s = min(step_s, max(fall_s, _LEAST_STEP_S))
            stored_nl, tissue_kpa, leaked_nl, error_kpa = self._trial(swept_nl_s, step_s)
            self.trials += 1
            growth = 0.9 * math.cbrt(self._step_error_kpa / max(error_kpa, 1e-12))
            if error_kpa > self._step_error_kpa:
                self._step_s = step_s * max(growth, 0.1)
                continue
            self.needle_nl += swept_nl_s * step_s - (stored_nl - self.stored_nl) - leaked_nl
            self.leaked_nl += leaked_nl
            self.stored_nl = stored_nl
            self.tissue_kpa = tissue_kpa
            self._step_s = max(self._step_s, step_s * min(growth, 5.0))
            left_s -= step_s
        return duration_s - left_s

    def _fall_s(self, swept: float, least_outflow: float) -> float:
        """Time in which the outflow falls to a least one, above 0, if it goes on to fall as now.

        It falls exponentially, or ever more slowly as the tissue gives back.
        """
        pressure, stiffness = self.pressure(self.stored_nl)
        flow, slope = self.flow(pressure - self.tissue_kpa - self._outlet_kpa)
        leak = self._faults.leak_nl_per_s_kpa if pressure > 0 else 0.0
        outflow = flow + leak * pressure
        if outflow <= least_outflow * (1 + 1e-6):
            return 0.0
        rise = (slope + leak) * stiffness * (swept - outflow)
        rise -= slope * self._tissue_rate(flow, self.tissue_kpa)
        return outflow * math.log(outflow / least_outflow) / -rise if rise < 0 else math.inf

    def _trial(self, swept: float, step_s: float) -> tuple[float, float, float, float]:
        """One step: stored volume and tissue pressure after it, leaked volume, error in kPa."""
        stored, tissue = self.stored_nl, self.tissue_kpa
        leak = self._faults.leak_nl_per_s_kpa
        pressure, stiffness = self.pressure(stored)
        flow, slope = self.flow(pressure - tissue - self._outlet_kpa)
        leak_slope = leak if pressure > 0 else 0.0
        leaking = leak_slope * pressure
        rate_s, rate_t = swept - flow - leaking, self._tissue_rate(flow, tissue)

        # The linear system, its two rates (0 or less) and phi_1 of its matrix times the step.
        j11, j12 = -(slope + leak_slope) * stiffness, slope
        j21 = j22 = 0.0
        if self.in_tissue:
            j21 = slope * stiffness / self._tissue_compliance
            j22 = -(slope + self._tissue_drain) / self._tissue_compliance
        apart = math.hypot((j11 - j22) / 2, math.sqrt(j12 * j21))
        fast = (j11 + j22) / 2 - apart
        slow = fast + 2 * apart
        slow_s, fast_s = _grown_s(slow, step_s), _grown_s(fast, step_s)
        spread = (slow_s - fast_s) / (2 * apart) if apart else 0.0
        to_s = slow_s * rate_s + spread * ((j11 - slow) * rate_s + j12 * rate_t)
        to_t = slow_s * rate_t + spread * (j21 * rate_s + (j22 - slow) * rate_t)

        pressure_ahead, stiffness_ahead = self.pressure(stored + to_s)
        ahead = tissue + to_t
        flow_ahead = self.flow(pressure_ahead - ahead - self._outlet_kpa)[0]
        leaking_ahead = leak * pressure_ahead if pressure_ahead > 0 else 0.0
        bend_s = swept - flow_ahead - leaking_ahead - rate_s - j11 * to_s - j12 * to_t
        bend_t = self._tissue_rate(flow_ahead, ahead) - rate_t - j21 * to_s - j22 * to_t

        leaked = 0.0
        if leak_slope:
            slow_s2, fast_s2 = _grown_s2(slow, step_s), _grown_s2(fast, step_s)
            spread = (slow_s2 - fast_s2) / (2 * apart) if apart else 0.0
            summed = slow_s2 * rate_s + spread * ((j11 - slow) * rate_s + j12 * rate_t)
            leaked = max(0.0, leaking * step_s + leak_slope * stiffness * summed)
        # At vacuum the pressure does not tell how much is missing; the end of the void does.
        stiffness = max(stiffness, stiffness_ahead)
        # A third of a short step's; behind a long one what the system itself has not forgotten.
        error = max(abs(bend_s) * stiffness, abs(bend_t)) * step_s / (3 - step_s * slow)
        return stored + to_s, ahead, leaked, error

    def _tissue_rate(self, flow: float, tissue: float) -> float:
        if not self.in_tissue:
            return 0.0
        return (flow - tissue * self._tissue_drain) / self._tissue_compliance


def _grown_s(rate: float, step_s: float) -> float:
    """Integral of exp(rate t) over a step: h phi_1(h rate)."""
    return math.expm1(rate * step_s) / rate if rate else step_s


def _grown_s2(rate: float, step_s: float) -> float:
    """Integral of that integral: h^2 phi_2(h rate)."""
    if abs(rate * step_s) < _LEAST_PHASE:
        return step_s * step_s / 2
    return (_grown_s(rate, step_s) - step_s) / rate


_VACUUM = (-ATMOSPHERE_KPA, 0.0)
