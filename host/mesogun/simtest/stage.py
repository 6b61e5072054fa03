"""The gun of one seed in its surroundings, and the mishaps that befall them."""

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from mesogun.catalog import get_needle, get_syringe
from mesogun.link import Faults, FaultyTransport
from mesogun.ports import Simulation
from mesogun.simtest.draw import Anchor, Mishap, Scenario, Trouble
from mesogun.simtest.gate import DOSING
from mesogun.simtest.rules import Broken, Rule
from mesogun.simtest.witness import Witness
from mesogun.simtest.worn_flash import WornFlash
from mesogun.virtual.firmware import Firmware
from mesogun.virtual.forked import ForkServer
from mesogun.virtual.panel import Operator, Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.world import World
from mesogun_protocol import cosim
from mesogun_protocol.frame import Frame, FrameReader, encode_frame

BOARD_ID: Final = bytes.fromhex("5eed5eed5eed5eed")
EPOCH: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
"""When every simulated world begins: the first request number of a host comes from the time."""

LONGEST_S: Final = 600
"""Of simulated time; a world takes a minute. One that hangs is stopped by this and by nothing
that depends on the machine that simulates it."""

_SUPPLY_SAGS_TO_V: Final = 5.0
_BUBBLE_UL: Final = 200.0
_NEXT_S: Final = 0.5
"""A moment that no flash operation measures lies within this time."""

Tell = Callable[[int, str], None]


class Port:
    """The sound port of the gun; implements `Transport`. The host's time is the world's."""

    name = "sim"

    def __init__(self, world: World) -> None:
        """Plug it in."""
        self._world = world
        self._opened = 0
        self._frames = FrameReader()
        self._dose: Frame | None = None

    def open_anew(self) -> None:
        """Lose what the gun has said to nobody; the next host begins a second later.

        No two hosts begin in one millisecond, which is what their request numbers come from.
        """
        self._opened += 1
        self._world.receive()

    def write(self, data: bytes) -> None:
        """Send `data`."""
        for frame in self._frames.feed(data):
            if frame.message in DOSING:
                self._dose = frame
        self._world.send(data)

    def replay(self) -> None:
        """Send the last dose command once more, as somebody does who has recorded it."""
        if self._dose is not None:
            self._world.send(b"\0" + encode_frame(self._dose))

    def read(self, timeout_s: float) -> bytes:
        """Let time pass until the gun says something or `timeout_s` is over."""
        self.check_time()
        world = self._world
        world.run(world.now_ns + round(timeout_s * 1e9 + 0.5))
        return world.receive()

    def check_time(self) -> None:
        """End a world that does not come to its end."""
        if self._world.now_ns > LONGEST_S * 1e9:
            raise Broken(Rule.ENDS, f"the world still runs after {LONGEST_S} s")

    def monotonic_s(self) -> float:
        """Return simulated seconds."""
        return self._world.now_ns / 1e9

    def wall_clock(self) -> datetime:
        """Return simulated time of day."""
        return EPOCH + timedelta(seconds=self._opened + self.monotonic_s())

    def close(self) -> None:
        """Nothing to do: the gun goes on."""


class _Hands(Operator):
    """The operator's hands, and everything else that happens at a time of its own."""

    def __init__(self, panel: Panel, seed: int, lazy: bool) -> None:
        super().__init__(panel, seed)
        self._lazy = lazy
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._entries = 0

    def at(self, at_ns: int, act: Callable[[], None]) -> None:
        """Do something when this time has come."""
        self._entries += 1
        heapq.heappush(self._agenda, (at_ns, self._entries, act))

    def rest(self) -> None:
        """Forget everything that was still to happen."""
        self._lazy = True
        self._agenda.clear()

    def next_ns(self, now_ns: int) -> int | None:
        times = [entry[0] for entry in self._agenda[:1]]
        if not self._lazy and (hand_ns := super().next_ns(now_ns)) is not None:
            times.append(hand_ns)
        return min(times, default=None)

    def act(self, now_ns: int) -> None:
        while self._agenda and self._agenda[0][0] <= now_ns:
            heapq.heappop(self._agenda)[2]()
        if not self._lazy:
            super().act(now_ns)


