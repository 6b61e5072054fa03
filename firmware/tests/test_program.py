"""A program is taken whole, or refused with code, field, value and bound and not held at all."""

from fractions import Fraction
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol import limits as lim
from mesogun_protocol.enums import ErrorCode, OnRelease, StepKind, TriggerMode
from mesogun_protocol.messages import PROGRAM_HEADER, PROGRAM_STEP

program_module: Any = import_module("gun.program")
Refused: type[Exception] = program_module.ProgramRefused

PL_PER_STEP = 41_283
FIELDS = (
    *("kind", "trigger", "on_release", "count", "dose_nl", "inject_us", "period_us"),
    *("ramp_us", "retract_nl", "film_nl", "film_every", "stored_nl", "rise_kpa", "limit_kpa"),
)
SHOTS = {
    "kind": StepKind.SHOTS,
    "trigger": TriggerMode.AUTO,
    "on_release": OnRelease.FINISH,
    "count": 9,
    "dose_nl": 30_000,
    "inject_us": 150_000,
    "period_us": 400_000,
    "ramp_us": 20_000,
    "retract_nl": 5_000,
    "film_nl": 4_000,
    "film_every": 2,
    "stored_nl": 0,
    "rise_kpa": 80,
    "limit_kpa": 200,
}
_STILL = dict.fromkeys(("period_us", "ramp_us", "retract_nl", "film_nl", "film_every"), 0) | {
    "count": 1,
    "stored_nl": 0,
}
FLOW = SHOTS | _STILL | {"kind": StepKind.FLOW, "dose_nl": 500_000, "inject_us": 60_000_000}
PAUSE = SHOTS | _STILL | {"kind": StepKind.PAUSE, "dose_nl": 0, "inject_us": 0}
PRIME = (
    SHOTS
    | _STILL
    | {
        "kind": StepKind.PRIME,
        "trigger": TriggerMode.PRESS,
        "dose_nl": 100_000,
        "inject_us": 2_000_000,
    }
)


class Limits:
    """What the host allows."""

    def __init__(self, session_nl: int, shot_nl: int, shots: int) -> None:
        self.session_nl, self.shot_nl, self.shots = session_nl, shot_nl, shots


WIDE = Limits(lim.SESSION_MAX_NL, lim.FLOW_MAX_NL, lim.SHOTS_MAX * lim.PROGRAM_STEPS_MAX)


def volume_nl(step: dict[str, int]) -> int:
    if step["kind"] in (StepKind.PAUSE, StepKind.PRIME):
        return 0
    films = step["count"] // step["film_every"] if step["film_every"] else 0
    return step["count"] * step["dose_nl"] + films * step["film_nl"]


def encode(*steps: dict[str, int], total_nl: int | None = None) -> bytes:
    total = sum(map(volume_nl, steps)) if total_nl is None else total_nl
    body = b"".join(PROGRAM_STEP.build(**step) for step in steps)
    return PROGRAM_HEADER.build(steps=len(steps), total_nl=total) + body


def load(
    data: bytes,
    limits: Limits = WIDE,
    pl_per_step: int = PL_PER_STEP,
    remaining_nl: int = lim.SYRINGE_MAX_NL,
    max_hz: int = 40_000,
    start_hz: int = 4_000,
) -> Any:
    program = program_module.Program()
    program.load(data, len(data), limits, pl_per_step, remaining_nl, max_hz, start_hz)
    return program


def refusal(data: bytes, **circumstances: Any) -> tuple[int, ...]:
    """Load a good program, then `data`: return why it was refused, and see that nothing is held."""
    program = load(encode(SHOTS))
    arguments = {
        "limits": WIDE,
        "pl_per_step": PL_PER_STEP,
        "remaining_nl": lim.SYRINGE_MAX_NL,
        "max_hz": 40_000,
        "start_hz": 4_000,
    } | circumstances
    with pytest.raises(Refused) as caught:
        program.load(data, len(data), **arguments)
    held = (program.length, program.shots, program.volume_nl, program.dose_steps)
    assert held == (0, 0, 0, 0)
    assert (program.prime_nl, program.duration_ms) == (0, 0)
    return caught.value.args


def field_of(name: str, step: int = 0) -> int:
    return step * 16 + FIELDS.index(name)


