"""Which virtual guns were left behind with records that nobody stored."""

from pathlib import Path

import pytest

from mesogun.virtual.gun import kept_guns


def test_only_files_with_the_name_of_a_board_are_guns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))
    assert kept_guns() == []
    for name in ("0011223344556677.flash", "rp2040.flash", "00.flash", "notes.txt"):
        (tmp_path / name).touch()
    assert kept_guns() == [bytes.fromhex("0011223344556677")]
