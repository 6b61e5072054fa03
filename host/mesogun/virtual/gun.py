"""A virtual gun put together: parameters in, a transport out that any host code can talk to."""

import fcntl
import math
import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import platformdirs

from mesogun.errors import LinkError, PortError
from mesogun.virtual.flash import NorFlash
from mesogun.virtual.panel import Operator, Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.plant_parameters import PlantParameters
from mesogun.virtual.world import World

BOARD_ID_BYTES = 8

_PACE_S = 0.01
"""Longest piece of simulated time between two looks at the wall clock when the speed is limited, so
that keys and displays stay live."""


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


@contextmanager
def _without_interrupt() -> Generator[None]:
    """Hold a Ctrl-C back: within an exchange with the firmware it would break the pipe."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class VirtualTransport:
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
        self._speed = settings.speed
        self._opened = datetime.now(UTC)
        self._started_s = time.monotonic()
        self._closed = False
        self.world = World(
            Plant(settings.plant.drawn(settings.seed), settings.seed),
            self._flash,
            self.board_id,
            self.panel,
            Operator(self.panel, settings.seed) if settings.auto_trigger else None,
            settings.new_point_each_shot,
        )

    def write(self, data: bytes) -> None:
        """Send `data`; takes no simulated time."""
        self._check_open()
        self.world.send(data)

    def read(self, timeout_s: float) -> bytes:
        """Let simulated time pass until the gun says something or `timeout_s` is over."""
        self._check_open()
        world = self.world
        # Rounded up: a wait whose rest was computed in floating point must come to its end.
        until_ns = world.now_ns + math.ceil(timeout_s * 1e9)
        while True:
            piece_ns = until_ns if self._speed is None else world.now_ns + round(_PACE_S * 1e9)
            with _without_interrupt():
                world.run(min(piece_ns, until_ns))
            self._keep_pace()
            data = world.receive()
            if data or world.now_ns >= until_ns:
                return data

    def monotonic_s(self) -> float:
        """Return simulated seconds since the gun was powered up."""
        return self.world.now_ns / 1e9

    def wall_clock(self) -> datetime:
        """Return the time at which the gun was opened plus simulated time."""
        return self._opened + timedelta(seconds=self.monotonic_s())

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

    @contextmanager
    def at_full_speed(self) -> Generator[None]:
        """Let no wall time pass for simulated time, as while records are read."""
        speed, self._speed = self._speed, None
        try:
            yield
        finally:
            self._speed = speed
            self._resume_pace()

    def _resume_pace(self) -> None:
        if self._speed is not None:
            self._started_s = time.monotonic() - self.monotonic_s() / self._speed

    def _keep_pace(self) -> None:
        if self._speed is None:
            return
        ahead_s = self.monotonic_s() / self._speed - (time.monotonic() - self._started_s)
        if ahead_s > 0:
            time.sleep(ahead_s)
        elif ahead_s < -1.0:
            # Fell behind (a suspended process): go on from here, no catching up.
            self._resume_pace()

    def _check_open(self) -> None:
        if self._closed:
            raise LinkError("The virtual gun is switched off; open the port again.")

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
