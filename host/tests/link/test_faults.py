"""Each fault of a bad cable shows as what it is called, and a seed makes it come again."""

import math
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesogun.errors import LinkError, PortError, UsageError
from mesogun.link import Faults, FaultyTransport
from mesogun.link.cable import USB
from mesogun.link.faults import CHANCES, FaultsError


class Wire:
    """A sound transport to nobody, in simulated time: what arrives when is told beforehand.

    Attributes:
        heard: what the other end got, with the time of each piece.
    """

    name = "wire"

    def __init__(self, arrivals: Iterable[tuple[float, bytes]] = ()) -> None:
        self.now_s = 0.0
        self.arrivals = list(arrivals)
        self.heard: list[tuple[float, bytes]] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.heard.append((self.now_s, data))

    def read(self, timeout_s: float) -> bytes:
        until_s = self.now_s + timeout_s
        if self.arrivals and self.arrivals[0][0] <= until_s:
            at_s, data = self.arrivals.pop(0)
            self.now_s = max(self.now_s, at_s)
            return data
        self.now_s = until_s
        return b""

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_clock(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now_s)

    def close(self) -> None:
        self.closed = True


FRAMES = [bytes([65 + n]) * (n + 2) + b"\0" for n in range(6)]
EVERY_S = 0.1


def arrived(
    faults: Faults, frames: Iterable[bytes] = FRAMES, for_s: float = 20.0
) -> tuple[list[tuple[float, bytes]], FaultyTransport]:
    """What the host gets of frames that come every 100 ms, piece by piece."""
    wire = Wire((EVERY_S * n, data) for n, data in enumerate(frames))
    transport = FaultyTransport(wire, faults)
    got: list[tuple[float, bytes]] = []
    while (left_s := for_s - transport.monotonic_s()) > 0:
        data = transport.read(left_s)
        if data:
            got.append((round(transport.monotonic_s(), 6), data))
    return got, transport


def pieces(got: Iterable[tuple[float, bytes]]) -> list[bytes]:
    return [data for _, data in got]


def test_a_cable_without_faults_changes_nothing() -> None:
    got, transport = arrived(Faults())
    assert got == [(pytest.approx(EVERY_S * n), data) for n, data in enumerate(FRAMES)]
    transport.write(b"\0abc\0")
    transport.write(b"\0de\0\0f\0")
    wire = transport._inner
    assert isinstance(wire, Wire)
    assert pieces(wire.heard) == [b"\0abc\0", b"\0de\0", b"\0f\0"]
    assert transport.cable.counts.total() == 0
    assert (transport.name, transport.wall_clock().year) == ("wire", 2030)
    transport.close()
    assert wire.closed


def test_a_dropped_frame_does_not_come() -> None:
    got, transport = arrived(Faults(drop=0.5, seed=1))
    assert 0 < len(got) < len(FRAMES)
    assert set(pieces(got)) < set(FRAMES)
    assert transport.cable.counts == {"drop": len(FRAMES) - len(got)}
    assert arrived(Faults(drop=1))[0] == []


def test_a_duplicated_frame_comes_twice() -> None:
    got, _ = arrived(Faults(duplicate=1, hold_s=0))
    assert pieces(got) == [frame * 2 for frame in FRAMES]
    late, _ = arrived(Faults(duplicate=1, seed=3))
    whole = b"".join(pieces(late))
    assert all(whole.count(frame) == 2 for frame in FRAMES)
    assert whole != b"".join(frame * 2 for frame in FRAMES)


def test_a_frame_is_overtaken_by_the_next_one() -> None:
    got, transport = arrived(Faults(reorder=1))
    a, b, c, d, e, f = FRAMES
    assert b"".join(pieces(got)) == b + a + d + c + f + e
    assert transport.cable.counts == {"reorder": 3}


def test_a_frame_that_none_follows_comes_late() -> None:
    for fault in ("reorder", "glue"):
        got, _ = arrived(Faults.parse(f"{fault}=1&hold_s=0.25"), FRAMES[:1])
        assert got == [(0.25, FRAMES[0])]


def test_two_frames_come_in_one_piece() -> None:
    got, _ = arrived(Faults(glue=1))
    a, b, c, d, e, f = FRAMES
    assert got == [(0.1, a + b), (0.3, c + d), (0.5, e + f)]