def test_a_program_of_every_kind_is_understood() -> None:
    program = load(encode(PRIME, SHOTS | {"stored_nl": 7_000}, PAUSE, FLOW))
    assert program.length == 4
    assert [step.kind for step in program.steps[:4]] == [4, 1, 3, 2]
    assert program.shots == 10
    assert program.volume_nl == 9 * 30_000 + 4 * 4_000 + 500_000
    assert program.prime_nl == 100_000
    assert program.dose_steps == program.volume_nl * 1000 // PL_PER_STEP
    assert program.duration_ms == 2_000 + 9 * 400 + 60_000
    shots = program.steps[1]
    in_steps = ("retract_nl", "stored_nl")
    assert {name: getattr(shots, name) for name in FIELDS if name not in in_steps} == {
        name: value for name, value in SHOTS.items() if name not in in_steps
    }
    assert shots.retract_steps == 5_000_000 // PL_PER_STEP
    assert 0 < shots.timing.early_steps <= 7_000_000 // PL_PER_STEP
    assert shots.timing.block_ticks == 400_000 * 5


@pytest.mark.req("R05")
def test_a_pause_adds_nothing_of_the_program_before_to_the_budget() -> None:
    program = load(encode(SHOTS | {"stored_nl": 7_000}))
    data = encode(PAUSE, FLOW)
    program.load(data, len(data), WIDE, PL_PER_STEP, lim.SYRINGE_MAX_NL, 40_000, 4_000)
    pause = program.steps[0]
    assert (pause.retract_steps, pause.timing.early_steps) == (0, 0)


@pytest.mark.parametrize(
    ("every", "expected"), [(0, [0, 0, 0, 0]), (1, [7, 7, 7, 7]), (2, [0, 7, 0, 7])]
)
def test_film_follows_each_or_every_second_shot(every: int, expected: list[int]) -> None:
    step = program_module.Step()
    step.film_every, step.film_nl = every, 7 if every else 0
    assert [step.film_after_nl(shot) for shot in range(4)] == expected


@given(st.integers(1, 100), st.integers(0, 2))
def test_the_total_is_the_sum_of_every_dose_and_film(count: int, every: int) -> None:
    film_nl = 4_000 if every else 0
    program = load(encode(SHOTS | {"count": count, "film_every": every, "film_nl": film_nl}))
    step = program.steps[0]
    assert program.volume_nl == sum(
        step.dose_nl + step.film_after_nl(shot) for shot in range(count)
    )


