"""One visit of a patient: the whole program, over as many syringes as it takes.

Each syringe is a session of its own: the gun checks, arms and counts anew, and the record of the
next says which one it continues. What was begun is never begun again, and what is left is carried
over to the shot and to the nanolitre.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mesogun.catalog import get_syringe
from mesogun.errors import UsageError
from mesogun.gun import Gun
from mesogun.program import compile_steps, loads, rest, shot_count, volumes
from mesogun.program.loads import within
from mesogun.program.part import Part, pauses
from mesogun.program.planned import PlannedStep
from mesogun.records import SessionRecord, Store
from mesogun.sync import sync_gun
from mesogun.treatment.model import Action, Interrupted, Observer, Order, Progress, Result
from mesogun.treatment.session import PRIME_NL, WATCHED_S, Treatment
from mesogun.words import _
from mesogun_protocol.enums import ControllerState, EndReason, Fault, StepKind
from mesogun_protocol.records import STEP_NONE

_SERVICE = (
    Fault.STEP_COUNT_MISMATCH,
    Fault.BUDGET_EXHAUSTED,
    Fault.JOURNAL_WRITE,
    Fault.SELF_TEST,
    Fault.INTERNAL,
    Fault.VOLUME_CAP,
)
"""Faults after which a gun is not used again before somebody has looked at it or at the record."""

PRIMES_NL = 3 * PRIME_NL
"""Drawn up beyond what the program needs where somebody is there to prime the needle."""


@dataclass(frozen=True)
class Left:
    """What is left of a program.

    Attributes:
        shots: number of shots; a flow that was broken off counts as one.
        volume_nl: doses and films.
        syringes: how many it takes.
    """

    shots: int
    volume_nl: int
    syringes: int


class Visit:
    """A program on one gun, syringe after syringe.

    `begin` makes the gun ready for the next syringe, `prime` fills its needle, `arm` and `run` give
    what it holds. Then `left` tells whether there is more.

    Attributes:
        results: of its sessions so far.
    """

    def __init__(self, gun: Gun, store: Store, order: Order) -> None:
        """Nothing is sent yet; `order.notes` go with the first session."""
        self._gun = gun
        self._store = store
        self._order = order
        self._syringe = get_syringe(order.program.syringe)
        self._steps = compile_steps(order.program, self._syringe)
        self._rest: list[PlannedStep] = list(self._steps)
        limit_nl = round(order.program.limits.total_ul * 1000)
        self._reserve_nl = limit_nl - volumes(self._steps).volume_nl
        self.results: list[Result] = []
        self._treatment: Treatment | None = None
        self._keeps = False
        self._syringes = 0  # of the sessions so far
        self._may_go_on = True

    @property
    def left(self) -> Left:
        """What of the program was not begun."""
        needed = len(loads(self._rest, self._syringe.usable_nl))
        return Left(shot_count(self._rest), volumes(self._rest).volume_nl, needed)

    @property
    def can_go_on(self) -> bool:
        """Whether there is more to give, and neither a person nor a broken gun ended it."""
        return bool(self._rest) and self._may_go_on and self._gun.status().fault not in _SERVICE

    @property
    def changing(self) -> bool:
        """Whether the last session was ended to change the syringe."""
        return self._treatment is not None and self._treatment.changing

    @property
    def can_keep_syringe(self) -> bool:
        """Whether the syringe that is in the gun holds a part of what is left."""
        status = self._gun.status()
        if status.fault is Fault.SYRINGE_REMOVED or not self._rest:
            return False
        return volumes(loads(self._rest, status.remaining_nl)[0]).fill_nl <= status.remaining_nl

    def fill_nl(self, prime: bool) -> int:
        """What the next syringe has to hold, with what primes take if it is to be primed."""
        load = loads(self._rest, self._syringe.usable_nl)[0]
        wanted_nl = volumes(load).fill_nl + (PRIMES_NL if prime else 0)
        return min(wanted_nl, self._syringe.usable_nl)

    def begin(
        self,
        prime: bool = False,
        keep: bool = False,
        notes: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Make the gun ready for the next part. Moves nothing.

        Args:
            prime: the syringe also holds what primes take.
            keep: with the syringe that is in, instead of a new one.
            notes: what was confirmed for this part, by kind.

        Raises:
            UsageError: nothing is left.
            GunRefused, LinkError, RecordError: as their texts say.
        """
        if not self._rest:
            raise UsageError(_("Nothing of the program is left: plan it again."))
        told = list((notes or {}).items())
        if not self.results:
            told = [*self._order.notes, *told]
        else:
            told.append(("continues", self._continued()))
        volume_nl = self._gun.status().remaining_nl if keep else self.fill_nl(prime)
        part = self._next_part(volume_nl)
        self._keeps = keep and self._syringes > 0
        self._clear_fault()
        order = replace(self._order, part=part, notes=tuple(told))
        self._treatment = Treatment(self._gun, self._store, order)
        self._treatment.prepare()

    def note(self, kind: str, content: Mapping[str, Any]) -> None:
        """Write down what was told or confirmed since `begin`."""
        self._begun().note(kind, content)

    def prime(self, observe: Observer, look_every_s: float = WATCHED_S) -> int:
        """Fill the needle once; see `Treatment.prime`."""
        return self._begun().prime(observe, look_every_s)

    def arm(self) -> None:
        """Let the gun check itself and switch its driver on; see `Treatment.arm`."""
        self._begun().arm()

    def break_off(self) -> None:
        """End the visit between two sessions: the gun stops, and what it wrote is stored."""
        self._may_go_on = False
        self._gun.stop()
        sync_gun(self._gun, self._store)

    def run(self, observe: Observer, look_every_s: float = WATCHED_S) -> Result:
        """Give what the syringe holds; see `Treatment.run`.

        Returns:
            What all sessions so far have come to together.

        Raises:
            Interrupted: with the same.
        """
        treatment = self._begun()

        def observed(progress: Progress) -> Action | None:
            return observe(self._overall(progress))

        try:
            result = treatment.run(observed, look_every_s)
        except Interrupted as error:
            self._may_go_on = False
            self._take(error.result, treatment)
            raise Interrupted(self.result) from None
        self._take(result, treatment)
        return self.result

    @property
    def result(self) -> Result:
        """What all sessions so far have come to together; hash and end are those of the last."""
        last = self.results[-1]
        return replace(
            last,
            shots_planned=shot_count(self._steps),
            shots_delivered=sum(each.shots_delivered for each in self.results),
            volume_planned_nl=volumes(self._steps).volume_nl,
            volume_delivered_nl=sum(each.volume_delivered_nl for each in self.results),
            duration_s=sum(each.duration_s for each in self.results),
            faults=tuple(name for each in self.results for name in each.faults),
            uncertain_shots=sum(each.uncertain_shots for each in self.results),
            record_complete=all(each.record_complete for each in self.results),
            sessions=tuple(each.session for each in self.results),
        )

    def _begun(self) -> Treatment:
        if self._treatment is None:
            raise UsageError(_("The gun is not ready: call begin() before."))
        return self._treatment

    def _next_part(self, volume_nl: int) -> Part:
        """What a syringe with this volume gives, with the limits that are left of the program's."""
        return Part(
            steps=loads(self._rest, min(volume_nl, self._syringe.usable_nl))[0],
            volume_nl=volume_nl,
            total_nl=self._reserve_nl + volumes(self._rest).volume_nl,
            shots=shot_count(self._rest),
            pauses=pauses(self._steps) - pauses(self._rest),
            number=len(self.results) + 1,
        )

    def _continued(self) -> dict[str, Any]:
        """Where the record goes on from: proven by the hash of what was before."""
        last, left = self.results[-1], self.left
        return {
            "session": last.session,
            "record_hash": last.record_hash,
            "shots_left": left.shots,
            "volume_left_nl": left.volume_nl,
            "first_step": len(self._steps) - len(self._rest),
        }

    def _clear_fault(self) -> None:
        """Confirm the fault that ended the session before; refused while its cause lasts."""
        status = self._gun.status()
        if status.state is ControllerState.FAULT and status.fault is not Fault.NONE:
            self._gun.clear_fault(status.fault)

    def _overall(self, progress: Progress) -> Progress:
        """A look at one session as one at the whole program."""
        before_shots = sum(each.shots_delivered for each in self.results)
        before_nl = sum(each.volume_delivered_nl for each in self.results)
        return replace(
            progress,
            shots_done=before_shots + progress.shots_done,
            shots_planned=shot_count(self._steps),
            delivered_nl=before_nl + progress.delivered_nl,
            planned_nl=volumes(self._steps).volume_nl,
            syringe_number=self._syringe_number,
            syringe_count=self._syringe_number + self._syringes_after,
        )

    @property
    def _syringe_number(self) -> int:
        """Of the syringe that is in the gun, from 1."""
        return self._syringes if self._keeps else self._syringes + 1

    @property
    def _syringes_after(self) -> int:
        """How many more are needed after the part that is being given."""
        return len(loads(_after(self._rest, self._begun().steps), self._syringe.usable_nl))

    def _take(self, result: Result, treatment: Treatment) -> None:
        """Take what was begun off what is left."""
        self.results.append(result)
        self._syringes = self._syringe_number
        record = self._store.session_view(result.session)
        stopped = result.ended is EndReason.STOPPED and not treatment.changing
        self._may_go_on = self._may_go_on and result.record_complete and not stopped
        if result.ended is EndReason.COMPLETE:
            self._rest = _after(self._rest, treatment.steps)
        elif result.ended is not None:
            self._rest = self._unbegun(record, treatment.reached)
            self._keep_to_the_limit(record)

    def _keep_to_the_limit(self, record: SessionRecord) -> None:
        """Leave out of the rest what a shot that was broken off has given beyond its dose.

        A gun that pushes early what a dose stores may be stopped before it has taken that back.
        """
        broken = [shot for shot in record.shots if shot.upper_bound_steps and not shot.is_complete]
        self._reserve_nl -= sum(
            max(shot.upper_bound_nl - (shot.planned_nl or 0), 0)
            for shot in broken
            if shot.purpose is StepKind.SHOTS
        )
        if self._reserve_nl < 0:
            self._rest = within(self._rest, volumes(self._rest).volume_nl + self._reserve_nl)
            self._reserve_nl = 0

    def _unbegun(self, record: SessionRecord, seen: int) -> list[PlannedStep]:
        """What is left after a session that did not come to its end."""
        begun = [shot for shot in record.shots if shot.upper_bound_steps or shot.is_complete]
        # One that is asked for by hand before the start belongs to no step.
        primes = [prime for prime in record.primes if prime.step != STEP_NONE]
        index = max([seen, *(shot.step for shot in (*begun, *primes))])
        here = [shot for shot in begun if shot.step == index]
        step = self._rest[index]
        if step.kind is StepKind.FLOW:
            return rest(self._rest, index, len(here), sum(shot.upper_bound_nl for shot in here))
        if step.kind is StepKind.SHOTS:
            return rest(self._rest, index, len(here))
        # A pause is behind once the syringe is changed in it, a prime only once it was given.
        done = step.kind is StepKind.PAUSE or any(prime.step == index for prime in primes)
        return rest(self._rest, index, 1 if done else 0)


def _after(steps: Sequence[PlannedStep], load: Sequence[PlannedStep]) -> list[PlannedStep]:
    """What is left of `steps` behind a load of them that was given whole."""
    return rest(steps, len(load) - 1, load[-1].count)
