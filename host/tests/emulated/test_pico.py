from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rp2040py.rp2040 import RP2040
from rp2040py.sio import (
    DIV_QUOTIENT,
    DIV_REMAINDER,
    DIV_SDIVIDEND,
    DIV_SDIVISOR,
    DIV_UDIVIDEND,
    DIV_UDIVISOR,
)

from mesogun.emulated.pico import STORAGE_BYTES, Cause, EmulatorError, Pico
from mesogun.emulated.workarounds import Sio
from tests.emulated.raw_repl import SECOND_NS, RawRepl


def test_stimuli_come_at_their_time_and_edges_tell_theirs(pico: Pico, repl: RawRepl) -> None:
    repl.run(
        "import machine\n"
        "out = machine.Pin(10, machine.Pin.OUT, value=0)\n"
        "pin = machine.Pin(11, machine.Pin.IN, machine.Pin.PULL_UP)\n"
        "pin.irq(lambda p: out(not p()), hard=True)"
    )
    pico.watch(10)
    due_ns = pico.now_ns + 123_456_784
    pico.at(due_ns, lambda: pico.drive(11, 0))
    pico.at(due_ns + 5_000_000, lambda: pico.drive(11, None))
    pico.run_until(lambda: len(pico.edges) == 2, SECOND_NS)
    falling, rising = pico.edges
    assert (falling.level, rising.level) == (1, 0)
    assert 0 < falling.ns - due_ns < 100_000
    assert 0 < rising.ns - due_ns - 5_000_000 < 100_000


def test_the_past_cannot_be_changed(pico: Pico) -> None:
    pico.run(1_000_000)
    with pytest.raises(EmulatorError, match="only goes forward"):
        pico.at(999_000, lambda: None)


def test_an_output_is_heard_by_its_own_input_and_by_what_is_wired_to_it(
    pico: Pico, repl: RawRepl
) -> None:
    pico.wire(10, 12)
    shown = repl.run(
        "import machine\n"
        "machine.Pin(12, machine.Pin.IN)\n"
        "out = machine.Pin(10, machine.Pin.OUT)\n"
        "for level in (0, 1, 0):\n"
        "    out(level); print(machine.mem32[0xd0000004] >> 10 & 5)"
    )
    assert shown.split() == ["0", "5", "0"]


def test_a_pin_that_nobody_drives_has_the_level_of_the_circuit(pico: Pico, repl: RawRepl) -> None:
    pico.watch(10, idle=1)
    assert pico.level(10) == 1
    repl.run("import machine\nmachine.Pin(10, machine.Pin.OUT, value=0)")
    assert pico.level(10) == 0
    repl.run("machine.Pin(10, machine.Pin.IN)")
    assert [edge.level for edge in pico.edges] == [0, 1]


def test_a_conversion_asks_for_the_voltage_of_its_moment(pico: Pico, repl: RawRepl) -> None:
    asked: list[int] = []

    def sample() -> int:
        asked.append(pico.now_ns)
        return 1000 * len(asked)

    pico.analog(26, sample)
    shown = repl.run(
        "import machine\na = machine.ADC(26)\nfor _ in range(3): print(a.read_u16() >> 4)"
    )
    assert shown.split() == ["1000", "2000", "3000"]
    with pytest.raises(EmulatorError, match="26 to 29"):
        pico.analog(25, sample)


def test_a_uart_partner_hears_and_answers_at_the_speed_of_the_line(
    pico: Pico, repl: RawRepl
) -> None:
    heard: list[tuple[int, int]] = []
    peer = pico.uart_peer(0, lambda byte: heard.append((pico.now_ns, byte)))
    repl.run("import machine\nu = machine.UART(0, 115200, timeout=50)")
    assert repl.run("print(u.write(bytes(range(100))))").strip() == "100"
    pico.run_until(lambda: len(heard) == 100, SECOND_NS)
    assert [byte for _, byte in heard] == list(range(100))
    assert (heard[-1][0] - heard[0][0]) / 99 == pytest.approx(10e9 / 115200, rel=0.01)
    pico.at(pico.now_ns + 20_000_000, lambda: peer.reply(b"answer"))
    assert repl.run("print(u.read(6))").strip() == "b'answer'"


def test_the_end_of_a_transmission_can_be_waited_for(repl: RawRepl) -> None:
    shown = repl.run(
        "import machine, time\n"
        "u = machine.UART(0, 115200, txbuf=256)\n"
        "begin = time.ticks_us(); u.write(bytes(100)); u.flush()\n"
        "print(time.ticks_diff(time.ticks_us(), begin))"
    )
    assert int(shown) == pytest.approx(100 * 10e6 / 115200, rel=0.05)


