"""The gun's clock on the host's time line, by regression over pings.

The idea to fit offset and drift over request pairs and to trust a pair by its round trip is that
of Klipper's `clocksync`; the estimator here is another: a weighted least-squares line whose drift
is held near zero by what is known of crystals, so that it is sound from the first ping on and needs
no start-up rule.
"""

from datetime import datetime, timedelta

_CLOCK_WRAP_MS = 1 << 32
_RESOLUTION_S = 0.001
"""The device clock counts whole milliseconds."""

_DRIFT_SIGMA = 100e-6
"""How far device and host may drift apart, one standard deviation: two crystals at +-50 ppm."""


class DeviceClock:
    """Maps the device clock (ms since boot) of one boot to host time.

    A sample says: the device read `clock_ms` at some moment between `sent_s` and `received_s`. That
    moment is taken as evenly spread, which gives a sample the variance (round trip^2 +
    resolution^2) / 12 and a weight of one over it. With x the device's seconds and d the host's
    lead over them, the estimate is

        d(x) = mean(d) + b (x - mean(x)),   b = Sxd / (Sxx + 1 / sigma_drift^2)

    which is the least-squares line with a normal prior on its slope. All sums are updated in place
    (Welford), so a session of any length takes no memory.
    """

    def __init__(self, now_s: float, now_utc: datetime) -> None:
        """Take the host's two clocks, both read now; later jumps of the wall clock do no harm."""
        self._anchor_s = now_s
        self._anchor_utc = now_utc
        self._newest_ms: int | None = None
        self._weight = self._mean_x = self._mean_d = self._sxx = self._sxd = 0.0

    def add(self, sent_s: float, received_s: float, clock_ms: int) -> None:
        """Take one sample: the request's first transmission, the reply's arrival, the clock in it.

        Seconds are on the host's monotonic clock, `clock_ms` is the 32-bit device clock.
        """
        total_ms = self._unwrap(clock_ms)
        self._newest_ms = total_ms
        x = self._device_s(total_ms)
        d = (sent_s + received_s) / 2 - x
        weight = 12 / ((received_s - sent_s) ** 2 + _RESOLUTION_S**2)
        self._weight += weight
        share = weight / self._weight
        dx = x - self._mean_x
        self._mean_x += share * dx
        self._mean_d += share * (d - self._mean_d)
        self._sxx += weight * dx * (x - self._mean_x)
        self._sxd += weight * dx * (d - self._mean_d)

    @property
    def drift(self) -> float:
        """How many seconds more the host counts for each second of the gun."""
        return self._sxd / (self._sxx + 1 / _DRIFT_SIGMA**2)

    def host_s(self, clock_ms: int) -> float:
        """Return the host's monotonic time, in seconds, at which the device clock read `clock_ms`.

        Right within 24 days of the newest sample, where the 32-bit clock is unambiguous.

        Raises:
            ValueError: if there was no sample yet.
        """
        if self._newest_ms is None:
            raise ValueError("the device clock was never read")
        x = self._device_s(self._unwrap(clock_ms))
        return x + self._mean_d + self.drift * (x - self._mean_x)

    def utc(self, clock_ms: int) -> datetime:
        """Return the wall-clock time, UTC, at which the device clock read `clock_ms`.

        Raises:
            ValueError: if there was no sample yet.
        """
        return self._anchor_utc + timedelta(seconds=self.host_s(clock_ms) - self._anchor_s)

    def _unwrap(self, clock_ms: int) -> int:
        if self._newest_ms is None:
            return clock_ms
        half = _CLOCK_WRAP_MS // 2
        ahead = (clock_ms - self._newest_ms + half) % _CLOCK_WRAP_MS - half
        return self._newest_ms + ahead

    @staticmethod
    def _device_s(total_ms: int) -> float:
        """Return the middle of the millisecond that the clock was in."""
        return total_ms * _RESOLUTION_S + _RESOLUTION_S / 2
