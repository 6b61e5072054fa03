"""A gun on a serial port, or behind any URL that pyserial can open."""

import errno
import os
import time
from datetime import UTC, datetime

import serial
from serial.tools import list_ports as serial_ports

from mesogun.errors import LinkError, PortError, UsageError
from mesogun.words import _, general

_HANDLERS = "mesogun.link"
"""Where pyserial is to look for `protocol_fault`, the handler of fault:// URLs."""

if _HANDLERS not in serial.protocol_handler_packages:
    serial.protocol_handler_packages.append(_HANDLERS)

_BAUD = 115_200
"""USB ignores it; a real UART bridge needs one agreed rate."""

_WRITE_TIMEOUT_S = 1.0
"""The gun takes every byte at once while it runs; one that takes none for this long has stopped."""

PACE = "MESOGUN_PACE"
"""Environment: seconds of a simulated gun that somebody serves in one second of the clock."""

_SLOWEST, _FASTEST = 0.01, 3.0


class SerialTransport:
    """An open serial port that nobody else can open (a `Transport`).

    Its seconds are those of the gun: `MESOGUN_PACE` says how many a gun that is simulated makes in
    one of the clock's, so that every time-out and heartbeat is as long for it as for a real one.

    Attributes:
        name: the port or URL as it was given.
    """

    def __init__(self, port: str) -> None:
        """Open `port`: a device such as `/dev/ttyACM0` or `COM3`, or a pyserial URL.

        Raises:
            PortError: if it does not exist, is in use, or may not be opened.
            UsageError: if it is a fault:// URL with faults that there are not, or `MESOGUN_PACE` is
                out of range.
        """
        self.name = port
        self._pace = _pace()
        try:
            self._serial = serial.serial_for_url(
                port,
                _BAUD,
                timeout=0,
                write_timeout=_WRITE_TIMEOUT_S / self._pace,
                exclusive=True,
            )
        except UsageError:
            raise
        except (OSError, ValueError) as error:
            raise PortError(_open_failure(port, error)) from error

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            LinkError: if the port is gone or takes no data.
        """
        try:
            self._serial.write(data)
        except OSError as error:
            raise self._lost(error) from error

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived, b"" after `timeout_s` seconds without anything.

        Raises:
            LinkError: if the port is gone.
        """
        try:
            self._serial.timeout = timeout_s / self._pace
            data = bytearray(self._serial.read(1))
            while waiting := self._serial.in_waiting if data else 0:
                data += self._serial.read(waiting)
        except OSError as error:
            raise self._lost(error) from error
        return bytes(data)

    def monotonic_s(self) -> float:
        """Return seconds of the gun from an arbitrary start that never go back."""
        return time.monotonic() * self._pace

    def wall_clock(self) -> datetime:
        """Return the time of day in UTC."""
        return datetime.now(UTC)

    def close(self) -> None:
        """Give the port back."""
        self._serial.close()

    def _lost(self, error: OSError) -> LinkError:
        return LinkError(
            _(
                "The connection on {name} is lost ({error}). Check the cable, then connect again "
                "and read the gun's records."
            ).format(name=self.name, error=error)
        )


def _pace() -> float:
    text = os.environ.get(PACE, "1")
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not _SLOWEST <= pace <= _FASTEST:
        raise UsageError(
            _(
                "{pace} = {text} is no pace of a simulated gun: give its seconds a second, "
                "{slowest} to {fastest}, or unset it for a real gun."
            ).format(
                pace=PACE, text=repr(text), slowest=general(_SLOWEST), fastest=general(_FASTEST)
            )
        )
    return pace


def _open_failure(port: str, error: OSError | ValueError) -> str:
    """Say why `port` cannot be opened, what to do, and which ports there are."""
    number = getattr(error, "errno", None)
    if number in (errno.EAGAIN, errno.EBUSY):
        reason = _("another program uses it; close that program")
    elif number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        reason = _("there is no such port; check the cable, or choose one that exists")
    elif number in (errno.EACCES, errno.EPERM):
        reason = _("you may not open it; join the group that owns it (often dialout or uucp)")
    else:
        reason = _("{error}; choose a port that exists and that no other program uses").format(
            error=error
        )
    ports = ", ".join(sorted(info.device for info in serial_ports.comports())) or "none"
    return _("Cannot open {port}: {reason}. Serial ports here: {ports}.").format(
        port=port, reason=reason, ports=ports
    )
