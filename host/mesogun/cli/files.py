"""Writes results into files that the user names."""

from pathlib import Path

from mesogun.errors import UsageError
from mesogun.words import _


def write_new(name: str, content: str | bytes, *, force: bool) -> None:
    """Write a text or bytes into a file that does not exist yet, or any if `force`.

    Raises:
        UsageError: if it exists, or cannot be written.
    """
    try:
        with Path(name).open("wb" if force else "xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    except FileExistsError:
        raise _exists(name) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            _("{name} cannot be written: {reason}. Name another file.").format(
                name=name, reason=reason
            )
        ) from None


def require_new(name: str, *, force: bool) -> None:
    """Refuse a file that exists, before work is done or a question is asked for it.

    Raises:
        UsageError: if it exists, unless `force`.
    """
    if not force and Path(name).exists():
        raise _exists(name)


def _exists(name: str) -> UsageError:
    return UsageError(
        _("{name} exists already. Name another file, or overwrite it with --force.").format(
            name=name
        )
    )
