"""Single keys of a terminal, without waiting for them."""

import os
import select
import sys
import termios
import tty
from types import TracebackType
from typing import Self

_ESCAPE = "\x1b"
_PIECE_BYTES = 64


class Keyboard:
    """Keys from stdin while the `with` block lasts; Ctrl-C stays an interrupt."""

    def __enter__(self) -> Self:
        self._file = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._file)
        tty.setcbreak(self._file)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What was typed ahead was meant for the gun, not for the shell.
        termios.tcsetattr(self._file, termios.TCSAFLUSH, self._before)

    def keys(self) -> str:
        """Return the keys since the last call in lower case; arrows and the like are left out."""
        found = ""
        while select.select([self._file], [], [], 0)[0]:
            try:
                piece = os.read(self._file, _PIECE_BYTES).decode(errors="ignore")
            except OSError:  # the window was closed: SIGHUP is on its way
                break
            if not piece:
                break
            if not piece.startswith(_ESCAPE):
                found += piece.lower()
        return found
