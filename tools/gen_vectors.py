"""Writes the golden vectors: bytes and values that host and gun must both accept or both refuse.

The definition writes them; tests replay them on the definition and on the device's generated codec,
with the real MicroPython too. They are committed, so that a change of the wire shows in a review.
"""

from __future__ import annotations

import json
import random
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from cobs import cobs  # pyright: ignore[reportMissingTypeStubs]

import generated
from mesogun_protocol import cosim, schema
from mesogun_protocol.fields import Message
from mesogun_protocol.frame import ENCODED_MAX, Frame, FrameReader, encode_frame
from mesogun_protocol.limits import FRAME_BODY_MAX
from mesogun_protocol.messages import WRONG_LENGTH_FIELD
from mesogun_protocol.rows import Field, fields_of, fixed_size

TYPICAL_CASES = 3
FLIPS = 150
BURST_BITS_MAX = 16
LINE_LENGTH = 120

Value = int | bytes


def messages_vectors(messages: Iterable[Message], body_max: int) -> list[dict[str, Any]]:
    """Return for each message what is to be accepted, and what is to be refused with which error.

    An error is the four numbers that the device reports: field, value, minimum, maximum.
    """
    return [_message_vectors(message, body_max) for message in messages]


def _message_vectors(message: Message, body_max: int) -> dict[str, Any]:
    rows = [row for row in fields_of(message) if row.name]
    chance = random.Random(message.name)
    typical = [[_typical(row, chance) for row in rows] for _ in range(TYPICAL_CASES)]
    cases = {
        "minimum": [_extreme(row, row.minimum) for row in rows],
        "maximum": [_extreme(row, _longest(message, row)) for row in rows],
        **{f"typical {number}": values for number, values in enumerate(typical, 1)},
    }
    accept = [
        {"case": case, "values": _json(values), "body": _build(message, values).hex()}
        for case, values in (cases if rows else {"empty": list[Value]()}).items()
    ]
    base = typical[0] if rows else []
    return {
        "name": message.name,
        "id": message.id,
        "fields": [row.name for row in rows],
        "accept": accept,
        "refuse_bytes": [
            {"why": why, "body": body.hex(), "error": error}
            for why, body, error in _wrong_bytes(message, base, body_max)
        ],
        "refuse_values": [
            {"why": why, "values": _json(values), "error": error}
            for why, values, error in _wrong_values(message, base)
        ],
    }


def _longest(message: Message, row: Field) -> int:
    """The field's maximum; a tail ends where the longest body of a frame ends, on the pipe too."""
    if row.type != "tail":
        return row.maximum
    return min(row.maximum, FRAME_BODY_MAX - fixed_size(fields_of(message)))


def _extreme(row: Field, bound: int) -> Value:
    return bytes([0xA5]) * bound if row.type in ("bytes", "tail") else bound


def _typical(row: Field, chance: random.Random) -> Value:
    if row.type in ("bytes", "tail"):
        return chance.randbytes(chance.randint(row.minimum, min(row.maximum, 32)))
    if row.enum is not None:
        return int(chance.choice(list(row.enum)))
    bits = (row.maximum - row.minimum).bit_length()
    return row.minimum + min(chance.getrandbits(chance.randint(0, bits)), row.maximum - row.minimum)


def _build(message: Message, values: Sequence[Value]) -> bytes:
    names = (row.name for row in fields_of(message) if row.name)
    return message.build(**dict(zip(names, values, strict=True)))


def _json(values: Sequence[Value]) -> list[int | str]:
    return [value.hex() if isinstance(value, bytes) else value for value in values]


def _out_of_bounds(row: Field) -> Iterator[int]:
    """Values on the wrong side of each bound, and the gaps of an enum."""
    yield row.minimum - 1
    yield row.maximum + 1
    if row.enum is not None:
        members = {int(member) for member in row.enum}
        yield from sorted(set(range(row.minimum, row.maximum)) - members)


def _wrong_values(
    message: Message, base: Sequence[Value]
) -> Iterator[tuple[str, list[Value], list[int]]]:
    for row in fields_of(message):
        is_number = row.type in ("u8", "u16", "u32")
        for number in _out_of_bounds(row) if row.name else ():
            if not is_number and not 0 <= number <= FRAME_BODY_MAX:
                continue
            values = list(base)
            values[row.number] = number if is_number else bytes(number)
            error = [row.number, number, row.minimum, _longest(message, row)]
            yield f"{row.name} {number}", values, error


def _wrong_bytes(
    message: Message, base: Sequence[Value], body_max: int
) -> Iterator[tuple[str, bytes, list[int]]]:
    rows = fields_of(message)
    fixed = fixed_size(rows)
    sound = _build(message, base)
    has_tail = bool(rows) and rows[-1].type == "tail"

    def length_error(length: int) -> list[int]:
        return [WRONG_LENGTH_FIELD, length, len(sound), len(sound)]

    if fixed:
        most = body_max if has_tail else fixed
        yield "empty", b"", [WRONG_LENGTH_FIELD, 0, fixed, most]
        yield "fixed part cut", sound[: fixed - 1], [WRONG_LENGTH_FIELD, fixed - 1, fixed, most]
    yield "one byte more", sound + b"\0", length_error(len(sound) + 1)
    if has_tail and len(sound) > fixed:
        yield "one byte less", sound[:-1], length_error(len(sound) - 1)
    offset = 0
    for row in rows:
        for number in _out_of_bounds(row):
            if row.type in ("u8", "u16", "u32") and 0 <= number < 1 << 8 * row.size:
                body = bytearray(sound)
                struct.pack_into("<" + row.letter, body, offset, number)
                error = [row.number, number, row.minimum, row.maximum]
                yield f"{row.name} {number}", bytes(body), error
            elif row.type == "tail" and row.maximum < number <= FRAME_BODY_MAX - fixed:
                body = sound[:offset] + struct.pack("<H", number) + bytes(number)
                error = [row.number, number, row.minimum, row.maximum]
                yield f"{row.name} of {number} bytes", body, error
        offset += row.size


