"""The same bytes as `Message.parse` and `Message.build`, in a fifth of the time.

For who passes thousands of messages a second, such as the simulated world. A layout is compiled
into one `struct`; what does not pass its checks is handed to the message itself, which has the last
word and the words for what is wrong.
"""

import struct
from typing import Any

from mesogun_protocol.fields import Message
from mesogun_protocol.rows import fields_of, struct_format


class Packed:
    """One message, compiled.

    Attributes:
        id: of the message.
        message: the layout.
    """

    def __init__(self, message: Message) -> None:
        """Compile the layout of `message`."""
        rows = fields_of(message)
        named = [row for row in rows if row.name]
        self.id = message.id
        self.message = message
        self._struct = struct.Struct(struct_format(rows))
        self._names = tuple(row.name for row in named)
        self._tail = rows[-1] if rows and rows[-1].type == "tail" else None
        self._bounds = tuple(
            (row.name, row.minimum, row.maximum) for row in named if row.type[0] == "u"
        )
        self._ids = tuple(
            (row.name, {int(each): each for each in row.enum}) for row in named if row.enum
        )
        self._blobs = tuple((row.name, row.size) for row in named if row.type == "bytes")

    def parse(self, data: bytes) -> dict[str, Any]:
        """Return the fields of `data` by name; see `Message.parse`."""
        size = self._struct.size
        if len(data) < size:
            return self.message.parse(data)
        fields: dict[str, Any] = dict(zip(self._names, self._struct.unpack_from(data), strict=True))
        if self._tail is not None:
            length = fields[self._tail.name]
            if length > self._tail.maximum:
                return self.message.parse(data)
            fields[self._tail.name] = data[size:]
            size += length
        if len(data) != size or not self._within(fields):
            return self.message.parse(data)
        for name, members in self._ids:
            member = members.get(fields[name])
            if member is None:
                return self.message.parse(data)
            fields[name] = member
        return fields

    def build(self, **fields: Any) -> bytes:
        """Return the bytes of the body; see `Message.build`."""
        tail = b""
        try:
            values = [fields[name] for name in self._names]
            if len(fields) != len(values) or not self._within(fields):
                return self.message.build(**fields)
            for name, members in self._ids:
                if fields[name] not in members:
                    return self.message.build(**fields)
            for name, length in self._blobs:
                if len(fields[name]) != length:
                    return self.message.build(**fields)
            if self._tail is not None:
                tail = values[-1]
                if len(tail) > self._tail.maximum:
                    return self.message.build(**fields)
                values[-1] = len(tail)
            return self._struct.pack(*values) + tail
        except (KeyError, TypeError, struct.error):
            return self.message.build(**fields)

    def _within(self, fields: dict[str, Any]) -> bool:
        return all(minimum <= fields[name] <= maximum for name, minimum, maximum in self._bounds)
