"""NOR flash as silicon has it: programming only clears bits within a page, erasing sets a sector.

Kept in a file, written through operation by operation, so that it survives the death of the process
like the flash of a gun survives the loss of its power.
"""

import os
import random
from pathlib import Path

from mesogun.errors import MesogunError
from mesogun_protocol.limits import FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, JOURNAL_SECTORS

CONFIG_SECTORS = 2
"""Behind the journal: two sectors that take turns for the gun's configuration."""

FLASH_BYTES = (JOURNAL_SECTORS + CONFIG_SECTORS) * FLASH_SECTOR_BYTES

# Page program and sector erase times, typical and maximum, of the Pico's W25Q16JV (datasheet, AC
# characteristics): 0.4 to 3 ms and 45 to 400 ms.
_PROGRAM_NS = (400_000, 3_000_000)
_ERASE_NS = (45_000_000, 400_000_000)


class FlashError(MesogunError):
    """The firmware asked for something that NOR flash cannot do."""


class NorFlash:
    """The flash region of one gun.

    Args:
        path: file that holds the bytes; made, erased, if there is none. None keeps them in memory.
        seed: draws the time that each operation takes.
    """

    def __init__(self, path: Path | None, seed: int) -> None:
        """Open or make the flash."""
        self._random = random.Random(f"flash {seed}")
        self._last = (0, b"", b"")  # offset, bytes before and after the last operation
        self._file: int | None = None
        if path is None:
            self._bytes = bytearray(b"\xff" * FLASH_BYTES)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if fresh:
            os.pwrite(self._file, b"\xff" * FLASH_BYTES, 0)
        self._bytes = bytearray(os.pread(self._file, FLASH_BYTES, 0))
        if len(self._bytes) != FLASH_BYTES:
            raise FlashError(
                f"{path} has {len(self._bytes)} bytes, not {FLASH_BYTES}: not a flash image"
            )

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`."""
        self._check(offset, length)
        return bytes(self._bytes[offset : offset + length])

    def program(self, offset: int, data: bytes) -> int:
        """Clear the bits that are 0 in `data`, within one page; return the time it takes in ns."""
        self._check(offset, len(data))
        if not data or offset // FLASH_PAGE_BYTES != (offset + len(data) - 1) // FLASH_PAGE_BYTES:
            raise FlashError(f"{len(data)} bytes at {offset} do not lie within one page")
        old = self._bytes[offset : offset + len(data)]
        self._write(offset, bytes(a & b for a, b in zip(old, data, strict=True)))
        return self._duration_ns(_PROGRAM_NS)

    def erase(self, offset: int) -> int:
        """Set all bits of the sector at `offset`; return the time it takes in ns."""
        self._check(offset, FLASH_SECTOR_BYTES)
        if offset % FLASH_SECTOR_BYTES:
            raise FlashError(f"{offset} is not the start of a sector")
        self._write(offset, b"\xff" * FLASH_SECTOR_BYTES)
        return self._duration_ns(_ERASE_NS)

    def tear(self, done: float) -> None:
        """Take back the rest of the last operation, of which the share `done` (0 to 1) was over.

        A program has reached a byte with some of its bits. An erasing leaves every byte somewhere
        between what it was and blank.
        """
        offset, before, after = self._last
        reached = int(done * len(after))
        if after == b"\xff" * FLASH_SECTOR_BYTES:
            torn = bytes(b | self._random.getrandbits(8) for b in before)
        else:
            some = self._random.getrandbits(8)
            torn = after[:reached] + bytes(
                old & (new | some) if at == 0 else old
                for at, (old, new) in enumerate(zip(before[reached:], after[reached:], strict=True))
            )
        self._put(offset, torn)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, offset: int, data: bytes) -> None:
        self._last = (offset, bytes(self._bytes[offset : offset + len(data)]), data)
        self._put(offset, data)

    def _put(self, offset: int, data: bytes) -> None:
        self._bytes[offset : offset + len(data)] = data
        if self._file is not None:
            os.pwrite(self._file, data, offset)

    def _check(self, offset: int, length: int) -> None:
        if not 0 <= offset <= offset + length <= FLASH_BYTES:
            raise FlashError(
                f"{offset}..{offset + length} is outside the flash of {FLASH_BYTES} bytes"
            )

    def _duration_ns(self, span: tuple[int, int]) -> int:
        typical, longest = span
        # Nearly all operations take the typical time; the tail reaches the datasheet's maximum.
        return typical + round((longest - typical) * self._random.random() ** 8)
