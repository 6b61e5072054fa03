"""A cable between a host and a `FakeGun`, in simulated time, that does to bytes what cables do."""

import heapq
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from mesogun.errors import LinkError
from tests.fake_gun import FakeGun

Disturbance = Callable[[bytes], Iterable[tuple[int, bytes]]]
"""Turns what is sent into what arrives: pieces, each with its extra delay in microseconds."""


def intact(data: bytes) -> list[tuple[int, bytes]]:
    return [(0, data)]


def silence(_: bytes) -> list[tuple[int, bytes]]:
    return []


class FakeCable:
    """A `Transport` to a `FakeGun`; time moves only in `read`.

    Attributes:
        to_gun, to_host: what the cable does to each piece that is sent.
        sent: every piece that the host wrote.
        drift: seconds that the gun's clock gains a second.
    """

    name = "fake"

    def __init__(self, gun: FakeGun, *, latency_us: int = 1000, start_us: int = 0) -> None:
        self.gun = gun
        self.latency_us = latency_us
        self.now_us = start_us
        self.to_gun: Disturbance = intact
        self.to_host: Disturbance = intact
        self.sent: list[bytes] = []
        self.drift = 0.0
        self.unplugged = False
        self.closed = False
        self._arrived = bytearray()
        self._under_way: list[tuple[int, int, str, bytes]] = []
        self._count = 0

    def gun_ms(self) -> int:
        return int(self.now_us * (1 + self.drift)) // 1000

    def write(self, data: bytes) -> None:
        self._check()
        self.sent.append(data)
        self._send("gun", self.to_gun(data))

    def say(self, data: bytes) -> None:
        """Let bytes that no gun would send arrive at the host."""
        self._send("host", [(0, data)])

    def read(self, timeout_s: float) -> bytes:
        self._check()
        deadline_us = self.now_us + round(timeout_s * 1e6)
        self._deliver()
        while not self._arrived and self.now_us < deadline_us:
            self.now_us = int(min(self._next_us(), deadline_us))
            self._deliver()
        data, self._arrived = bytes(self._arrived), bytearray()
        return data

    def monotonic_s(self) -> float:
        return self.now_us / 1e6

    def wall_clock(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.now_us)

    def close(self) -> None:
        self.closed = True

    def _check(self) -> None:
        if self.unplugged or self.closed:
            raise LinkError("The connection on fake is lost.")

    def _next_us(self) -> float:
        shot_ms = self.gun.due_ms()
        shot_us = math.inf if shot_ms is None else int((shot_ms + 1) * 1000 / (1 + self.drift))
        return min(shot_us, self._under_way[0][0] if self._under_way else math.inf)

    def _send(self, to: str, pieces: Iterable[tuple[int, bytes]]) -> None:
        for delay_us, data in pieces:
            self._count += 1
            due_us = self.now_us + self.latency_us + delay_us
            heapq.heappush(self._under_way, (due_us, self._count, to, data))

    def _deliver(self) -> None:
        self.gun.tick(self.gun_ms())
        self._collect()
        while self._under_way and self._under_way[0][0] <= self.now_us:
            _, _, to, data = heapq.heappop(self._under_way)
            if to == "host":
                self._arrived += data
            else:
                self.gun.take(data, self.gun_ms())
                self._collect()

    def _collect(self) -> None:
        for data in self.gun.output():
            self._send("host", self.to_host(data))
