"""Measures commands that read the longest session there is, and a store of a million records."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mesogun.program import dump_toml, resolve
from mesogun.records import ClockMapping, Session, Store
from mesogun.records.speed import measure_ingest
from mesogun_protocol.enums import EndReason, RecordKind, StepKind
from mesogun_protocol.records import STEP_NONE, encode_record

SHOTS = 10_800
"""45 minutes of nappage at four shots a second."""
_DOSE_STEPS = 350
_BOARD = "bb" * 8
_REPEATS = 5


def report_cpu_s(folder: Path, form: str) -> float:
    """Return the processor time of one `mesogun sessions report`, imports included, seconds.

    Args:
        folder: takes a store and the report.
        form: `pdf` or `html`.
    """
    url = f"sqlite:///{folder}/report-{form}.db"
    with Store.open(url) as store:
        session = _store_session(store, SHOTS)
    return _cpu_s(url, "report", session, "-o", str(folder / f"report.{form}"))


def show_cpu_s(folder: Path, shots: int) -> float:
    """Return the processor time of one `mesogun sessions show`, imports included, seconds.

    Args:
        folder: takes a store of a million records.
        shots: of the session that is shown.
    """
    url = f"sqlite:///{folder}/million-{shots}.db"
    with Store.open(url) as store:
        session = _store_session(store, shots)
        measure_ingest(store, 1_000_000)
    return min(_cpu_s(url, "show", session) for _ in range(_REPEATS))


def _cpu_s(url: str, *arguments: str) -> float:
    program = Path(sys.executable).parent / "mesogun"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [program, "sessions", *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"MESOGUN_DB": url},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _store_session(store: Store, shots: int) -> str:
    """Store a complete session whose doses are off by a step now and then; return its id."""
    program = resolve("nappage")
    session = store.create_session(
        Session(
            board_id=_BOARD,
            boot_id=1,
            program_name=program.name,
            program_toml=dump_toml(program),
            program_wire=b"",
            shots_planned=shots,
            volume_planned_nl=shots * 10_000,
            syringe=program.syringe,
            needle=program.needle,
            pl_per_step=28_558,
            calibration_id=1,
            limit_session_nl=shots * 10_000,
            limit_shot_nl=10_000,
            limit_shots=shots,
            firmware_version="0.1.0",
            firmware_build=0,
            schema_hash=0,
            gun_kind="sim",
            gun_port="sim",
        )
    )
    store.ingest(_BOARD, _journal(session, shots))
    store.seal_session(session.id, ClockMapping(1.8e9, 1.0))
    return session.id


def _journal(session: Session, shots: int) -> Iterator[bytes]:
    yield encode_record(
        0,
        1,
        RecordKind.SESSION_START,
        STEP_NONE,
        0,
        session_id=session.session_id,
        program_crc=session.program_crc,
        shots=shots,
        steps=shots * _DOSE_STEPS,
    )
    made = 0
    for shot in range(shots):
        steps = _DOSE_STEPS + (shot % 7 == 3) - (shot % 11 == 5)
        made += steps
        yield from _shot(shot, steps)
    yield encode_record(
        2 * shots + 1,
        1,
        RecordKind.SESSION_END,
        STEP_NONE,
        250 * shots,
        session_id=session.session_id,
        shots=shots,
        delivered_steps=made,
        reason=EndReason.COMPLETE,
    )


def _shot(shot: int, steps: int) -> Iterator[bytes]:
    begin_ms = 250 * shot
    yield encode_record(
        2 * shot + 1,
        1,
        RecordKind.SHOT_INTENT,
        0,
        begin_ms,
        shot=shot,
        dose_steps=_DOSE_STEPS,
        advance_steps=0,
        early_steps=0,
        retract_steps=0,
        purpose=StepKind.SHOTS,
    )
    yield encode_record(
        2 * shot + 2,
        1,
        RecordKind.SHOT_RESULT,
        0,
        begin_ms + 100,
        shot=shot,
        forward_steps=steps,
        motion_ms=100,
        backward_steps=0,
        pressure_kpa=90 + shot % 13,
        reason=EndReason.COMPLETE,
        purpose=StepKind.SHOTS,
    )
