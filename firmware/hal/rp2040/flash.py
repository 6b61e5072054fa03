"""The last sectors of the flash, outside of any file: journal and configuration."""
# Viper takes buffers for pointers, and a block device answers numbers: the stubs know neither.
# pyright: reportArgumentType=false, reportOptionalOperand=false

import micropython
import rp2
from micropython import const

from gun import wire

_SECTOR_BYTES = wire.FLASH_SECTOR_BYTES
_PAGE_BYTES = wire.FLASH_PAGE_BYTES
_CONFIG_SECTORS = const(2)
_SECTORS = wire.JOURNAL_SECTORS + _CONFIG_SECTORS
_COUNT = const(4)
_SIZE = const(5)
_ERASE = const(6)  # requests of a block device


@micropython.viper
def _lay(page: ptr8, at: int, data: ptr8, length: int):
    """Fill a page with ones but for `data`. A slice would take memory on the path of a shot."""
    for index in range(256):
        page[index] = 0xFF
    for index in range(length):
        page[at + index] = data[index]


class Flash:
    """See `gun.ports.Flash`."""

    def __init__(self):
        device = rp2.Flash()
        count = device.ioctl(_COUNT, 0)
        size = device.ioctl(_SIZE, 0)
        if size != _SECTOR_BYTES or count <= _SECTORS:
            raise RuntimeError(
                f"the flash has {count} blocks of {size} bytes; the journal alone takes {_SECTORS} "
                f"of {_SECTOR_BYTES}"
            )
        self._device = device
        self._first = count - _SECTORS
        self._page = bytearray(_PAGE_BYTES)

    def read(self, offset, buf):
        self._device.readblocks(self._first + offset // _SECTOR_BYTES, buf, offset % _SECTOR_BYTES)

    def program(self, offset, buf):
        # The chip is programmed in whole pages (a shorter length would wrap round in the boot ROM),
        # but a one leaves a bit as it is. With an offset, `writeblocks` does not erase.
        at = offset % _PAGE_BYTES
        if at + len(buf) > _PAGE_BYTES:
            raise ValueError(f"{len(buf)} bytes at {offset} cross a page")
        _lay(self._page, at, buf, len(buf))
        self._device.writeblocks(
            self._first + offset // _SECTOR_BYTES, self._page, offset % _SECTOR_BYTES - at
        )

    def erase(self, offset):
        # 45 to 400 ms without interrupts; PIO and DMA go on (W25Q16JV, AC characteristics).
        self._device.ioctl(_ERASE, self._first + offset // _SECTOR_BYTES)
