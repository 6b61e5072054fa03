"""The journal on flash that behaves like flash, with the power cut at any byte of any act."""

import random
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesogun_protocol import limits
from mesogun_protocol.enums import RecordKind
from mesogun_protocol.records import (
    DIGEST_NONE,
    SECTOR_MAGIC,
    STEP_NONE,
    Record,
    RecordCorrupt,
    decode_record,
    encode_record,
    next_digest,
)

journal_module: Any = import_module("gun.journal")
wire: Any = import_module("gun.wire")
simflash: Any = import_module("simflash")

PER_SECTOR = 127
CAPACITY = limits.JOURNAL_SECTORS * PER_SECTOR - 1


def opened(flash: Any) -> Any:
    journal = journal_module.Journal(flash)
    journal.open()
    return journal


def append(journal: Any, value: int = 0) -> int:
    wire.pack_record_config(journal.body, 0, value, 0, 1)
    return journal.append(RecordKind.CONFIG, STEP_NONE, value)


def fill(journal: Any, count: int) -> None:
    for value in range(count):
        append(journal, value)


def hash_all(journal: Any) -> None:
    while journal.chain.next < journal.next:
        assert journal.maintain()


def maintain(journal: Any) -> int:
    """Let the idle gun do all there is; return how often it wrote or erased."""
    acts = 0
    hashed = journal.chain.next
    while journal.maintain():
        acts += journal.chain.next == hashed
        hashed = journal.chain.next
    return acts


def records(journal: Any, sequence: int = 0, count: int = 1_000_000) -> list[Record]:
    """Read as a host does: in messages of at most RECORDS_PER_READ."""
    found: list[Record] = []
    buf = bytearray(10 + limits.RECORDS_PER_READ * limits.RECORD_BYTES)
    while len(found) < count:
        size = journal.read(sequence, min(limits.RECORDS_PER_READ, count - len(found)), buf, 10)
        if not size:
            break
        assert size % limits.RECORD_BYTES == 0
        some = [
            decode_record(bytes(buf[at : at + limits.RECORD_BYTES]))
            for at in range(10, 10 + size, limits.RECORD_BYTES)
        ]
        found += some
        sequence = some[-1].sequence + 1
    return found


def sequences(journal: Any, sequence: int = 0) -> list[int]:
    return [record.sequence for record in records(journal, sequence)]


def digest_of(found: Iterable[Record]) -> bytes:
    """Return the running hash of `found`, all from the first on, as the protocol has it."""
    digest = DIGEST_NONE
    for record in found:
        digest = next_digest(digest, record.raw)
    return digest


def prove(found: Iterable[Record]) -> int:
    """Compare each acknowledgement's hash with that of the records before it; return how many."""
    digest = DIGEST_NONE
    proven = 0
    for record in found:
        if record.kind is RecordKind.ACKNOWLEDGED:
            assert record.body["digest"] == digest
            proven += 1
        digest = next_digest(digest, record.raw)
    return proven


def head(flash: Any, sector: int) -> Record:
    return decode_record(bytes(flash.materialise(sector)[: limits.RECORD_BYTES]))


def put_head(flash: Any, sector: int, sequence: int, **body: int) -> None:
    fields = {"magic": SECTOR_MAGIC, "acknowledged": sequence, "erases": 0, "anchor": 0} | body
    raw = encode_record(sequence, 7, RecordKind.SECTOR, STEP_NONE, 0, **fields)
    flash.materialise(sector)[: limits.RECORD_BYTES] = raw


def test_a_blank_flash_is_an_empty_journal() -> None:
    journal = opened(simflash.SimFlash())
    assert journal.boot_id == journal.next == journal.oldest == journal.acknowledged == 1
    assert journal.free_records == journal.capacity == CAPACITY
    assert records(journal) == []
    assert journal.sound
    assert not journal.maintain()
    assert not journal.needs_maintenance


def test_a_record_comes_back_as_the_protocol_defines_it() -> None:
    journal = opened(simflash.SimFlash())
    wire.pack_record_shot_intent(journal.body, 0, 3, 726, 121, 120, wire.STEP_SHOTS, 99)
    assert journal.append(RecordKind.SHOT_INTENT, 2, 12_345) == 1
    (record,) = records(journal)
    assert (record.sequence, record.boot_id, record.step, record.time_ms) == (1, 1, 2, 12_345)
    assert record.kind == RecordKind.SHOT_INTENT
    assert record.body == {
        "shot": 3,
        "dose_steps": 726,
        "advance_steps": 121,
        "retract_steps": 120,
        "purpose": wire.STEP_SHOTS,
        "early_steps": 99,
    }


