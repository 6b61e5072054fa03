"""Check which part of the firmware imports which; exit 1 and name every arrow that is not allowed.

The arrows between the host packages are import-linter's business (pyproject.toml). The firmware
does not run here, so its files are read: each part imports what its row in `MAY_IMPORT` allows,
`machine` and `rp2` appear in one hardware layer only, and all else that a file imports must exist
in MicroPython on the gun. Imports under `if TYPE_CHECKING:` may also name modules for types.

No file of the product, tests included, imports from `tools` or `hil_tests`.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent
PRODUCT_FOLDERS = ("protocol", "host", "firmware")

_BASE = {"gun.wire", "gun.ports"}

# What a part of the firmware may import beside itself, from the bottom up: the modules of the logic
# one by one, hardware layers and boards as wholes. A new arrow is a decision; it is taken here.
_PARTS: dict[str, set[str]] = {
    "build": set(),  # the version, written when the firmware is packed for a board
    "gun": set(),
    "gun.ports": set(),
    "gun.wire": set(),
    "gun.seal": set(),
    "gun.frame": _BASE,
    "gun.link": _BASE | {"gun.frame", "gun.seal"},
    "gun.dose": _BASE,
    "gun.motion": _BASE | {"gun.dose"},
    "gun.program": _BASE | {"gun.dose", "gun.motion"},
    "gun.chain": _BASE,
    "gun.journal": _BASE | {"gun.chain", "gun.seal"},
    "gun.config": _BASE,
    "gun.recorder": _BASE | {"gun.journal"},
    "gun.inputs": _BASE,
    "gun.gauge": _BASE,
    "gun.supervisor": _BASE | {"gun.dose"},
    "gun.selftest": _BASE | {"gun.journal"},
    "gun.sequencer": _BASE | {"gun.dose", "gun.motion", "gun.program", "gun.journal"},
    "gun.syringe": _BASE,
    "gun.prime": _BASE | {"gun.link", "gun.dose"},
    "gun.light": _BASE,
    "gun.controller": _BASE
    | {"gun.link", "gun.dose", "gun.program", "gun.journal", "gun.inputs", "gun.supervisor"}
    | {"gun.selftest", "gun.sequencer", "gun.syringe", "gun.prime", "gun.light"},
    "gun.requests": _BASE | {"gun.link", "gun.program"},
    "boards": set(),
    "hal": set(),
    "hal.rp2040": _BASE | {"boards"},
    "hal.virtual": _BASE | {"boards"},
}
# `gun.app` puts the logic together and so sees all of it; the roots also see the hardware.
_PARTS["gun.app"] = {part for part in _PARTS if part.startswith("gun.")} | {"build"}
MAY_IMPORT = _PARTS | {root: set(_PARTS) for root in ("main", "boot")}

# Written for the type checker alone: it may use what the gun does not have, and nothing that runs
# may import it.
TYPING_ONLY = {"gun.ports"}

HARDWARE_MODULES = {"machine", "rp2"}
HARDWARE_PART = "hal.rp2040"

# Built into both the rp2 port and the unix port of MicroPython 1.28.
DEVICE_MODULES = {
    *("array", "binascii", "cmath", "collections", "cryptolib", "deflate", "errno", "gc"),
    *("hashlib", "heapq", "io", "json", "math", "micropython", "os", "platform", "random", "re"),
    *("select", "struct", "sys", "time", "uctypes", "vfs"),
}


class Import(NamedTuple):
    """One imported name.

    Attributes:
        name: Dotted and absolute; `from a import b` counts as `a.b`.
        line: Where it stands.
        typing_only: Whether it stands under `if TYPE_CHECKING:` and so never runs.
    """

    name: str
    line: int
    typing_only: bool


def _names(node: ast.AST, package: str) -> list[str]:
    """Name what one statement or call imports; empty if it imports nothing."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            parents = package.split(".")
            above = parents[: len(parents) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            return [f"{source}.{alias.name}" for alias in node.names]
        case ast.Call(func=ast.Name("__import__"), args=[ast.Constant(str(name)), *_]):
            return [name]
        case ast.Call(func=ast.Name("__import__")):
            return ["<a name that only a run would tell>"]
        case _:
            return []


def imports_of(tree: ast.AST, package: str, typing_only: bool = False) -> Iterator[Import]:
    """Find every import in a file, wherever it stands.

    Args:
        tree: The file, or a part of it.
        package: The package that relative imports start from, dotted.
        typing_only: Whether the part stands under `if TYPE_CHECKING:`.

    Yields:
        Each imported name.
    """
    for node in ast.iter_child_nodes(tree):
        for name in _names(node, package):
            yield Import(name, getattr(node, "lineno", 0), typing_only)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from imports_of(ast.Module(node.body, []), package, typing_only=True)
            yield from imports_of(ast.Module(node.orelse, []), package, typing_only)
        else:
            yield from imports_of(node, package, typing_only)


def part_of(name: str) -> str | None:
    """Tell the part of the firmware that a dotted name belongs to.

    Args:
        name: A module, or something in it, such as `hal.rp2040.pulse.Pulse`.

    Returns:
        A key of `MAY_IMPORT`, or None for what is not a known part of the firmware.
    """
    names = name.split(".")
    return next((part for part in (".".join(names[:2]), names[0]) if part in MAY_IMPORT), None)


def import_problem(part: str, found: Import) -> str | None:
    """Say why a part of the firmware may not import a name.

    Args:
        part: The importer, a key of `MAY_IMPORT`.
        found: The import.

    Returns:
        The reason, or None if the import is right.
    """
    imported = part_of(found.name)
    if imported in TYPING_ONLY and not found.typing_only and part not in TYPING_ONLY:
        return "only the type checker reads it: put it under `if TYPE_CHECKING:`"
    if imported is not None:
        allowed = MAY_IMPORT[part]
        if imported == part or imported in allowed:
            return None
        return f"{part} may import {', '.join(sorted(allowed)) or 'no part of the firmware'}"
    top = found.name.split(".")[0]
    if top in HARDWARE_MODULES:
        return None if part == HARDWARE_PART else f"only {HARDWARE_PART} touches the hardware"
    if top in DEVICE_MODULES or found.typing_only or part in TYPING_ONLY:
        return None
    return "the gun's MicroPython has no such module"


def firmware_problems(firmware: Path) -> Iterator[str]:
    """Check every file that goes onto the gun.

    Args:
        firmware: The folder of the firmware; its `tests` stay on this side.

    Yields:
        One sentence a wrong arrow.
    """
    for path in sorted(firmware.rglob("*.py")):
        relative = path.relative_to(firmware)
        if relative.parts[0] == "tests":
            continue
        place = f"firmware/{relative.as_posix()}"
        folder = ".".join(relative.parts[:-1])
        module = folder if path.stem == "__init__" else ".".join((*relative.parts[:-1], path.stem))
        part = part_of(module)
        if part is None or (part == "gun" and module != "gun"):
            yield f"{place}: has no row in MAY_IMPORT of tools/check_imports.py"
            continue
        for found in imports_of(ast.parse(path.read_text(encoding="utf-8"), place), folder):
            if problem := import_problem(part, found):
                yield f"{place}:{found.line}: imports {found.name}, but {problem}"


def tool_problems(root: Path) -> Iterator[str]:
    """Check that no file of the product imports a tool or a test of the whole system.

    Args:
        root: The repository.

    Yields:
        One sentence a wrong arrow.
    """
    tools = {"tools", "hil_tests", *(path.stem for path in (root / "tools").glob("*.py"))}
    for path in sorted(path for name in PRODUCT_FOLDERS for path in (root / name).rglob("*.py")):
        place = path.relative_to(root).as_posix()
        for found in imports_of(ast.parse(path.read_text(encoding="utf-8"), place), ""):
            if found.name.split(".")[0] in tools:
                yield f"{place}:{found.line}: imports {found.name}, but nothing depends on a tool"


def main(root: Path = REPOSITORY) -> int:
    """Print every wrong arrow.

    Args:
        root: The repository to read.

    Returns:
        The exit code: 0, or 1 if there is a wrong arrow or no firmware to read.
    """
    if not (root / "firmware/gun").is_dir():
        print(f"{root / 'firmware/gun'} does not exist: nothing was checked", file=sys.stderr)
        return 1
    try:
        problems = [*firmware_problems(root / "firmware"), *tool_problems(root)]
    except SyntaxError as error:
        problems = [f"{error.filename}:{error.lineno}: cannot be read: {error.msg}"]
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    print("firmware imports: every arrow points the right way")
    return 0


if __name__ == "__main__":
    sys.exit(main())
