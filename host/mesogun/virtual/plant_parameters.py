"""The constants of the simulated gun up to the tissue, each with its tolerance and source."""

import math
import random
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Annotated, get_type_hints

from mesogun.errors import UsageError

ATMOSPHERE_KPA = 101.325
FULL_STEPS_OF_A_SLIP = 4  # one electrical turn: the next place where the rotor finds its phase
_CORNER_V = 24.0  # voltage that `pullout_corner_rpm` holds for


@dataclass(frozen=True, slots=True)
class Constant:
    """What is known of one constant.

    Attributes:
        tolerance: half-width of the spread between specimens, as a fraction of the value.
        source: where value and tolerance come from, "assumed" if they are a judgement.
        absolute: True if `tolerance` has the constant's own unit.
        least: the smallest value that makes sense.
    """

    tolerance: float
    source: str
    absolute: bool = False
    least: float = 1e-9


@dataclass(frozen=True, slots=True)
class Tissue:
    """How a tissue takes up liquid at one point: a store that drains.

    Attributes:
        compliance_nl_per_kpa: volume that it takes at once a kPa.
        resistance_kpa_s_per_nl: pressure that drains it at a rate.
        source: where the figures come from.
    """

    compliance_nl_per_kpa: float
    resistance_kpa_s_per_nl: float
    source: str


TISSUES: dict[str, Tissue] = {
    "intradermal": Tissue(
        500.0,
        0.008,
        "compliance assumed: 100 kPa after 50 ul at once, as the drive is sized for; resistance "
        "after Gupta 2011: a few hundred mmHg at 0.3 ml/min into skin, here 40 kPa at 5 ul/s",
    ),
    "deep dermal": Tissue(1600.0, 0.0025, "assumed: half way between, on a scale of factors"),
    "hypodermal": Tissue(
        5000.0,
        0.0008,
        "Shahriar 2021: counter-pressure in the dermis is up to ten times that of deeper tissue; "
        "the factor of ten is assumed",
    ),
}


