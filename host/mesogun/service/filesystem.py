"""A board's file system, made here and written there block by block.

MicroPython's own start-up formats a littlefs over the whole storage area, and again whenever it
finds none of that size. The journal lies at the end of that area. So the file system is filled
while it is too small to reach the journal and only then told its full size; the board mounts it
read-only, and so nothing is ever allocated where the journal is.
"""

from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from littlefs import LittleFS
from littlefs.errors import LittleFSError

from mesogun.errors import MesogunError
from mesogun_protocol.limits import FLASH_PAGE_BYTES, FLASH_SECTOR_BYTES, JOURNAL_SECTORS

CONFIG_SECTORS: Final = 2
RESERVED_BLOCKS: Final = JOURNAL_SECTORS + CONFIG_SECTORS
"""Behind the file system: journal and configuration of the gun."""

_READ_BYTES: Final = 32
_LOOKAHEAD_BYTES: Final = 32
_DISK_VERSION: Final = 0x00020000
"""What MicroPython 1.28 mounts with its default settings (extmod/vfs_lfs.c)."""


class FilesystemError(MesogunError):
    """The firmware does not fit onto the board."""


@dataclass(frozen=True, slots=True)
class FilesystemImage:
    """Blocks of the storage area that hold the file system.

    Attributes:
        blocks: content by number; the board may keep what it has in all others.
    """

    blocks: dict[int, bytes]


def make_filesystem(files: dict[str, bytes], storage_blocks: int) -> FilesystemImage:
    """Lay out `files`.

    Args:
        files: contents by path.
        storage_blocks: blocks of 4096 bytes in the board's storage area.

    Raises:
        FilesystemError: if they do not fit in front of the journal.
    """
    room = storage_blocks - RESERVED_BLOCKS
    if room < 2:
        raise FilesystemError(
            f"The board has {storage_blocks} blocks of storage; journal and configuration take "
            f"{RESERVED_BLOCKS}, so none are left for the firmware. Use one with 2 MiB of flash."
        )
    system = LittleFS(
        block_size=FLASH_SECTOR_BYTES,
        block_count=room,
        read_size=_READ_BYTES,
        prog_size=FLASH_PAGE_BYTES,
        cache_size=FLASH_PAGE_BYTES,
        lookahead_size=_LOOKAHEAD_BYTES,
        disk_version=_DISK_VERSION,
    )
    try:
        for path, content in sorted(files.items()):
            if "/" in path:
                system.makedirs(path.rpartition("/")[0], exist_ok=True)
            file = cast(BinaryIO, system.open(path, "wb"))  # pyright: ignore[reportUnknownMemberType]
            with file:
                file.write(content)
    except LittleFSError as error:
        size = sum(len(content) for content in files.values())
        raise FilesystemError(
            f"The firmware of {size} bytes does not fit into the {room} blocks in front of the "
            f"journal ({error}). Use a board with more flash."
        ) from None
    system.fs_grow(storage_blocks)
    data = bytes(system.context.buffer)
    blocks = (
        (number, data[number * FLASH_SECTOR_BYTES : (number + 1) * FLASH_SECTOR_BYTES])
        for number in range(room)
    )
    return FilesystemImage({number: block for number, block in blocks if block.strip(b"\xff")})
