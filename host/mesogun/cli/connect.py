"""From the options of a command to an open gun, real or virtual."""

from collections.abc import Generator
from contextlib import contextmanager

from mesogun.desk.simulation import simulation
from mesogun.gun import Gun
from mesogun.link import Transport
from mesogun.ports import open_port
from mesogun.virtual.gun import VirtualTransport


@contextmanager
def connected(port: str) -> Generator[tuple[Gun, Transport]]:
    """Open the gun on `port` for a look or a stop; a virtual one is made for it and thrown away.

    Raises:
        PortError: if there is no gun, more than one, or the port cannot be used.
        VersionMismatch: if its firmware does not fit.
    """
    transport = open_port(port, simulation)
    try:
        with Gun.open(transport) as gun:
            yield gun, transport
    finally:
        if isinstance(transport, VirtualTransport):
            transport.forget()
