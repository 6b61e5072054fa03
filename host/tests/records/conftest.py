"""A board that writes a journal as the firmware does, and stores to put it in."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mesogun.records import GunHash, Session, Store
from mesogun_protocol.enums import (
    ControllerState,
    EndReason,
    Fault,
    RecordKind,
    ResetCause,
    StepKind,
)
from mesogun_protocol.records import DIGEST_NONE, STEP_NONE, encode_record, next_digest
from tests.records.postgresql_server import HOW_TO_INSTALL, Server, program

BOARD = "e6614104037a5b2c"
PL_PER_STEP = 41_283


@dataclass
class Board:
    """Writes records in the order of a real session; every act appends to `journal`."""

    sequence: int = 100
    boot_id: int = 2
    clock_ms: int = 5_000
    journal: list[bytes] = field(default_factory=list)
    session_id: int = 0
    complete_shots: int = 0
    delivered_steps: int = 0
    digest: bytes = DIGEST_NONE

    def write(self, kind: RecordKind, step: int = STEP_NONE, **body: Any) -> bytes:
        raw = encode_record(self.sequence, self.boot_id, kind, step, self.clock_ms, **body)
        self.sequence += 1
        self.clock_ms += 7
        self.journal.append(raw)
        self.digest = next_digest(self.digest, raw)
        return raw

    def acknowledge(self) -> None:
        self.write(RecordKind.ACKNOWLEDGED, sequence=self.sequence, digest=self.digest)

    def gun_hash(self) -> GunHash:
        return GunHash(self.sequence, self.digest.hex())

    def boot(self) -> None:
        self.boot_id += 1
        self.clock_ms = 20
        self.write(
            RecordKind.BOOT,
            build=0x5CAFFE,
            schema_hash=0xABCDEF01,
            reset_cause=ResetCause.POWER_ON,
            firmware_major=0,
            firmware_minor=1,
            firmware_patch=0,
        )

    def syringe(self, pl_per_step: int = PL_PER_STEP) -> None:
        self.write(
            RecordKind.SYRINGE,
            pl_per_step=pl_per_step,
            volume_nl=10_000_000,
            calibration_id=7,
            pressure_limit_kpa=300,
            closed_pa=164,
        )

    def start(self, session: Session) -> None:
        self.session_id = session.session_id
        self.complete_shots = self.delivered_steps = 0
        self.write(
            RecordKind.SESSION_START,
            session_id=session.session_id,
            program_crc=session.program_crc,
            shots=session.shots_planned,
            steps=session.shots_planned * 485,
        )
        self.state(ControllerState.RUNNING, ControllerState.ARMED)

    def state(self, state: ControllerState, previous: ControllerState) -> None:
        self.write(RecordKind.STATE, state=state, previous=previous)

    def intent(
        self,
        shot: int,
        dose_steps: int = 485,
        advance_steps: int = 0,
        purpose: StepKind = StepKind.SHOTS,
        early_steps: int = 0,
        step: int = 0,
    ) -> None:
        self.write(
            RecordKind.SHOT_INTENT,
            step,
            shot=shot,
            dose_steps=dose_steps,
            advance_steps=advance_steps,
            retract_steps=24,
            purpose=purpose,
            early_steps=early_steps,
        )

    def result(
        self,
        shot: int,
        forward_steps: int = 485,
        reason: EndReason = EndReason.COMPLETE,
        purpose: StepKind = StepKind.SHOTS,
        advance_steps: int = 0,
        early_steps: int = 0,
        backward_steps: int = 24,
        pressure_kpa: int = 80,
        step: int = 0,
    ) -> None:
        if purpose is not StepKind.PRIME:
            self.complete_shots += reason is EndReason.COMPLETE
            taken_back = min(backward_steps, early_steps)
            self.delivered_steps += max(forward_steps - advance_steps - taken_back, 0)
        self.clock_ms += 120
        self.write(
            RecordKind.SHOT_RESULT,
            step,
            shot=shot,
            pressure_kpa=pressure_kpa,
            forward_steps=forward_steps,
            motion_ms=120,
            backward_steps=backward_steps,
            reason=reason,
            purpose=purpose,
        )

    def progress(
        self, shot: int, forward_steps: int, bound_steps: int, purpose: StepKind = StepKind.FLOW
    ) -> None:
        self.write(
            RecordKind.SHOT_PROGRESS,
            0,
            shot=shot,
            forward_steps=forward_steps,
            bound_steps=bound_steps,
            purpose=purpose,
        )

    def shots(self, count: int, first: int = 0) -> None:
        for shot in range(first, first + count):
            advance = 24 if shot else 0
            self.intent(shot, advance_steps=advance)
            self.result(shot, 485 + advance, advance_steps=advance)

    def fault(self, fault: Fault = Fault.OCCLUSION) -> None:
        self.write(RecordKind.FAULT, detail=312, forward_steps=9_001, fault=fault)

    def end(self, reason: EndReason = EndReason.COMPLETE, extra_steps: int = 0) -> None:
        self.write(
            RecordKind.SESSION_END,
            session_id=self.session_id,
            shots=self.complete_shots,
            delivered_steps=self.delivered_steps + extra_steps,
            reason=reason,
        )


def new_session(**changes: Any) -> Session:
    """Return a session as `run` prepares it, with `changes`."""
    fields: dict[str, Any] = {
        "board_id": BOARD,
        "boot_id": 3,
        "program_name": "Face",
        "program_toml": "schema = 1\n",
        "program_wire": b"\x01\x10\x27\x00\x00",
        "shots_planned": 5,
        "volume_planned_nl": 100_000,
        "syringe": "bd-plastipak-10",
        "needle": "30g-4",
        "pl_per_step": PL_PER_STEP,
        "calibration_id": 7,
        "limit_session_nl": 200_000,
        "limit_shot_nl": 25_000,
        "limit_shots": 10,
        "firmware_version": "0.1.0",
        "firmware_build": 0x5CAFFE,
        "schema_hash": 0xABCDEF01,
        "gun_kind": "sim",
        "gun_port": "sim",
        "operator": "Dr. Pistor",
        "patient_ref": "P-1952",
        "seed": 7,
        "session_id": 0xC0FFEE01,
    }
    return Session(**fields | changes)


@pytest.fixture(scope="session")
def make_board() -> type[Board]:
    return Board


@pytest.fixture(scope="session")
def make_session() -> Callable[..., Session]:
    return new_session


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running server; a test that stops it starts it again."""
    if not (program("initdb") and program("pg_ctl")):
        pytest.skip(HOW_TO_INSTALL)
    # Not in tmp_path: root's is closed to everybody else, and it is too long for a socket.
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = Server(Path(folder))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.db'}"
    return request.getfixturevalue("postgresql").new_database()


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'records.db'}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def session(store: Store) -> Session:
    return store.create_session(new_session())


@pytest.fixture
def finished(store: Store, session: Session, board: Board) -> Session:
    """A complete session with a fault-free record, sealed, between other records of its board."""
    board.boot()
    board.syringe()
    board.start(session)
    board.shots(5)
    board.end()
    board.state(ControllerState.DONE, ControllerState.RUNNING)
    store.ingest(BOARD, board.journal)
    store.seal_session(session.id)
    return session
