"""Replays the golden vectors on the device's code. Runs on MicroPython and, imported, on CPython.

`micropython replay.py FIRMWARE VECTORS` prints one JSON object with what was tried and what failed.
"""

import binascii
import json
import sys

AT = 3  # where bodies are put, so that an offset that is forgotten shows
UNTOUCHED = 0xEE
PIECES = (1, 7, 64, 100000)


class Report:
    """Counts what was tried and keeps what failed."""

    def __init__(self):
        self.tried = 0
        self.failures = []

    def expect(self, what, got, expected):
        self.tried += 1
        if got != expected:
            self.failures.append(f"{what}: {got!r} instead of {expected!r}")


def outcome(wire_error, function, *arguments):
    """Return what `function` returns, or the four numbers of its error as a list."""
    try:
        return function(*arguments)
    except wire_error as error:
        return list(error.args)


def replay_messages(codec, wire_error, messages, report):
    """Try each message that `codec` has a function for; returns their names."""
    done = []
    for message in messages:
        name = message["name"]
        name = name.replace("cosim_", "")
        unpack = getattr(codec, "unpack_" + name, None)
        pack = getattr(codec, "pack_" + name, None)
        if unpack:
            done.append("unpack_" + name)
            _replay_unpack(unpack, wire_error, message, report)
        if pack:
            done.append("pack_" + name)
            _replay_pack(pack, wire_error, message, report)
    return done


def _replay_unpack(unpack, wire_error, message, report):
    for vector in message["accept"]:
        got = outcome(wire_error, unpack, *_received(vector["body"]))
        got = [value if isinstance(value, int) else _hex(value) for value in got]
        report.expect(f"unpack {message['name']} {vector['case']}", got, vector["values"])
    for vector in message["refuse_bytes"]:
        got = outcome(wire_error, unpack, *_received(vector["body"]))
        report.expect(f"unpack {message['name']} {vector['why']}", got, vector["error"])


def untouched(length):
    """Return a buffer in which a byte that was written shows."""
    return bytearray(bytes([UNTOUCHED]) * length)


def _received(body):
    data = binascii.unhexlify(body)
    around = untouched(AT)
    return memoryview(around + data + around), AT, len(data)


def _hex(data):
    return binascii.hexlify(data).decode()


def _replay_pack(pack, wire_error, message, report):
    for vector in message["accept"]:
        what = f"pack {message['name']} {vector['case']}"
        body = binascii.unhexlify(vector["body"])
        buf = untouched(len(body) + 2 * AT)
        expected = bytearray(buf)
        expected[AT : AT + len(body)] = body
        end = outcome(wire_error, pack, buf, AT, *_values(vector))
        report.expect(what, (end, buf), (AT + len(body), expected))
    for vector in message["refuse_values"]:
        what = f"pack {message['name']} {vector['why']}"
        buf = untouched(600)
        got = outcome(wire_error, pack, buf, AT, *_values(vector))
        report.expect(what, (got, buf), (vector["error"], untouched(600)))


def _values(vector):
    return [
        binascii.unhexlify(value) if isinstance(value, str) else value for value in vector["values"]
    ]


def read_frames(frame, stream, piece):
    """Return the frames in `stream`, taken `piece` bytes at a time, and how many were dropped."""
    reader = frame.FrameReader()
    frames = []
    for start in range(0, len(stream), piece):
        chunk = memoryview(stream)[start : start + piece]
        at = 0
        while at < len(chunk):
            at = reader.take(chunk, at)
            if reader.length:
                frames.append(bytes(reader.view[: reader.length]))
    return frames, reader.dropped


def encode(frame, content):
    """Return the encoded frame of `content`: message, request, body."""
    buf = bytearray(len(content) + 4)
    buf[: len(content)] = content
    out = untouched(frame.ENCODED_MAX + 1)
    end = frame.encode(buf, len(content), out)
    return bytes(out[:end])


def _content(vector):
    header = bytes([vector["message"], vector["request"] & 0xFF, vector["request"] >> 8])
    return header + binascii.unhexlify(vector["body"])


def replay_frames(frame, vectors, report):
    """Try each frame in both directions, and each damaged stream, in pieces of several lengths."""
    for vector in vectors["accept"]:
        content = _content(vector)
        encoded = binascii.unhexlify(vector["encoded"])
        what = f"frame of {len(content)} bytes"
        report.expect(what, encode(frame, content), encoded)
        for piece in PIECES:
            report.expect(what, read_frames(frame, encoded, piece), ([content], 0))
    last = _content(vectors["last"])
    for vector in vectors["refuse"]:
        stream = binascii.unhexlify(vector["stream"])
        for piece in PIECES:
            got = read_frames(frame, stream, piece)
            report.expect(vector["why"], got, ([last], vector["dropped"]))


def flip_every_two_bits(frame, content, report):
    """Damage one bit and each pair of bits of a frame; nothing of it may come through."""
    sound = encode(frame, content)
    last = b"\x03\x00\x01"
    tail = encode(frame, last)
    bits = 8 * (len(sound) - 1)
    for first in range(bits):
        for second in range(first, bits):
            damaged = bytearray(sound)
            damaged[first // 8] ^= 1 << first % 8
            if second != first:
                damaged[second // 8] ^= 1 << second % 8
            frames, _ = read_frames(frame, bytes(damaged) + tail, 100000)
            report.expect(f"bits {first} and {second}", frames, [last])


def heap_of_a_frame(frame, length):
    """Return the bytes of heap that encoding and reading one frame of `length` bytes takes."""
    import gc

    content = bytearray(length + 4)
    out = bytearray(frame.ENCODED_MAX + 1)
    chunk = memoryview(out)
    reader = frame.FrameReader()
    end = frame.encode(content, length, out)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()  # pyright: ignore[reportAttributeAccessIssue]
    frame.encode(content, length, out)
    reader.take(chunk, 0)
    used = gc.mem_alloc() - before  # pyright: ignore[reportAttributeAccessIssue]
    gc.enable()
    if reader.length != length or end > len(out):
        raise ValueError("the frame was not read")
    return used


def replay_all(wire, frame, cosim_wire, load):
    """Replay everything; `load` returns the vectors of a name. Returns what came out, for JSON."""
    report = Report()
    done = replay_messages(wire, wire.WireError, load("messages"), report)
    done += replay_messages(cosim_wire, wire.WireError, load("cosim"), report)
    replay_frames(frame, load("frames"), report)
    flip_every_two_bits(frame, b"\x28\x07\x00\x03\x00\x00\x00", report)
    return {
        "tried": report.tried,
        "failures": report.failures[:20],
        "functions": done,
        "schema_hash": wire.SCHEMA_HASH,
    }


def main(firmware, vectors):
    """Replay on the code in `firmware` and print the result."""
    sys.path.insert(0, firmware)
    from gun import frame, wire  # pyright: ignore[reportMissingImports]
    from hal.virtual import cosim_wire  # pyright: ignore[reportMissingImports]

    def load(name):
        with open(f"{vectors}/{name}.json") as file:  # noqa: PTH123 (MicroPython)
            return json.load(file)

    result = replay_all(wire, frame, cosim_wire, load)
    result["heap_short_frame"] = heap_of_a_frame(frame, 3)
    result["heap_long_frame"] = heap_of_a_frame(frame, 3 + wire.FRAME_BODY_MAX)
    print(json.dumps(result))  # noqa: T201 (what the test reads)


if __name__ == "__main__":
    main(*sys.argv[1:])
