"""Framing: what is sent arrives, damage never does, and the next zero byte is a new start."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol.frame import ENCODED_MAX, Frame, FrameReader, decode_frame, encode_frame
from mesogun_protocol.limits import FRAME_BODY_MAX

# Zeros, and runs as long as a COBS block, are what an encoder can get wrong.
bodies = st.one_of(
    st.binary(max_size=FRAME_BODY_MAX),
    st.lists(st.sampled_from([b"\0", b"\0\0\0", b"\x01" * 253, b"\xff" * 254, b"ab"])).map(
        lambda parts: b"".join(parts)[:FRAME_BODY_MAX]
    ),
)
frames = st.builds(Frame, message=st.integers(0, 0xFF), request=st.integers(0, 0xFFFF), body=bodies)
garbage = st.one_of(
    st.binary(max_size=60),
    st.integers(ENCODED_MAX - 2, 3 * ENCODED_MAX).map(lambda length: b"\x01" * length),
    st.tuples(frames.map(encode_frame), st.integers(1, 600)).map(lambda pair: pair[0][: -pair[1]]),
)
streams = st.lists(st.one_of(garbage, frames.map(encode_frame), st.just(b"\0"))).map(b"".join)


def _content(frame):
    return bytes([frame.message, frame.request & 0xFF, frame.request >> 8]) + frame.body


def _read_by_host(stream, piece):
    reader = FrameReader()
    found = []
    for start in range(0, len(stream), piece):
        found += reader.feed(stream[start : start + piece])
    return [_content(frame) for frame in found], reader.dropped


@given(frames)
def test_host_and_device_encode_the_same_bytes(device, replay, frame):
    encoded = encode_frame(frame)
    assert b"\0" not in encoded[:-1]
    assert len(encoded) <= ENCODED_MAX + 1
    assert replay.encode(device.frame, _content(frame)) == encoded


@pytest.mark.req("R35")
@given(st.lists(frames, max_size=5), st.integers(1, 700))
def test_frames_arrive_however_the_stream_is_cut(device, replay, sent, piece):
    stream = b"".join(map(encode_frame, sent))
    expected = [_content(frame) for frame in sent], 0
    assert _read_by_host(stream, piece) == expected
    assert replay.read_frames(device.frame, stream, piece) == expected


@pytest.mark.req("R35")
@given(garbage, frames, frames, st.integers(1, 700))
def test_readers_are_in_step_again_within_one_frame(device, replay, before, first, second, piece):
    stream = before + encode_frame(first) + encode_frame(second)
    for found, _ in (
        _read_by_host(stream, piece),
        replay.read_frames(device.frame, stream, piece),
    ):
        assert found[-1] == _content(second)
        assert set(found) <= {_content(first), _content(second)}


@pytest.mark.req("R35")
@given(streams, st.integers(1, 700))
def test_host_and_device_agree_on_any_stream(device, replay, stream, piece):
    assert replay.read_frames(device.frame, stream, piece) == _read_by_host(stream, piece)


@pytest.mark.parametrize(
    ("message", "request_id", "body"),
    [(-1, 0, b""), (256, 0, b""), (0, -1, b""), (0, 65536, b""), (0, 0, bytes(513))],
)
def test_what_does_not_fit_is_not_encoded(message, request_id, body):
    with pytest.raises(ValueError, match=r"exceeds|format requires|range"):
        encode_frame(Frame(message, request_id, body))


def test_a_frame_that_was_read_stands_although_the_caller_stops_looking():
    reader = FrameReader()
    one, two = Frame(1, 1, b"one"), Frame(2, 2, b"two")
    stream = encode_frame(one) + encode_frame(two)
    assert reader.feed(stream[:-3])[:1] == [one]
    assert reader.feed(stream[-3:]) == [two]


def _flipped(data: bytes, bits: int) -> bytes:
    return (int.from_bytes(data, "little") ^ bits).to_bytes(len(data), "little")


SHORT = encode_frame(Frame(0x28, 7, b"\x03\x00\x00\x00\x78\x56\x34\x12"))[:-1]
LONG = encode_frame(Frame(0x83, 9, bytes(range(81))))[:-1]
LONGEST = encode_frame(Frame(0xB0, 9, random.Random(1).randbytes(FRAME_BODY_MAX)))[:-1]


@pytest.mark.req("R34")
@pytest.mark.parametrize("encoded", [SHORT, LONG, LONGEST], ids=["short", "long", "longest"])
def test_every_single_bit_error_is_refused(encoded):
    for bit in range(8 * len(encoded)):
        assert decode_frame(_flipped(encoded, 1 << bit)) is None


@pytest.mark.req("R34")
@pytest.mark.parametrize("encoded", [SHORT, LONG], ids=["short", "long"])
def test_every_double_bit_error_is_refused(encoded):
    bits = 8 * len(encoded)
    for first in range(bits):
        for second in range(first):
            assert decode_frame(_flipped(encoded, 1 << first | 1 << second)) is None


@pytest.mark.req("R34")
def test_every_burst_of_up_to_16_bits_is_refused():
    """Each burst of 10 bits at most at each place; longer ones, of which there are many, by lot."""
    bits = 8 * len(SHORT)
    for at in range(bits - 10):
        for burst in range(1, 1 << 10, 2):
            assert decode_frame(_flipped(SHORT, burst << at)) is None
    chance = random.Random(2)
    for at in range(bits - 16):
        for _ in range(500):
            burst = 1 | chance.getrandbits(16)
            assert decode_frame(_flipped(SHORT, burst << at)) is None


@pytest.mark.req("R34")
def test_errors_in_an_odd_number_of_bits_are_refused():
    chance = random.Random(3)
    bits = 8 * len(LONG)
    for _ in range(50_000):
        places = chance.sample(range(bits), chance.randrange(3, 32, 2))
        assert decode_frame(_flipped(LONG, sum(1 << place for place in places))) is None


@pytest.mark.req("R34")
def test_none_of_a_million_random_corruptions_is_accepted():
    chance = random.Random(4)
    length = len(SHORT)
    sound = int.from_bytes(SHORT, "little")
    accepted = 0
    for _ in range(1_000_000):
        damage = chance.getrandbits(8 * length)
        if damage and decode_frame((sound ^ damage).to_bytes(length, "little")):
            accepted += 1
    assert accepted == 0
