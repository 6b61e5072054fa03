"""Pressure advance: what the flow of a dose stores in the syringe, and what a reversal loses.

Drive, stopper and barrel give way under pressure, so a flow begins late and ends late: with the
time constant of compliance times resistance, which can be as long as a shot of a nappage. What a
steady flow has stored is pushed before the dose and taken back after it, so that the flow out of
the needle follows the dose.
"""

from typing import Final

from mesogun.catalog import Needle, Syringe
from mesogun.program.hydraulics import needle_pressure_kpa

WORTH: Final = 8
"""A stored volume below this part of the dose is let be: what it is late by is less than what the
spread of friction and backlash costs a shot that goes to and fro (docs/accuracy.md)."""
REVERSAL_MM: Final = 0.06
"""Travel of the pusher before the stopper follows a reversal: 0.02 mm of backlash, and 0.04 mm in
which a drive of 250 N/mm turns round 5 N of friction. All assumed."""
REVERSAL_SHARE: Final = 0.7
"""Part of that travel that is taken back as well. All of it would draw liquid in where friction or
backlash is less than assumed."""


def stored_nl(
    dose_nl: int,
    inject_us: int,
    syringe: Syringe,
    needle: Needle,
    viscosity_mpa_s: float,
    compliance_ul_per_kpa: float | None = None,
) -> int:
    """Volume that a dose's own flow stores, 0 if pressure advance is not worth while.

    Args:
        dose_nl: the dose.
        inject_us: time in which it is pushed.
        syringe: whose compliance is that of the catalog unless one is given.
        needle: that makes the pressure; the tissue's is not known and not counted.
        viscosity_mpa_s: of the liquid.
        compliance_ul_per_kpa: as measured with this syringe, and tubing if there is any.

    Returns:
        Compliance times the pressure of `needle_pressure_kpa`, nanolitres.
    """
    flow_ul_per_s = dose_nl / inject_us * 1000
    compliance = compliance_ul_per_kpa or syringe.compliance_ul_per_kpa
    stored = round(1000 * compliance * needle_pressure_kpa(flow_ul_per_s, needle, viscosity_mpa_s))
    return stored if stored * WORTH >= dose_nl else 0


def reversal_nl(syringe: Syringe) -> int:
    """Volume that is taken back on top, so that a reversal reaches the stopper, nanolitres."""
    return round(REVERSAL_MM * REVERSAL_SHARE * syringe.nl_per_mm)
