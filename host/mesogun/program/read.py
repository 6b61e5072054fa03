"""A program file from the disk to a checked program, with every problem on its line."""

import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Final

from mesogun.errors import ProgramError
from mesogun.program.checks import check_document
from mesogun.program.locate import Path, locate
from mesogun.program.model import Program
from mesogun.program.problems import GIVEN, InvalidProgram, Origin, Problem, placed
from mesogun.words import N_, _

SIZE_MAX: Final = 1 << 20
"""Bytes; a program of 16 steps has about two thousand."""
_MAKE: Final = N_("`mesogun plan NAME -o FILE` makes one.")
_AT_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")


def _bytes(path: FilePath) -> bytes:
    """The content of a file that is regular and small enough to be a program."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ProgramError(
                _("{path}: is a directory. Name a program file in it.").format(path=path)
            )
        if not stat.S_ISREG(found.st_mode):
            raise ProgramError(
                _("{path}: is no regular file. Name a program file. {make}").format(
                    path=path, make=_(_MAKE)
                )
            )
        if found.st_size <= SIZE_MAX:
            with path.open("rb") as file:
                content = file.read(SIZE_MAX + 1)
            if len(content) <= SIZE_MAX:
                return content
    except FileNotFoundError:
        raise ProgramError(
            _("{path}: there is no such file. {make}").format(path=path, make=_(_MAKE))
        ) from None
    except PermissionError:
        raise ProgramError(
            _("{path}: may not be read. Change its permissions.").format(path=path)
        ) from None
    except (OSError, ValueError) as error:
        raise ProgramError(
            _("{path}: cannot be read: {error}. Name another file.").format(path=path, error=error)
        ) from None
    raise ProgramError(
        _(
            "{path}: has more than {size_max} bytes, no program file has (source: size limit of "
            "program files). Name a program file. {make}"
        ).format(path=path, size_max=SIZE_MAX, make=_(_MAKE))
    )


def _text(path: FilePath, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProgramError(
            _(
                "{path}:{line}: byte 0x{content} is no UTF-8 text. Name a program file, or save "
                "this one as UTF-8."
            ).format(path=path, line=line, content=f"{content[error.start]:02x}")
        ) from None
    if not text.strip():
        raise ProgramError(
            _("{path}:1: the file is empty. {make}").format(path=path, make=_(_MAKE))
        )
    return text


def _document(path: FilePath, text: str) -> tuple[dict[str, Any], dict[Path, int]]:
    """Values and lines of a TOML text."""
    try:
        return tomllib.loads(text), locate(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _AT_LINE.search(message)
        line = int(place[1]) if place else text.count("\n") + 1
        what = _AT_LINE.sub("", message)
        raise ProgramError(
            _("{path}:{line}: is no TOML: {what}. Correct this line.").format(
                path=path, line=line, what=what
            )
        ) from None
    except (RecursionError, ValueError) as error:
        # Tables nested a thousand deep, or an integer of more digits than Python reads.
        raise ProgramError(
            _("{path}:1: cannot be read as TOML: {error}. {make}").format(
                path=path, error=error, make=_(_MAKE)
            )
        ) from None


def load(path: FilePath | str, given: Mapping[str, str] = MappingProxyType({})) -> Program:
    """Reads and checks a program file.

    Args:
        path: the file.
        given: keys of the top table that the command overrides, such as `syringe`.

    Returns:
        A program without hard problems; `check` tells the soft ones.

    Raises:
        ProgramError: the file cannot be read.
        InvalidProgram: it is no program, or breaks hard bounds; all problems, one a line.
    """
    path = FilePath(path)
    document, lines = _document(path, _text(path, _bytes(path)))
    document |= given
    lines |= {(key,): GIVEN for key in given}
    origin = Origin(str(path), lines)
    program, problems = check_document(document)
    if program is None or any(problem.hard for problem in problems):
        raise InvalidProgram(placed(problems, origin))
    return program.placed_at(origin)


def checked(program: Program) -> Program:
    """The same program, after every hard check.

    Raises:
        InvalidProgram: it breaks hard bounds.
    """
    problems: tuple[Problem, ...] = placed(check_document(program.document())[1], program.origin)
    if any(problem.hard for problem in problems):
        raise InvalidProgram(problems)
    return program
