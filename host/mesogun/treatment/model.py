"""What a treatment is asked for, shows and comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from mesogun.catalog import get_syringe
from mesogun.errors import MesogunError
from mesogun.program import Program, compile_steps, shot_count, volumes
from mesogun.program.part import Part
from mesogun.records import SessionRecord
from mesogun.words import _
from mesogun_protocol.enums import ControllerState, EndReason, Fault, StepKind, TriggerMode


@dataclass(frozen=True)
class Progress:
    """What a display needs, taken from one look at the gun.

    Attributes:
        program_name: from the program.
        state: of the gun.
        step_index: step of the program, from 0.
        step_count: steps of the program.
        step_kind: what the step does.
        trigger_mode: who starts its shots.
        message: text of a pause step, None otherwise.
        shots_done: complete shots of the session.
        shots_planned: of the whole program.
        delivered_nl: witnessed dose.
        planned_nl: dose of the whole program.
        remaining_nl: left in the syringe.
        fill_nl: what the syringe held at the start.
        pressure_kpa: at the plunger.
        limit_kpa: pressure at which the gun stops.
        trigger_pressed: the trigger is down.
        wants_trigger: the gun waits for the trigger to be pressed.
        elapsed_s: since the start, in the gun's time.
        left_s: estimate of what is left, None before the first shot.
        fault: latched fault.
        syringe_number: which syringe of the visit it is, from 1.
        syringe_count: how many the visit takes as far as is known now.
        refusal: why the gun did not do what was asked last, in words; None if it did.
    """

    program_name: str
    state: ControllerState
    step_index: int
    step_count: int
    step_kind: StepKind
    trigger_mode: TriggerMode
    message: str | None
    shots_done: int
    shots_planned: int
    delivered_nl: int
    planned_nl: int
    remaining_nl: int
    fill_nl: int
    pressure_kpa: float
    limit_kpa: float
    trigger_pressed: bool
    wants_trigger: bool
    elapsed_s: float
    left_s: float | None
    fault: Fault
    syringe_number: int = 1
    syringe_count: int = 1
    refusal: str | None = None


class Action(Enum):
    """What an observer may ask for."""

    PAUSE = auto()
    RESUME = auto()
    STOP = auto()
    CHANGE = auto()
    """Rest after the shot that is running, then end the session, to go on with another syringe."""


Observer = Callable[[Progress], Action | None]


@dataclass(frozen=True)
class Order:
    """What is to be done, by whom, on what.

    Attributes:
        program: checked.
        operator: who treats, None if not given.
        patient_ref: a code for the patient, never a name.
        port: as the user named it; that of a virtual or an emulated gun is its kind.
        seed: of a virtual gun, None otherwise.
        part: what this session gives of the program, None for all of it.
        notes: what people told and confirmed, by kind; stored with the session.
    """

    program: Program
    operator: str | None = None
    patient_ref: str | None = None
    port: str = "sim"
    seed: int | None = None
    part: Part | None = None
    notes: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    @property
    def gun_kind(self) -> str:
        """What stands behind the port: `board`, or `sim` or `rp2040`, which treat nobody."""
        return "board" if self.seed is None else self.port


@dataclass(frozen=True)
class Result:
    """How a session ended; volumes in nanolitres, from the record.

    Attributes:
        session: id in the store.
        program: name of the program.
        shots_planned: of the whole program.
        shots_delivered: complete ones.
        volume_planned_nl: of the whole program, primes not counted.
        volume_delivered_nl: witnessed steps in volume, primes not counted.
        volume_needle_nl: what left the needle, primes included; known for a virtual gun only.
        duration_s: from the start of the session to its last record, by the gun's clock.
        faults: names of the faults.
        uncertain_shots: shots with an intent and no result.
        record_complete: nothing is missing between the start and the end of the session.
        record_hash: head of the record's hash chain.
        seed: of a virtual gun, None otherwise.
        ended: why.
        sessions: ids of all sessions that the program took, one for each syringe.
    """

    session: str
    program: str
    shots_planned: int
    shots_delivered: int
    volume_planned_nl: int
    volume_delivered_nl: int
    volume_needle_nl: int | None
    duration_s: float
    faults: tuple[str, ...]
    uncertain_shots: int
    record_complete: bool
    record_hash: str
    seed: int | None
    ended: EndReason | None
    sessions: tuple[str, ...] = ()


class Interrupted(MesogunError):
    """The user broke off; the gun has confirmed its stop and the record is stored."""

    def __init__(self, result: Result) -> None:
        """Carry the result of the session that was broken off."""
        super().__init__(_("Interrupted: the gun was stopped and its record is stored."))
        self.result = result


def whole(program: Program, prime_nl: int = 0) -> Part:
    """The program as one part, from a syringe that holds it, its reserve and `prime_nl`."""
    steps = compile_steps(program, get_syringe(program.syringe))
    fill_nl = min(volumes(steps).fill_nl + prime_nl, get_syringe(program.syringe).usable_nl)
    total_nl = round(program.limits.total_ul * 1000)
    return Part(tuple(steps), fill_nl, total_nl, shot_count(steps))


def result_of(record: SessionRecord) -> Result:
    """Return what a stored session came to; what left the needle is not in a record."""
    session = record.session
    return Result(
        session=session.id,
        program=session.program_name,
        shots_planned=session.shots_planned,
        shots_delivered=record.shots_delivered,
        volume_planned_nl=session.volume_planned_nl,
        volume_delivered_nl=record.volume_nl,
        volume_needle_nl=None,
        duration_s=record.duration_s or 0.0,
        faults=tuple(entry.fault.name.lower() for entry in record.faults),
        uncertain_shots=record.uncertain_shots,
        record_complete=record.complete,
        record_hash=record.record_hash,
        seed=session.seed,
        ended=record.end.reason if record.end is not None else None,
        sessions=(session.id,),
    )