def test_the_next_start_goes_on_where_the_last_one_ended() -> None:
    flash = simflash.SimFlash()
    fill(opened(flash), 300)
    journal = opened(flash)
    assert (journal.boot_id, journal.next, journal.oldest) == (2, 301, 1)
    assert append(journal) == 301
    assert records(journal)[-1].boot_id == 2
    assert opened(flash).boot_id == 3


def test_a_start_that_fills_exactly_a_sector_is_seen() -> None:
    flash = simflash.SimFlash()
    fill(opened(flash), PER_SECTOR)
    journal = opened(flash)
    assert journal.next == PER_SECTOR + 1
    assert append(journal) == PER_SECTOR + 1
    assert head(flash, 1).sequence == PER_SECTOR + 1
    assert sequences(journal) == list(range(1, PER_SECTOR + 2))


def test_the_boot_id_wraps_past_zero() -> None:
    flash = simflash.SimFlash()
    journal = opened(flash)
    journal.boot_id = 0xFFFF
    append(journal)
    assert opened(flash).boot_id == 1


def test_opening_reads_heads_and_one_sector_only() -> None:
    flash = simflash.SimFlash()
    fill(opened(flash), 5 * PER_SECTOR)
    read_bytes = 0
    read = flash.read

    def counting(offset: int, buf: Any) -> None:
        nonlocal read_bytes
        read_bytes += len(buf)
        read(offset, buf)

    flash.read = counting
    opened(flash)
    heads = limits.JOURNAL_SECTORS * limits.RECORD_BYTES
    assert read_bytes <= heads + limits.FLASH_SECTOR_BYTES


def test_reading_starts_anywhere_and_stops_at_the_count() -> None:
    journal = opened(simflash.SimFlash())
    fill(journal, 400)
    assert [r.sequence for r in records(journal, 120, 20)] == list(range(120, 140))
    assert sequences(journal, 400) == [400]
    assert sequences(journal, 401) == []
    assert sequences(journal, 0)[0] == 1


@pytest.mark.req("R40")
def test_twenty_thousand_records_of_which_none_was_acknowledged() -> None:
    flash = simflash.SimFlash()
    journal = opened(flash)
    fill(journal, 20_000)
    assert journal.free_records == CAPACITY - 20_000
    assert sequences(opened(flash)) == list(range(1, 20_001))
    assert sum(flash.erasures) == 0


@pytest.mark.req("R40")
def test_a_full_journal_takes_no_more_until_records_are_acknowledged() -> None:
    flash = simflash.SimFlash()
    journal = opened(flash)
    fill(journal, CAPACITY)
    assert journal.free_records == 0
    for _ in range(2):
        with pytest.raises(journal_module.JournalError, match="full"):
            append(journal)
    assert journal.next == CAPACITY + 1
    journal = opened(flash)
    assert journal.next == CAPACITY + 1
    journal.acknowledge(2 * PER_SECTOR + 1, 5)
    assert maintain(journal) == 3  # its own record, as soon as there is room, and two sectors
    assert journal.free_records == 2 * PER_SECTOR - 1
    assert append(journal) == CAPACITY + 2
    assert head(flash, 0).body == {
        "magic": SECTOR_MAGIC,
        "acknowledged": 2 * PER_SECTOR + 1,
        "erases": 1,
        "anchor": CAPACITY + 1,
    }
    assert journal.oldest == 2 * PER_SECTOR + 1
    assert opened(flash).acknowledged == 2 * PER_SECTOR + 1


@pytest.mark.req("R40")
def test_the_ring_goes_round_and_wears_evenly() -> None:
    flash = simflash.SimFlash()
    journal = opened(flash)
    appended = 0
    while appended < 3 * CAPACITY:
        fill(journal, 1000)
        appended += 1000
        assert sequences(journal, journal.next - 1500)[-1000:] == list(
            range(journal.next - 1000, journal.next)
        )
        journal.acknowledge(journal.next, appended)
        maintain(journal)
    worn = flash.erasures[: limits.JOURNAL_SECTORS]
    assert max(worn) - min(worn) <= 1
    assert flash.erasures[limits.JOURNAL_SECTORS :] == [0, 0]
    again = opened(flash)
    assert (again.next, again.acknowledged) == (journal.next, journal.acknowledged)
    newest = (journal.next - 2) // PER_SECTOR % limits.JOURNAL_SECTORS
    assert head(flash, newest).body["erases"] == 3


