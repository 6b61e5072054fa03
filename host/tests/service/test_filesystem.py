"""The file system that is made here is one for the board, and leaves the journal alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from littlefs import LittleFS, UserContext

from mesogun.service.filesystem import (
    RESERVED_BLOCKS,
    FilesystemError,
    FilesystemImage,
    make_filesystem,
)
from mesogun_protocol.limits import FLASH_SECTOR_BYTES

STORAGE_BLOCKS = 352  # of a Pico

names = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.mpy", fullmatch=True)


def mounted(image: FilesystemImage, blocks: int) -> LittleFS:
    """Mount it as the board does: over the whole storage area."""
    context = UserContext(blocks * FLASH_SECTOR_BYTES)
    for number, block in image.blocks.items():
        start = number * FLASH_SECTOR_BYTES
        context.buffer[start : start + FLASH_SECTOR_BYTES] = block
    return LittleFS(
        context=context, block_size=FLASH_SECTOR_BYTES, block_count=blocks, prog_size=256
    )


@settings(max_examples=40)
@given(st.dictionaries(names, st.binary(max_size=9000), max_size=8))
def test_the_board_reads_what_was_written(files: dict[str, bytes]):
    system = mounted(make_filesystem(files, STORAGE_BLOCKS), STORAGE_BLOCKS)
    for path, content in files.items():
        with system.open(path, "rb") as file:
            assert file.read() == content
    assert {
        f"{folder}/{name}".lstrip("./") for folder, _, found in system.walk(".") for name in found
    } == set(files)


@pytest.mark.req("R40")
def test_no_block_of_the_journal_is_written():
    room = (STORAGE_BLOCKS - RESERVED_BLOCKS - 12) * FLASH_SECTOR_BYTES
    image = make_filesystem({"large": bytes(range(256)) * (room // 256)}, STORAGE_BLOCKS)
    assert max(image.blocks) < STORAGE_BLOCKS - RESERVED_BLOCKS


def test_a_firmware_that_would_reach_the_journal_is_refused():
    too_large = bytes((STORAGE_BLOCKS - RESERVED_BLOCKS) * FLASH_SECTOR_BYTES)
    with pytest.raises(FilesystemError, match="does not fit into the 94 blocks"):
        make_filesystem({"large": too_large}, STORAGE_BLOCKS)


def test_a_board_whose_flash_is_too_small_is_refused():
    with pytest.raises(FilesystemError, match="has 200 blocks"):
        make_filesystem({}, 200)
