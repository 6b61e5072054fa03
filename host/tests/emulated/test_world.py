import struct
from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.board import Board, BoardError
from mesogun.emulated.pico import Pico
from mesogun.emulated.tmc2209 import IFCNT, crc8
from mesogun.emulated.world import EmulatedWorld
from mesogun.ports import Simulation
from mesogun.virtual.firmware import firmware_folder
from mesogun.virtual.panel import Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.pulse_stream import PulseStream
from mesogun_protocol.pulse import encode_segment
from tests.emulated.pulse_script import PulseScript
from tests.emulated.raw_repl import SECOND_NS, RawRepl

BOARD_FILE = firmware_folder() / "boards" / "reference.py"

WORDS = (
    *encode_segment(True, True, 200, 2000),
    *encode_segment(True, True, 150, 1500),
    *encode_segment(False, True, 20, 2000),
    *encode_segment(True, False, 1, 1_000_000),
)


def make_plant() -> Plant:
    simulation = Simulation(get_syringe("bd-plastipak-5"), get_needle("30g-4"))
    return Plant(simulation.settings().plant, 1)


@pytest.fixture
def world(pico: Pico) -> EmulatedWorld:
    board = Board.read(BOARD_FILE)
    return EmulatedWorld(pico, board, make_plant(), Panel(), new_point_each_shot=False)


def run(world: EmulatedWorld, duration_ns: int) -> None:
    world.run_unheard(world.now_ns + duration_ns)


def test_steps_on_the_pins_deliver_what_the_same_words_deliver_in_the_virtual_gun(
    world: EmulatedWorld,
) -> None:
    repl = RawRepl(world.pico)
    script = PulseScript(world.pico, repl)
    repl.run("machine.Pin(4, machine.Pin.IN, machine.Pin.PULL_DOWN)")
    repl.run(f"machine.Pin({world.board.enable}, machine.Pin.OUT, value=0)")
    assert world.driver_on
    script.load(WORDS * 2)
    script.start()
    run(world, 2 * SECOND_NS)
    plant, stream = make_plant(), PulseStream()
    plant.new_point()
    stream.set_driver(0, True)
    stream.set_budget(0, 10_000)
    stream.submit(0, WORDS * 2)
    for end_ns in range(0, 2 * SECOND_NS, 10_000_000):
        plant.advance(end_ns, stream.advance(end_ns))
    assert (world.forward_steps, world.backward_steps) == (700, 40)
    assert world.plant.needle_nl == pytest.approx(plant.needle_nl, rel=0.02)
    assert world.plant.plunger_nl == pytest.approx(plant.plunger_nl, rel=1e-6)


def test_a_driver_that_is_off_moves_nothing(world: EmulatedWorld) -> None:
    repl = RawRepl(world.pico)
    assert not world.driver_on
    repl.run(
        "import machine\nstep = machine.Pin(2, machine.Pin.OUT)\nfor i in range(10): step(i & 1)"
    )
    run(world, SECOND_NS // 10)
    assert world.forward_steps + world.backward_steps == 5
    assert world.plant.plunger_nl == 0


def test_switches_pull_to_ground_and_power_cuts_reset_the_count(world: EmulatedWorld) -> None:
    repl = RawRepl(world.pico)
    board, panel = world.board, world.panel
    pins = (board.trigger, board.interlock, board.seated)
    repl.run(
        "import machine\n"
        f"pins = [machine.Pin(n, machine.Pin.IN, machine.Pin.PULL_UP) for n in {pins}]"
    )
    look = "print([p() for p in pins])"
    assert repl.run(look).strip() == "[1, 0, 0]"
    panel.trigger, panel.interlock_closed, panel.seated = True, False, False
    run(world, 1000)
    assert repl.run(look).strip() == "[0, 1, 1]"
    repl.run("step = machine.Pin(2, machine.Pin.OUT)\nstep(1)")
    assert world.forward_steps + world.backward_steps == 1
    world.cut_power_at(world.now_ns + 1_000_000)
    run(world, 2_000_000)
    assert world.forward_steps + world.backward_steps == 0
    assert world.pico.resets == 1


def test_supply_and_force_are_on_their_converters(world: EmulatedWorld) -> None:
    repl = RawRepl(world.pico)
    board = world.board
    repl.run(
        f"import machine\nsupply, force = machine.ADC({board.supply}), machine.ADC({board.force})"
    )
    look = (
        f"print(supply.read_u16() * {board.supply_full_scale_mv} // 65535, force.read_u16() >> 4)"
    )
    supply_mv, force = (int(word) for word in repl.run(look).split())
    assert 23_900 < supply_mv < 24_100
    assert force < 4095
    world.plant.faults.sag_supply(5.0)
    assert 4_900 < int(repl.run(look).split()[0]) < 5_100


def test_the_stepper_driver_answers_and_counts_what_was_written(world: EmulatedWorld) -> None:
    repl = RawRepl(world.pico)
    write = bytes((0x05, 0, 0x10 | 0x80)) + struct.pack(">I", 0x10F06)
    read = bytes((0x05, 0, IFCNT))
    broken = write + bytes((crc8(write) ^ 1,))
    repl.run("import machine, time\nu = machine.UART(0, 115200, timeout=5)")
    for datagram in (broken, write + bytes((crc8(write),)), read + bytes((crc8(read),))):
        repl.run(f"u.write({datagram!r}); time.sleep_ms(3)")
    shown = repl.run("print(u.read().hex())").strip()
    heard = bytes.fromhex(shown)
    answer = heard[-8:]
    assert heard[:8] == broken
    assert answer[:7] == bytes((0x05, 0xFF, IFCNT, 0, 0, 0, 1))
    assert answer[7] == crc8(answer[:7])


def test_a_board_file_without_a_pin_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "board.py"
    path.write_text(BOARD_FILE.read_text().replace("TRIGGER_PIN", "OTHER_PIN"))
    with pytest.raises(BoardError, match="TRIGGER_PIN is missing"):
        Board.read(path)
