"""A pseudo-terminal with the gun's end in the test's hand."""

import os
import sys
from collections.abc import Iterator

import pytest

needs_terminal = pytest.mark.skipif(
    sys.platform == "win32", reason="a pseudo-terminal stands in for the port; Windows has none"
)


class Terminal:
    """The gun's end of a pseudo-terminal; `name` is the host's end.

    The kernel hands over what was written when it comes to it, in one part or in several: a test
    reads the bytes it waits for, however they arrive.
    """

    def __init__(self, device: int, name: str) -> None:
        self.file = os.fdopen(device, "r+b", buffering=0)
        self.name = name

    def write(self, data: bytes) -> None:
        self.file.write(data)

    def received(self, size: int) -> bytes:
        """Waits for `size` bytes of the host, behind which there are no more."""
        got = b""
        while len(got) < size:
            got += self.file.read(size - len(got))
        assert self.is_empty(), f"there is more behind {got!r}"
        return got

    def is_empty(self) -> bool:
        """Whether the host has written nothing that is still to be read."""
        os.set_blocking(self.file.fileno(), False)
        nothing = self.file.read(1) is None
        os.set_blocking(self.file.fileno(), True)
        return nothing


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    import pty
    import tty

    device, host = pty.openpty()
    tty.setraw(host)
    end = Terminal(device, os.ttyname(host))
    os.close(host)
    with end.file:
        yield end
