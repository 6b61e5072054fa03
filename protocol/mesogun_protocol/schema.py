"""Layouts as plain rows for the generators, and the hash by which host and gun know each other.

What the device's codec cannot do is refused here, when a layout is written, and not on a gun.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from types import ModuleType
from typing import Any

from construct import Construct, Padded, Renamed

from mesogun_protocol import enums, limits, messages, records
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


def constants_of(module: ModuleType) -> dict[str, int]:
    """Return the public integer constants of `module` in the order of its text."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, int)
    }


def enums_of(module: ModuleType) -> tuple[type[IntEnum] | type[IntFlag], ...]:
    """Return the enums that `module` defines in the order of its text."""
    return tuple(
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, IntEnum | IntFlag)
        and value.__module__ == module.__name__
    )


def canonical(
    definitions: Iterable[Message],
    enum_types: Iterable[type[IntEnum] | type[IntFlag]],
    constants: Mapping[str, int],
) -> str:
    """Return all that both sides must agree on as text: no docs, one line a fact, sorted."""
    lines = [f"constant {name} {value}" for name, value in constants.items()]
    for enum_type in enum_types:
        lines += [f"enum {enum_type.__name__} {m.name} {m.value}" for m in enum_type]
    for message in definitions:
        lines.append(f"message {message.name} {message.id}")
        for row in fields_of(message):
            enum_name = row.enum.__name__ if row.enum else "-"
            lines.append(
                f"field {message.name} {row.number} {row.name} {row.type} {row.letter} "
                f"{row.minimum} {row.maximum} {enum_name}"
            )
    if len(set(lines)) != len(lines):
        raise SchemaError("two definitions are the same")
    return "\n".join(sorted(lines))


def hash_text(text: str) -> int:
    """CRC-32 of `text`."""
    return zlib.crc32(text.encode())


RECORDS: tuple[Message, ...] = (records.HEAD, *records.BODIES.values())

DEFINITIONS: tuple[Message, ...] = (*messages.MESSAGES.values(), *messages.PARTS, *RECORDS)
"""Every layout that host and gun share."""

CONSTANTS: Mapping[str, int] = {
    **constants_of(limits),
    "WRONG_LENGTH_FIELD": messages.WRONG_LENGTH_FIELD,
    "STEP_NONE": records.STEP_NONE,
    "BODY_BYTES": records.BODY_BYTES,
    "SECTOR_MAGIC": records.SECTOR_MAGIC,
}

CANONICAL = canonical(DEFINITIONS, enums_of(enums), CONSTANTS)

SCHEMA_HASH = hash_text(CANONICAL)
"""What HELLO compares: a host and a gun with different definitions must not move a plunger."""
