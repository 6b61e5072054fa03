"""What the firmware does for a program: its steps, caught on the STEP pin of a virtual gun.

The gun steers nothing by what the plant does, so the steps of one session are those of every
specimen of the same gun: they are taken from the real firmware once, and played to many plants.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from mesogun.bench.cells import Cell
from mesogun.catalog import get_needle, get_syringe
from mesogun.errors import MesogunError
from mesogun.gun import Gun
from mesogun.ports import Simulation, open_port
from mesogun.program import PlannedStep, compile_steps, estimate
from mesogun.program.hydraulics import PRESSURE_MAX_KPA
from mesogun.program.motion import move_ticks
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.pulse_stream import Run
from mesogun_protocol.enums import ControllerState
from mesogun_protocol.limits import CLOSED_PA_MAX, PRESSURE_LIMIT_MAX_KPA
from mesogun_protocol.pulse import TICK_NS

_REST_NS = 15_000_000
"""A block ends with a longer rest than that, and has no such rest inside."""
_LOOK_S = 1.0

BARREL_NL = 12_000_000.0
"""Sixty shots of 100 ul are more than a small syringe holds: barrels are long enough here."""


class BenchError(MesogunError):
    """The virtual gun did not do what the bench asked for."""


@dataclass(frozen=True)
class Motion:
    """The steps of a train.

    Attributes:
        runs: in the order of time, from 0 on.
        starts_ns: where the blocks begin, one a shot.
        period_ns: of a block.
        delivered_nl: what the gun's record says was delivered.
        recorded_steps: forward and backward, as the gun's witness counted them.
        pl_per_step: that the gun reckons with.
        planned: what the gun was told to do.
    """

    runs: tuple[Run, ...]
    starts_ns: tuple[int, ...]
    period_ns: int
    delivered_nl: int
    recorded_steps: tuple[int, int]
    pl_per_step: int
    planned: PlannedStep

    @property
    def lead_ns(self) -> int:
        """From the begin of a block to the middle of its build-up, where the dose begins."""
        planned, step = self.planned, self.pl_per_step
        if not planned.stored_nl:
            return 0
        ticks = move_ticks(planned.retract_nl * 1000 // step)
        ticks += move_ticks(planned.stored_nl * 1000 // step) // 2
        return ticks * TICK_NS

    @property
    def end_ns(self) -> int:
        """End of the last step."""
        return self.runs[-1].end_ns

    def first(self, shots: int) -> "Motion":
        """The first shots alone; what is recorded stays that of all."""
        end_ns = self.starts_ns[0] + shots * self.period_ns
        runs = tuple(run for run in self.runs if run.start_ns < end_ns)
        return replace(self, runs=runs, starts_ns=self.starts_ns[:shots])

    def until(self, stop_ns: int) -> tuple[Run, ...]:
        """The steps up to a stop."""
        kept = [run for run in self.runs if run.end_ns <= stop_ns]
        cut = next((run for run in self.runs if run.start_ns < stop_ns < run.end_ns), None)
        if cut is not None:
            made = (stop_ns - cut.first_edge_ns) // cut.interval_ns + 1
            if 0 < made < cut.pulses:
                kept.append(cut.split(made)[0])
        return tuple(kept)


def motion_of(cell: Cell) -> Motion:
    """The steps of a cell; the same program is run once.

    Raises:
        BenchError: the gun faulted.
    """
    program = cell.program()
    syringe = get_syringe(cell.syringe)
    (planned,) = compile_steps(program, syringe)
    planned = replace(planned, rise_kpa=PRESSURE_LIMIT_MAX_KPA, limit_kpa=PRESSURE_LIMIT_MAX_KPA)
    return _motion(planned, cell.syringe, estimate(program).fill_nl)


@cache
def _motion(planned: PlannedStep, syringe_id: str, fill_nl: int) -> Motion:
    syringe = get_syringe(syringe_id)
    transport = open_port("sim", lambda: _simulation(syringe_id))
    if not isinstance(transport, VirtualTransport):
        raise BenchError("The port sim is no virtual gun; report this.")
    runs: list[Run] = []
    transport.world.scope = runs.append
    transport.world.plant.remaining_nl = BARREL_NL
    with Gun.open(transport) as gun:
        # No alarm: this is about motion, also where a blocked needle could not be told apart.
        kpa = round(PRESSURE_MAX_KPA)
        gun.load_syringe(syringe.pl_per_step(), fill_nl, kpa, 1, CLOSED_PA_MAX)
        gun.set_limits(fill_nl, fill_nl, planned.count)
        receipt = gun.upload([planned])
        gun.arm(1, receipt.program_crc)
        gun.start(1)
        while (status := gun.status()).state is ControllerState.RUNNING:
            gun.wait(_LOOK_S)
        if status.state is not ControllerState.DONE:
            raise BenchError(f"The virtual gun ended in {status.state.name}: {status.fault.name}.")
    transport.forget()
    whole = _merged(runs)
    begun = [
        after.start_ns
        for before, after in pairwise(whole)
        if after.start_ns - before.end_ns >= _REST_NS
    ]
    period_ns = planned.period_us * 1000
    starts = [begun[0] - period_ns, *begun]
    if len(starts) != planned.count:
        raise BenchError(f"{len(starts)} shots were seen, not {planned.count}; report this.")
    return Motion(
        tuple(whole),
        tuple(starts),
        period_ns,
        status.delivered_nl,
        (status.total_forward_steps, status.total_backward_steps),
        syringe.pl_per_step(),
        planned,
    )


def _simulation(syringe_id: str) -> Simulation:
    # The widest needle: nothing that the plant does may end the session.
    return Simulation(get_syringe(syringe_id), get_needle("26g-4"), speed=None)


def _merged(runs: list[Run]) -> list[Run]:
    """Put together what the world's clock has cut."""
    merged: list[Run] = []
    for run in runs:
        last = merged[-1] if merged else None
        if (
            last is not None
            and (last.end_ns, last.interval_ns, last.forward)
            == (run.start_ns, run.interval_ns, run.forward)
            and run.first_edge_ns == last.first_edge_ns + last.pulses * last.interval_ns
        ):
            merged[-1] = replace(last, end_ns=run.end_ns, pulses=last.pulses + run.pulses)
        else:
            merged.append(run)
    return merged
