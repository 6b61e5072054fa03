"""The public device API: `Gun`, what it returns and what it raises."""

from mesogun.gun.device import Gun
from mesogun.gun.doubt import GunRestarted
from mesogun.gun.model import ConfigValue, GunInfo, Limits, Status, TriggerState
from mesogun.gun.upload import ProgramStep, UploadMismatch, UploadReceipt
from mesogun.link import DoseUncertain, Event, Refused

__all__ = [
    "ConfigValue",
    "DoseUncertain",
    "Event",
    "Gun",
    "GunInfo",
    "GunRestarted",
    "Limits",
    "ProgramStep",
    "Refused",
    "Status",
    "TriggerState",
    "UploadMismatch",
    "UploadReceipt",
]
