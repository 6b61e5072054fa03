"""Which serial ports there are, and which of them is a mesogun."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from serial.tools import list_ports as serial_ports

from mesogun.errors import MesogunError, PortError, VersionMismatch
from mesogun.link.handshake import handshake
from mesogun.link.serial_transport import SerialTransport
from mesogun.link.session import Link
from mesogun.link.transport import Transport
from mesogun.words import _

RASPBERRY_PI_VID = 0x2E8A
"""USB vendor of the RP2040 and RP2350 under MicroPython; no other port is ever written to."""


@dataclass(frozen=True)
class SerialPort:
    """A serial port of this computer.

    Attributes:
        device: what to give as `--port`.
        vid: USB vendor id, None if it is not a USB port.
        pid: USB product id, likewise.
        serial_number: of the USB device, likewise.
        description: what the system calls it.
    """

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None
    description: str


@dataclass(frozen=True)
class Probe:
    """What a port said when it was asked who it is.

    Attributes:
        port: the port that was asked.
        board_id: unique id of the gun's board in hex, None if it is not known.
        problem: why it cannot be used now, None if it can.
    """

    port: SerialPort
    board_id: str | None
    problem: MesogunError | None

    @property
    def is_gun(self) -> bool:
        """Whether a mesogun answered, even one with other firmware."""
        return self.problem is None or isinstance(self.problem, VersionMismatch)


def list_ports() -> list[SerialPort]:
    """Return the serial ports of this computer, by name; opens none."""
    return sorted(
        (
            SerialPort(info.device, info.vid, info.pid, info.serial_number, info.description)
            for info in serial_ports.comports()
        ),
        key=lambda port: port.device,
    )


def probe_ports(
    ports: Iterable[SerialPort] | None = None,
    connect: Callable[[str], Transport] = SerialTransport,
) -> list[Probe]:
    """Ask each port of the right USB vendor who it is; 1.2 s for a silent one. Moves nothing.

    Args:
        ports: the ports to choose from, those of this computer if None.
        connect: opens a port by its name.
    """
    candidates = list_ports() if ports is None else ports
    return [probe_port(port, connect) for port in candidates if port.vid == RASPBERRY_PI_VID]


def find_gun(
    ports: Iterable[SerialPort] | None = None,
    connect: Callable[[str], Transport] = SerialTransport,
) -> SerialPort:
    """Return the port of the one gun that is connected; arguments as for `probe_ports`.

    Raises:
        PortError: if there is none, or more than one.
    """
    probes = probe_ports(ports, connect)
    guns = [probe for probe in probes if probe.is_gun]
    if len(guns) == 1:
        return guns[0].port
    if guns:
        names = ", ".join(
            _("{device} (board {board})").format(
                device=gun.port.device, board=gun.board_id or _("unknown")
            )
            for gun in guns
        )
        raise PortError(
            _("{count} guns are connected: {names}. Name one with --port.").format(
                count=len(guns), names=names
            )
        )
    seen = " ".join(str(probe.problem) for probe in probes)
    raise PortError(
        _("No gun is connected. Connect one, or use a simulated one with --port sim. ")
        + (seen or _("No serial port here belongs to a board that could be one."))
    )


def probe_port(port: SerialPort, connect: Callable[[str], Transport] = SerialTransport) -> Probe:
    """Ask one port who it is, as `probe_ports` does, whatever its vendor; a person named it."""
    try:
        link = Link(connect(port.device))
    except PortError as error:
        return Probe(port, None, error)
    try:
        hello = handshake(link).fields()
    except MesogunError as error:
        return Probe(port, None, error)
    finally:
        link.close()
    return Probe(port, hello["board_id"].hex(), None)
