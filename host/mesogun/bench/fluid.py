"""Lets something go wrong between motor and needle of a virtual gun, and sees when it notices."""

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from mesogun.bench.cells import NAPPAGE, PERFUSION, POINT_30, POINT_50, POINT_100, Cell, Train
from mesogun.catalog import get_needle, get_syringe
from mesogun.gun import Gun, Status
from mesogun.ports import Simulation
from mesogun.program import PlannedStep, Program, compile_steps
from mesogun.program.alarm import STAYS, check_alarm, closed_pa
from mesogun.program.hydraulics import needle_pressure_kpa, pressure_limit_kpa
from mesogun.program.model import FlowStep, Limits
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.plant import Plant
from mesogun_protocol.enums import ControllerState, Fault, RecordKind, StepKind
from mesogun_protocol.records import decode_record


@dataclass(frozen=True)
class Flow:
    """A steady flow; `technique` as in a program."""

    id: str
    rate_ul_per_s: float
    technique: str = "me"
    duration_s: float = 60.0


Work = Train | Flow
WORKS: Final[tuple[Work, ...]] = (
    NAPPAGE,
    replace(NAPPAGE, id="nappage at 2/s", period_s=0.5, ramp_ms=20.0),
    replace(POINT_50, id="papules", technique="papule", shots=20),
    POINT_30,
    POINT_100,
    PERFUSION,
    Flow("flow of 5 ul/s", 5.0),
    Flow("flow of 10 ul/s", 10.0),
    Flow("flow of 20 ul/s", 20.0),
)

_LOOK_S: Final = 0.5
_RELEASED_S: Final = 20.0
"""All that comes out after a blockage has gone comes in that time."""
_OVER: Final = (ControllerState.FAULT, ControllerState.DONE)


@dataclass(frozen=True)
class Case:
    """A work with its syringe and needle."""

    work: Work
    syringe: str
    needle: str

    @property
    def stays(self) -> bool:
        """Whether the needle stays in one place."""
        return self.work.technique == STAYS

    def program(self) -> Program:
        """What `mesogun run` would be given, with pressure advance."""
        if isinstance(self.work, Train):
            return Cell(self.syringe, self.needle, 1.0, self.work).program()
        step = FlowStep(
            rate_ul_per_s=self.work.rate_ul_per_s,
            duration_s=self.work.duration_s,
            trigger="auto",
        )
        return Program(
            schema=1,
            name=self.work.id,
            technique=self.work.technique,
            delivery="dry",
            depth_mm=0.5,
            syringe=self.syringe,
            needle=self.needle,
            limits=Limits(total_ul=self.work.rate_ul_per_s * self.work.duration_s),
            step=(step,),
        )

    def step(self) -> PlannedStep:
        """The step with its alarm, as the gun gets it."""
        (step,) = compile_steps(self.program(), get_syringe(self.syringe))
        return step

    def supported(self) -> bool:
        """Whether the drive can push it, and `mesogun check` has nothing to say of its alarm."""
        syringe, needle = get_syringe(self.syringe), get_needle(self.needle)
        program, step = self.program(), self.step()
        flow = step.dose_nl / step.inject_us * 1000
        if needle_pressure_kpa(flow, needle, 1.0) > pressure_limit_kpa(syringe):
            return False
        told = program.document()["step"][0]
        return not [*check_alarm(("step", 0), told, step, syringe, needle, 1.0, self.stays)]


@dataclass(frozen=True)
class Trial:
    """What one gun did.

    Attributes:
        fault: that ended it, NONE if it went on to the end.
        after_s: from the moment in which it went wrong to the fault, or to the end.
        after_shots: shots that the gun ended in that time as if nothing were wrong.
        released_nl: what came out of the needle when it was free again.
        shots: complete ones.
        peaks_kpa: highest pressure of each shot, as recorded.
        delivered: what left the needle over what the steps of the same time stand for.
        slips: full steps that the motor lost.
    """

    fault: Fault
    after_s: float
    after_shots: int
    released_nl: float
    shots: int
    peaks_kpa: tuple[int, ...]
    delivered: float
    slips: int


