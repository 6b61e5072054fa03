"""What the logic needs from a machine. Read by people and the type checker, never imported.

Each package under `hal/` offers these ports as `Machine`. Times are milliseconds of the device
clock (small integers for 12 days after boot), steps are counted on the STEP pin, offsets are bytes
from the start of the flash region that belongs to the journal and the configuration.
"""

from array import array
from typing import Protocol


class Serial(Protocol):
    """The byte stream to the host."""

    def take(self) -> memoryview:
        """Bytes that have arrived since the last call; valid until the next wait."""
        ...

    def send(self, data: memoryview) -> None:
        """Hand over bytes; never blocks longer than the driver's own time-out."""
        ...


class Pulse(Protocol):
    """The pulse engine: blocks of pulse words that hardware carries out without the processor."""

    forward_steps: int
    backward_steps: int
    blocks: int
    interlock_latched: bool
    budget_tripped: bool

    def submit(self, words: "array[int]", count: int) -> None:
        """Queue a block of the first `count` words, two at most; they must stay until it is over.

        The block before it must be down to what the hardware's queue of four words holds.
        """
        ...

    def read(self) -> None:
        """Bring the attributes and the machine's `clock_ms` up to date."""
        ...

    def abort(self) -> None:
        """Stop at once and drop everything; then as `read`."""
        ...

    def check_driver(self) -> int:
        """Stop, tell the driver its settings; return 0 or what is wrong (wire.SELF_TEST_*).

        Its supply may have been off since the last time.
        """
        ...

    def enable(self, budget_steps: int) -> None:
        """Driver on, with the number of forward steps after which hardware switches it off."""
        ...

    def disable(self) -> None:
        """Driver off; clears a latched interlock and a tripped budget."""
        ...


class Flash(Protocol):
    """NOR flash: programming clears bits within a page, erasing sets those of a sector."""

    def read(self, offset: int, buf: memoryview) -> None:
        """Fill `buf`."""
        ...

    def program(self, offset: int, buf: memoryview) -> None:
        """Clear bits; `buf` must not cross a page."""
        ...

    def erase(self, offset: int) -> None:
        """Set all bits of the sector that starts at `offset`."""
        ...


class Panel(Protocol):
    """Light and buzzer."""

    def show(self, light: int, buzzer: int) -> None:
        """Show patterns; 0 is off."""
        ...


class Machine(Protocol):
    """One gun's hardware."""

    board_id: bytes
    reset_cause: int
    clock_ms: int
    inputs: int
    force_raw: int
    serial: Serial
    pulse: Pulse
    flash: Flash
    panel: Panel

    def wait(self, deadline_ms: int) -> None:
        """Sleep until the deadline, bytes from the host or a changed input; then be current."""
        ...