def frames_vectors() -> dict[str, Any]:
    """Return frames with their encoding, and streams in which only the last frame is sound."""
    chance = random.Random("frames")
    bodies = [b"", b"\0", b"\xff", bytes(FRAME_BODY_MAX), b"\x01" * FRAME_BODY_MAX]
    # Around the blocks of 254 bytes of COBS: header and CRC are part of them.
    bodies += [b"\x55" * length for length in (*range(246, 257), *range(501, 511))]
    bodies += [bytes(chance.choice((0, 1, 0xFF)) for _ in range(n)) for n in (7, 81, 300, 512)]
    accept = [Frame(0xFF, 0xFFFF, b"\xa5" * 8), Frame(1, 0x0101, b""), Frame(0, 0, b"")]
    accept += [Frame(chance.randrange(256), chance.randrange(1 << 16), body) for body in bodies]
    last = Frame(0x83, 0x1234, b"in step again")
    refuse: list[dict[str, Any]] = []
    for why, stream in _damaged_streams(chance):
        whole = stream + encode_frame(last)
        reader = FrameReader()
        if reader.feed(whole) != [last]:
            raise AssertionError(f"{why}: {whole.hex()} does not give the last frame alone")
        refuse.append({"why": why, "stream": whole.hex(), "dropped": reader.dropped})
    return {
        "accept": [
            {
                "message": frame.message,
                "request": frame.request,
                "body": frame.body.hex(),
                "encoded": encode_frame(frame).hex(),
            }
            for frame in accept
        ],
        "last": {"message": last.message, "request": last.request, "body": last.body.hex()},
        "refuse": refuse,
    }


def _damaged_streams(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    sound = encode_frame(Frame(0x28, 7, struct.pack("<II", 3, 0x12345678)))[:-1]
    bits = 8 * len(sound)
    for bit in range(bits):
        yield f"bit {bit}", _flip(sound, 1 << bit) + b"\0"
    for _ in range(FLIPS):
        first, second = chance.sample(range(bits), 2)
        yield f"bits {first} and {second}", _flip(sound, 1 << first | 1 << second) + b"\0"
    for _ in range(FLIPS):
        length = chance.randint(3, BURST_BITS_MAX)
        burst = 1 | chance.getrandbits(length) | 1 << length - 1
        at = chance.randint(0, bits - length)
        yield f"burst of {length} bits at {at}", _flip(sound, burst << at) + b"\0"
    content = struct.pack("<BH", 0x03, 9) + bytes(range(20))
    crc = zlib.crc32(content)
    for byte in range(4):
        wrong = struct.pack("<I", crc ^ 0xFF << 8 * byte)
        yield f"CRC byte {byte}", _cobs(content + wrong)
    yield "CRC big-endian", _cobs(content + struct.pack(">I", crc))
    yield "no CRC", _cobs(content)
    yield "cut", sound[:-1] + b"\0"
    yield "code beyond the end", b"\x05ab\0"
    yield "code 255 beyond the end", b"\xffab\0"
    yield "nothing but a CRC", _cobs(struct.pack("<I", zlib.crc32(b"")))
    yield "header of two bytes", _cobs(_with_crc(b"\x01\x02"))
    yield "one byte too long", _cobs(_with_crc(bytes(3 + FRAME_BODY_MAX + 1)))
    yield "longest encoding, too long", b"\x01" * ENCODED_MAX + b"\0"
    yield "encoding too long by one", b"\x01" * (ENCODED_MAX + 1) + b"\0"
    yield "encoding three times too long", b"\x02\x02" * (3 * ENCODED_MAX // 2) + b"\0"


def _with_crc(content: bytes) -> bytes:
    return content + struct.pack("<I", zlib.crc32(content))


def _cobs(content: bytes) -> bytes:
    return cobs.encode(content) + b"\0"  # pyright: ignore[reportUnknownMemberType]


def _flip(data: bytes, bits: int) -> bytes:
    return (int.from_bytes(data, "little") ^ bits).to_bytes(len(data), "little")


def _text(value: Any, indent: str = "") -> str:
    """JSON with a vector a line, so that a change can be read."""
    compact = json.dumps(value)
    if len(indent + compact) <= LINE_LENGTH or not isinstance(value, (dict, list)):
        return compact
    deeper = indent + " "
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        items = [f"{json.dumps(key)}: {_text(item, deeper)}" for key, item in pairs]
    else:
        items = [_text(item, deeper) for item in cast("list[Any]", value)]
    start, end = "{}" if isinstance(value, dict) else "[]"
    return start + "\n" + ",\n".join(deeper + item for item in items) + f"\n{indent}{end}"


def outputs() -> dict[str, str]:
    """Return the text of each file of vectors by its path."""
    shared = messages_vectors(schema.DEFINITIONS, FRAME_BODY_MAX)
    pipe = messages_vectors(cosim.MESSAGES.values(), cosim.BODY_MAX)
    return {
        "protocol/vectors/messages.json": _text(shared) + "\n",
        "protocol/vectors/cosim.json": _text(pipe) + "\n",
        "protocol/vectors/frames.json": _text(frames_vectors()) + "\n",
    }


if __name__ == "__main__":
    sys.exit(generated.run(__doc__, outputs()))