def test_a_corrupted_frame_has_its_length_and_up_to_three_other_bytes() -> None:
    frames = [bytes(range(1, 60)) + b"\0"] * 200
    wire = Wire()
    transport = FaultyTransport(wire, Faults(corrupt=1))
    for frame in frames:
        transport.write(frame)
    changes = [
        [at for at in range(60) if frame[at] != got[at]]
        for frame, got in zip(frames, pieces(wire.heard), strict=True)
    ]
    assert {len(change) for change in changes} == {1, 2, 3}
    assert all(change[-1] - change[0] < 3 for change in changes)
    assert {change[0] for change in changes} > {0, 59}


def test_a_frame_is_split_at_every_place() -> None:
    frame = b"abcde\0"
    cuts: set[int] = set()
    for seed in range(100):
        got, _ = arrived(Faults(split=1, seed=seed), [frame])
        assert b"".join(pieces(got)) == frame
        cuts.add(len(got[0][1]) if len(got) == 2 else 0)
        assert got[-1][0] <= 0.05
    assert cuts == {0, 1, 2, 3, 4, 5}


def test_delayed_frames_keep_their_order() -> None:
    got, _ = arrived(Faults(delay_s=0.5, seed=2))
    assert b"".join(pieces(got)) == b"".join(FRAMES)
    lags = [at_s - EVERY_S * FRAMES.index(data) for at_s, data in got if data in FRAMES]
    assert lags
    assert 0.05 < max(lags) <= 0.5 * len(FRAMES)


def test_a_stalled_direction_stands_still() -> None:
    stalled = [Faults(stall=0.3, seed=seed, stall_s=1.0) for seed in range(20)]
    for got, transport in map(arrived, stalled):
        times = transport.cable.counts["stall"]
        assert b"".join(pieces(got)) == b"".join(FRAMES)
        assert got[-1][0] == pytest.approx(0.5) if not times else got[-1][0] >= times
        assert all(later - at >= 0.1 - 1e-9 for (at, _), (later, _) in pairwise(got))


def test_an_unplugged_cable_is_a_lost_port_until_it_is_plugged_in_again() -> None:
    wire = Wire([(0.5, b"lost\0"), (2.5, b"lost too\0"), (4.0, b"back\0")])
    transport = FaultyTransport(wire, Faults(unplug=1, replug_s=2.0))
    transport.write(b"never there\0")
    with pytest.raises(LinkError, match=r"connection on wire is lost \(unplugged\)"):
        transport.write(b"x\0")
    with pytest.raises(PortError, match="Cannot open wire: there is no such port"):
        transport.reopen()
    with pytest.raises(LinkError, match="is lost"):
        transport.read(3.0)
    assert transport.monotonic_s() == 3.0
    transport.reopen()
    transport.cable._to_host._faults = Faults()  # one pull is enough
    assert transport.read(2.0) == b"back\0"
    assert wire.heard == []
    assert transport.cable.counts == {"unplug": 1}


def test_a_hand_can_pull_the_plug_in_the_middle_of_a_frame() -> None:
    wire = Wire([(0.0, b"half a fra"), (0.01, b"me\0next\0")])
    transport = FaultyTransport(wire, Faults(replug_s=0))
    assert transport.read(0.005) == b""
    transport.cable.unplug()
    with pytest.raises(LinkError):
        transport.read(0)
    transport.reopen()
    assert transport.read(1.0) == b"me\0next\0"


def test_a_usb_buffer_loses_what_nobody_fetched_in_time() -> None:
    frames = [bytes([65 + n]) * 99 + b"\0" for n in range(10)]
    faults = Faults(stall=1, stall_s=1.0, usb_buffer=250)
    wire = Wire((0.03 * n, data) for n, data in enumerate(frames))
    transport = FaultyTransport(wire, faults)
    got = b""
    while transport.monotonic_s() < 20:
        got += transport.read(1.0)
    # Each frame stalls the line for another second: the first two and a half stay in the buffer.
    assert got == frames[0] + frames[1] + frames[2][:50]
    assert transport.cable.counts[USB] == 8


def test_a_usb_buffer_loses_what_a_host_that_does_not_listen_leaves_there() -> None:
    wire = Wire([(0.0, b"a" * 199 + b"\0" + b"b" * 199 + b"\0")])
    transport = FaultyTransport(wire, Faults(usb_buffer=256))
    wire.now_s = 0.6
    assert transport.read(1.0) == b"a" * 199 + b"\0" + b"b" * 56
    wire.arrivals.append((0.7, b"c" * 999 + b"\0"))
    assert transport.read(1.0) == b"c" * 999 + b"\0"  # taken as it comes


def test_bytes_that_are_no_frames_get_through_when_they_pause() -> None:
    wire = Wire([(0.0, b"MicroPython"), (0.01, b" v1.28\r\n"), (1.0, b"x" * 5000)])
    transport = FaultyTransport(wire, Faults())
    assert transport.read(1.0) == b"MicroPython v1.28\r\n"
    assert transport.monotonic_s() == pytest.approx(0.03)
    assert transport.read(1.0) == b"x" * 5000


