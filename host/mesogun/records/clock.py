"""Wall time of a device's clock."""

from datetime import UTC, datetime
from typing import NamedTuple


class ClockMapping(NamedTuple):
    """Host time as a straight line over the device clock.

    Attributes:
        epoch_s: host time at the device clock's zero, seconds since 1970-01-01 UTC.
        rate: host seconds for one second of the device clock, near 1.
    """

    epoch_s: float
    rate: float

    def at(self, device_ms: int) -> datetime:
        """Return the wall time of a device time, ms since boot."""
        return datetime.fromtimestamp(self.epoch_s + self.rate * device_ms / 1000, UTC)
