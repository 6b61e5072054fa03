"""Runs a command line: arguments in, exit code out, and every error as one message on stderr."""

import io
import os
import sys
from collections.abc import Sequence

import typer

from mesogun.cli.app import app
from mesogun.cli.exit_codes import INTERRUPTED, UNEXPECTED, exit_code
from mesogun.cli.printer import Printer, silence, tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what stands behind `mesogun`; those of this process if None.

    Returns:
        The exit code (`mesogun.cli.exit_codes`).
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal's encoding lacks is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    _tell_unheard_language()
    printer = Printer(debug=bool(os.environ.get("MESOGUN_DEBUG")))
    try:
        value = app(given or ["--help"], prog_name="mesogun", obj=printer, standalone_mode=False)
        if value == INTERRUPTED:
            raise KeyboardInterrupt  # which typer has made a number of
        # Other numbers come from pages that typer writes itself, such as --help.
        code = value if isinstance(value, int) else printer.write(value)
        sys.stdout.flush()
    except BrokenPipeError as error:
        silence(sys.stdout)
        return exit_code(error)
    except SystemExit as end:
        # So typer ends a command in which a pipe broke; nothing here but a defect breaks one.
        return _report(end.__context__ or end, UNEXPECTED, printer)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - all are told, none is lost
        return _report(error, exit_code(error), printer)
    return code


def _tell_unheard_language() -> None:
    """Say that the language that was asked for does not exist; no command fails for that."""
    if not os.environ.get("MESOGUN_LANG"):
        return
    from mesogun.words import languages, unheard

    wish = unheard()
    if wish is not None:
        tell(f"MESOGUN_LANG={wish[:20]}: choose one of {', '.join(languages())}; English is used.")


def _report(error: BaseException, code: int, printer: Printer) -> int:
    """Tell what went wrong, and return the exit code."""
    tell(_message(error, code))
    if printer.debug:
        import traceback

        tell("".join(traceback.format_exception(error)).rstrip())
    return code


def _message(error: BaseException, code: int) -> str:
    """One message, with what to do next."""
    if code == INTERRUPTED:
        from mesogun.words import _

        return _("Interrupted.")
    if code == UNEXPECTED:
        return (
            f"This is a defect of mesogun ({type(error).__name__}: {error}): please report it "
            "together with what `mesogun --debug` writes for the same command."
        )
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        hint = f" `{context.command_path} --help` tells more." if context else ""
        return f"{error.format_message().rstrip('.')}.{hint}"
    # A note that the stop failed for the same reason says nothing new.
    return "\n".join(dict.fromkeys([str(error), *getattr(error, "__notes__", ())]))
