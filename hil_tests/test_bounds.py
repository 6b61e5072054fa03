"""The gun checks everything itself, whatever bytes a host sends (R01)."""

import random
import struct
import zlib
from dataclasses import replace

import pytest
from benches.bench import Bench, Steps
from raw import RawHost, pack, program
from sessions import PL_PER_STEP, SHOT, load, shots, some

from mesogun.gun import Gun, Refused
from mesogun_protocol import messages
from mesogun_protocol.enums import ControllerState, ErrorCode
from mesogun_protocol.fields import Message
from mesogun_protocol.rows import Field, fields_of

#: One valid body for each request that has bounded fields.
_VALID: dict[Message, tuple[int, ...]] = {
    messages.LOAD_SYRINGE: (PL_PER_STEP, 4_000_000, 800, 1, 164),
    messages.SET_LIMITS: (4_000_000, 4_000_000, 1000),
    messages.READ_CONFIG: (2,),
    messages.WRITE_CONFIG: (6, 60),
    messages.PRIME: (10_000, 500_000),
    messages.PROGRAM_BEGIN: (45, 1),
    messages.PROGRAM_READ: (0, 10),
    messages.ARM: (1, 1),
    messages.CLEAR_FAULT: (1,),
    messages.READ_RECORDS: (1, 15),
}
#: kind, trigger, on_release, count, dose, inject, period, ramp, retract, film, film_every, stored,
#: rise, limit
_STEP: tuple[int, ...] = (
    *(1, 0, 0, 9, 30_000, 500_000, 900_000, 20_000, 5_000, 4_000, 2, 7_000),
    *(80, 200),
)
_TOTAL_NL = 9 * 30_000 + 4 * 4_000


def _outside() -> list[tuple[Message, int, int]]:
    cases: list[tuple[Message, int, int]] = []
    for message in _VALID:
        for row in fields_of(message):
            largest = (1 << 8 * row.size) - 1
            if row.minimum > 0:
                cases.append((message, row.number, row.minimum - 1))
            if row.maximum < largest:
                cases += [(message, row.number, value) for value in (row.maximum + 1, largest)]
    return cases


@pytest.fixture
def raw(bench: Bench, gun: Gun) -> RawHost:
    """Return a host that sends what it likes to a loaded gun."""
    load(gun)
    return RawHost(bench.connect())


@pytest.mark.req("R01")
def test_every_field_of_every_request_is_checked(bench: Bench, raw: RawHost) -> None:
    for message, number, value in _outside():
        values = list(_VALID[message])
        values[number] = value
        refusal = raw.refusal(message.id, pack(message, values))
        assert refusal == (ErrorCode.OUT_OF_RANGE, number), f"{message.name} {number} {value}"
    assert bench.steps() == Steps(0, 0)
    assert not bench.driver_on()


@pytest.mark.req("R01", "R44")
def test_every_request_has_its_length_and_every_id_its_meaning(bench: Bench, raw: RawHost) -> None:
    for message in messages.REQUESTS:
        if message is messages.HELLO:
            continue
        size = sum(row.size for row in fields_of(message))
        for body in (b"\1" * (size + 1), b"\1" * max(size - 1, 0), b"\1" * 400):
            if len(body) != size:
                assert raw.refusal(message.id, body)[0] in (
                    ErrorCode.WRONG_LENGTH,
                    ErrorCode.OUT_OF_RANGE,
                )
    known = {message.id for message in messages.REQUESTS}
    for number in range(128):
        if number not in known:
            assert raw.refusal(number, b"")[0] is ErrorCode.UNKNOWN_MESSAGE
    assert bench.steps() == Steps(0, 0)


@pytest.mark.req("R01")
@pytest.mark.parametrize("row", fields_of(messages.PROGRAM_STEP), ids=lambda row: row.name)
def test_every_field_of_a_program_is_checked(bench: Bench, raw: RawHost, row: Field) -> None:
    assert raw.upload(program([_STEP], _TOTAL_NL)) is None
    largest = (1 << 8 * row.size) - 1
    values = {row.maximum + 1, largest} if row.maximum < largest else set[int]()
    if row.minimum > 0:
        values.add(row.minimum - 1)
    for value in values:
        for place in range(2):
            steps = [list(_STEP) for _ in range(2)]
            steps[place][row.number] = value
            refused = raw.upload(program(steps, 2 * _TOTAL_NL))
            assert refused is not None
            assert (refused["code"], refused["field"]) == (
                ErrorCode.OUT_OF_RANGE,
                16 * place + row.number,
            )
            assert refused["value"] == value
    if values:
        _assert_holds_nothing(bench, raw)


