"""Lets something go wrong between motor and needle of a virtual gun, and sees when it notices."""

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from mesogun.catalog import get_needle, get_syringe
from mesogun.gun import Gun, Status
from mesogun.ports import Simulation
from mesogun.program import PlannedStep
from mesogun.program.alarm import closed_pa, with_alarm
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.plant import Plant
from mesogun_protocol.enums import ControllerState, Fault, RecordKind, StepKind
from mesogun_protocol.records import decode_record

WORKS: Final = {
    "nappage": PlannedStep(
        StepKind.SHOTS, dose_nl=10_000, inject_us=100_000, period_us=250_000, ramp_us=20_000
    ),
    "nappage at 2/s": PlannedStep(
        StepKind.SHOTS, dose_nl=10_000, inject_us=100_000, period_us=500_000, ramp_us=20_000
    ),
    "papules": PlannedStep(
        StepKind.SHOTS, dose_nl=50_000, inject_us=500_000, period_us=1_500_000, ramp_us=50_000
    ),
    "points": PlannedStep(
        StepKind.SHOTS, dose_nl=100_000, inject_us=1_000_000, period_us=2_000_000, ramp_us=50_000
    ),
    "mesoperfusion": PlannedStep(
        StepKind.SHOTS, dose_nl=40_000, inject_us=2_000_000, period_us=20_000_000, ramp_us=50_000
    ),
    "epidermal flow": PlannedStep(StepKind.FLOW, dose_nl=500_000, inject_us=100_000_000),
}
STAYS: Final = ("mesoperfusion",)

_LOOK_S: Final = 0.5
_RELEASED_S: Final = 20.0
"""All that comes out after a blockage has gone comes in that time."""
_OVER: Final = (ControllerState.FAULT, ControllerState.DONE)


@dataclass(frozen=True)
class Case:
    """A work with its syringe and needle; `work` is a key of `WORKS`."""

    work: str
    syringe: str
    needle: str

    def step(self) -> PlannedStep:
        """The step with its alarm, as `mesogun run` gives it to the gun."""
        return with_alarm(
            WORKS[self.work],
            get_syringe(self.syringe),
            get_needle(self.needle),
            1.0,
            self.work in STAYS,
        )


@dataclass(frozen=True)
class Trial:
    """What one gun did.

    Attributes:
        fault: that ended it, NONE if it went on to the end.
        after_s: from the moment in which it went wrong to the fault.
        pushed_nl: what the steps stood for in that time.
        released_nl: what came out of the needle when it was free again.
        pressure_kpa: of the liquid when the gun stopped.
        shots: complete ones.
    """

    fault: Fault
    after_s: float
    pushed_nl: float
    released_nl: float
    pressure_kpa: float
    shots: int


class Running:
    """A virtual gun that does its work."""

    def __init__(self, case: Case, seed: int, count: int, transport: VirtualTransport) -> None:
        """Start it."""
        syringe = get_syringe(case.syringe)
        step = case.step()
        if step.kind is StepKind.SHOTS:
            step = replace(step, count=min(count, syringe.usable_nl * 9 // 10 // step.dose_nl))
        self.case = case
        self.world = transport.world
        self.gun = gun = Gun.open(transport)
        pl_per_step = syringe.pl_per_step(gun.info.lead_nm, gun.info.steps_per_turn)
        fill_nl = min(syringe.usable_nl, step.count * step.dose_nl * 105 // 100 + 1000)
        gun.load_syringe(pl_per_step, fill_nl, step.limit_kpa, 1, closed_pa(syringe, pl_per_step))
        gun.set_limits(step.count * step.dose_nl, step.dose_nl, step.count)
        gun.arm(1, gun.upload([step]).program_crc)
        gun.start(1)
        self.began_ns = self.world.now_ns

    @property
    def plant(self) -> Plant:
        """The physics of the gun."""
        return self.world.plant

    def follow(self, until_ns: int) -> Status:
        """Let time pass until then, or until the work is over."""
        while True:
            status = self.gun.status()
            left_s = (until_ns - self.world.now_ns) / 1e9
            if status.state in _OVER or left_s <= 0:
                return status
            self.world.run_unheard(self.world.now_ns + round(min(left_s, _LOOK_S) * 1e9))

    def pushed_nl(self) -> float:
        """What the forward steps so far stand for."""
        return self.world.stream.forward_steps * self.plant.parameters.nl_per_step

    def fault_ns(self) -> int:
        """When the gun wrote its fault down."""
        records = map(decode_record, self.gun.read_records(1))
        return next(r.time_ms for r in records if r.kind is RecordKind.FAULT) * 1_000_000


@contextmanager
def running(case: Case, seed: int, count: int) -> Generator[Running]:
    """Start a new virtual gun and throw it away afterwards."""
    simulation = Simulation(
        get_syringe(case.syringe),
        get_needle(case.needle),
        seed=seed,
        speed=None,
        new_point_each_shot=case.work not in STAYS,
    )
    transport = VirtualTransport(simulation.settings())
    try:
        yield Running(case, seed, count, transport)
    finally:
        transport.forget()


def spoil(case: Case, seed: int, harm: Callable[[Plant], None], most_s: float = 20.0) -> Trial:
    """Let a gun work for a few shots, do `harm` at a moment that the seed draws, and wait.

    Args:
        case: what it works on.
        seed: draws the gun and the moment.
        harm: what happens to the plant.
        most_s: how long the gun has to notice; three periods if that is longer.
    """
    step = WORKS[case.work]
    draw = random.Random(f"{case} {seed}")
    period_s = step.period_us / 1e6 or 1.0
    begin_s = draw.randrange(2, 6) * period_s + draw.random() * period_s
    most_s = max(most_s, 3 * period_s)
    count = round((begin_s + most_s) / period_s) + 1
    with running(case, seed, count) as work:
        work.follow(work.began_ns + round(begin_s * 1e9))
        began_ns, pushed_nl = work.world.now_ns, work.pushed_nl()
        harm(work.plant)
        status = work.follow(began_ns + round(most_s * 1e9))
        pushed_nl = work.pushed_nl() - pushed_nl
        pressure_kpa = work.plant.pressure_kpa
        after_s = (
            (work.fault_ns() - began_ns) / 1e9
            if status.fault is not Fault.NONE
            else (work.world.now_ns - began_ns) / 1e9
        )
        work.gun.stop()
        before_nl = work.plant.needle_nl
        work.plant.faults.occlude(1.0)
        work.world.run_unheard(work.world.now_ns + round(_RELEASED_S * 1e9))
        released_nl = work.plant.needle_nl - before_nl
    return Trial(status.fault, after_s, pushed_nl, released_nl, pressure_kpa, status.shots_done)