def test_nothing_is_lost_on_the_serial_port(pico: Pico, repl: RawRepl) -> None:
    repl.start(
        "import micropython, sys\n"
        "micropython.kbd_intr(-1)\n"
        "got = bytearray(6000)\n"
        "sys.stdin.buffer.readinto(got)\n"
        "micropython.kbd_intr(3)\n"
        "print(all(got[i] == i * 7 % 256 for i in range(6000)))"
    )
    pico.run(pico.now_ns + SECOND_NS // 20)
    pico.send(bytes(i * 7 % 256 for i in range(6000)))
    assert repl.finish().strip() == "True"


def test_a_power_cut_takes_the_ram_and_leaves_the_flash(pico: Pico, repl: RawRepl) -> None:
    cause = "import machine\nprint(machine.reset_cause() == machine.PWRON_RESET)"
    assert repl.run(cause).strip() == "True"
    repl.run(
        "with open('/kept', 'w') as f: f.write('here')\nmachine.mem32[0x20030000] = 0x12345678"
    )
    pico.cut_power()
    repl = RawRepl(pico)
    assert repl.run(cause).strip() == "True"
    assert repl.run("print(open('/kept').read(), machine.mem32[0x20030000])").split() == [
        "here",
        "0",
    ]
    assert pico.resets == 1


def test_a_watchdog_resets_and_says_so(pico: Pico, repl: RawRepl) -> None:
    begin_ns = pico.now_ns
    repl.start("import machine\nw = machine.WDT(timeout=300)\nwhile True: machine.lightsleep(1)")
    assert pico.run_until(lambda: pico.resets == 1, SECOND_NS)
    assert 0.3 * SECOND_NS < pico.now_ns - begin_ns < 0.4 * SECOND_NS
    repl = RawRepl(pico)
    assert (
        repl.run("import machine\nprint(machine.reset_cause() == machine.WDT_RESET)").strip()
        == "True"
    )


def test_a_reset_lets_go_of_all_pins(pico: Pico, repl: RawRepl) -> None:
    pico.watch(10, idle=1)
    repl.run("import machine\nmachine.Pin(10, machine.Pin.OUT, value=0)")
    pico.reset(Cause.RUN_PIN)
    assert pico.level(10) == 1


def test_flash_is_carried_from_board_to_board(
    make_pico: Callable[..., Pico], pico: Pico, repl: RawRepl
) -> None:
    changed: list[tuple[int, bytes]] = []
    pico.on_storage_change(lambda offset, data: changed.append((offset, data)))
    before = pico.storage
    repl.run("with open('/file', 'w') as f: f.write('x' * 5000)")
    written = bytearray(before)
    for offset, data in changed:
        written[offset : offset + len(data)] = data
    assert pico.storage == bytes(written) != before
    other = make_pico(storage=pico.storage, board_id=bytes.fromhex("0011223344556677"))
    shown = RawRepl(other).run(
        "import machine\nprint(len(open('/file').read()), machine.unique_id().hex())"
    )
    assert shown.split() == ["5000", "0011223344556677"]
    with pytest.raises(EmulatorError, match="do not fit"):
        pico.load_storage(bytes(STORAGE_BYTES + 1))


def test_flash_takes_its_time(repl: RawRepl) -> None:
    shown = repl.run(
        "import rp2, time\n"
        "flash = rp2.Flash()\n"
        "def lasts(act):\n"
        "    begin = time.ticks_us(); act(); print(time.ticks_diff(time.ticks_us(), begin))\n"
        "lasts(lambda: flash.ioctl(6, 300))\n"
        "lasts(lambda: flash.writeblocks(300, bytes(256), 0))\n"
    )
    erase_us, program_us = (int(line) for line in shown.split())
    assert 45_000 <= erase_us < 410_000
    assert 400 <= program_us < 3_500


@pytest.mark.parametrize("pin", [10, 11])
def test_a_tone_sounds_ends_and_sounds_again(pico: Pico, repl: RawRepl, pin: int) -> None:
    def wait(milliseconds: int) -> None:
        pico.run_until(lambda: False, milliseconds * 1_000_000)

    pico.watch(pin)
    tone = f"import machine\ntone = machine.PWM(machine.Pin({pin}), freq=1000, duty_u16=0x8000)"
    for script in (tone, "tone.duty_u16(0x8000)"):
        repl.run(script)
        pico.edges.clear()
        wait(10)
        rising = [edge.ns for edge in pico.edges if edge.level]
        assert len(rising) == 10
        assert rising[-1] - rising[0] == pytest.approx(9_000_000, rel=0.001)
        repl.run("tone.duty_u16(0)")
        wait(2)
        assert pico.level(pin) == 0
        pico.edges.clear()
        wait(10)
        assert pico.edges == []


@given(
    dividend=st.integers(0, 0xFFFFFFFF),
    divisor=st.one_of(st.integers(0, 5), st.integers(0, 0xFFFFFFFF)),
    signed=st.booleans(),
)
def test_the_divider_divides_as_the_chip_does(dividend: int, divisor: int, signed: bool) -> None:
    """Datasheet 2.3.1.5: towards zero, and a divisor of 0 has a result too."""
    sio = Sio(RP2040())
    sio.write_uint32(DIV_SDIVIDEND if signed else DIV_UDIVIDEND, dividend)
    sio.write_uint32(DIV_SDIVISOR if signed else DIV_UDIVISOR, divisor)
    remainder = int(sio.read_uint32(DIV_REMAINDER)) & 0xFFFFFFFF
    quotient = int(sio.read_uint32(DIV_QUOTIENT)) & 0xFFFFFFFF
    assert (quotient * divisor + remainder) & 0xFFFFFFFF == dividend
    if not divisor:
        assert quotient == (1 if signed and dividend >> 31 else 0xFFFFFFFF)
    elif signed:
        a, b = (n - (n >> 31 << 32) for n in (dividend, divisor))
        assert quotient == int(Fraction(a, b)) & 0xFFFFFFFF
    else:
        assert quotient == dividend // divisor


def test_a_division_that_was_interrupted_is_put_back() -> None:
    """As the SDK does it: operands, remainder, and the quotient last."""
    sio = Sio(RP2040())
    for offset, value in (
        (DIV_UDIVIDEND, 7),
        (DIV_UDIVISOR, 3),
        (DIV_REMAINDER, 11),
        (DIV_QUOTIENT, 12),
    ):
        sio.write_uint32(offset, value)
    assert (sio.read_uint32(DIV_REMAINDER), sio.read_uint32(DIV_QUOTIENT)) == (11, 12)
