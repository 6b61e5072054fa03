"""A plant put together: moved by the runs of a pulse stream, looked at by tests and sensors.

Units inside: nl, kPa, s, mm, N.
"""

import random
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace

from mesogun.errors import MesogunError
from mesogun.virtual.plant.curve import Curve
from mesogun.virtual.plant.drive import Drive, StallGuard
from mesogun.virtual.plant.faults import FORCE_ADC_MAX, Faults
from mesogun.virtual.plant.liquid import Liquid
from mesogun.virtual.plant_parameters import PlantParameters
from mesogun.virtual.pulse_stream import Run

_NARROWING_LOOK_NS = 10_000_000


class PlantError(MesogunError):
    """The plant was driven against the order of time."""


class Plant:
    """A gun's drive, syringe, needle and tissue, moved by the runs of a pulse stream.

    The syringe is full, primed and without pressure, and the pusher touches its plunger. The needle
    is in the air until `new_point`.

    Args:
        parameters: the specimen that is simulated.
        seed: draws the noise of the sensors.
        fineness: how many times shorter than usual all steps of the calculation are.

    Attributes:
        parameters: the specimen that is simulated.
        faults: what is wrong with it; nothing at first.
        now_ns: simulated time that the plant has reached.
    """

    def __init__(self, parameters: PlantParameters, seed: int, *, fineness: int = 1) -> None:
        self.parameters = parameters
        self.faults = Faults()
        self.now_ns = 0
        self._liquid = Liquid(parameters, self.faults, fineness)
        self._drive = Drive(parameters, seed, self.faults, self._liquid, fineness)
        self._gone_nl = 0.0
        self._steps = 0.0
        self._narrowing_look_ns = _NARROWING_LOOK_NS // fineness
        self._noise = random.Random(f"force {seed}")
        self._curve: Curve | None = None
        self._sample_ns = 0

    # ------------------------------------------------------------ volumes

    @property
    def needle_nl(self) -> float:
        """Volume that has left the needle: the truth about a dose."""
        return self._liquid.needle_nl

    @property
    def leaked_nl(self) -> float:
        """Volume that has left through a leak."""
        return self._liquid.leaked_nl

    @property
    def stored_nl(self) -> float:
        """Volume that was swept and has not left: it dribbles when the motor stops.

        Counted from a primed syringe at rest. Friction can keep some of it, or give some back.
        """
        return self._drive.stopper.stored_nl

    @property
    def plunger_nl(self) -> float:
        """Volume that the pusher has swept in touch with plungers; pulled back counts negative.

        It is what left the needle, what leaked and what is stored. What a syringe stored when it
        was replaced is taken off.
        """
        return self._gone_nl + self._drive.stopper.swept_nl

    @property
    def remaining_nl(self) -> float:
        """Volume that the plunger can still sweep before it meets the end of the barrel."""
        return self._drive.end_nl - self._drive.stopper.swept_nl

    @remaining_nl.setter
    def remaining_nl(self, remaining_nl: float) -> None:
        self._drive.end_nl = self._drive.stopper.swept_nl + remaining_nl

    @property
    def trapped_air_ul(self) -> float:
        """Air in the syringe, as volume at ambient pressure."""
        return self.faults.air_nl / 1000

    # ------------------------------------------------------------ pressures and forces

    @property
    def pressure_kpa(self) -> float:
        """Gauge pressure in the syringe."""
        return self._liquid.pressure_kpa

    @property
    def tissue_kpa(self) -> float:
        """Back-pressure that the tissue has built up at the tip of the needle."""
        return self._liquid.tissue_kpa

    @property
    def flow_nl_s(self) -> float:
        """Flow out of the needle; negative while it draws in."""
        return self._liquid.flow_nl_s

    @property
    def force_n(self) -> float:
        """Force between pusher and plunger; negative while it pulls."""
        return self._drive.force_n

    def force_adc_raw(self) -> int:
        """Take one reading of the force sensor, 0 to 4095 over the full scale, with its noise."""
        p = self.parameters
        seen_n = self.force_n * p.force_gain + p.force_offset_n + self.faults.force_offset_n
        seen_n += self._noise.gauss(0, p.force_noise_n)
        if self.faults.force_stuck_raw is not None:
            return self.faults.force_stuck_raw
        return max(0, min(FORCE_ADC_MAX, round(seen_n / p.force_full_scale_n * FORCE_ADC_MAX)))

    # ------------------------------------------------------------ motor

    @property
    def full_step_slips(self) -> int:
        """Full steps that the motor lost, four at a time."""
        return self._drive.full_step_slips

    @property
    def stallguard(self) -> StallGuard:
        """Load measurement and DIAG output of the stepper driver."""
        return self._drive.stallguard

    @property
    def supply_v(self) -> float:
        """Voltage of the motor's supply."""
        return self._drive.supply_v

    # ------------------------------------------------------------ needle and syringe

    @property
    def in_tissue(self) -> bool:
        """True while the needle is in tissue."""
        return self._liquid.in_tissue

    @property
    def occluded(self) -> bool:
        """True while nothing passes the needle; setting it closes or frees the needle at once."""
        return not self.faults.passage

    @occluded.setter
    def occluded(self, occluded: bool) -> None:
        self.faults.occlude(0.0 if occluded else 1.0)

    def new_point(self) -> None:
        """Put the needle into fresh tissue, which has no pressure yet."""
        self._liquid.in_tissue = True
        self._liquid.tissue_kpa = 0.0

    def withdraw(self) -> None:
        """Take the needle out of the tissue."""
        self._liquid.in_tissue = False
        self._liquid.tissue_kpa = 0.0

    def load_syringe(
        self, inner_diameter_mm: float | None = None, capacity_ml: float | None = None
    ) -> None:
        """Put in another syringe: full, primed, without pressure, touched by the pusher.

        The wrong syringe is one that the gun has not been told of.

        Args:
            inner_diameter_mm: its barrel, by default the same as before.
            capacity_ml: what it holds, by default the same as before.

        Raises:
            UsageError: a value is not positive.
        """
        p = self.parameters
        self.parameters = replace(
            p,
            inner_diameter_mm=p.inner_diameter_mm
            if inner_diameter_mm is None
            else inner_diameter_mm,
            capacity_ml=p.capacity_ml if capacity_ml is None else capacity_ml,
        )
        self.faults.trap_air(0.0)
        self._gone_nl += self._drive.stopper.swept_nl - self._drive.stopper.stored_nl
        self._liquid.stored_nl = 0.0
        self._drive.load_syringe(self.parameters)

    # ------------------------------------------------------------ time

    @property
    def integration_steps(self) -> int:
        """Steps that the integrator has tried: what the simulation has cost so far."""
        return self._liquid.trials

    def advance(self, to_ns: int, runs: Iterable[Run] = ()) -> None:
        """Move to `to_ns` with the motion that a pulse stream handed over for that time.

        Raises:
            PlantError: a run or `to_ns` lies before the time that the plant has reached.
        """
        for run in runs:
            if run.driven:
                self._pass(run.start_ns)
                self._pass(run.end_ns, run)
        self._pass(to_ns)

    @contextmanager
    def recording(self, period_ns: int, nl_per_step: float | None = None) -> Generator[Curve]:
        """Sample the needle while the context lasts, at its begin and then once a period.

        Args:
            period_ns: time between two samples, 1 or more.
            nl_per_step: volume that the gun takes a pulse for, by default the true one.

        Raises:
            PlantError: another recording is under way.
        """
        if self._curve is not None:
            raise PlantError(
                f"plant: a recording every {self._curve.period_ns} ns is under way and there is "
                "one at a time; end that one first"
            )
        if nl_per_step is None:
            nl_per_step = self.parameters.nl_per_step
        curve = Curve(period_ns, nl_per_step)
        self._curve, self._sample_ns = curve, self.now_ns
        self._sample()
        try:
            yield curve
        finally:
            self._curve = None

    def _pass(self, to_ns: int, run: Run | None = None) -> None:
        """Let time pass, at rest or with the motion of a run that fills all of it."""
        if to_ns < self.now_ns:
            raise PlantError(
                f"plant: {to_ns} ns lies before {self.now_ns} ns, where it already is; hand over "
                "each run once and in the order of time"
            )
        p = self.parameters
        rate = run.steps / (to_ns - self.now_ns) * 1e9 if run else 0.0
        speed_rpm = 60e9 / run.interval_ns / (p.steps_per_revolution * p.microsteps) if run else 0.0
        while self.now_ns < to_ns:
            until_ns = to_ns if self._curve is None else min(to_ns, self._sample_ns)
            if self.faults.narrowing:
                until_ns = min(until_ns, self.now_ns + self._narrowing_look_ns)
            duration_s = (until_ns - self.now_ns) / 1e9
            self.faults.elapse(duration_s / 2)
            if rate:
                self._drive.turn(rate, speed_rpm, duration_s)
                self._steps += rate * duration_s
            else:
                self._drive.stopper.advance(0.0, duration_s)
            self.faults.elapse(duration_s / 2)
            self.now_ns = until_ns
            self._sample()

    def _sample(self) -> None:
        if self._curve is not None and self.now_ns >= self._sample_ns:
            self._sample_ns += self._curve.period_ns
            self._curve.take(self.now_ns, self.needle_nl, self._steps, self.pressure_kpa)
