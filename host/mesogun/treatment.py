"""One treatment session from the checked program to the sealed record; the command line drives it.

`Treatment.prepare` makes the gun ready and moves nothing; `Treatment.run` starts it, follows it and
brings the record home. Whatever happens on the way, the gun is told to stop and what it wrote is
stored.
"""

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from mesogun.catalog import Syringe, get_syringe
from mesogun.errors import LinkError, MesogunError, UsageError
from mesogun.gun import Gun, Refused, Status
from mesogun.gun.upload import encode_program
from mesogun.link import DoseUncertain
from mesogun.program import PauseStep, Program, compile_steps, dump_toml, estimate
from mesogun.program.hydraulics import pressure_limit_kpa
from mesogun.records import Session, SessionRecord, Store, new_session_number
from mesogun.sync import Collector, sync_gun
from mesogun_protocol.enums import (
    ControllerState,
    EndReason,
    Fault,
    Inputs,
    Light,
    StepKind,
    TriggerMode,
)

WATCHED_S = 0.2
"""Time between two looks at a gun that somebody watches, seconds of its own time."""
UNWATCHED_S = 0.5
"""The same when nobody does; it doubles as the heartbeat."""
_COLLECT_S = 10.0
"""How often records are fetched during a session, so that a broken host or gun loses little."""

_OCCLUSION_MARGIN = 1.25
"""Assumed by this project: covers needle, syringe and sensor at the ends of their tolerances."""

_OVER = (
    ControllerState.DONE,
    ControllerState.FAULT,
    ControllerState.READY,
    ControllerState.LOADED,
    ControllerState.UNLOADED,
)


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
        trigger_pressed: the trigger is down.
        wants_trigger: the gun waits for the trigger to be pressed.
        elapsed_s: since the start, in the gun's time.
        left_s: estimate of what is left, None before the first shot.
        fault: latched fault.
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
    trigger_pressed: bool
    wants_trigger: bool
    elapsed_s: float
    left_s: float | None
    fault: Fault
    refusal: str | None = None


class Action(Enum):
    """What an observer may ask for."""

    PAUSE = auto()
    RESUME = auto()
    STOP = auto()


Observer = Callable[[Progress], Action | None]


@dataclass(frozen=True)
class Order:
    """What is to be done, by whom, on what.

    Attributes:
        program: checked.
        operator: who treats, None if not given.
        patient_ref: a code for the patient, never a name.
        port: as the user named it.
        seed: of a virtual gun, None otherwise.
    """

    program: Program
    operator: str | None = None
    patient_ref: str | None = None
    port: str = "sim"
    seed: int | None = None


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


class Interrupted(MesogunError):
    """The user broke off; the gun has confirmed its stop and the record is stored."""

    def __init__(self, result: Result) -> None:
        """Carry the result of the session that was broken off."""
        super().__init__("Interrupted: the gun was stopped and its record is stored.")
        self.result = result


