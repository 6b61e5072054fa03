"""The golden vectors on the definition, on the device's code, and on a real MicroPython."""

import json
import subprocess
from pathlib import Path

import pytest

from mesogun_protocol import cosim, schema
from mesogun_protocol.fields import Message, MessageError
from mesogun_protocol.frame import Frame, FrameReader, encode_frame

DEFINED = {message.name: message for message in (*schema.DEFINITIONS, *cosim.MESSAGES.values())}


def _plain(value):
    return value.hex() if isinstance(value, bytes) else int(value)


def _fields(vector, names):
    values = [bytes.fromhex(v) if isinstance(v, str) else v for v in vector["values"]]
    return dict(zip(names, values, strict=True))


@pytest.fixture(params=["messages", "cosim"])
def defined(request, vectors) -> list[tuple[Message, dict]]:
    return [(DEFINED[vector["name"]], vector) for vector in getattr(vectors, request.param)]


def test_vectors_cover_every_message(vectors):
    shared = [vector["name"] for vector in vectors.messages]
    assert shared == [message.name for message in schema.DEFINITIONS]
    assert [v["name"] for v in vectors.cosim] == [m.name for m in cosim.MESSAGES.values()]
    for vector in vectors.messages:
        assert vector["id"] == DEFINED[vector["name"]].id


def test_definition_accepts_and_builds_what_the_vectors_accept(defined):
    for message, vectors in defined:
        for vector in vectors["accept"]:
            parsed = message.parse(bytes.fromhex(vector["body"]))
            assert list(parsed) == vectors["fields"]
            assert [_plain(value) for value in parsed.values()] == vector["values"]
            assert message.build(**_fields(vector, vectors["fields"])).hex() == vector["body"]


def test_definition_refuses_the_bytes_that_the_vectors_refuse(defined):
    for message, vectors in defined:
        for vector in vectors["refuse_bytes"]:
            with pytest.raises(MessageError, match=message.name):
                message.parse(bytes.fromhex(vector["body"]))


def test_definition_refuses_the_values_that_the_vectors_refuse(defined):
    for message, vectors in defined:
        for vector in vectors["refuse_values"]:
            with pytest.raises(MessageError, match=message.name):
                message.build(**_fields(vector, vectors["fields"]))


def test_host_reads_the_frames(vectors):
    for vector in vectors.frames["accept"]:
        frame = Frame(vector["message"], vector["request"], bytes.fromhex(vector["body"]))
        encoded = bytes.fromhex(vector["encoded"])
        assert encode_frame(frame) == encoded
        assert FrameReader().feed(encoded) == [frame]


@pytest.mark.req("R34", "R35")
def test_host_drops_damaged_frames_and_reads_the_next(vectors):
    last = vectors.frames["last"]
    expected = Frame(last["message"], last["request"], bytes.fromhex(last["body"]))
    for vector in vectors.frames["refuse"]:
        reader = FrameReader()
        assert reader.feed(bytes.fromhex(vector["stream"])) == [expected], vector["why"]
        assert reader.dropped == vector["dropped"]


@pytest.fixture(scope="session")
def on_cpython(device, replay, vectors):
    """What the device's code does with the vectors on this interpreter."""
    load = vars(vectors).__getitem__
    return replay.replay_all(device.wire, device.frame, device.cosim_wire, load)


@pytest.fixture(scope="session")
def on_micropython(micropython):
    """What it does with them on a real MicroPython."""
    here = Path(__file__).parent
    firmware, vectors = here.parents[1] / "firmware", here.parent / "vectors"
    command = [micropython, "-X", "heapsize=16M", here / "replay.py", firmware, vectors]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.req("R34", "R35")
def test_device_code_agrees_with_the_vectors(on_cpython):
    assert on_cpython["failures"] == []
    assert on_cpython["schema_hash"] == schema.SCHEMA_HASH


@pytest.mark.req("R34", "R35")
def test_micropython_agrees_with_the_vectors(on_micropython, on_cpython):
    assert on_micropython["failures"] == []
    for key, value in on_cpython.items():
        assert on_micropython[key] == value


def test_framing_takes_no_heap_for_each_byte(on_micropython):
    short, long = on_micropython["heap_short_frame"], on_micropython["heap_long_frame"]
    assert 0 < long <= short + 64
