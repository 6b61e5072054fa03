"""Puts the firmware onto a board and proves that it is there; reads what a board holds."""

import base64
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mesogun.errors import GunRefused, LinkError
from mesogun.service.board import OLDEST_MICROPYTHON, Board, BoardInfo, Occupant
from mesogun.service.filesystem import FilesystemImage, make_filesystem
from mesogun.service.package import MANIFEST_NAME, Manifest, Package

_CHUNK_BLOCKS: Final = 8
_HEAD_BLOCKS: Final = (0, 1)
"""Both copies of the superblock. Erased first and written last: a board that loses its power in
between has no file system, and so is blank and not half a gun."""

_WINDOW_BITS: Final = 12
"""Of the compression: the board keeps as much memory for it as a block has."""

# Runs on the board: `_put` programs blocks from standard input, reads them back from flash and
# prints their hash. A byte 0x03 in the data would stop it, and each command makes that so again: it
# asks for the data when it has switched that off. A byte takes MicroPython 20 us to read; packed,
# there are a quarter of them.
_RECEIVER: Final = f"""
import binascii, deflate, hashlib, io, micropython, rp2, sys, vfs
try:
    vfs.umount('/')
except OSError:
    pass
_flash = rp2.Flash()
_block = bytearray(4096)
def _put(numbers, sizes):
    micropython.kbd_intr(-1)
    sys.stdout.write('!')
    for number, size in zip(numbers, sizes):
        packed = io.BytesIO(sys.stdin.buffer.read(size))
        deflate.DeflateIO(packed, deflate.RAW, {_WINDOW_BITS}).readinto(_block)
        _flash.writeblocks(number, _block)
    digest = hashlib.sha256()
    for number in numbers:
        _flash.readblocks(number, _block)
        digest.update(_block)
    print(binascii.b2a_base64(digest.digest()).decode().strip())
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A board's files against a package.

    Attributes:
        missing: paths that the board lacks.
        different: paths whose content is another.
        strange: paths that are not of the package.
    """

    missing: tuple[str, ...]
    different: tuple[str, ...]
    strange: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Is it exactly the package?"""
        return not (self.missing or self.different or self.strange)


def check_board(info: BoardInfo, package: Package, *, force: bool) -> None:
    """Refuse to flash a board that is somebody else's, too old, or newer than the package.

    Args:
        info: of the board.
        package: what is to be written.
        force: overwrite files of others and newer versions.

    Raises:
        GunRefused: with what to do.
    """
    if info.micropython[:2] < OLDEST_MICROPYTHON:
        runs = ".".join(str(part) for part in info.micropython)
        needs = ".".join(str(part) for part in OLDEST_MICROPYTHON)
        raise GunRefused(
            f"The board runs MicroPython {runs}; mesogun needs {needs} or newer. Put a newer image "
            "on it first."
        )
    if not info.storage_blocks:
        raise GunRefused(
            f"The board is a {info.machine}; mesogun runs on an RP2040. Connect the right board."
        )
    if force:
        return
    if info.occupant is Occupant.FOREIGN:
        known = {MANIFEST_NAME: "", **info.manifest.files} if info.manifest else dict[str, str]()
        others = sorted(info.files.keys() - known)
        names = ", ".join(others[:6]) + (" and more" if len(others) > 6 else "")
        raise GunRefused(
            f"The board holds files that are not mesogun's: {names}. Save them, then overwrite "
            "them with --force."
        )
    if info.manifest is not None and info.manifest.number > package.manifest.number:
        raise GunRefused(
            f"The board has firmware {info.manifest.version}, this computer the older "
            f"{package.manifest.version}. Update mesogun here, or go back with --force."
        )


def write_firmware(
    board: Board, info: BoardInfo, package: Package, progress: Callable[[int, int], None]
) -> None:
    """Write a package and prove each block; the journal stays as it is. Then call `board.reset`.

    Args:
        board: in raw mode.
        info: of the board.
        package: what to write.
        progress: called with blocks done and blocks in all.

    Raises:
        FilesystemError: if it does not fit.
        LinkError: if the board stops answering or reads back something else; it is blank then.
    """
    image = make_filesystem(package.files, info.storage_blocks)
    board.run(_RECEIVER)
    blank = bytes(4096).replace(b"\0", b"\xff")
    _put(board, FilesystemImage(dict.fromkeys(_HEAD_BLOCKS, blank)))
    body = sorted(image.blocks.keys() - set(_HEAD_BLOCKS))
    total = len(image.blocks)
    for at in range(0, len(body), _CHUNK_BLOCKS):
        numbers = body[at : at + _CHUNK_BLOCKS]
        _put(board, FilesystemImage({number: image.blocks[number] for number in numbers}))
        progress(at + len(numbers), total)
    _put(board, FilesystemImage({number: image.blocks[number] for number in _HEAD_BLOCKS}))
    progress(total, total)


def compare(info: BoardInfo, manifest: Manifest) -> Verdict:
    """Compare a board's files with those that a manifest names."""
    held = {path: sha256 for path, sha256 in info.files.items() if path != MANIFEST_NAME}
    wanted = manifest.files
    return Verdict(
        missing=tuple(sorted(wanted.keys() - held.keys())),
        different=tuple(
            sorted(path for path in wanted.keys() & held.keys() if wanted[path] != held[path])
        ),
        strange=tuple(sorted(held.keys() - wanted.keys())),
    )


def _put(board: Board, image: FilesystemImage) -> None:
    numbers = tuple(image.blocks)
    digest = hashlib.sha256(b"".join(image.blocks.values())).digest()
    packed = [zlib.compress(block, wbits=-_WINDOW_BITS) for block in image.blocks.values()]
    sizes = tuple(len(data) for data in packed)
    told = board.feed(f"_put({numbers!r}, {sizes!r})", b"".join(packed)).strip()
    if base64.b64decode(told) != digest:
        raise LinkError(
            f"Blocks {numbers[0]} to {numbers[-1]} of the board on {board.port} read back wrong. "
            "Flash it again; if that does not help, its flash is worn out."
        )
