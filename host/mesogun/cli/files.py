"""Writes results into files that the user names."""

from pathlib import Path

from mesogun.errors import UsageError


def write_new(name: str, content: str | bytes, *, force: bool) -> None:
    """Write a text or bytes into a file that does not exist yet, or any if `force`.

    Raises:
        UsageError: if it exists, or cannot be written.
    """
    try:
        with Path(name).open("wb" if force else "xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    except FileExistsError:
        raise UsageError(
            f"{name} exists already. Name another file, or overwrite it with --force."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{name} cannot be written: {reason}. Name another file.") from None
