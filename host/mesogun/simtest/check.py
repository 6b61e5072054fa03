"""What must be true at the end: the store against the gun's flash and the steps of the world."""

import random
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from mesogun.errors import RecordError
from mesogun.records import RecordKey, Store
from mesogun.records.span import SessionStatus
from mesogun.records.verify import Problem, ProblemKind
from mesogun.simtest.rules import Broken, Rule
from mesogun.simtest.witness import Boot
from mesogun.simtest.worn_flash import WornFlash
from mesogun_protocol.enums import RecordKind, StepKind
from mesogun_protocol.records import Record, decode_record


def check_store(database: Path, flash: WornFlash, boots: Iterable[Boot]) -> None:
    """Compare the store with the gun's flash and with the steps of each boot.

    Raises:
        Broken: if a record is missing, changed, double or foreign, or steps are not in it.
    """
    rows = _rows(database)
    written = flash.written()
    stored = {RecordKey(boot_id, sequence): raw for boot_id, sequence, raw in rows}
    double = [key for key, count in Counter(row[:2] for row in rows).items() if count > 1]
    if double:
        raise Broken(Rule.EXACTLY_ONCE, f"record {double[0][1]} is stored more than once")
    for key, raw in written.items():
        if key not in stored and key.sequence >= flash.stored_below:
            kind = decode_record(raw).kind.name
            raise Broken(Rule.EXACTLY_ONCE, f"record {key.sequence} ({kind}) is not in the store")
    for key, raw in stored.items():
        if written.get(key) != raw:
            raise Broken(
                Rule.EXACTLY_ONCE, f"record {key.sequence} in the store is none that was written"
            )
    records = [decode_record(raw) for _, _, raw in rows]
    for boot in boots:
        _check_steps(boot, [record for record in records if record.boot_id == boot.boot_id])


def _rows(database: Path) -> list[tuple[int, int, bytes]]:
    with closing(sqlite3.connect(database)) as connection:
        return list(
            connection.execute(
                "SELECT boot_id, sequence, raw FROM records ORDER BY 1, 2"
            ).fetchall()
        )


def _check_steps(boot: Boot, records: Iterable[Record]) -> None:
    """Results are a lower bound of the steps that were made, with the open intents an upper one."""
    forward = backward = most_forward = most_backward = 0
    open_intents: dict[tuple[StepKind, int], Record] = {}
    for record in records:
        body = record.body
        if record.kind is RecordKind.SHOT_INTENT:
            # One whose result was lost counts to the end, though its number comes again.
            most_forward += _forward(body)
            most_backward += _backward(body)
            open_intents[body["purpose"], body["shot"]] = record
        elif record.kind is RecordKind.SHOT_RESULT:
            forward += body["forward_steps"]
            backward += body["backward_steps"]
            intent = open_intents.pop((body["purpose"], body["shot"]), None)
            if intent is not None:
                most_forward += body["forward_steps"] - _forward(intent.body)
                most_backward += body["backward_steps"] - _backward(intent.body)
            elif body["forward_steps"] or body["backward_steps"]:
                raise Broken(Rule.BOUNDED, f"record {record.sequence} is a result without intent")
    made = (boot.forward_steps, boot.backward_steps)
    least, most = (forward, backward), (most_forward, most_backward)
    if not all(a <= b <= c for a, b, c in zip(least, made, most, strict=True)):
        raise Broken(
            Rule.BOUNDED,
            f"boot {boot.boot_id} made {made} steps forward and backward, its records tell "
            f"{least} to {most}",
        )


def _forward(plan: dict[str, Any]) -> int:
    return plan["dose_steps"] + plan["advance_steps"] + plan["early_steps"]


def _backward(plan: dict[str, Any]) -> int:
    return plan["retract_steps"] + plan["early_steps"]


