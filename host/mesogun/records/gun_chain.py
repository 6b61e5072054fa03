"""Compares the gun's own running hash of its journal with the records that are stored.

The gun carries the hash on from its first record, and tells it in each ACKNOWLEDGED record and when
it is asked. The stored records alone must lead from each hash that it told to the next; whoever
changed them, and made all that is stored fit, cannot change what the gun has in its memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import pairwise
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from mesogun.records import tables
from mesogun.records.intake import RecordKey
from mesogun.records.material import Material
from mesogun.records.rows import read
from mesogun.records.span import Gap, Row, select_rows
from mesogun.records.tables import Seal
from mesogun_protocol.enums import RecordKind
from mesogun_protocol.records import DIGEST_NONE, RecordCorrupt, decode_record, next_digest

_RECORD: Final = tables.records.c

FIRST_SEQUENCE = 1
"""Number of a gun's first record, before which nothing is hashed."""

_AT_ONCE = 10_000
"""Rows of a board that are in memory at a time."""


class Break(NamedTuple):
    """Records that do not lead from one hash of the gun to the next.

    Attributes:
        first: number of the first of them.
        last: number of the last of them.
        missing: numbers among them that are not stored; a record that was torn is no break.
    """

    first: int
    last: int
    missing: tuple[Gap, ...]

    def __str__(self) -> str:
        gone = f", of which {', '.join(map(str, self.missing))} are not stored"
        return f"records {self.first} to {self.last}{gone if self.missing else ''}"


class GunHash(NamedTuple):
    """The running hash, hexadecimal, of the records below `next`, as a gun has told it."""

    next: int
    digest: str


class Proof(NamedTuple):
    """What the comparison came to.

    Attributes:
        first: the first record that is under a hash of the gun, None if none is.
        last: the last one.
        breaks: where records and hash do not fit.
    """

    first: int | None
    last: int | None
    breaks: tuple[Break, ...]


def prove(rows: Iterable[Row], known: Mapping[int, bytes]) -> Proof:
    """Follow the chain through `rows`, which are of one board and in the order of their numbers.

    Args:
        rows: records.
        known: what the gun told: the hash of all records below a number.
    """
    walk = _Walk(known)
    for row in rows:
        walk.take(row)
    return walk.end()


def prove_session(db: Connection, material: Material) -> Proof:
    """Compare the records of a session, and those around it, with what the gun told of them."""
    rows, board = material.span.rows, material.session.board_id
    if not rows:
        return Proof(None, None, ())
    known = _known(material.seals)
    before = _nearest_acknowledged(db, board, _RECORD.sequence < rows[0].sequence, up=False)
    after = _nearest_acknowledged(db, board, _RECORD.sequence > rows[-1].sequence, up=True)
    if not known and after is None:
        # The gun has told nothing yet of these records, or is older than its hash.
        return Proof(None, None, ())
    last = max(rows[-1].sequence, *(number - 1 for number in known), after.sequence if after else 0)
    within = _RECORD.sequence.between(before.sequence if before else FIRST_SEQUENCE, last)
    # Without the starts of the gun, the database would look at every record of the board.
    if before:
        within &= _RECORD.boot_id >= before.boot_id
    if after and (before is None or before.boot_id <= after.boot_id):
        within &= _RECORD.boot_id <= after.boot_id
    return prove(_rows(db, board, within), known)


def prove_board(
    db: Connection, board_id: str, gun_hash: GunHash, unstored: Iterable[bytes]
) -> Proof:
    """Compare all records of a board with every hash that the gun has told, the last one now."""
    of_board = (
        select(tables.seals).join(tables.sessions).where(tables.sessions.c.board_id == board_id)
    )
    known = _known(read(db, Seal, of_board)) | {gun_hash.next: bytes.fromhex(gun_hash.digest)}
    held = (decode_record(raw) for raw in unstored)
    more = (Row(each.boot_id, each.sequence, each.kind, each.raw) for each in held)
    stored = _rows(db, board_id, _RECORD.sequence >= 0)
    return prove(merge(stored, more, key=lambda row: row.sequence), known)


def last_sequence(db: Connection, board_id: str) -> int:
    """Return the highest number of a record of a board, 0 if there is none."""
    found = select(func.max(_RECORD.sequence)).where(_RECORD.board_id == board_id)
    return db.scalar(found) or 0


def _nearest_acknowledged(
    db: Connection, board_id: str, where: ColumnElement[bool], *, up: bool
) -> RecordKey | None:
    """Return the ACKNOWLEDGED record with the lowest number that meets `where`, or the highest."""
    number = _RECORD.sequence
    found = db.execute(
        select(_RECORD.boot_id, number)
        .where(_RECORD.board_id == board_id, where)
        .where(_RECORD.kind == RecordKind.ACKNOWLEDGED)
        .order_by(number if up else number.desc())
        .limit(1)
    ).first()
    return RecordKey(*found) if found else None


def _rows(db: Connection, board_id: str, which: ColumnElement[bool]) -> Iterator[Row]:
    query = (
        select_rows(board_id)
        .where(which)
        .order_by(_RECORD.sequence)
        .execution_options(yield_per=_AT_ONCE)
    )
    return (Row(*row) for row in db.execute(query))


def _known(seals: Iterable[Seal]) -> dict[int, bytes]:
    return {
        seal.gun_next: bytes.fromhex(seal.gun_digest)
        for seal in seals
        if seal.gun_next is not None and seal.gun_digest is not None
    }


class _Walk:
    def __init__(self, known: Mapping[int, bytes]) -> None:
        self._known = sorted(known.items())
        self._digest: bytes | None = None
        self._stretch: list[int] = []  # numbers since the last hash that is known
        self._first: int | None = None
        self._last: int | None = None
        self._breaks: list[Break] = []

    def take(self, row: Row) -> None:
        self._meet_all(row.sequence)
        told = _told(row)
        if told == DIGEST_NONE:
            self._begin(DIGEST_NONE)
        elif told is not None:
            self._meet(row.sequence, told)
        elif row.sequence == FIRST_SEQUENCE:
            self._begin(DIGEST_NONE)
        if self._digest is not None:
            self._digest = next_digest(self._digest, row.raw)
            self._stretch.append(row.sequence)

    def end(self) -> Proof:
        self._meet_all(None)
        return Proof(self._first, self._last, tuple(self._breaks))

    def _meet_all(self, sequence: int | None) -> None:
        """Compare with what is known of the records below `sequence`, None for all."""
        while self._known and (sequence is None or self._known[0][0] <= sequence):
            self._meet(*self._known.pop(0))

    def _meet(self, sequence: int, told: bytes) -> None:
        numbers = self._stretch or [sequence - 1]
        if self._digest == told:
            self._first = numbers[0] if self._first is None else self._first
            self._last = numbers[-1]
        elif self._digest is not None:
            # A record that is missing behind the last one that is stored counts too.
            ends = [*numbers, sequence]
            missing = tuple(Gap(a + 1, b - 1) for a, b in pairwise(ends) if b - a > 1)
            self._breaks.append(Break(numbers[0], sequence - 1, missing))
        self._begin(told)

    def _begin(self, digest: bytes) -> None:
        self._digest = digest
        self._stretch = []


def _told(row: Row) -> bytes | None:
    """Return the hash in an ACKNOWLEDGED record, None for other records and damaged ones."""
    if row.kind != RecordKind.ACKNOWLEDGED:
        return None
    try:
        return decode_record(row.raw).body["digest"]
    except RecordCorrupt:
        return None