class Running:
    """A virtual gun that does its work."""

    def __init__(self, case: Case, count: int, transport: VirtualTransport) -> None:
        """Start it."""
        syringe = get_syringe(case.syringe)
        step = case.step()
        if step.kind is StepKind.SHOTS:
            step = replace(step, count=min(count, syringe.usable_nl * 9 // 10 // step.dose_nl))
        self.step = step
        self.world = transport.world
        self.gun = gun = Gun.open(transport)
        pl_per_step = syringe.pl_per_step(gun.info.lead_nm, gun.info.steps_per_turn)
        fill_nl = min(syringe.usable_nl, step.count * step.dose_nl * 105 // 100 + 100_000)
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

    def net_steps(self) -> int:
        """Steps so far, those backward taken off."""
        return self.world.stream.forward_steps - self.world.stream.backward_steps

    def records(self) -> tuple[int | None, tuple[int, ...]]:
        """When the gun wrote its fault down, and the highest pressure of each shot."""
        records = [*map(decode_record, self.gun.read_records(1))]
        faults = [each.time_ms * 1_000_000 for each in records if each.kind is RecordKind.FAULT]
        results = [each.body for each in records if each.kind is RecordKind.SHOT_RESULT]
        return next(iter(faults), None), tuple(each["pressure_kpa"] for each in results)


@contextmanager
def running(case: Case, seed: int, count: int) -> Generator[Running]:
    """Start a new virtual gun, drawn by a seed, and throw it away afterwards."""
    simulation = Simulation(
        get_syringe(case.syringe),
        get_needle(case.needle),
        seed=seed,
        speed=None,
        new_point_each_shot=not case.stays,
    )
    settings = simulation.settings()
    transport = VirtualTransport(settings)
    try:
        yield Running(case, count, transport)
    finally:
        transport.forget()


def work_on(case: Case, seed: int) -> Trial:
    """Let a gun do all of its work undisturbed."""
    count = case.work.shots if isinstance(case.work, Train) else 1
    return _trial(case, seed, count, 0.0, lambda _: None, 10_000.0)


def spoil(
    case: Case,
    seed: int,
    harm: Callable[[Plant], None],
    most_s: float = 20.0,
    lead: int | None = 2,
) -> Trial:
    """Let a gun work for a few shots, do `harm` at a moment that the seed draws, and wait.

    Args:
        case: what it works on.
        seed: draws the gun and the moment.
        harm: what happens to the plant.
        most_s: how long the gun has to notice; three periods if that is longer.
        lead: least number of shots before, or of seconds in a flow; None is from the start.
    """
    period_s = case.work.period_s if isinstance(case.work, Train) else 1.0
    draw = random.Random(f"{case} {seed}")
    begin_s = 0.0
    if lead is not None:
        begin_s = (draw.randrange(lead, lead + 4) + draw.random()) * period_s
    most_s = max(most_s, 3 * period_s)
    count = round((begin_s + most_s) / period_s) + 1
    return _trial(case, seed, count, begin_s, harm, most_s)


def _trial(
    case: Case,
    seed: int,
    count: int,
    begin_s: float,
    harm: Callable[[Plant], None],
    most_s: float,
) -> Trial:
    with running(case, seed, count) as work:
        before = work.follow(work.began_ns + round(begin_s * 1e9))
        began_ns, steps, gone_nl = work.world.now_ns, work.net_steps(), work.plant.needle_nl
        harm(work.plant)
        status = work.follow(began_ns + round(most_s * 1e9))
        pushed_nl = (work.net_steps() - steps) * get_syringe(case.syringe).pl_per_step() / 1000
        fault_ns, peaks = work.records()
        after_s = ((fault_ns or work.world.now_ns) - began_ns) / 1e9
        work.gun.stop()
        left_nl = work.plant.needle_nl
        work.plant.faults.occlude(1.0)
        work.world.run_unheard(work.world.now_ns + round(_RELEASED_S * 1e9))
        released_nl = work.plant.needle_nl - left_nl
    return Trial(
        status.fault,
        after_s,
        status.shots_done - before.shots_done,
        released_nl,
        status.shots_done,
        peaks,
        (left_nl - gone_nl) / max(pushed_nl, 1.0),
        work.plant.full_step_slips,
    )
