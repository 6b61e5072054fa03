import hashlib
from pathlib import Path

import pytest

from mesogun.emulated.image import NoImage, find_image, is_rp2040_image
from mesogun.service.image import (
    _KNOWN,
    DownloadFailed,
    download_image,
    image_info,
)

HEAD = bytes.fromhex("5546320a 57515d9e") + bytes(20) + bytes.fromhex("56ff8be4")
OTHER_CHIP = HEAD[:-4] + bytes.fromhex("59ff8be4")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name: tmp_path)
    monkeypatch.delenv("MESOGUN_UF2", raising=False)
    images = tmp_path / "images"
    images.mkdir()
    return images


def make(path: Path, head: bytes = HEAD) -> Path:
    path.write_bytes(head.ljust(1024, b"\0"))
    return path


def test_without_an_image_the_error_tells_how_to_get_one(folder: Path) -> None:
    make(folder / "RPI_PICO2-v1.29.0.uf2", OTHER_CHIP)
    with pytest.raises(NoImage, match="--download") as caught:
        find_image()
    assert str(folder) in str(caught.value)
    assert "MESOGUN_UF2" in str(caught.value)


def test_the_newest_is_taken_and_of_one_version_the_picos(folder: Path) -> None:
    for name in ("RPI_PICO-20250911-v1.9.1.uf2", "SEEED_XIAO_RP2040-v1.28.0.uf2"):
        make(folder / name)
    assert find_image().name == "SEEED_XIAO_RP2040-v1.28.0.uf2"
    make(folder / "RPI_PICO-20260406-v1.28.0.uf2")
    assert find_image().name == "RPI_PICO-20260406-v1.28.0.uf2"


def test_a_named_image_comes_first_and_must_fit(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(folder / "RPI_PICO-20260406-v1.28.0.uf2")
    own = make(tmp_path / "own.uf2")
    monkeypatch.setenv("MESOGUN_UF2", str(own))
    assert find_image() == own
    make(own, OTHER_CHIP)
    with pytest.raises(NoImage, match="not a UF2 file for the RP2040"):
        find_image()
    monkeypatch.setenv("MESOGUN_UF2", str(tmp_path / "missing.uf2"))
    with pytest.raises(NoImage, match=r"missing\.uf2"):
        find_image()


def test_an_image_is_downloaded_and_kept(folder: Path, tmp_path: Path) -> None:
    there = make(tmp_path / "NEW-v1.30.0.uf2")
    info = download_image(there.name, f"{tmp_path.as_uri()}/")
    assert info.path == folder / there.name == find_image()
    assert info.sha256 == hashlib.sha256(there.read_bytes()).hexdigest()
    assert info.known is None
    assert image_info(info.path) == info


def test_what_is_no_image_or_not_the_known_one_is_not_kept(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.uf2"
    page.write_text("<html>")
    with pytest.raises(DownloadFailed, match="no UF2 file for the RP2040"):
        download_image(page.name, f"{tmp_path.as_uri()}/")
    known = make(tmp_path / next(iter(_KNOWN)))
    assert is_rp2040_image(known)
    with pytest.raises(DownloadFailed, match="was not kept"):
        download_image(known.name, f"{tmp_path.as_uri()}/")
    assert list(folder.iterdir()) == []


def test_no_internet_is_said_plainly(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="Cannot get") as caught:
        download_image("absent.uf2", f"{tmp_path.as_uri()}/")
    assert str(folder) in str(caught.value)
