"""An emulated gun put together: an image, a flash file and parameters in, a transport out."""

import fcntl
import math
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from mesogun.emulated.board import Board
from mesogun.emulated.pico import STORAGE_BYTES, Pico
from mesogun.emulated.world import EmulatedWorld
from mesogun.errors import LinkError, PortError
from mesogun.virtual.firmware import firmware_folder
from mesogun.virtual.gun import BOARD_ID_BYTES, VirtualGunSettings, flash_folder
from mesogun.virtual.panel import Operator, Panel
from mesogun.virtual.plant import Plant

SUFFIX: Final = ".rp2040"
"""Of the file that holds a board's flash behind MicroPython; its stem is the board id."""

_PIECE_S: Final = 0.01
"""Emulated time between two looks at the wall clock, so that keys and displays stay live."""

_BOOT_NS: Final = 5_000_000_000
"""Time in which MicroPython must be on USB; a blank board formats its file system first."""

_PORT_NS: Final = 1_000_000_000
"""From the answer on USB until an operating system offers the port to programs, about."""

_FELL_BEHIND_S: Final = 0.2
"""More than that is not caught up: the processor was busy, which costs twenty times its time."""


def emulated_gun() -> Path:
    """Return the flash file of the emulated gun of this computer; the first call names the gun.

    Like a board on the desk there is one, and it keeps its firmware and its records.
    """
    folder = flash_folder()
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.glob(f"*{SUFFIX}"))
    if found:
        return found[0]
    path = folder / f"{os.urandom(BOARD_ID_BYTES).hex()}{SUFFIX}"
    path.touch(0o600)
    return path


class EmulatedTransport:
    """A `Transport` to a gun on an emulated RP2040; time moves while the host waits in `read`.

    The flash behind MicroPython is a file that is written through, operation by operation, so that
    it survives the death of the process.

    Args:
        settings: physics, seed and speed.
        image: UF2 file of MicroPython.
        flash: the flash file, whose stem is the board id; an empty or missing one is a blank board.

    Attributes:
        world: the gun and its surroundings.
        panel: trigger, interlock, syringe, light.
        board_id: 8 bytes.
    """

    name = "rp2040"

    def __init__(self, settings: VirtualGunSettings, image: Path, flash: Path) -> None:
        """Build the gun and switch it on; returns when an operating system would offer its port.

        Raises:
            PortError: if another process uses this gun, or MicroPython does not start.
        """
        self.board_id = _board_id(flash)
        self.panel = Panel()
        self._flash = _open_flash(flash)
        self._speed = settings.speed
        self._closed = False
        pico = Pico(image, os.pread(self._flash, STORAGE_BYTES, 0), self.board_id, settings.seed)
        pico.on_storage_change(lambda offset, data: _write(self._flash, offset, data))
        self.world = EmulatedWorld(
            pico,
            Board.read(firmware_folder() / "boards" / "reference.py"),
            Plant(settings.plant.drawn(settings.seed), settings.seed),
            self.panel,
            Operator(self.panel, settings.seed) if settings.auto_trigger else None,
            settings.new_point_each_shot,
        )
        if not pico.run_until(lambda: pico.connected, _BOOT_NS):
            self.close()
            raise PortError(
                f"{image.name} does not come up on USB within {_BOOT_NS // 10**9} s of emulated "
                "time: take an image of MicroPython for the Raspberry Pi Pico, 1.28 or newer."
            )
        self.world.run_unheard(self.world.now_ns + _PORT_NS)
        self._opened = datetime.now(UTC)
        self._started_s = time.monotonic() - self._paced_s()

    def write(self, data: bytes) -> None:
        """Send `data`; takes no emulated time."""
        self._check_open()
        self.world.send(data)

    def read(self, timeout_s: float) -> bytes:
        """Let emulated time pass until the gun says something or `timeout_s` is over."""
        self._check_open()
        world = self.world
        # Rounded up: a caller that computes what is left of a wait in floating point must come to
        # its end.
        until_ns = world.now_ns + math.ceil(timeout_s * 1e9)
        while True:
            piece_ns = until_ns if self._speed is None else world.now_ns + round(_PIECE_S * 1e9)
            world.run(min(piece_ns, until_ns))
            self._keep_pace()
            data = world.receive()
            if data or world.now_ns >= until_ns:
                return data

    def monotonic_s(self) -> float:
        """Return emulated seconds since the gun was switched on."""
        return self.world.now_ns / 1e9

    def wall_clock(self) -> datetime:
        """Return the time at which the gun was opened plus emulated time."""
        return self._opened + timedelta(seconds=self.monotonic_s())

    def close(self) -> None:
        """Switch the gun off; its flash is kept. May be called twice."""
        if not self._closed:
            self._closed = True
            os.close(self._flash)

    @contextmanager
    def at_full_speed(self) -> Generator[None]:
        """Let no wall time pass for emulated time, as while records are read."""
        speed, self._speed = self._speed, None
        try:
            yield
        finally:
            self._speed = speed
            self._started_s = time.monotonic() - self._paced_s()

    def _paced_s(self) -> float:
        return self.monotonic_s() / self._speed if self._speed is not None else 0.0

    def _keep_pace(self) -> None:
        if self._speed is None:
            return
        ahead_s = self._paced_s() - (time.monotonic() - self._started_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
        elif ahead_s < -_FELL_BEHIND_S:
            self._started_s = time.monotonic() - self._paced_s()

    def _check_open(self) -> None:
        if self._closed:
            raise LinkError("The emulated gun is switched off; open the port again.")


def _board_id(flash: Path) -> bytes:
    try:
        board_id = bytes.fromhex(flash.stem)
    except ValueError:
        board_id = b""
    if len(board_id) != BOARD_ID_BYTES:
        raise PortError(
            f"{flash.name} does not name a board: the flash file of an emulated gun is called "
            f"after its board id of {2 * BOARD_ID_BYTES} hexadecimal digits."
        )
    return board_id


def _open_flash(path: Path) -> int:
    flash = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(flash, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(flash)
        raise PortError(
            f"The emulated gun {path.stem} is in use by another process; wait for it to end."
        ) from None
    size = os.fstat(flash).st_size
    if size < STORAGE_BYTES:
        os.pwrite(flash, b"\xff" * (STORAGE_BYTES - size), size)
    return flash


def _write(flash: int, offset: int, data: bytes) -> None:
    os.pwrite(flash, data, offset)
