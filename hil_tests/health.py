"""What must be true of a gun after every test, whatever the test did."""

import itertools

from benches.bench import Bench, Steps

from mesogun.gun import Gun, Status
from mesogun.link import Link
from mesogun_protocol.enums import ControllerState, Fault, RecordKind
from mesogun_protocol.records import DIGEST_NONE, Record, decode_record, next_digest


class Health:
    """Collects what a test uses, and what it may leave behind on purpose.

    Attributes:
        faults: faults that the test provokes.
        restarts: boots beside the first one that the test brings about.
        resends: True if the test keeps the gun so busy that requests must be sent again.
        damage: True if the test cuts frames off.
        before: steps that the bench has counted since power-up and before the last reset.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._links: list[Link] = []
        self.faults: list[Fault] = []
        self.restarts = 0
        self.resends = False
        self.damage = False
        self.before = Steps(0, 0)

    def greet(self, link: Link) -> Gun:
        """Open a gun whose link is watched."""
        self._links.append(link)
        return Gun(link)

    def check(self) -> None:
        """Stop the gun, read its whole record and compare it with what the bench counted."""
        gun = self.greet(Link(self._bench.connect()))
        gun.stop()
        assert not self._bench.driver_on(), "the driver is on after a stop"
        records = read_records(gun)
        status = gun.status()
        assert status.state not in (ControllerState.RUNNING, ControllerState.PAUSED)
        assert gun.info.boot_id == 1 + self.restarts, "the gun has started at another time"
        self._check_links()
        self._check_sequence(records)
        self._check_chain(records, status)
        faults = [r.body["fault"] for r in records if r.kind is RecordKind.FAULT]
        assert faults == self.faults, "the record shows other faults than the test provoked"
        witnessed = Steps(status.total_forward_steps, status.total_backward_steps)
        counted, before = self._bench.steps(), self.before
        seen = Steps(counted.forward - before.forward, counted.backward - before.backward)
        assert witnessed == seen, "the witness and the bench count differently"
        assert recorded_steps(records, gun.info.boot_id) == witnessed

    def _check_links(self) -> None:
        for link in self._links:
            assert self.damage or link.damaged == 0, "frames arrived damaged"
            assert self.resends or link.resent == 0, "requests had to be sent again"

    def _check_sequence(self, records: list[Record]) -> None:
        for before, after in itertools.pairwise(records):
            # A power cut may cost the record in the making, and nothing else.
            most = 2 if after.boot_id != before.boot_id else 1
            assert 1 <= after.sequence - before.sequence <= most, f"a gap at {after.sequence}"

    def _check_chain(self, records: list[Record], status: Status) -> None:
        """The gun's own hash is that of the records it has sent, unless some were erased."""
        if records and records[0].sequence == 1:
            digest = DIGEST_NONE
            for record in records:
                if record.sequence < status.journal_hashed:
                    digest = next_digest(digest, record.raw)
            assert digest.hex() == status.journal_digest


def read_records(gun: Gun) -> list[Record]:
    """Return all records that the gun holds, decoded."""
    return [decode_record(raw) for raw in gun.read_records(1)]


def recorded_steps(records: list[Record], boot_id: int) -> Steps:
    """Return what the results of one boot add up to."""
    results = [
        record.body
        for record in records
        if record.kind is RecordKind.SHOT_RESULT and record.boot_id == boot_id
    ]
    return Steps(
        sum(body["forward_steps"] for body in results),
        sum(body["backward_steps"] for body in results),
    )
