"""Print which test proves which safety requirement, and check that both sides are well formed.

    python tools/requirements_matrix.py            the matrix
    python tools/requirements_matrix.py --check    the count, and exit 1 on any problem

A test names its requirements by `@pytest.mark.req("R07", ...)`, on the function, on its class, or
as `pytestmark` of the module. Files are read, not imported, so no test has to be runnable here.
"""

import argparse
import ast
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeGuard

from pydantic import BaseModel, Field, ValidationError

REPOSITORY = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path("docs/safety/requirements.toml")
TEST_FOLDERS = ("protocol", "host", "firmware", "hil_tests", "tools")
# mp_*.py are run by MicroPython, see firmware/tests/conftest.py.
TEST_FILES = ("test_*.py", "mp_*.py")

IDS = tuple(f"R{number:02}" for number in range(1, 46))

Text = Annotated[str, Field(min_length=1)]


class Requirement(BaseModel, extra="forbid", str_strip_whitespace=True):
    """One entry of the requirements file, which explains the fields at its top."""

    id: Text
    text: Text
    bound: Text
    reason: Text
    control: Text
    level: Annotated[list[Literal["U", "V", "E", "B", "CI"]], Field(min_length=1)]


class RequirementsFile(BaseModel, extra="forbid"):
    """The requirements file."""

    requirement: list[Requirement]


class Mark(NamedTuple):
    """One id in one mark on a test.

    Attributes:
        requirement: The id that the mark names, or None where it is no plain text.
        test: What carries the mark, such as `host/tests/test_gun.py::TestStop::test_release`.
        line: Where the mark stands.
    """

    requirement: str | None
    test: str
    line: int


def load_requirements(path: Path) -> tuple[list[Requirement], list[str]]:
    """Read the requirements file.

    Args:
        path: The TOML file.

    Returns:
        The entries, and what is wrong with them, a sentence each. A malformed file has no entries.
    """
    try:
        with path.open("rb") as file:
            entries = RequirementsFile.model_validate(tomllib.load(file)).requirement
    except ValidationError as error:
        # An entry is found by its place, since the id itself may be what is wrong.
        return [], [
            f"{path.name}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors()
        ]
    found = [entry.id for entry in entries]
    problems = [
        f"{path.name}: {expected} stands {found.count(expected)} times, must stand once"
        for expected in IDS
        if found.count(expected) != 1
    ]
    problems += [
        f"{path.name}: {name} is no id; ids are {IDS[0]} to {IDS[-1]}"
        for name in found
        if name not in IDS
    ]
    return entries, problems


def _is_req_mark(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "req"
        and (
            (isinstance(node.value, ast.Attribute) and node.value.attr == "mark")
            or (isinstance(node.value, ast.Name) and node.value.id == "mark")
        )
    )


def _marks_in(node: ast.AST, owner: str) -> Iterator[Mark]:
    """Find each mark below a node, with the innermost function or class that it stands in or on."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _marks_in(child, f"{owner}::{child.name}")
        elif isinstance(child, ast.Call) and _is_req_mark(child.func):
            names = [arg.value if isinstance(arg, ast.Constant) else None for arg in child.args]
            for name in names or [None]:
                yield Mark(name if isinstance(name, str) else None, owner, child.lineno)
        elif _is_req_mark(child):
            yield Mark(None, owner, child.lineno)
        else:
            yield from _marks_in(child, owner)


def collect_marks(root: Path) -> list[Mark]:
    """Read every mark in the test files below the test folders.

    Args:
        root: The repository.

    Returns:
        The marks, in the order of file name and line.
    """
    marks: list[Mark] = []
    files = (
        path
        for folder in TEST_FOLDERS
        for pattern in TEST_FILES
        for path in (root / folder).rglob(pattern)
    )
    for path in sorted(files):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        marks.extend(_marks_in(tree, path.relative_to(root).as_posix()))
    return marks


def mark_problems(marks: Sequence[Mark]) -> Iterator[str]:
    """Say which marks name no requirement."""
    for mark in marks:
        if mark.requirement is None:
            yield f'{mark.test} (line {mark.line}): write the ids as plain texts: req("R07")'
        elif mark.requirement not in IDS:
            yield f"{mark.test} (line {mark.line}): {mark.requirement} is not in {REQUIREMENTS}"


def matrix_lines(entries: Sequence[Requirement], marks: Sequence[Mark]) -> Iterator[str]:
    """Lay the matrix out: a line a requirement, and below it the tests that prove it."""
    for entry in entries:
        yield f"{entry.id}  [{' '.join(entry.level)}]  {entry.bound}"
        for test in dict.fromkeys(mark.test for mark in marks if mark.requirement == entry.id):
            yield f"       {test}"


def count_line(marks: Sequence[Mark]) -> str:
    """Count the requirements that have a test and name those that have none."""
    proven = {mark.requirement for mark in marks}
    missing = [name for name in IDS if name not in proven]
    line = f"{len(IDS) - len(missing)} of {len(IDS)} safety requirements have a test"
    return f"{line}; none yet: {' '.join(missing)}" if missing else line


def main(arguments: Sequence[str] | None = None, root: Path = REPOSITORY) -> int:
    """Print the matrix, or with `--check` only the count.

    Args:
        arguments: The command line after the program's name; the process's own if None.
        root: The repository to read.

    Returns:
        The exit code: 0, or 1 if an entry or a mark is wrong.
    """
    parser = argparse.ArgumentParser(description="Safety requirements and their tests.")
    parser.add_argument("--check", action="store_true", help="print problems and the count only")
    check = parser.parse_args(arguments).check

    entries, problems = load_requirements(root / REQUIREMENTS)
    marks: list[Mark] = []
    try:
        marks = collect_marks(root)
    except SyntaxError as error:
        problems.append(f"{error.filename}:{error.lineno}: cannot be read: {error.msg}")
    problems += mark_problems(marks)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    if not check:
        print("\n".join(matrix_lines(entries, marks)), end="\n\n")
    print(count_line(marks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
