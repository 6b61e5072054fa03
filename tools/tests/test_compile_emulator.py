import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

import compile_emulator

_SOURCE = """
#include <Python.h>
static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "_part"};
PyMODINIT_FUNC PyInit__part(void) { return PyModule_Create(&def); }
"""


def test_each_part_is_compiled_beside_its_source_and_preferred(tmp_path: Path) -> None:
    if not compile_emulator.has_compiler():
        pytest.skip("no C compiler with Python's headers: apt install gcc python3-dev")
    folder = tmp_path / "emulator" / "native"
    folder.mkdir(parents=True)
    (folder / "_part.c").write_text(_SOURCE)
    (folder / "_part.abi3.so").write_bytes(b"what the wheel brought")
    assert compile_emulator.compile_in(folder) == 1
    finder = importlib.machinery.FileFinder(
        str(folder),
        (importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES),
    )
    spec = finder.find_spec("_part")
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    assert Path(str(module.__file__)).parent == folder
    compile_emulator.forget(folder)
    assert [path.name for path in sorted(folder.iterdir())] == ["_part.abi3.so", "_part.c"]


def test_a_wheel_without_sources_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no C files"):
        compile_emulator.compile_in(tmp_path)
