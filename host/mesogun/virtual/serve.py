"""Serves a virtual gun on a pseudo-terminal or on TCP, so that any serial program can talk to it.

One client at a time. Clients come and go; what the gun says while nobody listens is lost, as it is
on USB.
"""

import ipaddress
import os
import socket
import tty
from typing import Final, Protocol

from mesogun.errors import PortError, UsageError
from mesogun.virtual.simulated import SimulatedTransport

_LOOK_S: Final = 0.005
"""Simulated time between two looks at the client: the longest that a byte waits for the gun."""

_PIECE_BYTES: Final = 4096


class Outlet(Protocol):
    """Where a client connects."""

    @property
    def url(self) -> str:
        """What a client gives as its port."""
        ...

    def receive(self) -> bytes:
        """Return what a client has sent, b"" if there is nothing or nobody; does not wait."""
        ...

    def send(self, data: bytes) -> None:
        """Send to the client; what it does not take now is lost."""
        ...

    def close(self) -> None:
        """Take the port away."""
        ...


class PtyOutlet:
    """A pseudo-terminal; a `with open` on its path is a serial port to any program.

    Attributes:
        url: its path, such as `/dev/pts/5`.
    """

    def __init__(self) -> None:
        """Make one."""
        self._master, self._slave = os.openpty()
        # Kept open: without it the pair would vanish with the first client that leaves.
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.url = os.ttyname(self._slave)

    def receive(self) -> bytes:
        """Return what a client has sent."""
        try:
            return os.read(self._master, _PIECE_BYTES)
        except BlockingIOError:
            return b""

    def send(self, data: bytes) -> None:
        """Send as much as the terminal's buffer takes."""
        try:
            os.write(self._master, data)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Take the terminal away."""
        os.close(self._slave)
        os.close(self._master)


class TcpOutlet:
    """A TCP port; a second client is turned away while there is one.

    Attributes:
        url: as pyserial takes it, such as `socket://127.0.0.1:4711`.
    """

    def __init__(self, address: str, public: bool = False) -> None:
        """Listen on `address`, `HOST:PORT`; port 0 picks a free one.

        Args:
            address: where to listen.
            public: allow an address that other computers can reach: anybody there can move the gun.

        Raises:
            UsageError: if it is no address, or not of this computer alone.
            PortError: if it cannot be listened on.
        """
        host, port = _parsed(address)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            family, _, _, _, where = found[0]
            if not (public or ipaddress.ip_address(where[0]).is_loopback):
                raise UsageError(
                    f"{host} can be reached from other computers, and anybody there could move the "
                    "gun. Use 127.0.0.1, or allow it with --public."
                )
            self._server = socket.create_server(where[:2], family=family)
        except OSError as error:
            raise PortError(
                f"Cannot serve on {address}: {error.strerror or error}. Choose another address; "
                "port 0 picks a free one."
            ) from None
        self._server.setblocking(False)
        self._client: socket.socket | None = None
        name = self._server.getsockname()
        shown = f"[{name[0]}]" if family == socket.AF_INET6 else name[0]
        self.url = f"socket://{shown}:{name[1]}"

    def receive(self) -> bytes:
        """Return what the client has sent; let one in, and let one go."""
        self._let_in()
        if self._client is None:
            return b""
        try:
            data = self._client.recv(_PIECE_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._let_go()
        return data

    def send(self, data: bytes) -> None:
        """Send as much as the connection takes."""
        if self._client is None or not data:
            return
        try:
            self._client.send(data)
        except BlockingIOError:
            return
        except OSError:
            self._let_go()

    def close(self) -> None:
        """Stop listening."""
        self._let_go()
        self._server.close()

    def _let_in(self) -> None:
        try:
            client, _ = self._server.accept()
        except BlockingIOError:
            return
        if self._client is not None:
            client.close()
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = client

    def _let_go(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def pump(transport: SimulatedTransport, outlet: Outlet) -> bool:
    """Carry bytes both ways and let a little simulated time pass; False if there were none."""
    heard = outlet.receive()
    transport.write(heard)
    said = transport.read(_LOOK_S)
    outlet.send(said)
    return bool(heard or said)


def _parsed(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not (colon and port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(
            f"{address[:60]!r} is no address: give HOST:PORT, such as 127.0.0.1:4711, with a port "
            "from 0 to 65535."
        )
    return host.strip("[]") or "127.0.0.1", int(port)
