"""A virtual gun put together: parameters in, a transport out that any host code can talk to."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from mesogun.errors import PortError
from mesogun.virtual.flash import NorFlash
from mesogun.virtual.panel import Operator, Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.plant_parameters import PlantParameters
from mesogun.virtual.simulated import SimulatedTransport
from mesogun.virtual.world import World

BOARD_ID_BYTES = 8


@dataclass(frozen=True)
class VirtualGunSettings:
    """What a virtual gun is made of.

    Attributes:
        plant: nominal physics: syringe, needle, liquid, drive; each gun draws its own within them.
        seed: draws the plant, the operator's times, the sensor's noise and the flash's times.
        speed: simulated seconds a second, None for as fast as it goes.
        auto_trigger: a virtual operator follows the gun's light.
        new_point_each_shot: the needle goes to fresh tissue after each shot.
    """

    plant: PlantParameters
    seed: int = 0
    speed: float | None = 1.0
    auto_trigger: bool = False
    new_point_each_shot: bool = True


def flash_folder() -> Path:
    """Return the folder in which virtual guns keep their flash until their records are stored."""
    named = os.environ.get("MESOGUN_VIRTUAL_DIR")
    return Path(named) if named else platformdirs.user_state_path("mesogun") / "virtual"


def kept_guns() -> list[bytes]:
    """Return the board ids of virtual guns whose records may not be stored yet."""
    digits = "[0-9a-f]" * (2 * BOARD_ID_BYTES)
    return sorted(bytes.fromhex(path.stem) for path in flash_folder().glob(f"{digits}.flash"))


class VirtualTransport(SimulatedTransport):
    """A `Transport` to a virtual gun; simulated time moves while the host waits in `read`.

    Attributes:
        world: the gun and its surroundings.
        panel: trigger, interlock, syringe, light.
        board_id: 8 bytes, made at random unless given: no two virtual guns share their records.
    """

    name = "sim"

    def __init__(self, settings: VirtualGunSettings, board_id: bytes | None = None) -> None:
        """Build the gun and power it up; `board_id` names one that was kept.

        Raises:
            PortError: if there is no MicroPython, or another process uses this gun.
        """
        self.board_id = board_id or os.urandom(BOARD_ID_BYTES)
        self.panel = Panel()
        self._path = flash_folder() / f"{self.board_id.hex()}.flash"
        self._flash = NorFlash(self._path, settings.seed)
        self._lock = self._take_lock()
        self.world = World(
            Plant(settings.plant.drawn(settings.seed), settings.seed),
            self._flash,
            self.board_id,
            self.panel,
            Operator(self.panel, settings.seed) if settings.auto_trigger else None,
            settings.new_point_each_shot,
        )
        super().__init__(self.world, settings.speed)

    def close(self) -> None:
        """Take the power away; the flash is kept until `forget`."""
        if not self._closed:
            self._closed = True
            self.world.close()
            os.close(self._lock)

    def forget(self) -> None:
        """Throw the gun away with its flash, after everything in it has been stored."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _take_lock(self) -> int:
        lock = os.open(self._path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            self._flash.close()
            raise PortError(
                f"The virtual gun {self.board_id.hex()} is in use by another process; wait for it "
                "to end."
            ) from None
        return lock
