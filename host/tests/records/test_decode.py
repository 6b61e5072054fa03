"""Reading many records at once says what `decode_record` says, whatever the bytes."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.records.decode import _PLANS, decode, head
from mesogun_protocol.enums import RecordKind
from mesogun_protocol.fields import MessageError
from mesogun_protocol.records import RecordCorrupt, decode_record


def outcome(read, raw: bytes) -> object:
    try:
        return read(raw)
    except RecordCorrupt as error:
        return str(error)


@st.composite
def sound(draw: st.DrawFn) -> bytes:
    """32 bytes with a CRC that fits, of a known kind more often than not."""
    content = bytearray(draw(st.binary(min_size=28, max_size=28)))
    content[6] = draw(st.sampled_from([*RecordKind, content[6]]))
    for at in range(12, 28):
        if draw(st.booleans()):
            content[at] = draw(st.integers(0, 8))  # where an id may stand
    return bytes(content) + zlib.crc32(content).to_bytes(4, "little")


@given(st.one_of(sound(), st.binary(max_size=40), st.binary(min_size=32, max_size=32)))
def test_every_record_is_read_alike(raw: bytes) -> None:
    assert outcome(decode, raw) == outcome(decode_record, raw)
    try:
        decoded = decode_record(raw)
    except RecordCorrupt:
        return
    assert head(raw) == (decoded.boot_id, decoded.sequence, decoded.kind)


def test_every_kind_is_read_the_fast_way() -> None:
    assert _PLANS.keys() == {int(kind) for kind in RecordKind}


def test_a_head_of_an_unknown_kind() -> None:
    with pytest.raises(MessageError, match="is not a RecordKind"):
        head(bytes([0, 0, 0, 0, 0, 0, 200]) + bytes(25))
