"""The simulated gun from the motor's pulses to the tissue: drive, syringe, needle, faults."""

from mesogun.virtual.plant.curve import Curve
from mesogun.virtual.plant.drive import SG_RESULT_MAX, StallGuard
from mesogun.virtual.plant.faults import FORCE_ADC_MAX, Faults
from mesogun.virtual.plant.plant import Plant, PlantError

__all__ = [
    "FORCE_ADC_MAX",
    "SG_RESULT_MAX",
    "Curve",
    "Faults",
    "Plant",
    "PlantError",
    "StallGuard",
]
