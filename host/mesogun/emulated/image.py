"""Finds an image of MicroPython for the RP2040 on this computer."""

import os
import re
from pathlib import Path
from typing import Final

import platformdirs

from mesogun.errors import PortError

VARIABLE: Final = "MESOGUN_UF2"

_VERSION: Final = re.compile(r"v(\d+)\.(\d+)(?:\.(\d+))?")
_OFFICIAL: Final = "RPI_PICO-"

# A UF2 block: its two magic numbers first, and at 28 the family of chips that the file is for
# (https://github.com/microsoft/uf2).
_MAGIC: Final = bytes.fromhex("5546320a 57515d9e")
_FAMILY: Final = slice(28, 32)
_RP2040: Final = bytes.fromhex("56ff8be4")


class NoImage(PortError):
    """There is no image of MicroPython for the RP2040."""


def image_folder() -> Path:
    """Return the folder in which images are looked for, and kept after a download."""
    return platformdirs.user_cache_path("mesogun") / "images"


def find_image() -> Path:
    """Return the image that `MESOGUN_UF2` names, else the newest one in `image_folder`.

    Raises:
        NoImage: if there is none, with how to get one; or if it is for another chip.
    """
    named = os.environ.get(VARIABLE)
    if named:
        path = Path(named)
        if not is_rp2040_image(path):
            raise NoImage(
                f"{VARIABLE} = {named!r} is not a UF2 file for the RP2040; name one, or unset it "
                f"to use the newest in {image_folder()}."
            )
        return path
    found = [path for path in image_folder().glob("*.uf2") if is_rp2040_image(path)]
    if not found:
        raise NoImage(
            f"The emulated RP2040 needs MicroPython's image. Get it with `mesogun firmware image "
            f"--download`, put a UF2 file for the Raspberry Pi Pico into {image_folder()}, or name "
            f"one in {VARIABLE}."
        )
    return max(found, key=_rank)


def is_rp2040_image(path: Path) -> bool:
    """Return True if `path` is a file of UF2 blocks for the RP2040."""
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError:
        return False
    return head.startswith(_MAGIC) and head[_FAMILY] == _RP2040


def _rank(path: Path) -> tuple[tuple[int, ...], bool, str]:
    """Newer first, and of one version the Pico's own."""
    match = _VERSION.search(path.name)
    version = tuple(int(part or 0) for part in match.groups()) if match else ()
    return version, path.name.startswith(_OFFICIAL), path.name