@pytest.mark.parametrize("name", CHANCES)
@settings(max_examples=30)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(1, 40), max_size=8))
def test_the_same_stream_meets_the_same_faults_however_it_is_cut(
    name: str, seed: int, cuts: list[int]
) -> None:
    stream = b"".join(FRAMES * 3)
    marks = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    faults = Faults.parse(f"{name}=0.3&seed={seed}")
    outcomes: list[tuple[bytes, dict[str, int]]] = []
    for piece_marks in ([0, len(stream)], marks):
        wire = Wire()
        transport = FaultyTransport(wire, faults)
        for at, end in pairwise(piece_marks):
            if transport.cable.unplugged_s is None:
                transport.write(stream[at:end])
        try:
            for _ in range(100):
                transport.read(0.3)
        except LinkError:
            pass
        # What was under way when the plug was pulled is lost with it.
        heard = b"" if name == "unplug" else b"".join(pieces(wire.heard))
        outcomes.append((heard, dict(transport.cable.counts)))
    assert outcomes[0] == outcomes[1]


def test_another_seed_is_another_cable_and_so_is_the_other_direction() -> None:
    lost = {tuple(pieces(arrived(Faults(drop=0.5, seed=seed), FRAMES * 4)[0])) for seed in range(8)}
    assert len(lost) == 8
    wire = Wire((0.0, frame) for frame in FRAMES * 4)
    transport = FaultyTransport(wire, Faults(drop=0.5))
    for frame in FRAMES * 4:
        transport.write(frame)
    assert pieces(wire.heard) != pieces(arrived(Faults(drop=0.5), FRAMES * 4)[0])


def test_a_fault_does_not_change_what_another_one_does() -> None:
    alone, _ = arrived(Faults(drop=0.3, seed=5), FRAMES * 4)
    both, _ = arrived(Faults(drop=0.3, delay_s=0.01, seed=5), FRAMES * 4)
    assert b"".join(pieces(alone)) == b"".join(pieces(both))


@given(
    st.fixed_dictionaries({name: st.floats(0, 0.3) for name in CHANCES if name != "unplug"}),
    st.integers(0, 1 << 32),
)
def test_a_read_ends_in_time_whatever_the_cable_does(chances: dict[str, float], seed: int) -> None:
    transport = FaultyTransport(
        Wire((0.05 * n, frame) for n, frame in enumerate(FRAMES * 5)),
        Faults(**chances, seed=seed, delay_s=0.2, usb_buffer=64),
    )
    for timeout_s in (0, 0.001, 0.3, 0.1) * 20:
        before_s = transport.monotonic_s()
        data = transport.read(timeout_s)
        passed_s = transport.monotonic_s() - before_s
        assert passed_s <= timeout_s + 1e-9
        assert data or passed_s >= timeout_s - 1e-9


def test_a_url_tells_every_figure() -> None:
    text = "&".join(f"{field.name}={field.default}" for field in fields(Faults))
    assert Faults.parse(text) == Faults() == Faults.parse("")
    assert Faults.parse("drop=1e-2&seed=7&stall_s=2") == Faults(drop=0.01, seed=7, stall_s=2.0)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("drop=1.5", r"drop=1\.5 cannot be: 0 to 1 is possible"),
        ("drop=-0.1", r"drop=-0\.1 cannot be: 0 to 1"),
        ("drop=nan", "drop=nan cannot be"),
        ("stall_s=61", r"stall_s=61\.0 cannot be: 0 to 60"),
        ("seed=-1", "seed=-1 cannot be"),
        ("seed=1.5", r"seed='1\.5' cannot be: a whole number"),
        ("usb_buffer=2000000", "usb_buffer=2000000 cannot be: 0 to 1.04858e"),
        ("delay_s=soon", "delay_s='soon' cannot be: a number from 0 to 60"),
        ("drop", "drop='' cannot be: a number from 0 to 1"),
        ("drop=0.1&drop=0.2", "drop is given twice"),
        ("dorp=0.1", "no fault 'dorp' of a cable; there are drop, duplicate"),
    ],
)
def test_figures_that_cannot_be(query: str, text: str) -> None:
    with pytest.raises(FaultsError, match=text) as caught:
        Faults.parse(query)
    assert isinstance(caught.value, UsageError)


def test_a_figure_that_cannot_be_in_code() -> None:
    with pytest.raises(FaultsError, match="hold_s=inf"):
        Faults(hold_s=math.inf)
