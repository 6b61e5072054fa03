"""Starts MicroPython in a tenth of the time, for those who boot a gun thousands of times.

A program of its own costs 25 ms a boot, most of it Python's start around the module that the wheel
brings. A small server that has loaded that module once and forks costs 3 ms.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from mesogun.virtual import fork_server
from mesogun.virtual.firmware import Child, spawn


class ForkServer:
    """Starts MicroPython by forking; ends with this process, or when closed.

    Where MicroPython is no module of Python, or `MESOGUN_MICROPYTHON` names another, `start` does
    what `spawn` does.
    """

    def __init__(self) -> None:
        """Start the server."""
        self._master: socket.socket | None = None
        spec = None if os.environ.get("MESOGUN_MICROPYTHON") else find_spec("micropython_run")
        if spec is None or spec.origin is None:
            return
        self._master, slave = socket.socketpair()
        with slave:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", fork_server.__file__),
                    *(str(Path(spec.origin).parent), str(slave.fileno())),
                ],
                pass_fds=[slave.fileno()],
                start_new_session=True,
            )

    def start(self, arguments: Sequence[str], folder: Path, errors: IO[bytes]) -> Child:
        """Start MicroPython; see `Firmware`.

        Raises:
            PortError: if there is no MicroPython.
        """
        if self._master is None:
            return spawn(arguments, folder, errors)
        return _Fork(self._master, arguments, folder, errors)

    def close(self) -> None:
        """End the server."""
        if self._master is not None:
            self._master.close()
            self._process.wait()
            self._master = None


class _Fork:
    """A child of the server; implements `Child`."""

    def __init__(
        self, server: socket.socket, arguments: Sequence[str], folder: Path, errors: IO[bytes]
    ) -> None:
        self._server = server
        self._code: int | None = None
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        words = "\0".join(["start", str(folder), *arguments])
        socket.send_fds(server, [words.encode()], [theirs_in, theirs_out, errors.fileno()])
        os.close(theirs_in)
        os.close(theirs_out)
        self.stdin: IO[bytes] = os.fdopen(ours_out, "wb")
        self.stdout: IO[bytes] = os.fdopen(ours_in, "rb")
        self._pid = int(server.recv(64))

    def kill(self) -> None:
        # Until it was waited for, its number belongs to nobody else.
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)

    def wait(self) -> int:
        if self._code is None:
            self._server.sendall(f"wait\0{self._pid}".encode())
            self._code = int(self._server.recv(64))
        return self._code
