"""Everything that host and gun must agree on, and the hash by which they know each other."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from enum import IntEnum, IntFlag
from types import ModuleType

from mesogun_protocol import enums, limits, messages, records
from mesogun_protocol.fields import Message
from mesogun_protocol.rows import SchemaError, fields_of


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
