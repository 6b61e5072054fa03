"""The one table from what went wrong to the exit code of the command."""

from typing import Final

from typer import Abort, TyperException

from mesogun.errors import (
    GunFault,
    GunRefused,
    LinkError,
    PortError,
    RecordError,
    UsageError,
    VersionMismatch,
)

DONE: Final = 0
FAILED: Final = 1
"""The gun refused or faulted, or the record is not what it should be."""
INTERRUPTED: Final = 130
"""Stopped by the user; if the gun was moving, a stop was sent and confirmed."""
UNEXPECTED: Final = 70
"""A defect of mesogun itself (EX_SOFTWARE of sysexits.h)."""

EXIT_CODES: Final[dict[type[BaseException], int]] = {
    GunRefused: FAILED,
    GunFault: FAILED,
    RecordError: FAILED,
    UsageError: 2,
    TyperException: 2,
    PortError: 3,
    VersionMismatch: 4,
    LinkError: 5,
    Abort: INTERRUPTED,
    KeyboardInterrupt: INTERRUPTED,
    # As a shell reports a program that SIGPIPE ended: the reader of the output has left.
    BrokenPipeError: 141,
}


def exit_code(error: BaseException) -> int:
    """Return the code of the nearest class of `error` that the table holds."""
    known = (EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
    return next(known, UNEXPECTED)
