"""What it takes to push a liquid through a needle: pressure, plunger force, and their limits.

Pressure is the laminar loss along the bore (Hagen-Poiseuille) plus the loss at its ends. The second
part rules short fine needles: without it the pressure of a 30G x 4 mm needle at 0.2 ml/s would be
computed three times too low.
"""

from math import pi, sqrt
from typing import Final

from mesogun.catalog import Needle, Syringe
from mesogun.words import N_

END_LOSS: Final = 2.2
"""Entry loss and jet, in units of the dynamic pressure; estimated by this project."""
DENSITY_KG_PER_M3: Final = 1000.0
TISSUE_KPA: Final = 300.0
"""Back-pressure that is reckoned with; assumed by this project. A few hundred to a few thousand
mmHg were met in human skin at far lower flow (Gupta 2011, Biomaterials 32:6823)."""
FRICTION_N: Final = 5.0
"""Stopper against barrel; 2.9 N was measured on a syringe with water (Kiselev 2020). Assumed."""

DRIVE_LIMIT_N: Final = 100.0
DRIVE_CONTINUOUS_N: Final = 70.0
DRIVE_SOURCE: Final = N_("sizing of the reference drive, assumed by this project")
PRESSURE_MAX_KPA: Final = 1000.0
PRESSURE_SOURCE: Final = N_("limit for barrel and Luer joint, assumed by this project")


def _laminar_and_end(needle: Needle, viscosity_mpa_s: float) -> tuple[float, float]:
    """Factors a, b of `pressure_kpa = a * flow + b * flow**2`, flow in ul/s."""
    bore_m = needle.bore_mm.value / 1000
    length_m = needle.length_mm.value / 1000
    cubic_m_per_ul = 1e-9
    laminar_pa = 128 * viscosity_mpa_s / 1000 * length_m / (pi * bore_m**4)
    end_pa = END_LOSS * DENSITY_KG_PER_M3 / 2 * (4 / (pi * bore_m**2)) ** 2
    return laminar_pa * cubic_m_per_ul / 1000, end_pa * cubic_m_per_ul**2 / 1000


def needle_pressure_kpa(
    flow_ul_per_s: float, needle: Needle, viscosity_mpa_s: float = 1.0
) -> float:
    """Pressure that drives a flow through a needle into the open.

    Args:
        flow_ul_per_s: flow, 0 or more.
        needle: the needle.
        viscosity_mpa_s: of the liquid; water has 1. Density is taken as that of water.

    Returns:
        128 mu L Q / (pi d^4) + 2.2 rho v^2 / 2, in kilopascals (Hagen-Poiseuille, laminar; with the
        end loss for the reason that Verwulgen 2018, Pharm Res 35:120, gives).
    """
    laminar, end = _laminar_and_end(needle, viscosity_mpa_s)
    return laminar * flow_ul_per_s + end * flow_ul_per_s**2


def laminar_kpa(flow_ul_per_s: float, needle: Needle, viscosity_mpa_s: float = 1.0) -> float:
    """The part of `needle_pressure_kpa` along the bore, without that at its ends."""
    return _laminar_and_end(needle, viscosity_mpa_s)[0] * flow_ul_per_s


def highest_flow_ul_per_s(
    pressure_kpa: float, needle: Needle, viscosity_mpa_s: float = 1.0
) -> float:
    """Flow that a pressure drives through a needle: the inverse of `needle_pressure_kpa`."""
    laminar, end = _laminar_and_end(needle, viscosity_mpa_s)
    return (sqrt(laminar**2 + 4 * end * pressure_kpa) - laminar) / (2 * end)


def plunger_force_n(pressure_kpa: float, syringe: Syringe) -> float:
    """Force on the plunger at a pressure in the barrel, stopper friction included, newtons."""
    return pressure_kpa * syringe.area_mm2 / 1000 + FRICTION_N


def pressure_limit_kpa(syringe: Syringe) -> float:
    """Highest pressure in this barrel: what the drive can make, and never above `PRESSURE_MAX_KPA`.

    A limit in newtons would allow 0.6 MPa in a 10 ml barrel and 1.7 MPa in one of 3 ml (R25).
    """
    return min(PRESSURE_MAX_KPA, (DRIVE_LIMIT_N - FRICTION_N) / syringe.area_mm2 * 1000)
