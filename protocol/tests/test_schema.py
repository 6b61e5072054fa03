"""What the schema refuses, what its rows say, and when its hash changes."""

from enum import IntEnum

import construct
import pytest

from mesogun_protocol import enums, messages, records, schema
from mesogun_protocol.fields import U8, U16, U32, Bounded, Id, Message, blob, flag, layout, tail
from mesogun_protocol.rows import SchemaError, fields_of, fixed_size, struct_format
from mesogun_protocol.schema import canonical


class Colour(IntEnum):
    RED = 1
    BLUE = 3


class Recoloured(IntEnum):
    RED = 1
    BLUE = 4


def message(*fields, name="m", number=1, doc="doc") -> Message:
    return Message(name, number, layout(*fields), doc)


def test_rows_say_what_the_device_needs():
    rows = fields_of(
        message(
            "a" / U8 * "a doc",
            "b" / Bounded(U16, 3, 900) * "b doc",
            "c" / U32 * "c doc",
            "d" / Id(Colour) * "d doc",
            "e" / flag() * "e doc",
            "f" / blob(8) * "f doc",
            "g" / tail(100) * "g doc",
        )
    )
    assert [(r.number, r.name, r.type, r.minimum, r.maximum, r.enum, r.doc) for r in rows] == [
        (0, "a", "u8", 0, 0xFF, None, "a doc"),
        (1, "b", "u16", 3, 900, None, "b doc"),
        (2, "c", "u32", 0, 0xFFFFFFFF, None, "c doc"),
        (3, "d", "u8", 1, 3, Colour, "d doc"),
        (4, "e", "u8", 0, 1, None, "e doc"),
        (5, "f", "bytes", 8, 8, None, "f doc"),
        (6, "g", "tail", 0, 100, None, "g doc"),
    ]
    assert struct_format(rows) == "<BHIBB8sH"
    assert fixed_size(rows) == 19


def test_padding_has_no_number():
    rows = fields_of(message("a" / U8 * "doc", construct.Padding(3)))
    assert [(row.number, row.type, row.letter) for row in rows] == [
        (0, "u8", "B"),
        (-1, "padding", "3x"),
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (("a" / construct.Int32sl * "doc",), "cannot handle"),
        (("a" / construct.Int16ub * "doc",), "cannot handle"),
        (("a" / construct.Int64ul * "doc",), "cannot handle"),
        (("a" / construct.Float32l * "doc",), "cannot handle"),
        (("a" / construct.Flag * "doc",), "cannot handle"),
        (("a" / construct.CString("utf8") * "doc",), "cannot handle"),
        (("a" / construct.Optional(U8) * "doc",), "cannot handle"),
        (("a" / U8[2] * "doc",), "cannot handle"),
        (("a" / layout("b" / U8 * "doc") * "doc",), "cannot handle"),
        (("a" / construct.Bytes(4) * "doc",), "cannot handle"),
        (("a" / U8,), "no doc"),
        ((U8,), "no name"),
        (("a" / tail() * "doc", "b" / U8 * "doc"), "not the last"),
        (("a" / tail() * "doc", "b" / tail() * "doc"), "not the last"),
        ((construct.Padding(1), "b" / U8 * "doc"), "not the last"),
        (("a" / U8 * "doc", "a" / U8 * "doc"), "same name"),
    ],
)
def test_what_the_device_cannot_do_is_refused(fields, reason):
    with pytest.raises(SchemaError, match=reason):
        fields_of(message(*fields))


def test_a_message_without_a_doc_is_refused():
    with pytest.raises(SchemaError, match="no doc"):
        fields_of(message(doc=""))


def test_two_definitions_of_one_message_are_refused():
    with pytest.raises(SchemaError, match="the same"):
        canonical([message(), message()], [], {})


BASE = {
    "definitions": [message("a" / Bounded(U16, 1, 9) * "doc", "b" / Id(Colour) * "doc")],
    "enum_types": [Colour],
    "constants": {"LIMIT": 5},
}


@pytest.mark.parametrize(
    "change",
    [
        {"definitions": [message("x" / Bounded(U16, 1, 9) * "d", "b" / Id(Colour) * "d")]},
        {"definitions": [message("a" / Bounded(U32, 1, 9) * "d", "b" / Id(Colour) * "d")]},
        {"definitions": [message("a" / Bounded(U16, 0, 9) * "d", "b" / Id(Colour) * "d")]},
        {"definitions": [message("a" / Bounded(U16, 1, 10) * "d", "b" / Id(Colour) * "d")]},
        {"definitions": [message("a" / Bounded(U16, 1, 9) * "d", "b" / Bounded(U8, 1, 3) * "d")]},
        {"definitions": [message("b" / Id(Colour) * "d", "a" / Bounded(U16, 1, 9) * "d")]},
        {"definitions": [message("a" / Bounded(U16, 1, 9) * "d")]},
        {
            "definitions": [
                message("a" / Bounded(U16, 1, 9) * "d", "b" / Id(Colour) * "d", number=2)
            ]
        },
        {
            "definitions": [
                message("a" / Bounded(U16, 1, 9) * "d", "b" / Id(Colour) * "d", name="n")
            ]
        },
        {"enum_types": [Recoloured]},
        {"enum_types": []},
        {"constants": {"LIMIT": 6}},
        {"constants": {"LIMITED": 5}},
    ],
    ids=[
        "field renamed",
        "type",
        "minimum",
        "maximum",
        "enum of a field",
        "order",
        "field gone",
        "id",
        "message renamed",
        "enum value",
        "enum gone",
        "limit",
        "limit renamed",
    ],
)
@pytest.mark.req("R36")
def test_the_hash_changes_with_the_wire(change):
    assert schema.hash_text(canonical(**BASE)) != schema.hash_text(canonical(**{**BASE, **change}))


def test_the_hash_does_not_change_with_a_doc():
    other = [message("a" / Bounded(U16, 1, 9) * "new", "b" / Id(Colour) * "new", doc="new")]
    assert canonical(**BASE) == canonical(**{**BASE, "definitions": other})


def test_the_hash_covers_everything_that_both_sides_share():
    for defined in (*messages.MESSAGES.values(), *messages.PARTS, *records.BODIES.values()):
        assert f"message {defined.name} {defined.id}" in schema.CANONICAL
    for member in enums.Fault:
        assert f"enum Fault {member.name} {member.value}" in schema.CANONICAL
    assert "constant DOSE_MAX_NL 1000000" in schema.CANONICAL
    assert 0 <= schema.SCHEMA_HASH <= 0xFFFFFFFF
    assert schema.hash_text(schema.CANONICAL) == schema.SCHEMA_HASH


def test_every_message_has_an_id_of_its_own_and_fits_a_frame():
    listed = (*messages.REQUESTS, *messages.REPLIES, messages.EVENT, messages.REFUSED)
    assert len(messages.MESSAGES) == len(listed)
    for request in messages.REQUESTS:
        assert request.id < messages.REPLY_BIT
        assert request.id | messages.REPLY_BIT in messages.MESSAGES
    for defined in listed:
        rows = fields_of(defined)
        longest = fixed_size(rows) + (rows[-1].maximum if rows and rows[-1].type == "tail" else 0)
        assert longest <= schema.CONSTANTS["FRAME_BODY_MAX"]
