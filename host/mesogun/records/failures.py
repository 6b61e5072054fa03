"""Why a database did not do what it was asked, in words that tell the next act."""

from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, IntegrityError

from mesogun.words import N_, _

_LOCKED = N_("is locked by another program. Wait until that one is done, then try again.")
_FULL = N_(
    "cannot grow, the disk is full; nothing of this step was stored. Free some space, then "
    "run `mesogun sessions sync`."
)
_READ_ONLY = N_(
    "is read-only. Give yourself the right to write it and its folder, or name another "
    "store in MESOGUN_DB."
)

_SQLITE = {
    "BUSY": _LOCKED,
    "LOCKED": _LOCKED,
    "READONLY": _READ_ONLY,
    "PERM": N_("may not be opened by you. Change its rights, or name another store in MESOGUN_DB."),
    "FULL": _FULL,
    "NOTADB": N_(
        "is not a record store: the file is no SQLite database. Name another in MESOGUN_DB."
    ),
    "CORRUPT": N_("is damaged: SQLite cannot read its pages. Restore it from a backup."),
}
"""By result code, https://sqlite.org/rescode.html."""

_NO_RIGHT = N_(
    "may not be written by you. Have its owner grant you the right, or name another store in "
    "MESOGUN_DB."
)

_POSTGRESQL = {
    "25006": _NO_RIGHT,  # read_only_sql_transaction
    "42501": _NO_RIGHT,  # insufficient_privilege
    "53100": _FULL,  # disk_full
    "55P03": _LOCKED,  # lock_not_available
    "40001": _LOCKED,  # serialization_failure
    "40P01": _LOCKED,  # deadlock_detected
}
"""By SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html."""

_UNREACHABLE = ("08", "53", "57")
"""Classes of SQLSTATE: connection exception, insufficient resources, operator intervention."""

_COLLISIONS = {"40001", "40P01", "42P07"}
"""SQLSTATEs of a transaction that lost to another one; 42P07 is a table that is there already."""


def is_collision(error: Exception) -> bool:
    """Tell whether another program was faster, so that the transaction can be run again."""
    return isinstance(error, IntegrityError) or _sqlstate(error) in _COLLISIONS


def in_words(error: Exception, url: URL) -> str:
    """Return what stands behind `The record store NAME`."""
    if isinstance(error, IntegrityError):
        return _(
            "took the same rows from another program at this moment; nothing was stored twice. "
            "Try again."
        )
    cause: BaseException = (error.orig or error) if isinstance(error, DBAPIError) else error
    if url.get_backend_name() == "postgresql":
        return _postgresql(error, cause)
    code = str(getattr(cause, "sqlite_errorname", "")).removeprefix("SQLITE_").split("_")[0]
    folder = Path(url.database or "").parent
    if code == "CANTOPEN" and not folder.is_dir():
        return _("cannot be opened: there is no folder {folder}. Make it first.").format(
            folder=folder
        )
    return _(_SQLITE[code]) if code in _SQLITE else _unknown(str(cause))


def _postgresql(error: Exception, cause: BaseException) -> str:
    state = _sqlstate(error)
    if state in _POSTGRESQL:
        return _(_POSTGRESQL[state])
    # The driver's own errors, such as a server that does not answer, have no SQLSTATE.
    if isinstance(error, DBAPIError) and (not state or state.startswith(_UNREACHABLE)):
        return _(
            "cannot be reached ({reason}); nothing of this step was stored, and a gun keeps its "
            "records until they are. Check server, user and password, then run `mesogun sessions "
            "sync`."
        ).format(reason=_first_line(cause))
    return _unknown(_first_line(cause))


def _unknown(reason: str) -> str:
    return _("cannot be used: {reason}").format(reason=reason)


def _sqlstate(error: Exception) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _first_line(cause: BaseException) -> str:
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]