def test_appending_never_erases() -> None:
    flash = simflash.SimFlash()
    journal = opened(flash)
    fill(journal, 1000)
    journal.acknowledge(journal.next, 0)
    fill(journal, CAPACITY - 1000)
    with pytest.raises(journal_module.JournalError):
        append(journal)
    assert sum(flash.erasures) == 0


def test_the_current_sector_is_never_erased() -> None:
    flash = simflash.SimFlash()
    journal = opened(flash)
    fill(journal, PER_SECTOR - 1)
    journal.acknowledge(PER_SECTOR, 0)
    assert maintain(journal) == 1  # its own record fills the sector
    journal.acknowledge(PER_SECTOR + 1, 0)
    assert maintain(journal) == 0
    assert sum(flash.erasures) == 0
    assert opened(flash).next == PER_SECTOR + 1


class TestAcknowledging:
    """A host says what it has stored."""

    def test_it_is_kept_over_a_restart(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, 10)
        journal.acknowledge(8, 77)
        assert journal.acknowledged == 8
        assert journal.next == 11  # written when idle
        assert maintain(journal) == 1
        assert records(journal)[-1].body["sequence"] == 8
        assert records(journal)[-1].time_ms == 77
        assert opened(flash).acknowledged == 8

    def test_it_never_moves_backward(self) -> None:
        journal = opened(simflash.SimFlash())
        fill(journal, 10)
        journal.acknowledge(8, 0)
        maintain(journal)
        for sequence in (0, 7, 8):
            journal.acknowledge(sequence, 0)
            assert journal.acknowledged == 8
            assert maintain(journal) == 0

    def test_what_does_not_exist_yet_is_refused(self) -> None:
        journal = opened(simflash.SimFlash())
        fill(journal, 10)
        with pytest.raises(ValueError, match="12"):
            journal.acknowledge(12, 0)
        assert journal.acknowledged == 1
        journal.acknowledge(11, 0)
        assert journal.acknowledged == 11

    def test_acknowledging_an_acknowledgement_makes_no_other(self) -> None:
        journal = opened(simflash.SimFlash())
        fill(journal, 10)
        journal.acknowledge(journal.next, 0)
        maintain(journal)
        length = journal.next
        for _ in range(3):
            journal.acknowledge(journal.next, 0)
            maintain(journal)
        assert journal.next == length == 12
        assert journal.acknowledged == 12
        append(journal)
        journal.acknowledge(journal.next, 0)
        maintain(journal)
        assert journal.next == 14

    def test_a_full_journal_can_be_acknowledged(self) -> None:
        journal = opened(simflash.SimFlash())
        fill(journal, CAPACITY)
        journal.acknowledge(CAPACITY + 1, 0)
        # Its own record goes into the slot that was kept, and all other sectors go.
        assert maintain(journal) == limits.JOURNAL_SECTORS
        assert records(journal)[-1].body["sequence"] == CAPACITY + 1
        append(journal)
        assert sequences(journal)[-3:] == [CAPACITY, CAPACITY + 1, CAPACITY + 2]

    @pytest.mark.req("R40", "R41")
    def test_a_cut_while_a_full_journal_begins_to_empty_breaks_no_chain(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, CAPACITY)
        journal.acknowledge(CAPACITY + 1, 0)
        while not flash.erasures[0]:
            journal.maintain()
        digest = journal.chain.digest
        again = opened(flash)
        assert again.chain.next == CAPACITY + 1
        maintain(again)
        assert (again.chain.next, again.chain.digest) == (CAPACITY + 2, digest)

    def test_a_full_journal_whose_kept_slot_is_worn_can_be_acknowledged(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, CAPACITY)
        flash.stuck_at = limits.JOURNAL_SECTORS * 4096 - limits.RECORD_BYTES
        journal.acknowledge(CAPACITY + 1, 0)
        with pytest.raises(journal_module.JournalError, match="reads back wrong"):
            maintain(journal)
        maintain(journal)
        assert journal.free_records > CAPACITY - 3 * PER_SECTOR


