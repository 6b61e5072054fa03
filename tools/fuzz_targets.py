"""The parsers of the host as functions of bytes: each takes or refuses them, or it has failed."""

import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from mesogun.errors import ProgramError
from mesogun.program import dump_toml, load, resolve
from mesogun_protocol import messages
from mesogun_protocol.enums import RecordKind
from mesogun_protocol.fields import MessageError
from mesogun_protocol.frame import Frame, FrameReader, encode_frame
from mesogun_protocol.limits import FRAME_BODY_MAX, RECORD_BYTES
from mesogun_protocol.records import RecordCorrupt, decode_record
from mesogun_protocol.rows import fields_of

_reader = FrameReader()
_folder = tempfile.TemporaryDirectory(prefix="fuzz")
_file = Path(_folder.name) / "program.toml"


def frames(data: bytes) -> None:
    """A stream in two pieces; a sound frame behind it must come out whole."""
    cut = data[0] if data else 0
    for piece in (data[:cut], data[cut:] + b"\0"):
        for frame in _reader.feed(piece):
            _parse(frame)
    sound = Frame(0x82, 7, data[:8].ljust(8, b"\0"))
    assert _reader.feed(encode_frame(sound)) == [sound], "out of step behind a zero byte"


def bodies(data: bytes) -> None:
    """A sound frame of any message with any body."""
    if data:
        _parse(Frame(data[0], 1, data[1 : 1 + FRAME_BODY_MAX]))


def _parse(frame: Frame) -> None:
    message = messages.MESSAGES.get(frame.message)
    if message is None:
        return
    try:
        fields = message.parse(frame.body)
    except MessageError:
        return
    assert message.parse(message.build(**fields)) == fields, "what was read is not what is written"


def records(data: bytes) -> None:
    """A record whose CRC fits, and the bytes as they are."""
    content = data[: RECORD_BYTES - 4].ljust(RECORD_BYTES - 4, b"\0")
    for raw in (data, content + zlib.crc32(content).to_bytes(4, "little")):
        try:
            assert decode_record(raw).raw == raw
        except RecordCorrupt:
            continue


def programs(data: bytes) -> None:
    """A program file."""
    _file.write_bytes(data)
    try:
        load(_file)
    except ProgramError:
        return


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (frames, bodies, records, programs)
}


def examples(target: str) -> list[bytes]:
    """Return sound inputs of a target, to begin with."""
    if target == "programs":
        return [dump_toml(resolve(name)).encode() for name in ("face", "nappage", "mesoperfusion")]
    sizes = {each.id: sum(row.size for row in fields_of(each)) for each in messages.REPLIES}
    if target == "bodies":
        return [bytes([number]) + bytes(size) for number, size in sizes.items()]
    if target == "frames":
        return [encode_frame(Frame(number, 1, bytes(size))) for number, size in sizes.items()]
    return [bytes(6) + bytes([kind]) + bytes(RECORD_BYTES - 7) for kind in RecordKind]
