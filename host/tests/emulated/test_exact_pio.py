import itertools
import random
from collections.abc import Callable

import pytest

from mesogun.emulated.pico import Pico
from mesogun_protocol.pulse import EDGE_TICKS, PULSE_TICKS, SEGMENT_TICKS, TICK_NS, encode_segment
from tests.emulated.pulse_script import DIRECTION, INTERLOCK, STEP, PulseScript, planned_edges
from tests.emulated.raw_repl import SECOND_NS, RawRepl

STARTS_NS = SECOND_NS // 20
"""A script is compiled and begins to run within that time."""

FIRST_EDGE_NS = (SEGMENT_TICKS + EDGE_TICKS) * TICK_NS


@pytest.fixture
def script(pico: Pico, repl: RawRepl) -> PulseScript:
    return PulseScript(pico, repl)


def random_words(seed: int, segments: int) -> list[int]:
    draw = random.Random(seed)
    words: list[int] = []
    for _ in range(segments):
        interval = draw.choice([0, 1, 2, draw.randrange(50), draw.randrange(5000)])
        words += encode_segment(
            draw.random() < 0.5, draw.random() < 0.7, draw.randrange(1, 30), interval
        )
    return words


@pytest.mark.parametrize(
    "meanwhile",
    [
        "time.sleep_ms(100_000)",
        "keep = [[i] for i in range(1000)]\nwhile True: gc.collect()",
        "while True: print('x' * 60)",
        "f = open('/x', 'w')\nwhile True: f.write('x' * 300); f.flush()",
    ],
    ids=["idle", "gc", "usb", "flash"],
)
def test_edges_are_those_of_the_interpreter_whatever_the_processor_does(
    script: PulseScript, meanwhile: str
) -> None:
    words = random_words(1, 30)
    end_ns, planned = planned_edges(words)
    script.load(words)
    script.start(meanwhile)
    script.rest(end_ns + STARTS_NS)
    edges = script.rising()
    assert len(edges) == len(planned) > 100
    assert {edge - plan for edge, plan in zip(edges, planned, strict=True)} == {
        edges[0] - planned[0]
    }
    ups_and_downs = [edge.ns for edge in script.pico.edges if edge.pin == STEP]
    widths = {down - up for up, down in zip(ups_and_downs[::2], ups_and_downs[1::2], strict=False)}
    assert widths == {TICK_NS}


def test_fifty_thousand_steps_a_second_are_exact_through_dma(script: PulseScript) -> None:
    words = list(encode_segment(True, True, 250, 100 - PULSE_TICKS)) * 8
    end_ns, planned = planned_edges(words)
    assert (planned[249] - planned[0]) / 249 == 1e9 / 50_000
    script.load(words)
    script.start("while True: gc.collect()")
    script.rest(end_ns + STARTS_NS)
    edges = script.rising()
    assert len(edges) == len(planned) == 2000
    assert [edge - edges[0] for edge in edges] == [plan - planned[0] for plan in planned]


def test_a_direction_is_set_before_its_first_pulse(script: PulseScript) -> None:
    words = [*encode_segment(True, True, 2, 10), *encode_segment(False, True, 1, 10)]
    script.load(words)
    script.start()
    script.rest(STARTS_NS)
    seen = [(edge.pin, edge.level) for edge in script.pico.edges]
    pulse = [(STEP, 1), (STEP, 0)]
    assert seen == [(DIRECTION, 1), *pulse, *pulse, (DIRECTION, 0), *pulse]


def test_an_hour_of_dwell_ends_on_its_tick(script: PulseScript) -> None:
    ticks = 900_000_000
    dwell, pulse = encode_segment(True, False, 20, ticks), encode_segment(True, True, 1, 0)
    script.load([*pulse, *dwell, *pulse])
    script.start()
    script.rest(3700 * SECOND_NS)
    first, second = script.rising()
    _, planned = planned_edges([*pulse, *dwell, *pulse])
    assert second - first == planned[1] - planned[0] > 3600 * SECOND_NS


@pytest.mark.parametrize("seed", range(6))
def test_an_open_interlock_ends_the_train_at_the_item_that_the_interpreter_names(
    script: PulseScript, seed: int
) -> None:
    # The dwell lasts longer than it takes to see the first pulse.
    begin = [*encode_segment(True, True, 1, 0), *encode_segment(True, False, 1, 10_000)]
    words = begin + random_words(seed, 12)
    end_ns, _ = planned_edges(words)
    script.load(words)
    script.start("while True: pass")
    assert script.pico.run_until(lambda: bool(script.rising()), STARTS_NS)
    begin_ns = script.rising()[0] - FIRST_EDGE_NS
    opens_ns = random.Random(seed).randrange(script.pico.now_ns, begin_ns + end_ns)
    script.pico.at(opens_ns, lambda: script.pico.drive(INTERLOCK, 1))
    script.rest(end_ns)
    _, planned = planned_edges(words, opens_ns - begin_ns)
    assert [edge - begin_ns for edge in script.rising()] == planned


