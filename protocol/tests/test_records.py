"""Journal records: one layout for flash, wire and store; damage never becomes a record."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol.enums import EndReason, RecordKind, StepKind
from mesogun_protocol.fields import MessageError
from mesogun_protocol.limits import RECORD_BYTES
from mesogun_protocol.records import (
    BODIES,
    BODY_BYTES,
    HEAD,
    STEP_NONE,
    Record,
    RecordCorrupt,
    decode_head,
    decode_record,
    encode_record,
)
from mesogun_protocol.rows import fields_of, fixed_size

RESULT_HEAD = (7, 3, RecordKind.SHOT_RESULT, 0, 123_456)
RESULT = {
    "shot": 1,
    "pressure_kpa": 53,
    "forward_steps": 242,
    "motion_ms": 150,
    "backward_steps": 10,
    "reason": EndReason.COMPLETE,
    "purpose": StepKind.SHOTS,
}


def _value(row):
    if row.type == "bytes":
        return st.binary(min_size=row.minimum, max_size=row.maximum)
    return st.sampled_from(list(row.enum)) if row.enum else st.integers(row.minimum, row.maximum)


def _rows(message):
    return [row for row in fields_of(message) if row.name]


def _fields(message):
    return st.fixed_dictionaries({row.name: _value(row) for row in _rows(message)})


def test_every_kind_has_a_body_of_the_same_size():
    assert set(BODIES) == set(RecordKind)
    for kind, body in BODIES.items():
        assert fixed_size(fields_of(body)) == BODY_BYTES
        assert body.name == f"record_{kind.name.lower()}"
    assert fixed_size(fields_of(HEAD)) + BODY_BYTES + 4 == RECORD_BYTES


@pytest.mark.parametrize("kind", list(RecordKind), ids=lambda kind: kind.name)
@given(st.data())
def test_what_is_encoded_is_decoded_and_what_the_device_writes(device, kind, data):
    head = {**data.draw(_fields(HEAD)), "kind": kind}
    body = data.draw(_fields(BODIES[kind]))
    raw = encode_record(*(head[row.name] for row in _rows(HEAD)), **body)
    record = decode_record(raw)
    assert record.body == body
    assert record.raw == raw
    assert {name: getattr(record, name) for name in head} == head

    pack_body = getattr(device.wire, f"pack_{BODIES[kind].name}")
    buf = bytearray(b"\xff" * RECORD_BYTES)
    at = device.wire.pack_record_head(buf, 0, *(head[row.name] for row in _rows(HEAD)))
    end = pack_body(buf, at, *(body[row.name] for row in _rows(BODIES[kind])))
    buf[end:] = zlib.crc32(buf[:end]).to_bytes(4, "little")
    assert bytes(buf) == raw


def test_every_damaged_bit_is_found():
    raw = encode_record(*RESULT_HEAD, **RESULT)
    for bit in range(8 * RECORD_BYTES):
        damaged = bytearray(raw)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordCorrupt):
            decode_record(bytes(damaged))


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(RECORD_BYTES), b"\xff" * RECORD_BYTES, encode_record(*RESULT_HEAD, **RESULT)[:-1]],
    ids=["empty", "zeros", "erased flash", "cut"],
)
def test_flash_without_a_record_is_none(raw):
    with pytest.raises(RecordCorrupt):
        decode_record(raw)


@pytest.mark.parametrize(("offset", "value", "text"), [(6, 99, "RecordKind"), (26, 9, "EndReason")])
def test_a_right_crc_does_not_excuse_an_unknown_id(offset, value, text):
    raw = bytearray(encode_record(*RESULT_HEAD, **RESULT))
    raw[offset] = value
    raw[-4:] = zlib.crc32(raw[:-4]).to_bytes(4, "little")
    with pytest.raises(RecordCorrupt, match=f"{value} is not a {text}"):
        decode_record(bytes(raw))


def test_random_bytes_are_no_record():
    chance = random.Random(5)
    for _ in range(20_000):
        with pytest.raises(RecordCorrupt):
            decode_record(chance.randbytes(RECORD_BYTES))


def test_values_that_do_not_fit_are_not_encoded():
    with pytest.raises(MessageError, match="backward_steps"):
        encode_record(*RESULT_HEAD, **{**RESULT, "backward_steps": 1 << 16})
    with pytest.raises(MessageError, match="step"):
        encode_record(*RESULT_HEAD[:3], STEP_NONE + 1, 0, **RESULT)


def _by_construct(raw: bytes) -> object:
    """Read a record as the layouts alone say."""
    if zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        return None
    try:
        head = HEAD.parse(raw[: -BODY_BYTES - 4])
        return Record(**head, body=BODIES[head["kind"]].parse(raw[-BODY_BYTES - 4 : -4]), raw=raw)
    except MessageError:
        return None


def _by_decode(raw: bytes) -> object:
    try:
        return decode_record(raw)
    except RecordCorrupt:
        return None


@st.composite
def _sound(draw: st.DrawFn) -> bytes:
    """32 bytes with a CRC that fits, of a known kind more often than not."""
    content = bytearray(draw(st.binary(min_size=28, max_size=28)))
    content[6] = draw(st.sampled_from([*RecordKind, content[6]]))
    for at in range(12, 28):
        if draw(st.booleans()):
            content[at] = draw(st.integers(0, 8))  # where an id may stand
    return bytes(content) + zlib.crc32(content).to_bytes(4, "little")


@given(st.one_of(_sound(), st.binary(min_size=32, max_size=32)))
def test_every_record_is_read_as_its_layout_says(raw):
    record = _by_decode(raw)
    assert record == _by_construct(raw)
    if isinstance(record, Record):
        assert decode_head(raw) == (record.boot_id, record.sequence, record.kind)


def test_a_head_of_an_unknown_kind():
    with pytest.raises(RecordCorrupt, match="is not a RecordKind"):
        decode_head(bytes([0, 0, 0, 0, 0, 0, 200]) + bytes(25))