def _assert_holds_nothing(bench: Bench, raw: RawHost) -> None:
    frame = raw.ask(messages.STATUS.id, b"")
    assert frame is not None
    status = messages.STATUS_REPLY.parse(frame.body)
    assert (status["state"], status["program_crc"]) == (ControllerState.LOADED, 0)
    assert raw.refusal(messages.ARM.id, pack(messages.ARM, (1, 1)))[0] is ErrorCode.WRONG_STATE
    assert bench.steps() == Steps(0, 0)


_BAD_PROGRAMS: dict[str, tuple[bytes, ErrorCode]] = {
    "another total": (program([_STEP], _TOTAL_NL + 1), ErrorCode.OUT_OF_RANGE),
    "no step": (program([], 0) + b"\0" * 32, ErrorCode.OUT_OF_RANGE),
    "a step too many": (program([_STEP, _STEP], _TOTAL_NL, 1), ErrorCode.WRONG_LENGTH),
    "a step too few": (program([_STEP], _TOTAL_NL, 2), ErrorCode.WRONG_LENGTH),
    "half a step": (program([_STEP], _TOTAL_NL) + b"\0" * 16, ErrorCode.WRONG_LENGTH),
    "no rest for the journal": (
        program([(1, 0, 0, 1, 10_000, 100_000, 110_000, 0, 0, 0, 0, 0, 80, 200)], 10_000),
        ErrorCode.OUT_OF_RANGE,
    ),
    "too fast": (
        program([(1, 0, 0, 1, 100_000, 10_000, 110_000, 0, 0, 0, 0, 0, 80, 200)], 100_000),
        ErrorCode.TOO_FAST,
    ),
    "more shots than the limit": (
        program([(1, 0, 0, 1001, 1_000, 100_000, 200_000, 0, 0, 0, 0, 0, 80, 200)], 1_001_000),
        ErrorCode.OVER_LIMIT,
    ),
    "more than the session's limit": (
        program([(2, 0, 0, 1, 4_000_000, 100_000_000, 0, 0, 0, 0, 0, 0, 80, 200)] * 2, 8_000_000),
        ErrorCode.OVER_LIMIT,
    ),
    "a pause that delivers": (
        program([(3, 0, 0, 1, 10_000, 100_000, 0, 0, 0, 0, 0, 0, 80, 200)], 10_000),
        ErrorCode.OUT_OF_RANGE,
    ),
    "a train of flows": (
        program([(2, 0, 0, 2, 10_000, 1_000_000, 0, 0, 0, 0, 0, 0, 80, 200)], 20_000),
        ErrorCode.OUT_OF_RANGE,
    ),
    "a prime by itself": (
        program([(4, 0, 0, 1, 10_000, 1_000_000, 0, 0, 0, 0, 0, 0, 80, 200)], 0),
        ErrorCode.OUT_OF_RANGE,
    ),
    "more back in one piece than may be": (
        program([(1, 0, 0, 1, 10_000, 100_000, 900_000, 0, 5_000, 0, 0, 45_001, 80, 200)], 10_000),
        ErrorCode.OUT_OF_RANGE,
    ),
    "more retraction than dose": (
        program([(1, 0, 0, 1, 10_000, 100_000, 900_000, 0, 10_001, 0, 0, 0, 80, 200)], 10_000),
        ErrorCode.OUT_OF_RANGE,
    ),
}


@pytest.mark.req("R01", "R04", "R12", "R36")
@pytest.mark.parametrize("name", _BAD_PROGRAMS)
def test_a_program_is_checked_as_a_whole(bench: Bench, raw: RawHost, name: str) -> None:
    data, code = _BAD_PROGRAMS[name]
    refused = raw.upload(data)
    assert refused is not None
    assert refused["code"] is code
    _assert_holds_nothing(bench, raw)