class Stage:
    """One gun, watched, and what befalls it.

    Args:
        scenario: what is drawn.
        firmware: folder of compiled firmware for the scenario's journal.
        server: starts it.
        tell: takes a trace line by line, None if nobody wants it.

    Attributes:
        port: the gun's sound port.
        cable: the cable to it.
    """

    def __init__(
        self, scenario: Scenario, firmware: Path, server: ForkServer, tell: Tell | None
    ) -> None:
        """Put everything in its place and switch the gun on."""
        seed = scenario.seed
        self._waiting = list(scenario.mishaps)
        self._tallies = dict.fromkeys(Anchor, 0)
        self._tell = tell
        self._on = False
        self.witness = Witness(tell)
        self.witness.tally = self._tally
        self.panel = Panel()
        self.flash = WornFlash(seed, scenario.wear, scenario.journal_sectors, scenario.used_slots)
        self.flash.watch = self._flash_works
        self.flash.noted = self.witness.note
        settings = Simulation(
            get_syringe(scenario.syringe),
            get_needle(scenario.needle),
            seed=seed,
            speed=None,
        ).settings()
        self.plant = Plant(settings.plant.drawn(seed), seed)
        self._hands = _Hands(self.panel, seed, scenario.lazy)
        self.world = World(
            self.plant,
            self.flash,
            BOARD_ID,
            self.panel,
            self._hands,
            not scenario.one_point,
            self._see,
            lambda: Firmware(firmware, server.start),
        )
        self._on = True
        self.world.scope = self.witness.run
        self.port = Port(self.world)
        self.cable = self._bad_cable = FaultyTransport(self.port, scenario.cable)
        self._schedule_times()

    def pass_time(self, seconds: float) -> None:
        """Let time pass in which nobody listens to the gun."""
        self.world.run_unheard(self.world.now_ns + round(seconds * 1e9))
        self.port.check_time()

    def calm_down(self) -> None:
        """End every mishap, fetch a good cable, and let nothing more go wrong."""
        self.cable = FaultyTransport(self.port, Faults())
        self._waiting.clear()
        self._hands.rest()
        panel, faults = self.panel, self.plant.faults
        panel.trigger = False
        panel.interlock_closed = panel.seated = True
        faults.occlude(1.0)
        faults.trap_air(0.0)
        faults.free_force_sensor()
        faults.restore_supply()

    def cable_counts(self) -> Counter[str]:
        """Return how often each fault of the cable has happened."""
        return self._bad_cable.cable.counts

    def close(self) -> None:
        """Switch the gun off."""
        self.world.close()

    # What is seen

    def _see(self, now_ns: int, name: str, fields: dict[str, Any]) -> None:
        witness = self.witness
        if name == cosim.BOOTED.name:
            # What the boot before wrote last is its own.
            self.flash.written()
        witness.message(now_ns, name, fields)
        if name == cosim.WAIT.name and self._on:
            witness.at_rest(now_ns, self.world.stream)

    def _tally(self, anchor: Anchor) -> None:
        self._tallies[anchor] += 1
        number = self._tallies[anchor]
        for mishap in self._due(anchor, number):
            self._befall(mishap, self.world.now_ns + round(mishap.moment.share * _NEXT_S * 1e9))

    def _flash_works(self, number: int, duration_ns: int) -> None:
        if not self._on:
            return
        world = self.world
        if self._tell is not None:
            self._tell(world.now_ns, f"flash operation {number} takes {duration_ns} ns")
        for mishap in self._due(Anchor.FLASH, number):
            self._befall(mishap, world.now_ns + int(mishap.moment.share * duration_ns))

    def _due(self, anchor: Anchor, number: int) -> list[Mishap]:
        due = [
            mishap
            for mishap in self._waiting
            if mishap.moment.anchor is anchor and mishap.moment.number == number
        ]
        for mishap in due:
            self._waiting.remove(mishap)
        return due

    def _schedule_times(self) -> None:
        for mishap in [m for m in self._waiting if m.moment.anchor is Anchor.TIME]:
            self._waiting.remove(mishap)
            at_ns = mishap.moment.number * 1_000_000
            self._hands.at(at_ns, partial(self._befall, mishap, at_ns))

    # What happens

    def _befall(self, mishap: Mishap, at_ns: int) -> None:
        """Let a mishap happen at a time."""
        trouble, world = mishap.trouble, self.world
        lasting_ns = round(mishap.lasting_s * 1e9)
        self.witness.counts[trouble.value] += 1
        if self._tell is not None:
            self._tell(world.now_ns, f"mishap: {trouble.value} at {at_ns} for {lasting_ns} ns")
        if trouble is Trouble.POWER:
            world.cut_power_at(at_ns)
        elif trouble is Trouble.WATCHDOG:
            world.reset_at(at_ns)
        elif trouble is Trouble.HANG:
            world.reset_at(at_ns + lasting_ns)
            self._hands.at(at_ns, lambda: world.hang(at_ns + lasting_ns))
        else:
            self._hands.at(at_ns, self._begin(trouble))
            self._hands.at(at_ns + lasting_ns, self._end(trouble))

    def _begin(self, trouble: Trouble) -> Callable[[], None]:
        panel, faults = self.panel, self.plant.faults

        acts: dict[Trouble, Callable[[], None]] = {
            Trouble.INTERLOCK: lambda: setattr(panel, "interlock_closed", False),
            Trouble.SYRINGE: lambda: setattr(panel, "seated", False),
            Trouble.SUPPLY: lambda: faults.sag_supply(_SUPPLY_SAGS_TO_V),
            Trouble.OCCLUSION: lambda: faults.occlude(0.0),
            Trouble.BUBBLE: lambda: faults.trap_air(_BUBBLE_UL),
            Trouble.SENSOR: lambda: faults.stick_force_sensor(0),
            Trouble.TRIGGER: lambda: setattr(panel, "trigger", not panel.trigger),
            Trouble.UNPLUGGED: self.cable.cable.unplug,
            Trouble.REPLAY: self.port.replay,
        }
        return acts[trouble]

    def _end(self, trouble: Trouble) -> Callable[[], None]:
        panel, faults = self.panel, self.plant.faults

        acts: dict[Trouble, Callable[[], None]] = {
            Trouble.INTERLOCK: lambda: setattr(panel, "interlock_closed", True),
            Trouble.SYRINGE: lambda: setattr(panel, "seated", True),
            Trouble.SUPPLY: faults.restore_supply,
            Trouble.OCCLUSION: lambda: faults.occlude(1.0),
            Trouble.BUBBLE: lambda: faults.trap_air(0.0),
            Trouble.SENSOR: faults.free_force_sensor,
            Trouble.TRIGGER: lambda: setattr(panel, "trigger", False),
            Trouble.UNPLUGGED: lambda: None,
            Trouble.REPLAY: lambda: None,
        }
        return acts[trouble]
