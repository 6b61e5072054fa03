"""A thousand power cuts, each at a random byte of a random flash operation, on MicroPython."""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import random
from hashlib import sha256

import mark
from simflash import PowerCut, SimFlash

from gun import wire
from gun.journal import Journal

_CUTS = 1000
_BYTES = wire.RECORD_BYTES
# Bytes of flash work in a life, below one of these: in a record or two, in one of many records,
# behind some erasings, each of which is 4096.
_WORK = (100, 3000, 20000)


def _torn(old):
    return random.choice((old, 0xFF, old | random.getrandbits(8)))


class Life:
    """A gun and its host over many starts.

    `kept` are the records whose append returned: value by number. `digest` is the host's hash of
    all records below `known`, which it has read.
    """

    def __init__(self):
        self.flash = SimFlash()
        self.flash.torn = _torn
        self.kept = {}
        self.acknowledged = 1
        self.known = 1
        self.digest = bytes(wire.JOURNAL_DIGEST_BYTES)
        self.anchors = 0
        self.value = 0
        self.cuts = self.gaps = 0
        self._buf = bytearray(wire.RECORDS_PER_READ * _BYTES)
        self._begin()

    def _begin(self):
        self.flash.restore_power()
        journal = self.journal = Journal(self.flash)
        journal.open()
        self._check()
        self._append()

    def _append(self):
        journal = self.journal
        wire.pack_record_config(journal.body, 0, self.value, 0, wire.CONFIG_LEAD_NM)
        self.kept[journal.append(wire.RECORD_CONFIG, wire.STEP_NONE, 0)] = self.value
        self.value += 1

    def _read(self, sequence):
        """Yield number, kind and bytes of every record from `sequence` on."""
        buf = self._buf
        while True:
            size = self.journal.read(sequence, wire.RECORDS_PER_READ, buf, 0)
            for at in range(0, size, _BYTES):
                raw = bytes(buf[at : at + _BYTES])
                sequence, _, kind, _, _ = wire.unpack_record_head(raw, 0, wire.SIZE_RECORD_HEAD)
                yield sequence, kind, raw
            if not size:
                return
            sequence += 1

    def _check(self):
        """Nothing that was written is lost or changed, and one number at most is new or missing."""
        journal = self.journal
        assert journal.acknowledged <= self.acknowledged
        left = dict(self.kept)
        before = self.acknowledged - 1
        for sequence, kind, raw in self._read(self.acknowledged):
            # A gap is the one record that was being written at a cut.
            assert sequence > before
            self.gaps += sequence - before - 1
            assert sequence - before <= 2, (before, sequence)
            before = sequence
            if sequence in left:
                assert kind == wire.RECORD_CONFIG
                assert wire.unpack_record_config(raw, 12, 16)[0] == left.pop(sequence)
        assert not left
        assert before < journal.next <= before + 2

    def _collect(self):
        """Read what is new, as a host does, and prove the gun's own hash with it."""
        for sequence, kind, raw in self._read(self.known):
            if kind == wire.RECORD_ACKNOWLEDGED:
                assert wire.unpack_record_acknowledged(raw, 12, 16)[1] == self.digest
                self.anchors += 1
            digest = sha256(self.digest)
            digest.update(raw)
            self.digest = digest.digest()[: wire.JOURNAL_DIGEST_BYTES]
            self.known = sequence + 1

    def live(self):
        """Write, acknowledge and maintain until the power goes."""
        self.flash.cut_after = random.getrandbits(20) % random.choice(_WORK)
        try:
            while True:
                choice = random.getrandbits(6)
                if choice < 2:
                    self._collect()
                    self.acknowledged = self.known
                    self.journal.acknowledge(self.known, 0)
                    self.kept = {n: v for n, v in self.kept.items() if n >= self.known}
                elif choice < 6:
                    self.journal.maintain()
                elif choice < 8:
                    while self.journal.maintain():
                        pass
                else:
                    self._append()
        except PowerCut:
            self.cuts += 1
        self._begin()


@mark.req("R40", "R41", "R42")
def test_a_thousand_cuts_lose_no_more_than_the_record_in_the_making():
    random.seed(1952)
    life = Life()
    while life.cuts < _CUTS:
        life.live()
    while life.journal.maintain():
        pass
    life._collect()
    assert life.journal.chain.digest == life.digest
    assert life.gaps > 100
    assert life.anchors > 100
    assert sum(life.flash.erasures) > 100