RANGE, LIMIT = ErrorCode.OUT_OF_RANGE, ErrorCode.OVER_LIMIT
CROSS_FIELD = [
    # Step, what is changed, and the refusal: field, value, smallest, largest.
    (SHOTS, {"dose_nl": 999}, "dose_nl", 999, lim.DOSE_MIN_NL, lim.DOSE_MAX_NL),
    (SHOTS, {"dose_nl": 1_000_001}, "dose_nl", 1_000_001, lim.DOSE_MIN_NL, lim.DOSE_MAX_NL),
    (SHOTS, {"inject_us": 9_999}, "inject_us", 9_999, lim.INJECT_MIN_US, lim.INJECT_MAX_US),
    (SHOTS, {"inject_us": 10_000_001}, *("inject_us", 10_000_001), 10_000, 10_000_000),
    (SHOTS, {"period_us": 99_999}, "period_us", 99_999, lim.PERIOD_MIN_US, lim.PERIOD_MAX_US),
    (SHOTS, {"ramp_us": 37_501}, "ramp_us", 37_501, 0, 37_500),
    (SHOTS, {"dose_nl": 4_999}, "retract_nl", 5_000, 0, 4_999),
    (SHOTS, {"stored_nl": 45_001}, "stored_nl", 45_001, 0, 45_000),
    (SHOTS, {"film_nl": 0}, "film_nl", 0, 1, lim.FILM_MAX_NL),
    (SHOTS, {"film_every": 0}, "film_nl", 4_000, 0, 0),
    (FLOW, {"trigger": TriggerMode.PRESS}, "trigger", TriggerMode.PRESS, 0, 1),
    (FLOW, {"count": 2}, "count", 2, 1, 1),
    (FLOW, {"dose_nl": 999}, "dose_nl", 999, lim.DOSE_MIN_NL, lim.FLOW_MAX_NL),
    (FLOW, {"inject_us": 99_999}, "inject_us", 99_999, lim.FLOW_MIN_US, lim.FLOW_MAX_US),
    (FLOW, {"period_us": 1}, "period_us", 1, 0, 0),
    (FLOW, {"retract_nl": 1}, "retract_nl", 1, 0, 0),
    (FLOW, {"film_nl": 1}, "film_nl", 1, 0, 0),
    (FLOW, {"stored_nl": 1}, "stored_nl", 1, 0, 0),
    (FLOW, {"film_every": 1}, "film_every", 1, 0, 0),
    (PAUSE, {"count": 2}, "count", 2, 1, 1),
    (PAUSE, {"dose_nl": 1}, "dose_nl", 1, 0, 0),
    (PAUSE, {"inject_us": 1}, "inject_us", 1, 0, 0),
    (PAUSE, {"ramp_us": 1}, "ramp_us", 1, 0, 0),
    (PAUSE, {"period_us": 1}, "period_us", 1, 0, 0),
    (PAUSE, {"retract_nl": 1}, "retract_nl", 1, 0, 0),
    (PAUSE, {"film_nl": 1}, "film_nl", 1, 0, 0),
    (PAUSE, {"stored_nl": 1}, "stored_nl", 1, 0, 0),
    (PAUSE, {"film_every": 2}, "film_every", 2, 0, 0),
    (PRIME, {"trigger": TriggerMode.AUTO}, "trigger", 0, 2, 2),
    (PRIME, {"trigger": TriggerMode.HOLD}, "trigger", 1, 2, 2),
    (PRIME, {"count": 2}, "count", 2, 1, 1),
    (PRIME, {"dose_nl": 1_000_001}, *("dose_nl", 1_000_001), lim.DOSE_MIN_NL, lim.PRIME_MAX_NL),
    (PRIME, {"inject_us": 9_999}, "inject_us", 9_999, lim.INJECT_MIN_US, lim.INJECT_MAX_US),
    (PRIME, {"film_every": 1}, "film_every", 1, 0, 0),
    (PRIME, {"stored_nl": 1}, "stored_nl", 1, 0, 0),
]


@pytest.mark.req("R01")
@pytest.mark.parametrize(("step", "change", "name", "value", "minimum", "maximum"), CROSS_FIELD)
def test_a_field_out_of_its_kinds_bounds_is_refused(
    step: dict[str, int], change: dict[str, int], name: str, value: int, minimum: int, maximum: int
) -> None:
    reason = refusal(encode(PAUSE, step | change))
    assert reason == (RANGE, field_of(name, step=1), value, minimum, maximum)


@pytest.mark.req("R01")
@pytest.mark.parametrize(
    ("name", "at", "raw", "bounds"),
    [
        ("kind", 0, 5, (1, 4)),
        ("trigger", 1, 3, (0, 2)),
        ("on_release", 2, 2, (0, 1)),
        ("count", 4, 0x2B, (1, lim.SHOTS_MAX)),
        ("film_every", 31, 3, (0, 2)),
    ],
)
def test_what_the_wire_forbids_is_refused_by_step_and_field(
    name: str, at: int, raw: int, bounds: tuple[int, int]
) -> None:
    data = bytearray(encode(SHOTS, SHOTS))
    data[5 + PROGRAM_STEP.body.sizeof() + at] = raw
    code, field, _, *refused_bounds = refusal(bytes(data))
    assert (code, field, tuple(refused_bounds)) == (RANGE, field_of(name, step=1), bounds)


@pytest.mark.req("R01")
def test_a_wrong_length_is_refused() -> None:
    data = encode(SHOTS, PAUSE)
    for size in [*range(len(data)), len(data) + 1]:
        wrong = (data + b"\0")[:size]
        least, most = (85, 85) if size >= 5 else (45, 645)
        assert refusal(wrong) == (ErrorCode.WRONG_LENGTH, 0, size, least, most)


@pytest.mark.req("R01")
def test_the_header_has_fields_of_its_own() -> None:
    number_of_steps, total = 14, 15
    assert refusal(b"\0" + encode(SHOTS)[1:]) == (RANGE, number_of_steps, 0, 1, 16)
    assert refusal(b"\x11" + encode(SHOTS)[1:]) == (RANGE, number_of_steps, 17, 1, 16)
    most = lim.SESSION_MAX_NL
    too_much = (most + 1).to_bytes(4, "little")
    data = encode(SHOTS)
    assert refusal(data[:1] + too_much + data[5:]) == (RANGE, total, most + 1, 0, most)


