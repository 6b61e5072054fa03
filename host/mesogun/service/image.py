"""Gets MicroPython's official image for the Raspberry Pi Pico onto this computer."""

import hashlib
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesogun.emulated.image import VARIABLE, NoImage, find_image, image_folder, is_rp2040_image
from mesogun.errors import MesogunError

__all__ = ["VARIABLE", "ImageInfo", "NoImage", "download_image", "find_image", "image_info"]

SITE: Final = "https://micropython.org/resources/firmware/"
OFFICIAL: Final = "RPI_PICO-20260406-v1.28.0.uf2"
"""The release that the firmware is tested on."""

_KNOWN: Final = {
    "RPI_PICO-20250911-v1.26.1.uf2": (
        "fc2a8096e0d999d3caca11b34381854599d68aee3e905d3cccbd5247ca78d07c"
    ),
    "SEEED_XIAO_RP2040-v1.28.0.uf2": (
        "27b41295467267c923ff5014ed622962d693f415e8a1089dc87f5c6731c9e3ec"
    ),
}
"""SHA-256 of images by name, as they were found in use; micropython.org publishes none."""

_TIMEOUT_S: Final = 30.0
_LARGEST_BYTES: Final = 4 << 20  # 2 MiB of flash in blocks of 256 bytes, each 512 in the file


class DownloadFailed(MesogunError):
    """The image cannot be had from the internet."""


@dataclass(frozen=True)
class ImageInfo:
    """An image on this computer.

    Attributes:
        path: where it is.
        sha256: of its bytes, in hex.
        known: True if that is what is expected under its name, None if nothing is known of it.
    """

    path: Path
    sha256: str
    known: bool | None


def image_info(path: Path) -> ImageInfo:
    """Return what is known of an image."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = _KNOWN.get(path.name)
    return ImageInfo(path, sha256, None if expected is None else expected == sha256)


def download_image(name: str = OFFICIAL, site: str = SITE) -> ImageInfo:
    """Download an image into the folder where it will be found.

    Args:
        name: of the file, as micropython.org calls it.
        site: where it is; any URL that ends in a slash.

    Raises:
        DownloadFailed: if it cannot be reached, is no image for the RP2040, or differs from the one
            that is known under that name. Nothing is kept then.
    """
    url = site + name
    folder = image_folder()
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{name}.part"
    try:
        partial.write_bytes(_fetched(url, folder))
        _check(partial, url, name)
        return image_info(partial.replace(folder / name))
    finally:
        partial.unlink(missing_ok=True)


def _fetched(url: str, folder: Path) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            return answer.read(_LARGEST_BYTES)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DownloadFailed(
            f"Cannot get {url} ({reason}). Download a UF2 file for the Raspberry Pi Pico on a "
            f"computer with internet and put it into {folder}, or name it in {VARIABLE}."
        ) from None


def _check(path: Path, url: str, name: str) -> None:
    if not is_rp2040_image(path):
        raise DownloadFailed(
            f"{url} is no UF2 file for the RP2040. Choose another one from "
            "https://micropython.org/download/RPI_PICO/."
        )
    expected = _KNOWN.get(name)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if expected not in (None, found):
        raise DownloadFailed(
            f"{url} has SHA-256 {found}, but {name} is known as {expected}. It was not kept; try "
            "again, or get it another way."
        )
