"""The record of every treatment: exactly-once intake, sessions, proof, statistics and export.

Knows the gun's journal records and no gun. `Store` is the way in.
"""

from mesogun.records.clock import ClockMapping
from mesogun.records.gun_chain import GunHash, Proof
from mesogun.records.intake import IngestResult, RecordKey
from mesogun.records.pressures import Drift, pressure_drifts
from mesogun.records.span import UNFINISHED, Gap, SessionStatus
from mesogun.records.statistics import Statistics, summarise
from mesogun.records.store import Store
from mesogun.records.tables import Note, Seal, Session, new_session_number
from mesogun.records.verify import Problem, ProblemKind, VerifyReport
from mesogun.records.view import SessionRecord, Shot

__all__ = [
    "UNFINISHED",
    "ClockMapping",
    "Drift",
    "Gap",
    "GunHash",
    "IngestResult",
    "Note",
    "Problem",
    "ProblemKind",
    "Proof",
    "RecordKey",
    "Seal",
    "Session",
    "SessionRecord",
    "SessionStatus",
    "Shot",
    "Statistics",
    "Store",
    "VerifyReport",
    "new_session_number",
    "pressure_drifts",
    "summarise",
]
