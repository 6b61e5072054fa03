"""Where emulated guns come from: one is flashed and booted, every other one is a copy of it.

A boot costs ten seconds of a processor, and a copy some milliseconds. All copies begin at the same
moment of emulated time.
"""

import multiprocessing
import socket
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from benches.bench import Bench
from benches.emulated import EmulatedBench
from benches.remote import remote_bench, serve
from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.board import Board as Pins
from mesogun.emulated.copies import connect_to_copy, serve_in_copies
from mesogun.emulated.pico import Pico
from mesogun.emulated.protocol_emulated import on_pyserial
from mesogun.emulated.world import EmulatedWorld
from mesogun.ports import Simulation
from mesogun.service.board import Board
from mesogun.service.flash import check_board, write_firmware
from mesogun.service.package import build_package
from mesogun.virtual.firmware import firmware_folder
from mesogun.virtual.gun import VirtualGunSettings
from mesogun.virtual.panel import Panel
from mesogun.virtual.plant import Plant

_BOARD_ID = bytes.fromhex("0123456789abcdef")
_BLANK_NS = 5_000_000_000
"""A blank board formats its file system before it comes up on USB."""

_BOOT_NS = 2_000_000_000
"""From power-on until the firmware waits for its host: three times what it needs."""


def flashed_gun(image: Path) -> EmulatedWorld:
    """Return a gun that was flashed as a technician does it, was switched on, and waits."""
    settings = _settings("bd-plastipak-5", "30g-4", one_point=False, seed=1)
    pico = Pico(image, board_id=_BOARD_ID)
    pins = Pins.read(firmware_folder() / "boards" / "reference.py")
    world = EmulatedWorld(pico, pins, Plant(settings.plant, settings.seed), Panel())
    assert pico.run_until(lambda: pico.connected, _BLANK_NS), f"{image.name} is not on USB"
    package = build_package()
    with on_pyserial(pico) as url, Board(url, timeout_s=None) as board:
        info = board.info()
        check_board(info, package, force=False)
        write_firmware(board, info, package, lambda _done, _total: None)
    world.cut_power()
    world.run_unheard(world.now_ns + _BOOT_NS)
    world.receive()
    return world


class EmulatedGuns:
    """The process that holds the booted gun; it ends with `close`, or with the one that began it.

    Args:
        image: UF2 file of MicroPython.
        address: path at which it gives copies away, in any process.
    """

    def __init__(self, image: Path, address: str) -> None:
        """Begin; the gun boots while others go on."""
        context = multiprocessing.get_context("spawn")
        self._alive, theirs = context.Pipe()
        server = socket.socket(socket.AF_UNIX)
        server.bind(address)
        server.listen()
        self._process = context.Process(target=_keep, args=(image, server, theirs))
        self._process.start()
        server.close()
        theirs.close()

    def close(self) -> None:
        """End the process; copies end with their benches."""
        self._alive.close()
        self._process.join()


def emulated_bench(address: str, syringe: str, needle: str, one_point: bool, seed: int) -> Bench:
    """Return a bench with a gun of its own, when the gun that is copied has booted."""
    connection = connect_to_copy(address)
    connection.send(_settings(syringe, needle, one_point, seed))
    return remote_bench(connection)


def _settings(syringe: str, needle: str, one_point: bool, seed: int) -> VirtualGunSettings:
    settings = Simulation(
        get_syringe(syringe), get_needle(needle), new_point_each_shot=not one_point, seed=seed
    ).settings()
    return replace(settings, plant=settings.plant.drawn(seed))


def _keep(image: Path, server: socket.socket, leave: Connection) -> None:
    serve_in_copies(server, leave, partial(_serve, flashed_gun(image)))


def _serve(world: EmulatedWorld, connection: Connection) -> None:
    settings: VirtualGunSettings = connection.recv()
    world.fit(Plant(settings.plant, settings.seed), settings.new_point_each_shot)
    serve(EmulatedBench(world), connection)
