"""A layout as plain rows: what generators write and readers compile.

What the device's codec cannot do is refused here, when a layout is written, and not on a gun.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from construct import Construct, Padded, Renamed

from mesogun_protocol.fields import Blob, Bounded, Id, Message, Tail, integer_type

TAIL_PREFIX_BYTES = 2
"""A tail's own length stands before it as u16."""


class SchemaError(TypeError):
    """A layout holds what the device cannot encode or decode, or what nobody explained."""


@dataclass(frozen=True)
class Field:
    """One field of a message.

    Attributes:
        number: position in the message from 0; padding has none and comes last: -1.
        name: name of the field, empty for padding.
        type: u8, u16, u32, bytes, tail or padding.
        letter: what stands for it in a `struct` format; for a tail, its length prefix.
        size: bytes that `letter` takes.
        minimum: smallest value; for bytes and tail, smallest length.
        maximum: largest value; for bytes and tail, largest length.
        enum: whose members are the only values, or None.
        doc: what it means, with its unit.
    """

    number: int
    name: str
    type: str
    letter: str
    size: int
    minimum: int
    maximum: int
    enum: type[IntEnum] | None
    doc: str


def fields_of(message: Message) -> tuple[Field, ...]:
    """Return the rows of `message`, padding included.

    Raises:
        SchemaError: if it is not a flat list of documented fields that the device can handle.
    """
    if not message.doc:
        raise SchemaError(f"{message.name}: has no doc")
    rows = [_field(message.name, number, item) for number, item in enumerate(message.body.subcons)]
    for row in rows[:-1]:
        if row.type in ("tail", "padding"):
            raise SchemaError(f"{message.name}: {row.type} {row.name!r} is not the last field")
    names = [row.name for row in rows]
    if len(set(names)) != len(names):
        raise SchemaError(f"{message.name}: two fields have the same name")
    return tuple(rows)


def _field(message: str, number: int, item: Construct[Any, Any]) -> Field:
    if isinstance(item, Padded):
        size = item.sizeof()
        return Field(-1, "", "padding", f"{size}x", size, 0, 0, None, "zero")
    if not isinstance(item, Renamed) or not item.name:
        raise SchemaError(f"{message}: field {number} has no name")
    where = f"{message}.{item.name}"
    if not item.docs:
        raise SchemaError(f"{where}: has no doc")
    inner: Construct[Any, Any] = item
    while isinstance(inner, Renamed):
        inner = inner.subcon
    type_, letter, size, minimum, maximum, enum = _type(where, inner)
    return Field(number, item.name, type_, letter, size, minimum, maximum, enum, item.docs)


def _type(
    where: str, item: Construct[Any, Any]
) -> tuple[str, str, int, int, int, type[IntEnum] | None]:
    if isinstance(item, Tail):
        return "tail", "H", TAIL_PREFIX_BYTES, 0, item.maximum, None
    if isinstance(item, Blob):
        size = item.maximum
        return "bytes", f"{size}s", size, size, size, None
    minimum, maximum, enum = 0, None, None
    inner = item
    if isinstance(item, Bounded | Id):
        minimum, maximum, inner = item.minimum, item.maximum, item.subcon
        enum = item.enum if isinstance(item, Id) else None
    integer = integer_type(inner)
    if integer is None:
        raise SchemaError(f"{where}: the device cannot handle {inner!r}")
    maximum = integer.maximum if maximum is None else maximum
    return integer.name, integer.letter, integer.size, minimum, maximum, enum


def fixed_size(rows: Iterable[Field]) -> int:
    """Bytes of a body, without the bytes of a tail but with the length in front of it."""
    return sum(row.size for row in rows)


def struct_format(rows: Iterable[Field]) -> str:
    """The `struct` format of the fixed part of a body."""
    return "<" + "".join(row.letter for row in rows)