def check_sessions(store: Store, flash: WornFlash) -> None:
    """Verify every session.

    Raises:
        Broken: if verify finds more than gaps where a record was lost to power or wear.
    """
    written = {key.sequence for key in flash.written()}
    for session in store.list_sessions():
        problems = _problems(store, session.id)
        view = store.session_view(session.id)
        gaps = view.gaps
        for gap in gaps:
            kept = [number for number in range(gap.first, gap.last + 1) if number in written]
            if kept:
                raise Broken(Rule.VERIFIED, f"record {kept[0]} is a gap, and was written whole")
        # A result that is lost is missing in the sum, too.
        allowed = {ProblemKind.GAP, ProblemKind.TOTALS} if gaps else set[ProblemKind]()
        if gaps and view.status is SessionStatus.OPEN:
            # It is not sealed before it is over, and worn pages can keep the gun from saying so
            # until its fault is cleared.
            allowed.add(ProblemKind.UNSEALED)
        for problem in problems:
            if problem.kind not in allowed:
                raise Broken(Rule.VERIFIED, f"session {session.id}: {problem.text}")


def _problems(store: Store, name: str) -> tuple[Problem, ...]:
    try:
        return store.verify(name).problems
    except RecordError as error:
        raise Broken(Rule.VERIFIED, f"session {name} cannot be verified: {error}") from error


def check_tampering(store: Store, database: Path, lot: int) -> str | None:
    """Do something to one session behind the store's back; verify must find it.

    Returns:
        What was done, None if there is no session with records.

    Raises:
        Broken: if verify finds nothing.
    """
    sealed = [
        report.session
        for report in (store.verify(session.id) for session in store.list_sessions())
        if report.record_count > 1
    ]
    if not sealed:
        return None
    dice = random.Random(lot)
    name = dice.choice(sealed)
    before = set(_problems(store, name))
    what = dice.choice(sorted(_TAMPERINGS))
    with closing(sqlite3.connect(database)) as connection, connection:
        _TAMPERINGS[what](connection, name, dice)
    if not set(_problems(store, name)) - before:
        raise Broken(Rule.VERIFIED, f"{what} in session {name}, and verify finds nothing")
    return what


def _sealed_rows(connection: sqlite3.Connection, name: str) -> list[tuple[int, bytes]]:
    """Return row number and bytes of the records under the session's last seal."""
    return connection.execute(
        """
        SELECT later.rowid, later.raw
        FROM sessions JOIN records AS start USING (board_id, session_id)
        JOIN records AS later ON later.boot_id = start.boot_id AND later.sequence >= start.sequence
        WHERE sessions.id = :name ORDER BY later.sequence
        LIMIT (SELECT max(record_count) FROM seals WHERE session = :name)
        """,
        {"name": name},
    ).fetchall()


def _damage(connection: sqlite3.Connection, name: str, dice: random.Random) -> None:
    row, raw = dice.choice(_sealed_rows(connection, name))
    at = dice.randrange(len(raw))
    changed = raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1 :]
    connection.execute("UPDATE records SET raw = ? WHERE rowid = ?", (changed, row))


def _forge(connection: sqlite3.Connection, name: str, dice: random.Random) -> None:
    """Change a record such that its own checksum fits."""
    row, raw = dice.choice(_sealed_rows(connection, name))
    content = raw[:-5] + bytes([raw[-5] ^ 1])
    changed = content + zlib.crc32(content).to_bytes(4, "little")
    connection.execute("UPDATE records SET raw = ? WHERE rowid = ?", (changed, row))


def _remove(connection: sqlite3.Connection, name: str, dice: random.Random) -> None:
    row, _ = dice.choice(_sealed_rows(connection, name))
    connection.execute("DELETE FROM records WHERE rowid = ?", (row,))


def _cut(connection: sqlite3.Connection, name: str, _dice: random.Random) -> None:
    row, _ = _sealed_rows(connection, name)[-1]
    connection.execute("DELETE FROM records WHERE rowid = ?", (row,))


def _replan(connection: sqlite3.Connection, name: str, _dice: random.Random) -> None:
    connection.execute(
        "UPDATE sessions SET volume_planned_nl = volume_planned_nl + 1 WHERE id = ?", (name,)
    )


def _unseal(connection: sqlite3.Connection, name: str, _dice: random.Random) -> None:
    connection.execute(
        "DELETE FROM seals WHERE session = :name"
        " AND number = (SELECT max(number) FROM seals WHERE session = :name)",
        {"name": name},
    )


_TAMPERINGS: Final[dict[str, Callable[[sqlite3.Connection, str, random.Random], None]]] = {
    "a record was damaged": _damage,
    "a record was forged": _forge,
    "a record was removed": _remove,
    "the last record was removed": _cut,
    "the plan was changed": _replan,
    "the last seal was removed": _unseal,
}
