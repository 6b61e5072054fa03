"""Where emulated guns come from: one is flashed and booted, every other one is a copy of it.

A boot costs ten seconds of a processor, and a copy some milliseconds. All copies begin at the same
moment of emulated time.
"""

import multiprocessing
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Self

from benches.bench import Bench
from benches.emulated import EmulatedBench
from benches.remote import remote_bench, serve
from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.board import Board as Pins
from mesogun.emulated.copies import serve_in_copies
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
    with on_pyserial(pico) as url, Board(url) as board:
        info = board.info()
        check_board(info, package, force=False)
        write_firmware(board, info, package, lambda _done, _total: None)
    world.cut_power()
    world.run_unheard(world.now_ns + _BOOT_NS)
    world.receive()
    return world


class EmulatedGuns:
    """The process that holds the booted gun. Use as a context.

    Args:
        image: UF2 file of MicroPython.
        address: path of the socket at which it gives copies away.
    """

    def __init__(self, image: Path, address: Path) -> None:
        self._address = str(address)
        context = multiprocessing.get_context("spawn")
        ready, self._told = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_keep, args=(image, self._address, self._told), daemon=True
        )
        self._process.start()
        self._told.close()
        with ready:
            ready.recv()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()
        self._process.close()

    def make(self, syringe: str, needle: str, one_point: bool, seed: int) -> Bench:
        """Return a bench with a gun of its own."""
        connection = Client(self._address, "AF_UNIX")
        connection.send(_settings(syringe, needle, one_point, seed))
        return remote_bench(connection)


def _settings(syringe: str, needle: str, one_point: bool, seed: int) -> VirtualGunSettings:
    settings = Simulation(
        get_syringe(syringe), get_needle(needle), new_point_each_shot=not one_point, seed=seed
    ).settings()
    return replace(settings, plant=settings.plant.drawn(seed))


def _keep(image: Path, address: str, told: Connection) -> None:
    world = flashed_gun(image)
    with Listener(address, "AF_UNIX") as listener:
        told.send(True)
        serve_in_copies(listener, partial(_serve, world))


def _serve(world: EmulatedWorld, connection: Connection) -> None:
    settings: VirtualGunSettings = connection.recv()
    world.fit(Plant(settings.plant, settings.seed), settings.new_point_each_shot)
    serve(EmulatedBench(world), connection)
