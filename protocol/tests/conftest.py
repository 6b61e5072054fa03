"""The device's generated code on CPython, the real MicroPython, and the golden vectors."""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
VECTORS = ROOT / "protocol" / "vectors"
REPLAY = Path(__file__).with_name("replay.py")


@pytest.fixture(scope="session")
def device() -> SimpleNamespace:
    """`wire`, `frame` and `cosim_wire` of the firmware, imported apart from everything else."""
    packages = {"gun": "gun", "hal": "hal", "hal.virtual": "hal/virtual"}
    modules = ("gun.wire", "gun.frame", "hal.virtual.cosim_wire")
    names = ("micropython", *packages, *modules)
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    try:
        shim = ModuleType("micropython")
        shim.const = lambda value: value  # type: ignore[attr-defined]
        sys.modules["micropython"] = shim
        for name, folder in packages.items():
            package = ModuleType(name)
            package.__path__ = [str(FIRMWARE / folder)]
            sys.modules[name] = package
        found = {name.rpartition(".")[2]: importlib.import_module(name) for name in modules}
    finally:
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)
    return SimpleNamespace(**found)


@pytest.fixture(scope="session")
def replay() -> ModuleType:
    """The replay of the vectors, which runs on both interpreters."""
    spec = importlib.util.spec_from_file_location("replay", REPLAY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def vectors() -> SimpleNamespace:
    """The committed vectors by the name of their file."""
    return SimpleNamespace(
        **{path.stem: json.loads(path.read_text()) for path in VECTORS.glob("*.json")}
    )


@pytest.fixture(scope="session")
def micropython() -> str:
    """Path of a MicroPython for this machine."""
    named = os.environ.get("MESOGUN_MICROPYTHON")
    path = Path(named) if named else Path(sys.executable).with_name("micropython")
    if not path.exists():
        pytest.skip(f"no MicroPython at {path}: name one by MESOGUN_MICROPYTHON")
    return str(path)