def test_a_machine_that_is_looked_at_in_a_wait_shows_how_far_it_is(
    script: PulseScript, repl: RawRepl
) -> None:
    script.load(encode_segment(True, False, 1, 5_000_000))
    shown = repl.run(
        "start()\n"
        "for _ in range(4):\n"
        "    time.sleep_ms(200)\n"
        "    machine.mem32[0x502000d8] = 0xA0C2 | 0 << 5  # mov isr, y through SM0_INSTR\n"
        "    machine.mem32[0x502000d8] = 0x8000  # push\n"
        "    print(sm.get())\n"
    )
    left = [int(line) for line in shown.split()]
    spent = [before - after for before, after in itertools.pairwise(left)]
    assert all(1_000_000 <= ticks < 1_010_000 for ticks in spent), left


def test_the_shift_register_holds_a_word_more_than_the_fifo(
    script: PulseScript, repl: RawRepl
) -> None:
    script.load([*encode_segment(True, False, 1, 50_000_000), *range(20)])
    shown = repl.run("start()\ntime.sleep_ms(1)\nprint(dma.count, sm.tx_fifo())")
    assert shown.split() == [str(20 - 4 - 1), "4"]


def test_a_frozen_machine_gives_its_words_to_the_instructions_that_it_is_given(
    script: PulseScript, repl: RawRepl
) -> None:
    script.load([*encode_segment(True, False, 1, 50_000_000), 11, 22, 33])
    shown = repl.run(
        "start()\ntime.sleep_ms(1)\nsm.active(0)\n"
        "for _ in range(3):\n"
        "    sm.exec('mov(isr, osr)'); sm.exec('push()'); sm.exec('out(null, 32)')\n"
        "    print(sm.get(), sm.tx_fifo())"
    )
    assert shown.split() == ["11", "1", "22", "0", "33", "0"]


def test_a_machine_that_is_made_anew_finds_an_empty_fifo(
    script: PulseScript, repl: RawRepl
) -> None:
    script.load([*encode_segment(True, False, 1, 50_000_000), *range(4)])
    shown = repl.run(
        "start()\ntime.sleep_ms(1)\nprint(sm.tx_fifo())\nsm.active(0)\n"
        "sm.init(pulse_program, freq=5_000_000)\nprint(sm.tx_fifo())"
    )
    assert shown.split() == ["3", "0"]


def test_a_polling_loop_sees_its_pin_on_its_own_ticks(pico: Pico, repl: RawRepl) -> None:
    repl.run(
        "import machine, rp2\n"
        "@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)\n"
        "def follow():\n"
        "    label('low')\n"
        "    jmp(pin, 'high')\n"
        "    jmp('low') [1]\n"
        "    label('high')\n"
        "    set(pins, 1)\n"
        "    wait(0, pin, 0)\n"
        "    set(pins, 0)\n"
        "sm = rp2.StateMachine(5, follow, freq=1_000_000, set_base=machine.Pin(10),\n"
        "    in_base=machine.Pin(11, machine.Pin.IN), jmp_pin=machine.Pin(11))\n"
        "sm.active(1)\n"
    )
    pico.watch(10)
    draw = random.Random(3)
    begin_ns = pico.now_ns
    inputs: list[tuple[int, int]] = []
    at_ns = begin_ns
    for turn in range(200):
        at_ns += draw.randrange(20_000, 300_000)
        level = 1 - turn % 2
        inputs.append((at_ns, level))

        def change(level: int = level) -> None:
            pico.drive(11, level)

        pico.at(at_ns, change)
    pico.run_until(lambda: pico.now_ns > at_ns + 10_000, at_ns)
    assert len(pico.edges) == len(inputs)
    for edge, (input_ns, level) in zip(pico.edges, inputs, strict=True):
        assert edge.level == level
        # Low to high: a loop of three ticks and one more; high to low: two ticks.
        assert 1000 <= edge.ns - input_ns <= (5000 if level else 3000), (edge, input_ns)
    assert len({edge.ns % 1000 for edge in pico.edges}) == 1


def test_the_same_run_gives_the_same_edges_and_bytes(
    make_pico: Callable[..., Pico],
) -> None:
    def once() -> tuple[list[int], str, int]:
        pico = make_pico()
        repl = RawRepl(pico)
        script = PulseScript(pico, repl)
        script.load(random_words(5, 20))
        script.start("for i in range(3): gc.collect(); print(time.ticks_us())")
        said = repl.finish()
        return script.rising(), said, pico.now_ns

    assert once() == once()
