"""What goes onto a board: compiled for it, whole, and saying truly what it is."""

import hashlib
import json

import pytest

from mesogun.service.package import MANIFEST_NAME, Manifest, Package, build_package
from mesogun_protocol.schema import SCHEMA_HASH

MPY_VERSION = 6
SUB_VERSION_AND_ARCHITECTURE = 3 | 4 << 2  # 6.3; ARMv6-M (MicroPython, py/persistentcode.h)


@pytest.fixture(scope="module")
def package() -> Package:
    return build_package()


def test_the_firmware_compiles_for_the_board(package: Package):
    compiled = {name: data for name, data in package.files.items() if name.endswith(".mpy")}
    assert {"gun/app.mpy", "hal/rp2040/machine.mpy", "boards/reference.mpy"} <= compiled.keys()
    assert all(data[:2] == bytes((ord("M"), MPY_VERSION)) for data in compiled.values())
    assert compiled["hal/rp2040/pulse.mpy"][2] & 0x3F == SUB_VERSION_AND_ARCHITECTURE


def test_only_the_two_files_that_micropython_looks_for_are_sources(package: Package):
    sources = {name for name in package.files if name.endswith(".py")}
    assert sources == {"boot.py", "main.py"}


@pytest.mark.req("R44")
@pytest.mark.parametrize("folder", ["tests/", "hal/virtual/", "gun/ports"])
def test_what_no_board_needs_stays_here(package: Package, folder: str):
    assert not [name for name in package.files if name.startswith(folder)]


@pytest.mark.req("R36")
def test_the_manifest_names_every_file_and_the_schema(package: Package):
    manifest = Manifest.from_json(package.files[MANIFEST_NAME])
    assert manifest == package.manifest
    assert manifest.schema_hash == f"{SCHEMA_HASH:08x}"
    assert manifest.files == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in package.files.items()
        if name != MANIFEST_NAME
    }


def test_the_build_is_the_begin_of_the_commit():
    assert Manifest("1.2.3", "deadbeef" + "0" * 32, "0" * 8, {}).build == 0xDEADBEEF
    assert Manifest("1.2.3", "", "0" * 8, {}).build == 0


@pytest.mark.parametrize(
    "text",
    [
        b"not JSON",
        b"[]",
        b'{"format": 1}',
        json.dumps(
            {"format": 2, "version": "0.1.0", "commit": "", "schema_hash": "", "files": {}}
        ).encode(),
        json.dumps(
            {"format": 1, "version": "new", "commit": "", "schema_hash": "", "files": {}}
        ).encode(),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_none(text: bytes):
    with pytest.raises(ValueError, match=r"."):
        Manifest.from_json(text)