class Treatment:
    """One session on one gun."""

    def __init__(self, gun: Gun, store: Store, order: Order) -> None:
        """Nothing is sent yet."""
        self._gun = gun
        self._store = store
        self._order = order
        self._program = order.program
        self._syringe = get_syringe(order.program.syringe)
        self._steps = compile_steps(order.program, self._syringe)
        self._estimate = estimate(order.program)
        self._session: Session | None = None

    def prepare(self) -> None:
        """Declare the syringe, set the limits, upload the program and arm. Moves nothing.

        What the gun may still hold from earlier is stored first, so that it never has to choose
        between an old record and a new one.

        Raises:
            GunRefused: if the gun finds something wrong; it says what.
            VersionMismatch, LinkError, RecordError: as their texts say.
        """
        gun, program = self._gun, self._program
        sync_gun(gun, self._store)
        info = gun.info
        pl_per_step = self._syringe.pl_per_step(info.lead_nm, info.steps_per_turn)
        calibration_id = _nominal_calibration(self._syringe, pl_per_step)
        gun.load_syringe(
            pl_per_step,
            self._estimate.fill_nl,
            self._occlusion_kpa(),
            calibration_id,
        )
        session_nl = round(program.limits.total_ul * 1000)
        shot_nl = max(step.dose_nl + step.film_nl for step in self._steps)
        shots = self._estimate.shots
        gun.set_limits(session_nl, shot_nl, shots)
        receipt = gun.upload(self._steps)
        self._session = self._store.create_session(
            Session(
                board_id=info.board_id,
                boot_id=info.boot_id,
                program_name=program.name,
                program_toml=dump_toml(program),
                program_wire=encode_program(self._steps),
                shots_planned=receipt.shots,
                volume_planned_nl=receipt.volume_nl,
                syringe=program.syringe,
                needle=program.needle,
                pl_per_step=pl_per_step,
                calibration_id=calibration_id,
                limit_session_nl=session_nl,
                limit_shot_nl=shot_nl,
                limit_shots=shots,
                firmware_version=info.firmware,
                firmware_build=int(info.build, 16),
                schema_hash=info.schema_hash,
                gun_kind="board" if self._order.seed is None else "sim",
                gun_port=self._order.port,
                operator=self._order.operator,
                patient_ref=self._order.patient_ref,
                seed=self._order.seed,
                session_id=self._number(),
            )
        )
        gun.arm(self._session.session_id, receipt.program_crc)

    def run(self, observe: Observer, look_every_s: float = WATCHED_S) -> Result:
        """Start, follow until the session is over, and store its record.

        Args:
            observe: sees each look at the gun and may ask for something.
            look_every_s: longest time between two looks; an event of the gun makes it look at once.

        Returns:
            How it ended, with whatever faults there were.

        Raises:
            Interrupted: after a KeyboardInterrupt; the gun has confirmed its stop.
            UsageError: if `prepare` was not called.
            LinkError: if the gun stopped answering; `sessions sync` stores the rest later.
        """
        session = self._session
        if session is None:
            raise UsageError("The session is not prepared: call prepare() before run().")
        try:
            self._start(session)
            self._follow(session, observe, look_every_s)
        except KeyboardInterrupt:
            self._gun.stop()
            raise Interrupted(self._finish(session)) from None
        return self._finish(session)

    def _occlusion_kpa(self) -> int:
        """The alarm: the most that this program can need, with a margin, within the drive's force.

        The nearer it lies, the sooner an occlusion is found and the less is stored behind it (R24,
        R25). The estimate holds the most that tissue presses back with; a bore at the small end of
        its tolerance and the friction of the stopper lie within the margin.
        """
        needed_kpa = self._estimate.peak_pressure_kpa * _OCCLUSION_MARGIN
        return int(min(needed_kpa, pressure_limit_kpa(self._syringe)))

    def _number(self) -> int:
        """Random, or the seed's, so that a run can be repeated to the byte."""
        seed = self._order.seed
        if seed is None:
            return new_session_number()
        return random.Random(f"session {seed}").randrange(1, 1 << 32)

    def _start(self, session: Session) -> None:
        try:
            self._gun.start(session.session_id)
        except DoseUncertain:
            if not self._gun.resolve():
                raise LinkError(
                    "The start got lost on the way and was certainly not carried out. Nothing was "
                    "delivered; run the program again."
                ) from None

    def _follow(self, session: Session, observe: Observer, look_every_s: float) -> None:
        gun = self._gun
        collector = Collector(gun, self._store)
        started_ms = collect_ms = gun.status().clock_ms
        refusal: str | None = None
        while True:
            status = gun.status()
            action = observe(replace(self._progress(status, started_ms), refusal=refusal))
            if status.state in _OVER:
                return
            refusal = self._act(session, action, status.state)
            if status.clock_ms - collect_ms > _COLLECT_S * 1000:
                collect_ms = status.clock_ms
                collector.collect()
            gun.wait(look_every_s)

    def _act(self, session: Session, action: Action | None, state: ControllerState) -> str | None:
        """Do what the observer asks for; return why the gun refused it, None if it did not."""
        try:
            if action is Action.STOP:
                self._gun.stop()
            elif action is Action.PAUSE and state is ControllerState.RUNNING:
                self._gun.pause()
            elif action is Action.RESUME and state is ControllerState.PAUSED:
                self._gun.resume(session.session_id)
        except Refused as refusal:
            # The state changed between the look and the request, or the trigger is still held.
            return str(refusal)
        return None

    def _progress(self, status: Status, started_ms: int) -> Progress:
        index = min(status.step_index, len(self._steps) - 1)
        step, shown = self._steps[index], self._program.steps[index]
        pressed = bool(status.inputs & Inputs.TRIGGER)
        elapsed_s = (status.clock_ms - started_ms) / 1000
        planned_nl = self._estimate.volume_nl
        share = status.delivered_nl / planned_nl if planned_nl else 1.0
        return Progress(
            program_name=self._program.name,
            state=status.state,
            step_index=index,
            step_count=len(self._steps),
            step_kind=step.kind,
            trigger_mode=step.trigger,
            message=shown.message if isinstance(shown, PauseStep) else None,
            shots_done=status.shots_done,
            shots_planned=status.shots_planned,
            delivered_nl=status.delivered_nl,
            planned_nl=planned_nl,
            remaining_nl=status.remaining_nl,
            fill_nl=self._estimate.fill_nl,
            pressure_kpa=status.pressure_pa / 1000,
            trigger_pressed=pressed,
            wants_trigger=status.light in (Light.HOLD, Light.PRESS) and not pressed,
            elapsed_s=elapsed_s,
            left_s=max(self._estimate.duration_s * (1 - share), 0.0),
            fault=status.fault,
        )

    def _finish(self, session: Session) -> Result:
        sync_gun(self._gun, self._store)
        return result_of(self._store.session_view(session.id))


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
    )


def _nominal_calibration(syringe: Syringe, pl_per_step: int) -> int:
    """The id of a calibration that is nothing but the catalog's diameter."""
    return zlib.crc32(f"nominal {syringe.id} {pl_per_step}".encode())