@pytest.mark.req("R01")
@pytest.mark.parametrize("error_nl", [-1, 1])
def test_a_total_that_is_not_the_sum_is_refused(error_nl: int) -> None:
    volume = volume_nl(SHOTS)
    data = encode(SHOTS, total_nl=volume + error_nl)
    assert refusal(data) == (RANGE, 15, volume + error_nl, volume, volume)


@pytest.mark.req("R03")
@pytest.mark.parametrize("zero", ["session_nl", "shot_nl", "shots"])
def test_without_limits_no_program_is_taken(zero: str) -> None:
    limits = Limits(1_000_000, 1_000_000, 100)
    setattr(limits, zero, 0)
    assert refusal(encode(SHOTS), limits=limits)[0] == ErrorCode.NO_LIMITS


@pytest.mark.req("R03")
def test_without_a_syringe_no_program_is_taken() -> None:
    assert refusal(encode(SHOTS), pl_per_step=0)[0] == ErrorCode.NO_SYRINGE


@pytest.mark.req("R01")
def test_the_limits_of_the_host_hold_for_shot_number_and_session() -> None:
    volume = volume_nl(SHOTS)
    load(encode(SHOTS, SHOTS, total_nl=2 * volume), limits=Limits(2 * volume, 34_000, 18))
    data = encode(SHOTS, SHOTS)
    shot = refusal(data, limits=Limits(2 * volume, 33_999, 18))
    assert shot == (LIMIT, field_of("dose_nl"), 34_000, 0, 33_999)
    shots = refusal(data, limits=Limits(2 * volume, 34_000, 17))
    assert shots == (LIMIT, field_of("count", step=1), 18, 0, 17)
    session = refusal(data, limits=Limits(2 * volume - 1, 34_000, 18))
    assert session == (LIMIT, 15, 2 * volume, 0, 2 * volume - 1)


@pytest.mark.req("R27")
def test_more_than_the_syringe_holds_is_refused_primes_included() -> None:
    needed = volume_nl(SHOTS) + PRIME["dose_nl"]
    load(encode(PRIME, SHOTS), remaining_nl=needed)
    reason = refusal(encode(PRIME, SHOTS), remaining_nl=needed - 1)
    assert reason == (ErrorCode.OVER_REMAINING, 15, needed, 0, needed - 1)


@pytest.mark.req("R01")
def test_a_train_that_does_not_fit_its_period_is_refused_with_the_shortest_that_fits() -> None:
    code, field, value, minimum, maximum = refusal(encode(SHOTS | {"period_us": 200_000}))
    assert (code, field, value) == (RANGE, field_of("period_us"), 200_000)
    assert maximum == lim.PERIOD_MAX_US
    load(encode(SHOTS | {"period_us": minimum}))
    assert refusal(encode(SHOTS | {"period_us": minimum - 1}))[3] == minimum


