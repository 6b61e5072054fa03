"""The conversation with a gun: transports, requests and replies, versions, clocks, and which port.

Layers: `transport` is a byte stream with a clock; `session.Link` makes requests over one;
`handshake` opens a conversation; `discovery` finds the port that a gun is on. `faults` and `cable`
make any port a bad one, as a transport (`faulty_transport`) and as a URL (`protocol_fault`).
"""

from mesogun.link.clock import DeviceClock
from mesogun.link.discovery import (
    Probe,
    SerialPort,
    find_gun,
    list_ports,
    probe_port,
    probe_ports,
)
from mesogun.link.faults import Faults
from mesogun.link.faulty_transport import FaultyTransport
from mesogun.link.handshake import handshake
from mesogun.link.refusal import Refused
from mesogun.link.serial_transport import SerialTransport
from mesogun.link.session import DoseUncertain, Event, Exchange, Link, NoAnswer
from mesogun.link.transport import Transport

__all__ = [
    "DeviceClock",
    "DoseUncertain",
    "Event",
    "Exchange",
    "Faults",
    "FaultyTransport",
    "Link",
    "NoAnswer",
    "Probe",
    "Refused",
    "SerialPort",
    "SerialTransport",
    "Transport",
    "find_gun",
    "handshake",
    "list_ports",
    "probe_port",
    "probe_ports",
]