@dataclass(frozen=True, kw_only=True)
class PlantParameters:
    """One specimen of a gun with its syringe and needle in place.

    Raises:
        UsageError: a constant is below the smallest value that makes sense.
    """

    inner_diameter_mm: Annotated[float, Constant(0.01, "spread between published syringe tables")]
    capacity_ml: Annotated[float, Constant(0.0, "nominal size of the syringe")]
    needle_bore_mm: Annotated[
        float, Constant(0.019, "needle gauge tables, 26G to 32G", absolute=True)
    ]
    needle_length_mm: Annotated[float, Constant(0.03, "assumed")]
    viscosity_mpa_s: Annotated[float, Constant(0.05, "water about 20 degrees Celsius")] = 1.0
    density_kg_m3: Annotated[float, Constant(0.002, "water at 20 degrees Celsius")] = 998.0
    needle_loss_factor: Annotated[
        float,
        Constant(0.15, "assumed: entry loss and kinetic energy of a square-cut tube", least=0),
    ] = 2.2

    lead_mm: Annotated[float, Constant(0.001, "assumed: rolled M5 screw")] = 0.8
    steps_per_revolution: Annotated[int, Constant(0.0, "motor type")] = 200
    microsteps: Annotated[int, Constant(0.0, "driver setting")] = 16
    lead_error_mm: Annotated[
        float, Constant(0.5, "assumed: 4 um from peak to peak within a turn", least=0)
    ] = 0.002
    screw_phase_turns: Annotated[
        float, Constant(0.5, "any place of the turn", absolute=True, least=-math.inf)
    ] = 0.0
    backlash_mm: Annotated[float, Constant(0.5, "assumed: preloaded nut", least=0)] = 0.02
    screw_efficiency: Annotated[float, Constant(0.15, "assumed: greased triangular thread")] = 0.3
    pullout_torque_mnm: Annotated[float, Constant(0.1, "assumed: 28 mm motor at half current")] = (
        60.0
    )
    pullout_corner_rpm: Annotated[
        float, Constant(0.1, "assumed, at 24 V; grows with the voltage")
    ] = 600.0
    supply_v: Annotated[float, Constant(0.05, "assumed: regulated supply", least=0)] = 24.0
    supply_least_v: Annotated[
        float, Constant(0.0, "TMC2209 datasheet: lowest supply of the driver")
    ] = 4.75
    stallguard_free: Annotated[
        float, Constant(0.2, "assumed: SG_RESULT of a fast motor without load")
    ] = 400.0
    stallguard_noise: Annotated[float, Constant(0.0, "assumed: rms of SG_RESULT", least=0)] = 8.0
    stallguard_least_rpm: Annotated[
        float, Constant(0.2, "Klipper TMC drivers: unreliable below 10 rpm")
    ] = 10.0

    # Together 100 N/mm, which predicts the drip tail of a gun without tubing.
    drive_stiffness_n_per_mm: Annotated[
        float, Constant(0.3, "assumed: screw, nut, frame and pusher; to be measured")
    ] = 250.0
    stopper_stiffness_n_per_mm: Annotated[float, Constant(0.3, "assumed; to be measured")] = 250.0
    barrel_stiffness_n_per_mm: Annotated[
        float, Constant(0.3, "assumed: the barrel's widening, as travel of the stopper")
    ] = 500.0
    tubing_length_mm: Annotated[
        float, Constant(0.0, "none: the needle sits on the syringe", least=0)
    ] = 0.0
    tubing_bore_mm: Annotated[float, Constant(0.05, "assumed: small-bore extension line")] = 1.2
    tubing_stretch_per_kpa: Annotated[
        float, Constant(0.3, "Lame's tube, 1.2 x 2.5 mm of soft PVC with 10 MPa, both assumed")
    ] = 4.2e-4
    glide_friction_n: Annotated[
        float,
        Constant(
            0.3, "assumed: between 2.9 N measured on one syringe and ISO 7886-1's 10 N", least=0
        ),
    ] = 5.0
    break_loose_extra_n: Annotated[float, Constant(0.3, "assumed", least=0)] = 4.0
    break_loose_rest_s: Annotated[
        float, Constant(0.3, "assumed: rest in which friction gains 63 % of the rise")
    ] = 1.0

    tissue_compliance_nl_per_kpa: Annotated[float, Constant(0.3, "TISSUES, spread assumed")] = (
        TISSUES["intradermal"].compliance_nl_per_kpa
    )
    tissue_resistance_kpa_s_per_nl: Annotated[float, Constant(0.3, "TISSUES, spread assumed")] = (
        TISSUES["intradermal"].resistance_kpa_s_per_nl
    )
    outlet_kpa: Annotated[
        float,
        Constant(
            0.0, "none; IEC 60601-2-24 tests with 13.33 and -13.33", absolute=True, least=-101.0
        ),
    ] = 0.0

    force_full_scale_n: Annotated[float, Constant(0.0, "assumed: range of the load cell")] = 120.0
    force_gain: Annotated[float, Constant(0.01, "assumed: calibrated load cell")] = 1.0
    force_offset_n: Annotated[
        float, Constant(0.5, "assumed: zero drift", absolute=True, least=-math.inf)
    ] = 0.0
    force_noise_n: Annotated[float, Constant(0.0, "assumed: rms of one reading", least=0)] = 0.1

    def __post_init__(self) -> None:
        for name, constant in constants().items():
            value = getattr(self, name)
            if not value >= constant.least:
                raise UsageError(
                    f"plant: {name} = {value} is below {constant.least}, the smallest value that "
                    "the physics allows; correct the syringe, needle or drive"
                )

    @classmethod
    def for_syringe_and_needle(
        cls,
        inner_diameter_mm: float,
        capacity_ml: float,
        needle_bore_mm: float,
        needle_length_mm: float,
        viscosity_mpa_s: float = 1.0,
        lead_mm: float = 0.8,
        steps_per_revolution: int = 200,
        microsteps: int = 16,
    ) -> "PlantParameters":
        """Nominal constants for a syringe, a needle, a liquid and a drive.

        Args:
            inner_diameter_mm: inner diameter of the barrel.
            capacity_ml: what the full syringe holds.
            needle_bore_mm: inner diameter of the needle.
            needle_length_mm: length of the needle.
            viscosity_mpa_s: dynamic viscosity; water has 1.0.
            lead_mm: advance of the screw in one turn.
            steps_per_revolution: full steps of the motor in one turn.
            microsteps: microsteps in a full step; one STEP pulse is one microstep.

        Raises:
            UsageError: a value is not positive.
        """
        return cls(
            inner_diameter_mm=inner_diameter_mm,
            capacity_ml=capacity_ml,
            needle_bore_mm=needle_bore_mm,
            needle_length_mm=needle_length_mm,
            viscosity_mpa_s=viscosity_mpa_s,
            lead_mm=lead_mm,
            steps_per_revolution=steps_per_revolution,
            microsteps=microsteps,
        )

    def in_tissue(self, tissue: str) -> "PlantParameters":
        """The same gun on another tissue.

        Args:
            tissue: a name in `TISSUES`.

        Raises:
            UsageError: there is no such tissue.
        """
        if tissue not in TISSUES:
            raise UsageError(f"plant: no tissue is called {tissue}; there are {', '.join(TISSUES)}")
        known = TISSUES[tissue]
        return replace(
            self,
            tissue_compliance_nl_per_kpa=known.compliance_nl_per_kpa,
            tissue_resistance_kpa_s_per_nl=known.resistance_kpa_s_per_nl,
        )

    def drawn(self, seed: int) -> "PlantParameters":
        """Another specimen: each constant drawn from its tolerance by the seed (triangular).

        Each has a source of its own, so a new constant leaves the draws of the others as they were.
        """
        values: dict[str, float] = {}
        for name, constant in constants().items():
            if constant.tolerance:
                nominal = getattr(self, name)
                width = constant.tolerance * (1 if constant.absolute else abs(nominal))
                source = random.Random(f"{name} {seed}")
                values[name] = source.triangular(nominal - width, nominal + width, nominal)
        return replace(self, **values)

    @cached_property
    def area_mm2(self) -> float:
        """Cross-section of the barrel."""
        return math.pi / 4 * self.inner_diameter_mm**2

    @cached_property
    def mm_per_step(self) -> float:
        """Advance of the screw by one STEP pulse."""
        return self.lead_mm / (self.steps_per_revolution * self.microsteps)

    @cached_property
    def nl_per_step(self) -> float:
        """Volume that the plunger sweeps in one STEP pulse."""
        return self.area_mm2 * self.mm_per_step * 1000

    @cached_property
    def slip_steps(self) -> int:
        """STEP pulses that are lost when the motor slips once."""
        return FULL_STEPS_OF_A_SLIP * self.microsteps

    @cached_property
    def drive_compliance_nl_per_kpa(self) -> float:
        """Volume that the drive's give takes up a kPa: A^2 / k of a piston on a spring."""
        return self.area_mm2**2 / self.drive_stiffness_n_per_mm

    @cached_property
    def syringe_compliance_nl_per_kpa(self) -> float:
        """Volume that stopper, barrel and tubing take up a kPa."""
        gives_mm_per_n = 1 / self.stopper_stiffness_n_per_mm + 1 / self.barrel_stiffness_n_per_mm
        tubing_nl = math.pi / 4 * self.tubing_bore_mm**2 * self.tubing_length_mm * 1000
        return self.area_mm2**2 * gives_mm_per_n + tubing_nl * self.tubing_stretch_per_kpa

    @cached_property
    def compliance_nl_per_kpa(self) -> float:
        """Volume that is stored for each kPa while the stopper slides; without air."""
        return self.drive_compliance_nl_per_kpa + self.syringe_compliance_nl_per_kpa

    @cached_property
    def needle_resistance_kpa_s_per_nl(self) -> float:
        """Laminar resistance of the needle, 128 mu L / (pi d^4) (Hagen-Poiseuille)."""
        return (
            128e-9
            * self.viscosity_mpa_s
            * self.needle_length_mm
            / (math.pi * self.needle_bore_mm**4)
        )

    @cached_property
    def outlet_resistance_kpa_s_per_nl(self) -> float:
        """Laminar resistance of needle and tubing."""
        tubing_shape = self.tubing_length_mm / self.tubing_bore_mm**4
        needle_shape = self.needle_length_mm / self.needle_bore_mm**4
        return self.needle_resistance_kpa_s_per_nl * (1 + tubing_shape / needle_shape)

    @cached_property
    def needle_loss_kpa_s2_per_nl2(self) -> float:
        """Entry and kinetic loss of the needle over flow squared, K rho / 2 / A_n^2."""
        metres_per_nl = 1e-6 / (math.pi / 4 * self.needle_bore_mm**2)
        return self.needle_loss_factor * self.density_kg_m3 / 2 * 1e-3 * metres_per_nl**2

    def needle_pressure_kpa(self, flow_nl_s: float) -> float:
        """Pressure that drives a steady flow through the needle; negative for flow back."""
        laminar = self.needle_resistance_kpa_s_per_nl * flow_nl_s
        return laminar + self.needle_loss_kpa_s2_per_nl2 * flow_nl_s * abs(flow_nl_s)

    def pullout_force_n(self, speed_rpm: float, supply_v: float | None = None) -> float:
        """Push on the plunger at which the motor slips.

        Torque falls as the current of a coil behind its inductance, 1 / sqrt(1 + (n / n_corner)^2),
        with a corner in proportion to the voltage; the screw turns it into force with
        2 pi eta / lead. Below the driver's lowest supply there is none.

        Args:
            speed_rpm: speed of the motor.
            supply_v: voltage of its supply, by default `supply_v` of the specimen.
        """
        volts = self.supply_v if supply_v is None else supply_v
        if volts < self.supply_least_v:
            return 0.0
        corner_rpm = self.pullout_corner_rpm * volts / _CORNER_V
        torque_mnm = self.pullout_torque_mnm / math.hypot(1, speed_rpm / corner_rpm)
        return torque_mnm * 2 * math.pi * self.screw_efficiency / self.lead_mm


def constants() -> dict[str, Constant]:
    """What is known of each constant, by its name."""
    return dict(_CONSTANTS)


_HINTS = get_type_hints(PlantParameters, include_extras=True)
_CONSTANTS: dict[str, Constant] = {
    field.name: _HINTS[field.name].__metadata__[0] for field in fields(PlantParameters)
}