@pytest.mark.req("R01")
def test_steps_faster_than_the_drive_are_refused() -> None:
    peak_hz = -(-727 * 1_000_000 // 130_000)
    load(encode(SHOTS), max_hz=peak_hz + 1)
    code, field, value, _, maximum = refusal(encode(SHOTS), max_hz=5_000)
    assert (code, field, maximum) == (ErrorCode.TOO_FAST, field_of("inject_us"), 5_000)
    assert peak_hz - 1 <= value <= peak_hz + 1
    without_ramp = encode(SHOTS | {"ramp_us": 0})
    reason = refusal(without_ramp)
    assert reason == (ErrorCode.TOO_FAST, field_of("ramp_us"), 4_847, 0, 4_000)
    load(without_ramp, start_hz=4_847)


def test_the_rate_from_standstill_never_passes_the_fastest() -> None:
    reason = refusal(encode(FLOW | {"inject_us": 3_000_000}), max_hz=4_000, start_hz=9_000)
    assert reason[0] == ErrorCode.TOO_FAST
    program = load(encode(SHOTS), max_hz=6_000, start_hz=9_000)
    slower = load(encode(SHOTS), max_hz=6_000, start_hz=6_000)
    assert program.steps[0].timing.move_ticks == slower.steps[0].timing.move_ticks


def test_a_flow_too_slow_for_a_pulse_word_is_refused() -> None:
    slow = FLOW | {"dose_nl": 1_000, "inject_us": lim.FLOW_MAX_US}
    reason = refusal(encode(slow), pl_per_step=lim.PL_PER_STEP_MAX)
    slowest_us = 5 * lim.PERIOD_MAX_US
    assert reason == (RANGE, field_of("inject_us"), lim.FLOW_MAX_US, 0, slowest_us)
    load(encode(slow | {"inject_us": slowest_us}), pl_per_step=lim.PL_PER_STEP_MAX)


def test_a_retraction_that_a_record_cannot_hold_is_refused() -> None:
    slow = SHOTS | {"dose_nl": 60_000, "inject_us": 10_000_000, "period_us": 100_000_000}
    most_nl = 65_535 * 500 // 1000
    for wrong, retract_nl, stored_nl, allowed_nl in (
        ("retract_nl", 50_000, 0, most_nl),
        ("stored_nl", 1_000, 40_000, most_nl - 1_000),
    ):
        pull = slow | {"retract_nl": retract_nl, "stored_nl": stored_nl}
        reason = refusal(encode(pull), pl_per_step=lim.PL_PER_STEP_MIN)
        assert reason == (RANGE, field_of(wrong), max(retract_nl, stored_nl), 0, allowed_nl)


@pytest.mark.req("R12")
@given(st.integers(0, lim.RETRACT_MAX_NL), st.integers(0, lim.RETRACT_MAX_NL))
def test_what_goes_back_in_one_piece_is_bounded(retract_nl: int, stored_nl: int) -> None:
    step = SHOTS | {
        "dose_nl": 60_000,
        "inject_us": 400_000,
        "period_us": 2_000_000,
        "retract_nl": retract_nl,
        "stored_nl": stored_nl,
    }
    if retract_nl + stored_nl > lim.RETRACT_MAX_NL:
        most_nl = lim.RETRACT_MAX_NL - retract_nl
        assert refusal(encode(step)) == (RANGE, field_of("stored_nl"), stored_nl, 0, most_nl)
    else:
        taken = load(encode(step)).steps[0]
        back_steps = taken.timing.early_steps + taken.retract_steps
        assert back_steps * PL_PER_STEP <= lim.RETRACT_MAX_NL * 1000


@pytest.mark.req("R01", "R35")
@given(st.binary(max_size=600))
def test_random_bytes_are_refused_or_sound(data: bytes) -> None:
    program = program_module.Program()
    try:
        program.load(data, len(data), WIDE, PL_PER_STEP, lim.SYRINGE_MAX_NL, 40_000, 4_000)
    except Refused:
        assert program.length == 0
    else:
        assert program.volume_nl <= lim.SESSION_MAX_NL


@given(
    st.sampled_from((SHOTS, FLOW, PRIME)),
    st.integers(1_000, 200_000),
    st.integers(100_000, 10_000_000),
    st.fractions(0, "1/4"),
    st.integers(0, 2),
    st.integers(lim.PL_PER_STEP_MIN, lim.PL_PER_STEP_MAX),
)
def test_every_shot_of_a_program_that_was_taken_can_be_planned(
    kind: dict[str, int], dose_nl: int, inject_us: int, ramp: Fraction, every: int, pl_per_step: int
) -> None:
    ramp_us = min(int(inject_us * ramp), lim.RAMP_MAX_US)
    step = kind | {"dose_nl": dose_nl, "inject_us": inject_us, "ramp_us": ramp_us}
    if kind is SHOTS:
        film_nl = dose_nl // 10 if every else 0
        step |= {"period_us": 80_000_000, "film_every": every, "film_nl": film_nl, "retract_nl": 99}
    try:
        program = load(encode(step), pl_per_step=pl_per_step, start_hz=10_000)
    except Refused as refused:
        assert refused.args[0] == ErrorCode.TOO_FAST  # noqa: PT017 (only the finer syringes are)
        return
    taken = program.steps[0]
    doser = import_module("gun.dose").Doser()
    doser.load(pl_per_step)
    block = import_module("gun.motion").Block()
    for shot in range(taken.count):
        dose = doser.take(taken.dose_nl)
        film = doser.take(taken.film_after_nl(shot))
        block.plan(taken.timing, taken.retract_steps, dose, taken.retract_steps, film)
        assert block.block_us == (taken.period_us or taken.inject_us)
