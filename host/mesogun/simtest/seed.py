"""Runs the world of one seed to its end and judges it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mesogun.records import Store
from mesogun.simtest.check import check_sessions, check_store, check_tampering
from mesogun.simtest.disk import Disk
from mesogun.simtest.draw import Scenario, draw
from mesogun.simtest.person import Person
from mesogun.simtest.process import Process, SimulatedGun
from mesogun.simtest.rules import Broken, Rule
from mesogun.simtest.stage import Stage, Tell
from mesogun.simtest.witness import Boot
from mesogun.sync import sync_gun
from mesogun.virtual.forked import ForkServer
from mesogun_protocol.enums import ControllerState

_OLD_FRAMES_S: Final = 5.0
"""What a bad cable still holds back, and what a reset was still to do, is over after this."""
_ROUNDS: Final = 6


@dataclass(frozen=True)
class Outcome:
    """What became of one seed.

    Attributes:
        seed: which.
        broken: the rule that does not hold, None if all do.
        counts: how often things happened.
        simulated_s: how long the world ran.
    """

    seed: int
    broken: Broken | None
    counts: Counter[str] = field(default_factory=Counter[str])
    simulated_s: float = 0.0


@dataclass(frozen=True)
class Workshop:
    """What all worlds of a process share.

    Attributes:
        firmware: compiled firmware by the number of its journal's sectors.
        server: starts it.
        disk: where the host keeps its store.
    """

    firmware: dict[int, Path]
    server: ForkServer
    disk: Disk


def run_seed(seed: int, workshop: Workshop, tell: Tell | None = None) -> Outcome:
    """Run the world of `seed`, to its end or to the first rule that does not hold.

    Args:
        seed: at least 0.
        workshop: see there.
        tell: takes simulated time in ns and a line of the trace; None for no trace.
    """
    scenario = draw(seed)
    if tell is not None:
        for line in scenario.lines():
            tell(0, f"drawn: {line}")
    outcome = _run(scenario, workshop, tell)
    if tell is not None:
        for name, count in sorted(outcome.counts.items()):
            tell(round(outcome.simulated_s * 1e9), f"count: {name} {count}")
        tell(round(outcome.simulated_s * 1e9), f"end: {outcome.broken or 'all rules hold'}")
    return outcome


def _run(scenario: Scenario, workshop: Workshop, tell: Tell | None) -> Outcome:
    stage: Stage | None = None
    broken: Broken | None = None
    try:
        firmware = workshop.firmware[scenario.journal_sectors]
        stage = Stage(scenario, firmware, workshop.server, tell)
        workshop.disk.wipe()
        Person(scenario, stage, workshop.disk, tell).work()
        _judge(scenario, stage, workshop.disk, tell)
    except Broken as found:
        broken = found
    except Exception as error:  # noqa: BLE001 (what nobody foresaw is told with its seed)
        broken = Broken(Rule.ENDS, f"{type(error).__name__}: {error}")
        broken.__cause__ = error
    if stage is None:
        return Outcome(scenario.seed, broken)
    stage.close()
    counts = stage.witness.counts
    counts.update({f"cable: {name}": count for name, count in stage.cable_counts().items()})
    return Outcome(scenario.seed, broken, counts, stage.world.now_ns / 1e9)


def _judge(scenario: Scenario, stage: Stage, disk: Disk, tell: Tell | None) -> None:
    """Bring the gun to rest on a good cable, fetch everything, and check all of it."""
    stage.calm_down()
    stage.pass_time(_OLD_FRAMES_S)
    process = Process(stage, disk, None, ())
    with process.running() as store:
        gun = SimulatedGun(process, stage)
        gun.stop()
        _check_counts(gun, stage.witness.boot)
        sync_gun(gun, store)
        stage.world.cut_power()
        stage.pass_time(1.0)
        gun = SimulatedGun(process, stage)
        if gun.status().state not in (ControllerState.UNLOADED, ControllerState.FAULT):
            raise Broken(Rule.AT_REST, f"after a power cut the gun is {gun.status().state.name}")
        _fetch_all(gun, store)
        check_store(disk.database, stage.flash, stage.witness.boots)
        check_sessions(store, stage.flash)
        done = check_tampering(store, disk.database, scenario.tampering)
        if tell is not None:
            tell(stage.world.now_ns, f"tampered: {done}")


def _check_counts(gun: SimulatedGun, boot: Boot) -> None:
    status = gun.status()
    told = (status.total_forward_steps, status.total_backward_steps)
    if told != (boot.forward_steps, boot.backward_steps):
        raise Broken(
            Rule.COUNTED,
            f"the gun tells {told} steps forward and backward, the pin made "
            f"{boot.forward_steps} and {boot.backward_steps}",
        )


def _fetch_all(gun: SimulatedGun, store: Store) -> None:
    """Sync until the gun has nothing to tell.

    Its note of what is stored is a record, too, and it writes one also about what the store had
    already: a power cut that takes its note makes it send that again.
    """
    for _ in range(_ROUNDS):
        report = sync_gun(gun, store)
        if not report.stored and not report.duplicates:
            return
        gun.wait(0.5)
    raise Broken(Rule.EXACTLY_ONCE, f"the gun has new records after {_ROUNDS} syncs")
