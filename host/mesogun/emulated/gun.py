"""An emulated gun put together: an image, a flash file and parameters in, a transport out."""

import fcntl
import os
from pathlib import Path
from typing import Final

from mesogun.emulated.board import Board
from mesogun.emulated.pico import STORAGE_BYTES, Pico
from mesogun.emulated.world import EmulatedWorld
from mesogun.errors import PortError
from mesogun.virtual.firmware import firmware_folder
from mesogun.virtual.gun import BOARD_ID_BYTES, VirtualGunSettings, flash_folder
from mesogun.virtual.panel import Operator, Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.simulated import SimulatedTransport

SUFFIX: Final = ".rp2040"
"""Of the file that holds a board's flash behind MicroPython; its stem is the board id."""

_BOOT_NS: Final = 5_000_000_000
"""Time in which MicroPython must be on USB; a blank board formats its file system first."""


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


class EmulatedTransport(SimulatedTransport):
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
            os.close(self._flash)
            raise PortError(
                f"{image.name} does not come up on USB within {_BOOT_NS // 10**9} s of emulated "
                "time: take an image of MicroPython for the Raspberry Pi Pico, 1.28 or newer."
            )
        self.world.run_unheard(self.world.port_ns)
        super().__init__(self.world, settings.speed)

    def close(self) -> None:
        """Switch the gun off; its flash is kept. May be called twice."""
        if not self._closed:
            self._closed = True
            os.close(self._flash)


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
