"""Building blocks for message layouts: `Message`, bounded integers, strict ids, bytes, a tail.

construct's own Enum maps an unknown value to a plain integer and its integers know no bounds; on a
wire that moves a plunger both must be refused, on both sides, by the same numbers.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from construct import (
    Adapter,
    Bytes,
    Construct,
    ConstructError,
    FormatField,
    GreedyBytes,
    Int8ul,
    Int16ul,
    Int32ul,
    Prefixed,
    Struct,
    ValidationError,
)

if TYPE_CHECKING:  # construct's own classes take no parameters at run time
    IntegerAdapter = Adapter[int, int, int, int]
    BytesAdapter = Adapter[bytes, bytes, bytes, bytes]
else:
    IntegerAdapter = BytesAdapter = Adapter

U8, U16, U32 = Int8ul, Int16ul, Int32ul


class Integer(NamedTuple):
    """An integer type of the wire: its name, its size in bytes and its `struct` letter."""

    name: str
    size: int
    letter: str

    @property
    def maximum(self) -> int:
        """The largest value that fits."""
        return (1 << 8 * self.size) - 1


_INTEGERS = {
    "<B": Integer("u8", 1, "B"),
    "<H": Integer("u16", 2, "H"),
    "<I": Integer("u32", 4, "I"),
    "<L": Integer("u32", 4, "I"),
}


def integer_type(construct: Construct[Any, Any]) -> Integer | None:
    """Return which integer of the wire `construct` is, None if it is something else."""
    return _INTEGERS.get(construct.fmtstr) if isinstance(construct, FormatField) else None


class Bounded(IntegerAdapter):
    """An integer within [minimum, maximum], both included; anything else is refused."""

    def __init__(self, subcon: Construct[int, int], minimum: int, maximum: int) -> None:
        """Take `subcon` (U8, U16 or U32) and its bounds, in the field's own unit."""
        super().__init__(subcon)
        integer = integer_type(subcon)
        if integer is None:
            raise TypeError(f"{subcon!r} is not one of the integer types of the wire")
        if not 0 <= minimum <= maximum <= integer.maximum:
            raise ValueError(f"bounds {minimum}..{maximum} do not fit {integer.name}")
        self.minimum, self.maximum = minimum, maximum

    def _check(self, value: Any, path: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError(f"{value!r} is not an integer", path)
        if not self.minimum <= value <= self.maximum:
            raise ValidationError(f"{value} is not within {self.minimum}..{self.maximum}", path)
        return value

    def _decode(self, obj: int, context: Any, path: str) -> int:
        return self._check(obj, path)

    def _encode(self, obj: int, context: Any, path: str) -> int:
        return self._check(obj, path)


class Id(IntegerAdapter):
    """A member of an `IntEnum` in one byte; an unknown number is refused."""

    def __init__(self, enum: type[IntEnum]) -> None:
        """Take the enum; each member must fit a byte."""
        super().__init__(U8)
        self.enum = enum
        self.minimum, self.maximum = int(min(enum)), int(max(enum))
        if not 0 <= self.minimum <= self.maximum <= 0xFF:
            raise ValueError(f"the members of {enum.__name__} do not fit a byte")

    def _decode(self, obj: int, context: Any, path: str) -> IntEnum:
        try:
            return self.enum(obj)
        except ValueError:
            raise ValidationError(f"{obj} is not a {self.enum.__name__}", path) from None

    def _encode(self, obj: int, context: Any, path: str) -> int:
        return int(self._decode(obj, context, path))


class Blob(BytesAdapter):
    """Bytes, `minimum` to `maximum` of them; construct itself would turn an integer into some."""

    def __init__(self, subcon: Construct[Any, Any], minimum: int, maximum: int) -> None:
        """Take what reads and writes the bytes, and the bounds of their number."""
        super().__init__(subcon)
        self.minimum, self.maximum = minimum, maximum

    def _check(self, value: Any, path: str) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise ValidationError(f"{value!r} is not bytes", path)
        data = bytes(cast("bytes", value))
        if not self.minimum <= len(data) <= self.maximum:
            raise ValidationError(
                f"{len(data)} bytes are not within {self.minimum}..{self.maximum}", path
            )
        return data

    def _decode(self, obj: bytes, context: Any, path: str) -> bytes:
        return self._check(obj, path)

    def _encode(self, obj: bytes, context: Any, path: str) -> bytes:
        return self._check(obj, path)


class Tail(Blob):
    """Bytes up to the end of the message, preceded by their number as u16."""

    def __init__(self, maximum: int) -> None:
        """Take the largest number of bytes."""
        super().__init__(Prefixed(U16, GreedyBytes), 0, maximum)


def flag() -> Bounded:
    """A boolean: exactly 0 or 1, because both `struct`s travel other truths differently."""
    return Bounded(U8, 0, 1)


def blob(length: int) -> Blob:
    """Exactly `length` bytes."""
    return Blob(Bytes(length), length, length)


def tail(maximum: int = 0xFFFF) -> Tail:
    """At most `maximum` bytes up to the end of the message, preceded by their number as u16."""
    return Tail(maximum)


def layout(*fields: Construct[Any, Any]) -> Struct:
    """A message body of these fields in this order."""
    return Struct(*fields)


class MessageError(ValueError):
    """Bytes or values that are not this message; the text names the field and the bound."""


@dataclass(frozen=True)
class Message:
    """One message: its name, its id, its body and what it is for."""

    name: str
    id: int
    body: Struct
    doc: str

    def parse(self, data: bytes) -> dict[str, Any]:
        """Return the fields of `data` by name.

        Raises:
            MessageError: if a field is out of bounds, or bytes are missing or left over.
        """
        stream = io.BytesIO(data)
        try:
            container = self.body.parse_stream(stream)
        except ConstructError as error:
            raise MessageError(f"{self.name}: {error}") from None
        if stream.tell() != len(data):
            raise MessageError(f"{self.name}: {len(data)} bytes, {stream.tell()} expected")
        return {name: value for name, value in container.items() if not name.startswith("_")}

    def build(self, **fields: Any) -> bytes:
        """Return the bytes of the message body.

        Raises:
            MessageError: if a field is missing, unknown or out of bounds.
        """
        names = {field.name for field in self.body.subcons if field.name}
        if names != fields.keys():
            wrong = ", ".join(sorted(names ^ fields.keys()))
            raise MessageError(f"{self.name}: missing or unknown field: {wrong}")
        try:
            return self.body.build(fields)
        except ConstructError as error:
            raise MessageError(f"{self.name}: {error}") from None
