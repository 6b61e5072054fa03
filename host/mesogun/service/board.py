"""A board at its prompt: what is on it, and MicroPython's raw mode through mpremote's transport."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Protocol, cast

from mpremote.transport import (  # pyright: ignore[reportMissingTypeStubs]
    TransportError,
)
from mpremote.transport_serial import (  # pyright: ignore[reportMissingTypeStubs]
    SerialTransport as PromptTransport,
)
from serial import SerialException

from mesogun.errors import LinkError, MesogunError, PortError, VersionMismatch
from mesogun.link import Link, SerialTransport
from mesogun.link.handshake import handshake
from mesogun.service.package import MANIFEST_NAME, Manifest

OLDEST_MICROPYTHON: Final = (1, 28)

_PROMPT: Final = b">>> "
_PROMPT_TIMEOUT_S: Final = 1.0
_EXEC_TIMEOUT_S: Final = 60
"""A board needs a second at most; an emulated one has to share a computer with other work."""
_CTRL_B: Final = b"\x02"


class Occupant(Enum):
    """Whose board it is."""

    BLANK = "blank"
    """MicroPython with an empty file system."""
    MESOGUN = "mesogun"
    """Files of a mesogun, of this or another version."""
    FOREIGN = "foreign"
    """Files of somebody else."""


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """What a board at its prompt is and holds.

    Attributes:
        occupant: whose files they are.
        manifest: of the mesogun on it, None if there is none.
        files: SHA-256 in hex of each file, by path.
        micropython: its version, such as (1, 28, 0).
        machine: what MicroPython calls the board.
        board_id: unique id in hex.
        storage_blocks: blocks of 4096 bytes behind MicroPython, 0 if it cannot tell.
    """

    occupant: Occupant
    manifest: Manifest | None
    files: dict[str, str]
    micropython: tuple[int, ...]
    machine: str
    board_id: str
    storage_blocks: int


class GunRuns(PortError):
    """A mesogun runs on the board, so its files cannot be reached.

    Attributes:
        hello: what it answered, None if it speaks another version of the protocol.
    """

    def __init__(self, port: str, hello: dict[str, Any] | None) -> None:
        """Say how to get at the files."""
        super().__init__(
            f"A mesogun runs on {port}. Its firmware is only changed with a hand on it: disconnect "
            "it, hold the trigger while you connect it again and for 3 s, repeat the command."
        )
        self.hello = hello


class _Serial(Protocol):
    """The part of pyserial that the prompt needs."""

    def read(self, size: int) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...
    def inWaiting(self) -> int: ...  # noqa: N802 (pyserial's name, which mpremote uses)


class _Prompt(Protocol):
    """The part of mpremote's transport that is used here; it has no types of its own."""

    serial: _Serial
    in_raw_repl: bool

    def enter_raw_repl(self, soft_reset: bool) -> None: ...
    def exit_raw_repl(self) -> None: ...
    def read_until(self, min_num_bytes: int, ending: bytes, timeout: float | None) -> bytes: ...
    def exec_raw_no_follow(self, command: str) -> None: ...
    def follow(self, timeout: float | None) -> tuple[bytes, bytes]: ...
    def close(self) -> None: ...


# Runs on the board. Reads each file once, in pieces: the largest would not fit beside it.
_INQUIRY: Final = """
import binascii, hashlib, json, machine, os, sys
def _walk(folder, found):
    for entry in os.ilistdir(folder or '/'):
        path = folder + '/' + entry[0] if folder else entry[0]
        if entry[1] == 0x4000:
            _walk(path, found)
        else:
            digest = hashlib.sha256()
            piece = bytearray(512)
            with open('/' + path, 'rb') as file:
                while True:
                    size = file.readinto(piece)
                    if not size:
                        break
                    digest.update(memoryview(piece)[:size])
            found[path] = binascii.hexlify(digest.digest()).decode()
    return found
_blocks = 0
try:
    import rp2
    _blocks = rp2.Flash().ioctl(4, 0)
except ImportError:
    pass
_manifest = None
_files = _walk('', {})
if 'mesogun.json' in _files:
    with open('/mesogun.json') as file:
        _manifest = file.read()
print(json.dumps((sys.implementation.version[:3], sys.implementation._machine,
    binascii.hexlify(machine.unique_id()).decode(), _blocks, _files, _manifest)))
"""


