"""One session of the gun, from a checked program to the sealed record; `Visit` drives it.

`Treatment.prepare` makes the gun ready and moves nothing; `Treatment.prime` fills the needle;
`Treatment.run` starts the gun, follows it and brings the record home. Whatever happens on the way,
the gun is told to stop and what it wrote is stored.
"""

import random
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from mesogun.catalog import Syringe, get_syringe
from mesogun.errors import LinkError, UsageError
from mesogun.gun import Gun, Refused, Status
from mesogun.gun.upload import UploadReceipt, encode_program
from mesogun.link import DoseUncertain
from mesogun.program import PauseStep, dump_toml, estimate, shot_count
from mesogun.program.alarm import closed_pa, stops_kpa, syringe_limit_kpa
from mesogun.program.loads import seconds
from mesogun.records import Session, Store, new_session_number
from mesogun.sync import Collector, sync_gun
from mesogun.treatment.model import (
    Action,
    Interrupted,
    Observer,
    Order,
    Progress,
    Result,
    result_of,
    whole,
)
from mesogun.words import _
from mesogun_protocol.enums import (
    ControllerState,
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

PRIME_NL: Final = 50_000
"""One prime: about ten drops of a 30G needle, and a twentieth of what the gun allows (R29)."""
_PRIME_US: Final = 1_000_000
_PRIME_OVER_MS: Final = 500

_OVER = (
    ControllerState.DONE,
    ControllerState.FAULT,
    ControllerState.READY,
    ControllerState.LOADED,
    ControllerState.UNLOADED,
)


class Treatment:
    """One session on one gun.

    Attributes:
        steps: of its program.
        reached: step of its program that the gun was last seen in, from 0.
        changing: it was ended to change the syringe.
    """

    def __init__(self, gun: Gun, store: Store, order: Order) -> None:
        """Nothing is sent yet."""
        self._gun = gun
        self._store = store
        self._order = order
        self._program = order.program
        self._syringe = get_syringe(order.program.syringe)
        self._estimate = estimate(order.program)
        self._part = order.part or whole(order.program)
        self.steps = self._part.steps
        self._session: Session | None = None
        self._receipt_crc = 0
        self._armed = False
        self.reached = 0
        self.changing = False

    def prepare(self) -> None:
        """Declare the syringe, set the limits and upload the program. Moves nothing.

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
            self._part.volume_nl,
            syringe_limit_kpa(self._syringe),
            calibration_id,
            closed_pa(self._syringe, pl_per_step, program.compliance_ul_per_kpa),
        )
        receipt = self._upload()
        self._session = self._store.create_session(
            Session(
                board_id=info.board_id,
                boot_id=info.boot_id,
                program_name=program.name,
                program_toml=dump_toml(program),
                program_wire=encode_program(self.steps),
                shots_planned=receipt.shots,
                volume_planned_nl=receipt.volume_nl,
                syringe=program.syringe,
                needle=program.needle,
                pl_per_step=pl_per_step,
                calibration_id=calibration_id,
                limit_session_nl=self._part.total_nl,
                limit_shot_nl=self._shot_nl,
                limit_shots=self._part.shots,
                firmware_version=info.firmware,
                firmware_build=int(info.build, 16),
                schema_hash=info.schema_hash,
                gun_kind=self._order.gun_kind,
                gun_port=self._order.port,
                operator=self._order.operator,
                patient_ref=self._order.patient_ref,
                seed=self._order.seed,
                session_id=self._number(),
            ),
            self._order.notes,
        )
        self._receipt_crc = receipt.program_crc

    def prime(self, observe: Observer, look_every_s: float = WATCHED_S) -> int:
        """Ask for a prime, and wait until the trigger was pressed or the gun gave up waiting.

        Args:
            observe: sees each look at the gun; may ask for a stop.
            look_every_s: as for `run`.

        Returns:
            What the prime pushed out, nanolitres; 0 if nobody pressed the trigger.

        Raises:
            UsageError: if `prepare` was not called.
            GunRefused, LinkError: as their texts say.
        """
        self._prepared()
        gun = self._gun
        before = gun.status()
        # A prime may be larger than any shot of the program; its limit stands while it lasts.
        gun.set_limits(self._part.total_nl, max(self._shot_nl, PRIME_NL), self._part.shots)
        gun.prime(PRIME_NL, _PRIME_US)
        try:
            self._follow_prime(before, observe, look_every_s)
        except KeyboardInterrupt:
            gun.stop()
            self._note_prime(before)
            raise
        primed_nl = self._note_prime(before)
        self._upload()
        return primed_nl

    def _note_prime(self, before: Status) -> int:
        """Write down what a prime pushed out, nl: should nothing follow, no record says whose."""
        primed_nl = self._gun.status().primed_nl - before.primed_nl
        self.note("prime", {"volume_nl": primed_nl})
        return primed_nl

    def _follow_prime(self, before: Status, observe: Observer, look_every_s: float) -> None:
        """Look at the gun until the prime is over, or nobody has pressed the trigger."""
        gun = self._gun
        idle_ms = before.clock_ms
        while True:
            status = gun.status()
            if status.primed_steps != before.primed_steps or status.fault is not Fault.NONE:
                break
            if status.light is Light.PRESS:
                idle_ms = status.clock_ms
            elif status.clock_ms - idle_ms > _PRIME_US // 1000 + _PRIME_OVER_MS:
                break
            look = replace(
                self._progress(status, before.clock_ms),
                state=ControllerState.RUNNING,
                step_kind=StepKind.PRIME,
                trigger_mode=TriggerMode.PRESS,
                shots_planned=shot_count(self.steps),
            )
            if observe(look) is Action.STOP:
                gun.stop()
                break
            gun.wait(look_every_s)

    def note(self, kind: str, content: Mapping[str, Any]) -> None:
        """Write down what was told or confirmed, under the seals of the session."""
        self._store.add_note(self._prepared().id, kind, content)

    def arm(self) -> None:
        """Let the gun check itself and switch its driver on. Moves nothing.

        Raises:
            UsageError: if `prepare` was not called.
            GunRefused, LinkError: as their texts say.
        """
        self._gun.arm(self._prepared().session_id, self._receipt_crc)
        self._armed = True

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
        session = self._prepared()
        try:
            if not self._armed:
                self.arm()
            self._start(session)
            self._follow(session, observe, look_every_s)
        except KeyboardInterrupt:
            self._gun.stop()
            raise Interrupted(self._finish(session)) from None
        return self._finish(session)

    @property
    def _shot_nl(self) -> int:
        """The largest shot of the program, with its film."""
        return max(step.dose_nl + step.film_nl for step in self.steps)

    def _upload(self) -> UploadReceipt:
        self._gun.set_limits(self._part.total_nl, self._shot_nl, self._part.shots)
        return self._gun.upload(self.steps)

    def _prepared(self) -> Session:
        if self._session is None:
            raise UsageError("The session is not prepared: call prepare() before.")
        return self._session

    def _number(self) -> int:
        """Random, or the seed's, so that a run can be repeated to the byte."""
        seed = self._order.seed
        if seed is None:
            return new_session_number()
        part = f" {self._part.number}" if self._part.number > 1 else ""
        return random.Random(f"session {seed}{part}").randrange(1, 1 << 32)

    def _start(self, session: Session) -> None:
        try:
            self._gun.start(session.session_id)
        except DoseUncertain:
            if not self._gun.resolve():
                raise LinkError(
                    _(
                        "The start got lost on the way and was certainly not carried out. Nothing "
                        "was delivered; run the program again."
                    )
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
            self.reached = max(self.reached, status.step_index)
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
            elif action is Action.CHANGE or self.changing:
                self._make_way(state)
            elif action is Action.PAUSE and state is ControllerState.RUNNING:
                self._gun.pause()
            elif action is Action.RESUME and state is ControllerState.PAUSED:
                self._gun.resume(session.session_id)
        except Refused as refusal:
            # The state changed between the look and the request, or the trigger is still held.
            return str(refusal)
        return None

    def _make_way(self, state: ControllerState) -> None:
        """Rest, and end the session once the gun does: no shot is broken off for a syringe."""
        self.changing = True
        if state is ControllerState.PAUSED:
            self._gun.stop()
        elif state is ControllerState.RUNNING:
            self._gun.pause()

    def _progress(self, status: Status, started_ms: int) -> Progress:
        index = min(status.step_index, len(self.steps) - 1)
        step = self.steps[index]
        messages = [each.message for each in self._program.steps if isinstance(each, PauseStep)]
        paused = step.kind is StepKind.PAUSE
        pressed = bool(status.inputs & Inputs.TRIGGER)
        elapsed_s = (status.clock_ms - started_ms) / 1000
        planned_nl = self._part.planned_nl
        share = status.delivered_nl / planned_nl if planned_nl else 1.0
        return Progress(
            program_name=self._program.name,
            state=status.state,
            step_index=index,
            step_count=len(self.steps),
            step_kind=step.kind,
            trigger_mode=step.trigger,
            message=messages[self._part.pause_number(index)] if paused else None,
            shots_done=status.shots_done,
            shots_planned=status.shots_planned,
            delivered_nl=status.delivered_nl,
            planned_nl=planned_nl,
            remaining_nl=status.remaining_nl,
            fill_nl=self._part.volume_nl,
            limit_kpa=stops_kpa(step, self._syringe),
            pressure_kpa=status.pressure_pa / 1000,
            trigger_pressed=pressed,
            wants_trigger=status.light in (Light.HOLD, Light.PRESS) and not pressed,
            elapsed_s=elapsed_s,
            left_s=max(seconds(self.steps) * (1 - share), 0.0),
            fault=status.fault,
        )

    def _finish(self, session: Session) -> Result:
        sync_gun(self._gun, self._store)
        return result_of(self._store.session_view(session.id))


def _nominal_calibration(syringe: Syringe, pl_per_step: int) -> int:
    """The id of a calibration that is nothing but the catalog's diameter."""
    return zlib.crc32(f"nominal {syringe.id} {pl_per_step}".encode())
