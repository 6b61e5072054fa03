"""Fields and messages refuse what they were not made for, and name it."""

from enum import IntEnum

import pytest

from mesogun_protocol.fields import (
    U8,
    U16,
    Bounded,
    Id,
    Message,
    MessageError,
    blob,
    flag,
    layout,
    tail,
)


class Colour(IntEnum):
    RED = 1
    BLUE = 3


class Large(IntEnum):
    TOO = 256


SHOT = Message(
    "shot",
    1,
    layout(
        "dose_nl" / Bounded(U16, 10, 500) * "dose, nl",
        "colour" / Id(Colour) * "colour",
        "fast" / flag() * "1 = fast",
        "board" / blob(2) * "board",
        "data" / tail(3) * "bytes",
    ),
    "A test.",
)
FIELDS = {"dose_nl": 300, "colour": Colour.BLUE, "fast": 1, "board": b"ab", "data": b"xyz"}
BODY = bytes.fromhex("2c01 03 01 6162 0300 78797a")


def test_a_message_is_built_and_parsed():
    assert SHOT.build(**FIELDS) == BODY
    parsed = SHOT.parse(BODY)
    assert parsed == FIELDS
    assert parsed["colour"] is Colour.BLUE


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("dose_nl", 9, "9 is not within 10..500"),
        ("dose_nl", 501, "501 is not within 10..500"),
        ("dose_nl", 10.5, "10.5 is not an integer"),
        ("dose_nl", True, "True is not an integer"),
        ("dose_nl", None, "None is not an integer"),
        ("colour", 2, "2 is not a Colour"),
        ("colour", "RED", "RED is not a Colour"),
        ("fast", 2, "2 is not within 0..1"),
        ("board", b"abc", "3 bytes are not within 2..2"),
        ("board", 0x6162, "24930 is not bytes"),
        ("board", "ab", "'ab' is not bytes"),
        ("data", b"wxyz", "4 bytes are not within 0..3"),
        ("data", 7, "7 is not bytes"),
    ],
)
def test_a_wrong_value_is_not_built(field, value, text):
    with pytest.raises(MessageError, match=text) as caught:
        SHOT.build(**{**FIELDS, field: value})
    assert "shot" in str(caught.value)
    assert field in str(caught.value)


@pytest.mark.parametrize("fields", [{}, {**FIELDS, "extra": 1}], ids=["missing", "unknown"])
def test_missing_and_unknown_fields_are_named(fields):
    with pytest.raises(MessageError, match=r"missing or unknown field: .*(dose_nl|extra)"):
        SHOT.build(**fields)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        BODY[:-1],
        BODY + b"\0",
        bytes.fromhex("0900 03 01 6162 0000"),
        bytes.fromhex("2c01 02 01 6162 0000"),
        bytes.fromhex("2c01 03 02 6162 0000"),
        bytes.fromhex("2c01 03 01 6162 0400 01020304"),
        bytes.fromhex("2c01 03 01 6162 ffff 01020304"),
    ],
)
def test_wrong_bytes_are_not_parsed(body):
    with pytest.raises(MessageError, match="shot"):
        SHOT.parse(body)


@pytest.mark.parametrize("bounds", [(-1, 5), (6, 5), (0, 256)])
def test_bounds_must_fit_their_type(bounds):
    with pytest.raises(ValueError, match="do not fit u8"):
        Bounded(U8, *bounds)


def test_bounds_are_for_integers_of_the_wire_only():
    with pytest.raises(TypeError, match="not one of the integer types"):
        Bounded(Id(Colour), 0, 1)


def test_members_must_fit_a_byte():
    with pytest.raises(ValueError, match="do not fit a byte"):
        Id(Large)
