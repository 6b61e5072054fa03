"""The device's generated codec against the definition, with values and bytes that nobody chose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol import cosim, messages, schema
from mesogun_protocol.fields import MessageError
from mesogun_protocol.rows import fields_of, fixed_size
from tests.message_bodies import body

UNPACKED = (*messages.REQUESTS, *messages.PARTS, *schema.RECORDS)
PACKED = (
    *(reply for reply in messages.REPLIES if fields_of(reply)),
    messages.EVENT,
    messages.REFUSED,
    *schema.RECORDS,
)
COSIM_ANSWERS = [m for m in cosim.MESSAGES.values() if m.id & messages.REPLY_BIT]
COSIM_REQUESTS = [m for m in cosim.MESSAGES.values() if not m.id & messages.REPLY_BIT]

any_integer = st.one_of(st.integers(-2, 260), st.integers(-(1 << 33), 1 << 33))


def _named(message):
    return [row for row in fields_of(message) if row.name]


def _value(row):
    """A value of the field, or quite often one that is none."""
    if row.type in ("bytes", "tail"):
        return st.binary(min_size=row.minimum, max_size=min(row.maximum, 40)) | st.binary()
    near = [row.minimum - 1, row.minimum, row.maximum, row.maximum + 1]
    return st.one_of(st.integers(row.minimum, row.maximum), st.sampled_from(near), any_integer)


def _values(of):
    return st.sampled_from(of).flatmap(
        lambda message: st.tuples(st.just(message), st.tuples(*map(_value, _named(message))))
    )


def _bodies(of):
    return st.sampled_from(of).flatmap(lambda m: st.tuples(st.just(m), body(m)))


def _defined(call, *arguments, **fields):
    try:
        return call(*arguments, **fields)
    except MessageError:
        return None


def _unpacked(device, codec, message, body):
    unpack = getattr(codec, "unpack_" + message.name.removeprefix("cosim_"))
    try:
        values = unpack(memoryview(b"\xee" + body + b"\xee"), 1, len(body))
    except device.wire.WireError as error:
        field, value, minimum, maximum = error.args
        assert not minimum <= value <= maximum or _named(message)[field].enum
        return None
    return [bytes(v) if isinstance(v, memoryview) else v for v in values]


def _packed(device, codec, message, values):
    pack = getattr(codec, "pack_" + message.name.removeprefix("cosim_"))
    buf = bytearray(b"\xee" * 700)
    try:
        end = pack(buf, 1, *values)
    except device.wire.WireError as error:
        field, value, minimum, maximum = error.args
        assert not minimum <= value <= maximum or _named(message)[field].enum
        return None
    return bytes(buf[1:end])


def _check_unpack(device, codec, message, body):
    defined = _defined(message.parse, body)
    expected = None if defined is None else list(defined.values())
    assert _unpacked(device, codec, message, body) == expected


def _check_pack(device, codec, message, values):
    names = (row.name for row in _named(message))
    expected = _defined(message.build, **dict(zip(names, values, strict=True)))
    assert _packed(device, codec, message, values) == expected


@pytest.mark.req("R35", "R36")
@given(_bodies(UNPACKED))
def test_both_sides_read_the_same_or_refuse(device, case):
    _check_unpack(device, device.wire, *case)


@given(_bodies(COSIM_ANSWERS))
def test_both_ends_of_the_pipe_read_the_same_or_refuse(device, case):
    _check_unpack(device, device.cosim_wire, *case)


@given(_values(UNPACKED))
def test_the_device_reads_what_the_host_builds(device, case):
    message, values = case
    names = [row.name for row in _named(message)]
    body = _defined(message.build, **dict(zip(names, values, strict=True)))
    if body is not None:
        assert _unpacked(device, device.wire, message, body) == list(values)


@pytest.mark.req("R36")
@given(_values(PACKED))
def test_both_sides_build_the_same_or_refuse(device, case):
    _check_pack(device, device.wire, *case)


@given(_values([m for m in COSIM_REQUESTS if fields_of(m)]))
def test_both_ends_of_the_pipe_build_the_same_or_refuse(device, case):
    _check_pack(device, device.cosim_wire, *case)


def test_constants_are_those_of_the_definition(device):
    wire = device.wire
    assert wire.SCHEMA_HASH == schema.SCHEMA_HASH
    for name, value in schema.CONSTANTS.items():
        assert getattr(wire, name) == value
    for message in messages.MESSAGES.values():
        assert getattr(wire, f"MSG_{message.name.upper()}") == message.id
    for message in (*UNPACKED, *PACKED):
        size = fixed_size(fields_of(message))
        assert getattr(wire, f"SIZE_{message.name.upper()}") == size
    assert device.cosim_wire.FOREVER_MS == cosim.FOREVER_MS


def test_enum_constants_are_named_by_their_enum(device):
    wire = device.wire
    assert (wire.STATE_FAULT, wire.FAULT_OCCLUSION, wire.STEP_PRIME) == (7, 7, 4)
    assert (wire.TRIGGER_PRESS, wire.ON_RELEASE_STOP, wire.END_DISARMED) == (2, 1, 5)
    assert (wire.RESET_SOFT, wire.INPUT_SUPPLY_OK, wire.ERROR_TOO_FAST) == (5, 8, 24)
    assert (wire.RECORD_CONFIG, wire.EVENT_SHOT, wire.CONFIG_LEAD_NM) == (11, 2, 2)
