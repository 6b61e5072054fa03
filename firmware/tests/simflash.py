"""NOR flash in memory: programming only clears bits, and the power may go at any byte."""

SECTOR_BYTES = 4096
PAGE_BYTES = 256


class PowerCut(Exception):
    pass


class SimFlash:
    """Blank until written. After `cut_after` more bytes of work the power goes.

    An erasing that is cut leaves each byte as `torn(old byte)` says: real cells are anywhere
    between what they were and blank. The byte at `stuck_at` takes no programming.
    """

    def __init__(self, sectors=258):
        self.sectors: list[bytearray | None] = [None] * sectors
        self.cut_after: int | None = None
        self.torn = int
        self.erasures = [0] * sectors
        self.stuck_at = -1

    def materialise(self, number):
        """Return the bytes of a sector, which takes memory only from now on."""
        sector = self.sectors[number]
        if sector is None:
            sector = self.sectors[number] = bytearray(b"\xff" * SECTOR_BYTES)
        return sector

    def read(self, offset, buf):
        sector = self.sectors[offset // SECTOR_BYTES]
        at = offset % SECTOR_BYTES
        assert at + len(buf) <= SECTOR_BYTES
        buf[:] = b"\xff" * len(buf) if sector is None else sector[at : at + len(buf)]

    def program(self, offset, buf):
        assert offset % PAGE_BYTES + len(buf) <= PAGE_BYTES, "crosses a page"
        sector = self.materialise(offset // SECTOR_BYTES)
        at = offset % SECTOR_BYTES
        for index in range(len(buf)):
            self._work()
            if offset + index != self.stuck_at:
                sector[at + index] &= buf[index]

    def erase(self, offset):
        assert offset % SECTOR_BYTES == 0
        number = offset // SECTOR_BYTES
        self.erasures[number] += 1
        if self.cut_after is None:
            self.sectors[number] = None
        elif self.cut_after >= SECTOR_BYTES:
            self.cut_after -= SECTOR_BYTES
            self.sectors[number] = None
        else:
            sector = self.materialise(number)
            for index in range(len(sector)):
                sector[index] = self.torn(sector[index])
            raise PowerCut

    def _work(self):
        if self.cut_after is not None:
            if self.cut_after == 0:
                raise PowerCut
            self.cut_after -= 1

    def restore_power(self):
        self.cut_after = None
