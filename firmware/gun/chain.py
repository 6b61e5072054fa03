"""The running hash of the journal: who has the records can prove that they are the gun's own.

Read from flash while the gun is idle, a few records at a time: never on the path of a shot.
"""

from hashlib import sha256
from struct import unpack_from

from micropython import const

from gun import wire

_BYTES = wire.RECORD_BYTES
_BATCH = const(8)  # 3 ms of an idle processor

NONE = bytes(wire.JOURNAL_DIGEST_BYTES)


class Chain:
    """`digest` covers every sound record below `next`."""

    def __init__(self):
        self._records = bytearray(_BATCH * _BYTES)
        self._view = memoryview(self._records)
        self.begin(1, NONE)

    def begin(self, sequence, digest):
        """Go on at `sequence`; `digest` covers what lies before it."""
        self.next = sequence
        self.digest = digest

    def extend(self, journal):
        """Take in the next records of `journal`."""
        size = journal.read(self.next, _BATCH, self._records, 0)
        for at in range(0, size, _BYTES):
            digest = sha256(self.digest)
            digest.update(self._view[at : at + _BYTES])
            self.digest = digest.digest()[: wire.JOURNAL_DIGEST_BYTES]
        if size < len(self._records):
            self.next = journal.next
        else:
            self.next = unpack_from("<I", self._records, size - _BYTES)[0] + 1
