"""Sessions as a gun would have left them, from a single shot to the longest there is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import update

from mesogun.program import dump_toml, plan
from mesogun.records import ClockMapping, Session, SessionRecord, Store, VerifyReport, tables
from mesogun_protocol.enums import ControllerState, EndReason, StepKind
from mesogun_protocol.records import STEP_NONE
from tests.records.conftest import BOARD, Board, new_session

CLOCK = ClockMapping(1.78e9, 1.0)

Notes = Iterable[tuple[str, Mapping[str, Any]]]
Proven = tuple[SessionRecord, VerifyReport]


class Clinic:
    """A store, and a gun that has treated; each method makes one session of its own kind."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.board = Board()
        self._number = 0

    def begin(self, shots: int, **changes: Any) -> Session:
        session = self.prepare(shots, **changes)
        self.board.boot()
        self.board.syringe()
        self.board.start(session)
        return session

    def prepare(
        self, shots: int, notes: Notes = (), of: int | None = None, **changes: Any
    ) -> Session:
        """What the host stores before the gun knows of it: all shots of a program, or some `of`."""
        self._number += 1
        program = plan(changes.pop("treatment", "face"), syringe="bd-plastipak-5")
        step = program.steps[0].model_copy(update={"count": of or shots})
        program = program.model_copy(update={"steps": (step,)})
        fields: dict[str, Any] = {
            "session_id": self._number,
            "program_name": program.name,
            "program_toml": dump_toml(program),
            "shots_planned": shots,
            "volume_planned_nl": shots * 20_022,
            "syringe": program.syringe,
            "needle": program.needle,
            "created_at": "2026-06-01T09:30:00.000+00:00",
        }
        return self.store.create_session(new_session(**fields | changes), notes)

    def keep(self, session: Session) -> Proven:
        self.store.ingest(BOARD, self.board.journal)
        self.board.journal.clear()
        self.store.seal_session(session.id, CLOCK)
        return self.store.proven_view(session.id)

    def complete(self, shots: int, *, errors: tuple[int, ...] = (0,), **changes: Any) -> Proven:
        """A session whose shots are off by so many steps in turn."""
        session = self.begin(shots, **changes)
        for shot in range(shots):
            advance = 24 if shot else 0
            self.board.intent(shot, advance_steps=advance)
            steps = 485 + advance + errors[shot % len(errors)]
            self.board.result(shot, steps, advance_steps=advance)
        self.board.end()
        return self.keep(session)

    def with_a_pause(self) -> Proven:
        session = self.begin(4)
        self.board.intent(0, 1200, purpose=StepKind.PRIME)
        self.board.result(0, 1200, purpose=StepKind.PRIME)
        self.board.shots(2)
        self.board.intent(2)
        self.board.result(2, 0, EndReason.CANCELLED)
        self.board.state(ControllerState.PAUSED, ControllerState.RUNNING)
        self.board.clock_ms += 9_000
        self.board.state(ControllerState.RUNNING, ControllerState.PAUSED)
        self.board.intent(2)
        self.board.result(2, 200, EndReason.RELEASED)
        self.board.shots(1, first=3)
        self.board.end()
        return self.keep(session)

    def prime(self) -> None:
        """By hand, before the start."""
        self.board.intent(0, 1200, purpose=StepKind.PRIME, step=STEP_NONE)
        self.board.result(0, 1200, purpose=StepKind.PRIME, step=STEP_NONE)

    def visit(self) -> list[Proven]:
        """The face over two syringes, each of them primed; the first is changed after 120 shots."""
        first = self.prepare(150, of=300, patient_ref="P-7")
        self.board.boot()
        self.board.syringe()
        self.prime()
        self.board.start(first)
        self.board.shots(120)
        self.board.intent(120)
        self.board.result(120, 0, EndReason.CANCELLED)
        self.board.end(EndReason.STOPPED)
        record, _ = self.keep(first)
        left = {
            "session": first.id,
            "record_hash": record.record_hash,
            "shots_left": 180,
            "volume_left_nl": 180 * 10_000,
            "first_step": 0,
        }
        second = self.prepare(180, [("continues", left)], of=300, patient_ref="P-7")
        self.board.syringe()
        self.prime()
        self.board.start(second)
        self.board.shots(180)
        self.board.end()
        self.keep(second)
        return self.store.proven_visit(second.id)

    def broken_off_at_a_change(self, *, primed: bool) -> list[Proven]:
        """A syringe that came to its end, and a second one that was made ready and not begun."""
        first = self.begin(120, of=300, patient_ref="P-7")
        self.board.shots(120)
        self.board.end()
        self.keep(first)
        if primed:
            left = {"session": first.id, "shots_left": 180, "volume_left_nl": 1_800_000}
            notes = [("continues", left), ("prime", {"volume_nl": 49_540})]
            self.prepare(180, notes, of=300, patient_ref="P-7")
            self.board.syringe()
            self.prime()
            self.store.ingest(BOARD, self.board.journal)
        return self.store.proven_visit(first.id)

    def leaking(self) -> Proven:
        """The second half of the shots meets less resistance."""
        session = self.begin(20)
        for shot in range(20):
            self.board.intent(shot)
            self.board.result(shot, pressure_kpa=70 if shot < 10 else 26)
        self.board.end()
        return self.keep(session)

    def faulted(self) -> Proven:
        session = self.begin(40)
        self.board.shots(7)
        self.board.intent(7)
        self.board.result(7, 100, EndReason.FAULTED)
        self.board.fault()
        self.board.end(EndReason.FAULTED)
        return self.keep(session)

    def uncertain(self) -> Proven:
        session = self.begin(40)
        self.board.shots(12)
        self.board.intent(12)
        self.board.boot()
        return self.keep(session)

    def torn(self) -> Proven:
        """Three records in the middle never came."""
        session = self.begin(40)
        self.board.shots(20)
        del self.board.journal[-6:-3]
        self.board.end()
        return self.keep(session)

    def planned(self) -> Proven:
        self._number += 1
        session = new_session(session_id=self._number, operator=None, patient_ref=None)
        return self.store.proven_view(self.store.create_session(session).id)

    def tampered(self) -> Proven:
        """The operator was changed afterwards."""
        record, _ = self.complete(3)
        with self.store._database.write() as db:
            mine = tables.sessions.c.id == record.session.id
            db.execute(update(tables.sessions).where(mine).values(operator="Dr. Hyde"))
        return self.store.proven_view(record.session.id)

    def erased(self) -> Proven:
        record, _ = self.complete(3, patient_ref="P-7")
        self.store.erase_patient("P-7")
        return self.store.proven_view(record.session.id)


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    with Store.open("sqlite://") as store:
        yield Clinic(store)


@pytest.fixture(scope="session")
def sized() -> Iterator[Callable[[int], Proven]]:
    """Gives a complete session of so many shots, made once."""
    made: dict[int, Proven] = {}
    with Store.open("sqlite://") as store:
        clinic = Clinic(store)

        def get(shots: int) -> Proven:
            if shots not in made:
                made[shots] = clinic.complete(shots, errors=(0, 0, 1, -1, 0, 2, 0))
            return made[shots]

        yield get
