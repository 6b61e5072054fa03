"""Writes results into files that the user names."""

from pathlib import Path

from mesogun.errors import UsageError


def write_new(name: str, text: str, *, force: bool) -> None:
    """Write `text` into a file that does not exist yet, or any if `force`.

    Raises:
        UsageError: if it exists, or cannot be written.
    """
    try:
        with Path(name).open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{name} exists already. Name another file, or overwrite it with --force."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{name} cannot be written: {reason}. Name another file.") from None
