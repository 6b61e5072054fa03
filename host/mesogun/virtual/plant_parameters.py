"""The constants of the simulated gun up to the tissue, each with its tolerance and source."""

import math
import random
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Annotated, get_type_hints

from mesogun.errors import UsageError

ATMOSPHERE_KPA = 101.325
FULL_STEPS_OF_A_SLIP = 4  # one electrical turn: the next place where the rotor finds its phase


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
    backlash_mm: Annotated[float, Constant(0.5, "assumed: preloaded nut", least=0)] = 0.02
    screw_efficiency: Annotated[float, Constant(0.15, "assumed: greased triangular thread")] = 0.3
    pullout_torque_mnm: Annotated[float, Constant(0.1, "assumed: 28 mm motor at half current")] = (
        60.0
    )
    pullout_corner_rpm: Annotated[float, Constant(0.1, "assumed: 24 V supply")] = 600.0

    stiffness_n_per_mm: Annotated[
        float, Constant(0.3, "assumed: stopper, barrel and drive in series; to be measured")
    ] = 100.0
    tubing_compliance_nl_per_kpa: Annotated[
        float, Constant(0.2, "syringe mounted directly: none", least=0)
    ] = 0.0
    glide_friction_n: Annotated[
        float, Constant(0.3, "assumed: between 2.9 N measured on one syringe and ISO 7886-1's 10 N")
    ] = 5.0
    break_loose_extra_n: Annotated[float, Constant(0.3, "assumed", least=0)] = 4.0
    break_loose_travel_mm: Annotated[float, Constant(0.3, "assumed")] = 0.05
    break_loose_rest_s: Annotated[
        float, Constant(0.3, "assumed: rest until the stopper sticks")
    ] = 1.0

    tissue_compliance_nl_per_kpa: Annotated[
        float, Constant(0.3, "assumed: 100 kPa after 50 ul at once, as the drive is sized for")
    ] = 500.0
    tissue_resistance_kpa_s_per_nl: Annotated[
        float,
        Constant(
            0.3, "Gupta 2011: a few hundred mmHg at 0.3 ml/min into skin; here 40 kPa at 5 ul/s"
        ),
    ] = 0.008

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

    def drawn(self, seed: int) -> "PlantParameters":
        """Another specimen: each constant drawn from its tolerance by the seed (triangular)."""
        source = random.Random(seed)
        values: dict[str, float] = {}
        for name, constant in constants().items():
            if constant.tolerance:
                nominal = getattr(self, name)
                width = constant.tolerance * (1 if constant.absolute else abs(nominal))
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
    def compliance_nl_per_kpa(self) -> float:
        """Volume stored for each kPa: A^2 / k of a piston on a spring, and the tubing."""
        return self.area_mm2**2 / self.stiffness_n_per_mm + self.tubing_compliance_nl_per_kpa

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
    def needle_loss_kpa_s2_per_nl2(self) -> float:
        """Entry and kinetic loss of the needle over flow squared, K rho / 2 / A_n^2."""
        metres_per_nl = 1e-6 / (math.pi / 4 * self.needle_bore_mm**2)
        return self.needle_loss_factor * self.density_kg_m3 / 2 * 1e-3 * metres_per_nl**2

    def needle_pressure_kpa(self, flow_nl_s: float) -> float:
        """Pressure that drives a steady flow through the needle; negative for flow back."""
        laminar = self.needle_resistance_kpa_s_per_nl * flow_nl_s
        return laminar + self.needle_loss_kpa_s2_per_nl2 * flow_nl_s * abs(flow_nl_s)

    def pullout_force_n(self, speed_rpm: float) -> float:
        """Push on the plunger at which the motor slips at this speed.

        Torque falls as the current of a coil behind its inductance, 1 / sqrt(1 + (n / n_corner)^2),
        and the screw turns it into force with 2 pi eta / lead.
        """
        torque_mnm = self.pullout_torque_mnm / math.hypot(1, speed_rpm / self.pullout_corner_rpm)
        return torque_mnm * 2 * math.pi * self.screw_efficiency / self.lead_mm


def constants() -> dict[str, Constant]:
    """What is known of each constant, by its name."""
    return dict(_CONSTANTS)


_HINTS = get_type_hints(PlantParameters, include_extras=True)
_CONSTANTS: dict[str, Constant] = {
    field.name: _HINTS[field.name].__metadata__[0] for field in fields(PlantParameters)
}
