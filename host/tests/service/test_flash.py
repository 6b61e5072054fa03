"""Whose board it is decides what is done with it; what was written is proven."""

import ast
import base64
import hashlib
import zlib
from typing import cast

import pytest

from mesogun.errors import GunRefused, LinkError
from mesogun.service.board import Board, BoardInfo, Occupant
from mesogun.service.flash import check_board, compare, write_firmware
from mesogun.service.package import MANIFEST_NAME, Manifest, Package

BLOCK_BYTES = 4096
HASHES = {"main.py": "11", "gun/app.mpy": "22"}
MANIFEST = Manifest("1.2.0", "ab" * 20, "00000000", HASHES)
PACKAGE = Package(MANIFEST, {"main.py": b"print(1)", MANIFEST_NAME: MANIFEST.to_json()})


def info(
    occupant: Occupant,
    manifest: Manifest | None = None,
    files: dict[str, str] | None = None,
    micropython: tuple[int, ...] = (1, 28, 0),
    storage_blocks: int = 352,
) -> BoardInfo:
    return BoardInfo(occupant, manifest, files or {}, micropython, "Pico", "00" * 8, storage_blocks)


class FakeBoard:
    """Takes blocks as a board does; may be worn out."""

    port = "fake"

    def __init__(self, worn_block: int | None = None) -> None:
        self.written: list[int] = []
        self.blocks: dict[int, bytes] = {}
        self._worn = worn_block

    def run(self, code: str) -> bytes:
        assert "_put" in code
        return b""

    def feed(self, code: str, data: bytes) -> bytes:
        numbers, sizes = ast.literal_eval(code.removeprefix("_put"))
        assert len(data) == sum(sizes)
        digest = hashlib.sha256()
        for number, size in zip(numbers, sizes, strict=True):
            block, data = zlib.decompress(data[:size], -12), data[size:]
            assert len(block) == BLOCK_BYTES
            self.blocks[number] = bytes(BLOCK_BYTES) if number == self._worn else block
            self.written.append(number)
            digest.update(self.blocks[number])
        return base64.b64encode(digest.digest())


def flash(board: FakeBoard) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    write_firmware(
        cast(Board, board), info(Occupant.BLANK), PACKAGE, lambda *done: seen.append(done)
    )
    return seen


@pytest.mark.parametrize(
    "board",
    [
        info(Occupant.BLANK),
        info(Occupant.MESOGUN, MANIFEST, HASHES),
        info(Occupant.MESOGUN, Manifest("1.1.9", "", "00000001", HASHES), HASHES),
    ],
    ids=["blank", "same", "older"],
)
def test_blank_and_older_boards_are_flashed(board: BoardInfo):
    check_board(board, PACKAGE, force=False)


@pytest.mark.parametrize(
    ("board", "text"),
    [
        (info(Occupant.FOREIGN, files={"main.py": "99"}), "not mesogun's: main.py"),
        (
            info(Occupant.FOREIGN, MANIFEST, {**HASHES, MANIFEST_NAME: "", "diary.txt": "99"}),
            "not mesogun's: diary.txt",
        ),
        (info(Occupant.MESOGUN, Manifest("1.10.0", "", "", HASHES)), "firmware 1.10.0"),
    ],
    ids=["foreign", "mixed", "newer"],
)
def test_files_of_others_and_newer_firmware_need_force(board: BoardInfo, text: str):
    with pytest.raises(GunRefused, match=text):
        check_board(board, PACKAGE, force=False)
    check_board(board, PACKAGE, force=True)


@pytest.mark.parametrize(
    ("board", "text"),
    [
        (info(Occupant.BLANK, micropython=(1, 27, 0)), "runs MicroPython 1.27.0"),
        (info(Occupant.BLANK, storage_blocks=0), "runs on an RP2040"),
    ],
    ids=["old", "other chip"],
)
def test_a_board_that_cannot_run_the_firmware_is_refused_whatever_is_said(
    board: BoardInfo, text: str
):
    with pytest.raises(GunRefused, match=text):
        check_board(board, PACKAGE, force=True)


def test_a_flash_that_is_interrupted_leaves_a_blank_board():
    board = FakeBoard()
    flash(board)
    assert board.written[:2] == [0, 1]
    assert board.written[-2:] == [0, 1]
    assert not {0, 1} & set(board.written[2:-2])
    assert b"littlefs" in board.blocks[0]


def test_progress_ends_with_all_blocks():
    *_, last = flash(FakeBoard())
    assert last[0] == last[1]


def test_a_block_that_reads_back_wrong_ends_it():
    with pytest.raises(LinkError, match="read back wrong"):
        flash(FakeBoard(worn_block=1))


def test_a_comparison_tells_each_difference():
    right = compare(info(Occupant.MESOGUN, files={**HASHES, MANIFEST_NAME: "00"}), MANIFEST)
    assert right.right
    wrong = compare(info(Occupant.FOREIGN, files={"main.py": "12", "x": "1"}), MANIFEST)
    assert (wrong.missing, wrong.different, wrong.strange) == (
        ("gun/app.mpy",),
        ("main.py",),
        ("x",),
    )
    assert not wrong.right