class TestChain:
    """The running hash is the one that the protocol defines, over restarts and acknowledgements."""

    def test_it_covers_every_record(self) -> None:
        journal = opened(simflash.SimFlash())
        assert (journal.chain.next, journal.chain.digest) == (1, DIGEST_NONE)
        fill(journal, 300)
        maintain(journal)
        assert journal.chain.next == 301
        assert journal.chain.digest == digest_of(records(journal))

    def test_it_is_extended_when_idle_alone(self) -> None:
        journal = opened(simflash.SimFlash())
        fill(journal, 300)
        assert journal.chain.next == 1
        assert journal.needs_maintenance
        journal.maintain()
        assert 1 < journal.chain.next <= 9

    def test_an_acknowledgement_carries_the_hash_before_it(self) -> None:
        journal = opened(simflash.SimFlash())
        fill(journal, 10)
        journal.acknowledge(8, 0)
        maintain(journal)
        *before, last = records(journal)
        assert last.body["digest"] == digest_of(before)
        assert journal.chain.digest == digest_of([*before, last])

    def test_a_record_that_cannot_be_read_is_not_in_it(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, 3)
        flash.stuck_at = 4 * limits.RECORD_BYTES
        with pytest.raises(journal_module.JournalError):
            append(journal)
        append(journal)
        maintain(journal)
        assert [record.sequence for record in records(journal)] == [1, 2, 3, 5]
        assert journal.chain.digest == digest_of(records(journal))
        assert journal.chain.next == 6

    def test_a_gap_at_the_end_is_passed_over(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, 3)
        flash.stuck_at = 4 * limits.RECORD_BYTES
        with pytest.raises(journal_module.JournalError):
            append(journal)
        maintain(journal)
        assert journal.chain.next == journal.next == 5

    @pytest.mark.req("R40")
    def test_it_goes_on_after_what_it_covers_was_erased(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        kept: list[Record] = []
        for _ in range(5):
            fill(journal, 400)
            kept += records(journal, kept[-1].sequence + 1 if kept else 0)
            journal.acknowledge(journal.next, 0)
            maintain(journal)
            journal = opened(flash)
        maintain(journal)
        kept += records(journal, kept[-1].sequence + 1)
        assert records(journal)[0].sequence > 1
        assert journal.chain.digest == digest_of(kept)
        assert prove(kept) == 5

    @pytest.mark.req("R40")
    def test_the_sector_of_the_last_hash_is_kept(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, PER_SECTOR - 1)
        journal.acknowledge(journal.next, 0)
        maintain(journal)  # writes the sector's last record
        append(journal)
        kept = records(journal)
        journal.acknowledge(PER_SECTOR + 1, 0)  # its own record too, which makes no other one
        maintain(journal)
        again = opened(flash)
        maintain(again)
        assert again.chain.digest == digest_of(kept)

    def test_a_journal_whose_anchor_is_damaged_begins_a_chain(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, 10)
        journal.acknowledge(8, 0)
        maintain(journal)
        fill(journal, PER_SECTOR)
        anchor = 11
        assert head(flash, 1).body["anchor"] == anchor
        flash.materialise(0)[anchor * limits.RECORD_BYTES] ^= 1
        again = opened(flash)
        assert (again.chain.next, again.chain.digest) == (1, DIGEST_NONE)

    def test_a_record_of_another_kind_is_no_anchor(self) -> None:
        flash = simflash.SimFlash()
        fill(opened(flash), PER_SECTOR)
        put_head(flash, 1, PER_SECTOR + 1, anchor=5)
        assert opened(flash).chain.next == 1


class TestDamage:
    """Whatever a cell does, nothing wrong is read and nothing is written over."""

    @pytest.mark.req("R40")
    def test_a_record_that_reads_back_wrong_is_an_error_and_a_gap(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, 3)
        flash.stuck_at = 4 * limits.RECORD_BYTES
        with pytest.raises(journal_module.JournalError, match="reads back wrong"):
            append(journal)
        assert not journal.sound
        assert append(journal) == 5
        assert journal.sound
        assert sequences(journal) == [1, 2, 3, 5]
        assert sequences(opened(flash)) == [1, 2, 3, 5]

    @pytest.mark.req("R40")
    def test_a_head_that_cannot_be_written_costs_its_sector_alone(self) -> None:
        flash = simflash.SimFlash()
        flash.stuck_at = 0
        journal = opened(flash)
        with pytest.raises(journal_module.JournalError, match="reads back wrong"):
            append(journal)
        assert append(journal) == 1
        assert head(flash, 1).sequence == 1
        assert journal.free_records == CAPACITY - PER_SECTOR - 1
        again = opened(flash)
        assert sequences(again) == [1]
        assert maintain(again) == 1
        assert again.free_records == CAPACITY - 1

    @pytest.mark.req("R40")
    def test_a_sector_that_was_erased_in_part_is_not_used(self) -> None:
        flash = simflash.SimFlash()
        flash.materialise(0)[-1] = 0xFE
        journal = opened(flash)
        assert append(journal) == 1
        assert head(flash, 1).sequence == 1
        assert maintain(journal) == 1
        assert flash.erasures[0] == 1

    @pytest.mark.req("R40")
    def test_a_sector_without_its_head_is_known_by_its_records(self) -> None:
        flash = simflash.SimFlash()
        fill(opened(flash), 200)
        for sector in (0, 1):
            flash.materialise(sector)[4] ^= 1
        flash.materialise(1)[limits.RECORD_BYTES] ^= 1
        journal = opened(flash)
        assert (journal.next, journal.boot_id) == (201, 2)
        assert sequences(journal) == [n for n in range(1, 201) if n != 128]

    def test_the_last_record_of_a_sector_is_enough_to_know_it(self) -> None:
        flash = simflash.SimFlash()
        fill(opened(flash), PER_SECTOR)
        flash.materialise(0)[: -limits.RECORD_BYTES] = bytes(PER_SECTOR * limits.RECORD_BYTES)
        journal = opened(flash)
        assert sequences(journal) == [PER_SECTOR]
        assert journal.next == PER_SECTOR + 1

    def test_a_foreign_sector_is_erased_before_use(self) -> None:
        flash = simflash.SimFlash()
        put_head(flash, 0, 900, magic=1)
        flash.materialise(0)[limits.RECORD_BYTES :] = bytes(4096 - limits.RECORD_BYTES)
        flash.materialise(1)[: limits.RECORD_BYTES] = encode_record(
            5, 1, RecordKind.CONFIG, 0, 0, value=0, previous=0, key=1
        )
        flash.materialise(2)[:] = bytes(4096)
        journal = opened(flash)
        assert journal.free_records >= CAPACITY - 3 * PER_SECTOR
        maintain(journal)
        assert flash.erasures[2] == 1

    def test_a_gap_between_sectors_is_passed_over(self) -> None:
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, 3 * PER_SECTOR)
        flash.materialise(1)[:] = bytes(4096)
        again = opened(flash)
        assert sequences(again) == [n for n in range(1, 3 * PER_SECTOR + 1) if not 128 <= n <= 254]
        assert again.oldest == 1

    @given(st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=40))
    def test_damaged_bytes_never_pass_for_a_record(self, hits: list[tuple[int, int]]) -> None:
        flash = simflash.SimFlash()
        fill(opened(flash), 200)
        for at, mask in hits:
            flash.materialise(at // 4096)[at % 4096] &= mask
        journal = opened(flash)
        for record in records(journal):
            assert 1 <= record.sequence <= 200
            assert record.time_ms == (record.sequence - 1)
        append(journal)


def test_sequence_numbers_beyond_small_integers() -> None:
    flash = simflash.SimFlash()
    first = (1 << 32) - 2 * PER_SECTOR
    put_head(flash, 9, first)
    journal = opened(flash)
    assert (journal.next, journal.acknowledged, journal.boot_id) == (first, first, 8)
    fill(journal, 200)
    assert sequences(opened(flash)) == list(range(first, first + 200))
    journal.acknowledge(first + 150, 0)
    assert maintain(journal) == 2
    assert opened(flash).oldest == first + PER_SECTOR


class Gun:
    """Uses a journal as a gun does, over power cuts, and remembers what must hold.

    `kept` are the records whose append returned; `host` is what a host has read before it
    acknowledged them.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.flash = simflash.SimFlash()
        self.flash.torn = lambda old: self.random.choice(
            (old, 0xFF, old | self.random.randrange(256))
        )
        self.kept: dict[int, int] = {}
        self.host: dict[int, Record] = {}
        self.acknowledged = 1
        self.boots: list[int] = []
        self.value = 0
        self.start()

    def start(self) -> None:
        self.flash.restore_power()
        self.journal = opened(self.flash)
        assert self.journal.boot_id not in self.boots
        self.check()
        assert append(self.journal, 0) > max(self.kept, default=0)
        self.kept[self.journal.next - 1] = 0
        self.boots.append(self.journal.boot_id)

    def check(self) -> None:
        journal = self.journal
        found = {record.sequence: record for record in records(journal, self.acknowledged)}
        for sequence, value in self.kept.items():
            if sequence >= self.acknowledged:
                assert found.pop(sequence).body["value"] == value
        # Beyond those, only our own bookkeeping and a record whose power went after its last byte.
        assert journal.acknowledged <= self.acknowledged
        assert max(self.kept, default=0) < journal.next
        assert not [
            r for r in found.values() if r.kind not in (RecordKind.ACKNOWLEDGED, RecordKind.CONFIG)
        ]

    def live(self, acts: int, cut_after: int) -> None:
        """Append, acknowledge and maintain until the power goes."""
        self.flash.cut_after = cut_after
        for _ in range(acts):
            try:
                self.act()
            except simflash.PowerCut:
                break
        self.start()

    def act(self) -> None:
        journal = self.journal
        act = self.random.random()
        if act < 0.9 and journal.free_records:
            self.value += 1
            self.kept[append(journal, self.value)] = self.value
        elif act < 0.95:
            self.acknowledged = max(self.acknowledged, self.random.randint(1, journal.next))
            self.collect()
            journal.acknowledge(self.acknowledged, 0)
        else:
            journal.maintain()

    def collect(self) -> None:
        for record in records(self.journal, max(self.host, default=0)):
            assert self.host.setdefault(record.sequence, record) == record

    def prove(self) -> None:
        """Show that the gun's own hash is that of all that the host has ever read."""
        maintain(self.journal)
        self.collect()
        found = [self.host[sequence] for sequence in sorted(self.host)]
        prove(found)
        assert self.journal.chain.digest == digest_of(found)


@pytest.mark.req("R40", "R41")
@given(st.integers(0, 1 << 32), st.lists(st.integers(0, 20_000), min_size=1, max_size=12))
@settings(max_examples=60)
def test_a_power_cut_loses_at_most_the_record_being_written(seed: int, cuts: list[int]) -> None:
    gun = Gun(seed)
    for cut_after in cuts:
        gun.live(700, cut_after)
    gun.prove()


@pytest.mark.req("R40")
def test_a_cut_at_every_byte_of_a_record_its_head_and_an_erasing() -> None:
    for at in range(2 * limits.RECORD_BYTES + 1):
        flash = simflash.SimFlash()
        journal = opened(flash)
        fill(journal, PER_SECTOR)
        flash.cut_after = at
        with suppress(simflash.PowerCut):
            append(journal, 1)
        flash.restore_power()
        again = opened(flash)
        whole = at >= 2 * limits.RECORD_BYTES
        assert sequences(again) == list(range(1, PER_SECTOR + 1 + whole))
        assert append(again) >= PER_SECTOR + 1
    noise = random.Random(3)
    for _ in range(50):
        flash = simflash.SimFlash()
        flash.torn = lambda old: old | noise.choice((0, 0xFF, noise.randrange(256)))
        journal = opened(flash)
        fill(journal, 200)
        hash_all(journal)
        journal.acknowledge(PER_SECTOR + 1, 0)
        journal.maintain()
        hash_all(journal)
        flash.cut_after = 100
        with pytest.raises(simflash.PowerCut):
            journal.maintain()
        flash.restore_power()
        again = opened(flash)
        assert sequences(again, PER_SECTOR + 1) == list(range(PER_SECTOR + 1, 202))
        fill(again, 2 * PER_SECTOR)
        maintain(again)
        assert sequences(again, PER_SECTOR + 1)[-1] == 201 + 2 * PER_SECTOR


def test_what_is_blank_is_no_record() -> None:
    with pytest.raises(RecordCorrupt):
        decode_record(b"\xff" * limits.RECORD_BYTES)