@pytest.mark.req("R01")
def test_a_sum_beyond_what_the_wire_holds_is_refused_all_the_same(raw: RawHost) -> None:
    raw.ask(messages.SET_LIMITS.id, pack(messages.SET_LIMITS, (10_000_000, 1_000_000, 172_800)))
    train = (1, 0, 0, 10_800, 1_000_000, 10_000_000, 11_000_000, 0, 0, 0, 0, 0, 80, 200)
    refused = raw.upload(program([train], 4_000_000))
    assert refused is not None
    assert (refused["code"], refused["minimum"]) == (ErrorCode.OUT_OF_RANGE, 0xFFFFFFFF)


@pytest.mark.req("R36")
def test_half_a_program_is_none(bench: Bench, raw: RawHost) -> None:
    data = program([_STEP] * 12, 12 * _TOTAL_NL)
    crc = zlib.crc32(data)
    commit = struct.pack("<I", crc)
    begin = struct.pack("<HI", len(data), crc)
    chunk = struct.pack("<HH", 0, 256) + data[:256]
    assert raw.refusal(messages.PROGRAM_COMMIT.id, commit)[0] is ErrorCode.PROGRAM_CRC
    assert raw.refusal(messages.PROGRAM_CHUNK.id, chunk)[0] is ErrorCode.PROGRAM_INCOMPLETE
    raw.ask(messages.PROGRAM_BEGIN.id, begin)
    raw.ask(messages.PROGRAM_CHUNK.id, chunk)
    assert raw.refusal(messages.PROGRAM_COMMIT.id, commit)[0] is ErrorCode.PROGRAM_CRC
    beyond = struct.pack("<HH", len(data) - 10, 20) + bytes(20)
    assert raw.refusal(messages.PROGRAM_CHUNK.id, beyond)[0] is ErrorCode.OUT_OF_RANGE
    _assert_holds_nothing(bench, raw)


@pytest.mark.req("R03")
def test_no_syringe_or_no_limits_is_no_program(bench: Bench, gun: Gun) -> None:
    with pytest.raises(Refused) as refused:
        gun.upload([SHOT])
    assert refused.value.code is ErrorCode.NO_SYRINGE
    gun.load_syringe(PL_PER_STEP, 4_000_000, 800, 1, 164)
    with pytest.raises(Refused) as refused:
        gun.upload([SHOT])
    assert refused.value.code is ErrorCode.NO_LIMITS
    gun.set_limits(4_000_000, 4_000_000, 0)
    with pytest.raises(Refused) as refused:
        gun.upload([SHOT])
    assert refused.value.code is ErrorCode.NO_LIMITS
    assert bench.steps() == Steps(0, 0)


@pytest.mark.req("R36")
def test_arming_names_the_program_that_is_held(bench: Bench, raw: RawHost) -> None:
    data = program([_STEP], _TOTAL_NL)
    assert raw.upload(data) is None
    other = pack(messages.ARM, (1, zlib.crc32(data) ^ 1))
    assert raw.refusal(messages.ARM.id, other)[0] is ErrorCode.PROGRAM_MISMATCH
    assert not bench.driver_on()


@pytest.mark.req("R01", "R35")
def test_random_bytes_move_nothing_and_stop_nothing(bench: Bench, raw: RawHost) -> None:
    dice = random.Random("noise")
    ids = [message.id for message in messages.REQUESTS if message is not messages.HELLO]
    for _ in range(some(bench, 300)):
        raw.transport.write(dice.randbytes(dice.randrange(700)))
        body = dice.randbytes(dice.randrange(40))
        assert raw.ask(dice.choice(ids), body) is not None
    assert bench.steps() == Steps(0, 0)
    assert raw.ask(messages.STATUS.id, b"") is not None


def test_a_dose_of_thousands_of_shots_is_refused_by_its_volume(gun: Gun) -> None:
    load(gun)
    with pytest.raises(Refused) as refused:
        gun.upload([replace(shots(500), period_us=200_000)])
    assert refused.value.code is ErrorCode.OVER_LIMIT
