"""Compiles rp2040py's own C files for this Python: the emulated RP2040 gets 2.8 times as fast.

Its wheels are of the stable ABI. There a method that Python code might replace is looked up by name
at each call, which is several times an emulated instruction. The C files are in the wheel, and an
extension for this very Python is preferred to the one beside it. Without a C compiler or Python's
headers the emulator stays as it was installed.
"""

import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext


def main() -> None:
    """Compile, or say why not."""
    package = importlib.util.find_spec("rp2040py")
    if package is None or package.origin is None:
        sys.exit("rp2040py is not installed: run `make dev`")
    folder = Path(package.origin).parent / "native"
    forget(folder)
    if not has_compiler():
        print("no C compiler with Python's headers: the emulated RP2040 stays slow")
        return
    print(f"compiled {compile_in(folder)} parts of the emulated RP2040")


def forget(folder: Path) -> None:
    """Remove what was compiled before: it may belong to another release of the package."""
    for stale in folder.glob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}"):
        stale.unlink()


def compile_in(folder: Path) -> int:
    """Compile each C file of a package's folder into an extension beside it; return how many.

    Raises:
        FileNotFoundError: if there are none.
    """
    sources = sorted(folder.glob("_*.c"))
    if not sources:
        raise FileNotFoundError(f"no C files in {folder}: the wheel has changed")
    package = ".".join(folder.parts[-2:])
    command = build_ext(
        Distribution(
            {"ext_modules": [Extension(f"{package}.{at.stem}", [str(at)]) for at in sources]}
        )
    )
    command.build_lib = str(folder.parents[1])
    command.parallel = True
    with tempfile.TemporaryDirectory() as objects:
        command.build_temp = objects
        command.ensure_finalized()
        command.run()
    return len(sources)


def has_compiler() -> bool:
    """Try it: some systems have a compiler without headers, or a `cc` that only offers itself."""
    compiler = (sysconfig.get_config_var("CC") or "").split()
    if sys.platform == "win32" or not compiler:
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "try.c"
        source.write_text("#include <Python.h>\n")
        command = [*compiler, "-fsyntax-only", f"-I{sysconfig.get_path('include')}", str(source)]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False


if __name__ == "__main__":
    main()