class Board:
    """A board in raw mode. Use as a context; leaving it gives the prompt back."""

    def __init__(
        self, port: str, *, interrupt: bool = False, timeout_s: float | None = _EXEC_TIMEOUT_S
    ) -> None:
        """Open `port` and go into raw mode.

        Args:
            port: serial port, pseudo-terminal or URL.
            interrupt: end a program that runs on the board and is not a mesogun.
            timeout_s: how long it may be silent; None for ever, where time is not the wall's.

        Raises:
            PortError: if the port cannot be opened, a mesogun runs on it, or a program that may
                not be interrupted.
        """
        self.port = port
        self._timeout_s = timeout_s
        try:
            self._transport = cast(_Prompt, PromptTransport(port, timeout=timeout_s))
        except (TransportError, SerialException, OSError, ValueError) as error:
            raise PortError(
                f"Cannot open {port}: {error}. Check the cable and the name of the port, and close "
                "other programs that use it."
            ) from None
        try:
            self._enter(interrupt)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Board":
        """Return the board."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the port back."""
        self.close()

    def run(self, code: str) -> bytes:
        """Run Python on the board and return what it wrote.

        Raises:
            LinkError: if it raised there, or the board stopped answering.
        """
        return self.feed(code, b"")

    def feed(self, code: str, data: bytes) -> bytes:
        """Run `code`, which writes `!` and then reads `data`, if there is any; return the rest.

        Raises:
            LinkError: as for `run`.
        """
        try:
            self._transport.exec_raw_no_follow(code)
            if data:
                asked = self._transport.read_until(1, b"!", timeout=self._timeout_s)
                if not asked.endswith(b"!"):
                    raise TransportError("it asked for no data")
                self._transport.serial.write(data)
            written, trouble = self._transport.follow(self._timeout_s)
        except (TransportError, SerialException, OSError) as error:
            raise self._failed(str(error)) from None
        if trouble:
            raise self._failed(trouble.decode(errors="replace").strip().splitlines()[-1])
        return written

    def reset(self) -> None:
        """Reset the chip and give the port back; it goes away on a real board."""
        with suppress(TransportError, SerialException, OSError):
            self._transport.exec_raw_no_follow("import machine; machine.reset()")
        self.close()

    def close(self) -> None:
        """Give prompt and port back."""
        with suppress(SerialException, OSError):
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
        with suppress(SerialException, OSError):
            self._transport.close()

    def info(self) -> BoardInfo:
        """Return what the board is and holds.

        Raises:
            LinkError: as for `run`.
        """
        told: Any = json.loads(self.run(_INQUIRY))
        version, machine, board_id, blocks, files, text = told
        manifest = None
        if text is not None:
            with suppress(ValueError):
                manifest = Manifest.from_json(text.encode())
        if manifest is not None:
            strangers = files.keys() - manifest.files.keys() - {MANIFEST_NAME}
            occupant = Occupant.FOREIGN if strangers else Occupant.MESOGUN
        else:
            occupant = Occupant.FOREIGN if files else Occupant.BLANK
        return BoardInfo(
            occupant, manifest, files, tuple(version), str(machine), str(board_id), int(blocks)
        )

    def _failed(self, reason: str) -> LinkError:
        return LinkError(
            f"The board on {self.port} did not do what it was asked to ({reason}). Check the cable "
            "and do it again."
        )

    def _enter(self, interrupt: bool) -> None:
        if not (self._at_prompt() or interrupt):
            self.close()
            raise _occupied(self.port)
        try:
            # Without a soft reset, which would run the board's own boot.py first.
            self._transport.enter_raw_repl(soft_reset=False)
        except (TransportError, SerialException, OSError) as error:
            raise PortError(
                f"The board on {self.port} does not come to its prompt ({error}). Hold BOOTSEL "
                "while you connect it, and put MicroPython on it again."
            ) from None

    def _at_prompt(self) -> bool:
        """Does the board wait for input? Nothing is sent that would stop a program."""
        serial = self._transport.serial
        serial.write(b"\r" + _CTRL_B)
        heard = b""
        end_s = time.monotonic() + _PROMPT_TIMEOUT_S
        while time.monotonic() < end_s:
            if serial.inWaiting():
                heard += serial.read(serial.inWaiting())
                if heard.endswith(_PROMPT):
                    return True
            else:
                time.sleep(0.01)
        return False


def _occupied(port: str) -> PortError:
    """Say what runs on a board that is not at its prompt."""
    try:
        link = Link(SerialTransport(port))
        try:
            hello = handshake(link).fields()
        finally:
            link.close()
    except VersionMismatch:
        return GunRuns(port, None)
    except MesogunError:
        return PortError(
            f"A program that is no mesogun runs on the board on {port}. Stop it, or let it be "
            "ended with --force."
        )
    return GunRuns(port, hello)
