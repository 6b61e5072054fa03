"""What a bad cable does to frames, in figures; `cable` does it.

Every chance counts once for each frame in each direction:

    drop        it is lost
    duplicate   it comes a second time, up to `hold_s` later
    reorder     it comes after the frame that follows it, or `hold_s` late if none does
    glue        it comes in one piece with the frame that follows it, or `hold_s` late
    corrupt     one to three neighbouring bytes of it are changed, its ending zero perhaps
    split       it comes in two pieces, up to 50 ms apart
    stall       from it on, this direction stands still for `stall_s`
    unplug      it is lost, and with it the port, which can be opened again after `replug_s`

`delay_s` makes every frame up to that much late without changing their order. `usb_buffer` is the
size of the device's transmit buffer in bytes: what does not fit into it and was not fetched within
`usb_timeout_s` is lost, as MicroPython's USB serial port does it (0 for a buffer without end).
"""

import math
from dataclasses import dataclass, fields
from typing import Any, Final, Self
from urllib.parse import parse_qsl

from mesogun.errors import UsageError

CHANCES: Final = (
    "unplug",
    "drop",
    "stall",
    "corrupt",
    "duplicate",
    "split",
    "glue",
    "reorder",
)
"""Names of the faults with a chance, in the order in which the lots are drawn."""

_SECONDS_MAX: Final = 60.0
_BUFFER_MAX: Final = 1 << 20


class FaultsError(UsageError, ValueError):
    """A fault was asked for that there is not, or with a figure out of its bounds."""


@dataclass(frozen=True)
class Faults:
    """What a cable does to frames; the module says what each fault is.

    Attributes:
        drop: chance, 0 to 1, as are all down to `unplug`.
        seed: decides everything that is left to chance, at least 0.
        delay_s: 0 to 60, as are all times.
        hold_s: longest time that a frame waits for the next one. The default is longer than the
            0.3 s after which a request is sent again, so that there is a next one.
        usb_buffer: bytes, 0 to 1048576; 256 is a usual size of such a buffer.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    split: float = 0.0
    glue: float = 0.0
    stall: float = 0.0
    unplug: float = 0.0
    seed: int = 0
    delay_s: float = 0.0
    hold_s: float = 0.4
    stall_s: float = 1.0
    replug_s: float = 2.0
    usb_buffer: int = 0
    usb_timeout_s: float = 0.5

    def __post_init__(self) -> None:
        """Check every figure."""
        for field in fields(self):
            value, most = getattr(self, field.name), _most(field.name)
            if not (math.isfinite(value) and 0 <= value <= most):
                raise FaultsError(
                    f"A cable with {field.name}={value} cannot be: 0 to {most:g} is possible. "
                    "Change it."
                )

    @classmethod
    def parse(cls, query: str) -> Self:
        """Read faults as they stand in a URL: `drop=0.05&seed=1`.

        Raises:
            FaultsError: if a name is not known or comes twice, or a figure is none or out of its
                bounds.
        """
        types = {field.name: int if field.type is int else float for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in parse_qsl(query, keep_blank_values=True):
            if name not in types:
                raise FaultsError(
                    f"There is no fault {name[:40]!r} of a cable; there are {', '.join(types)}."
                )
            if name in values:
                raise FaultsError(f"The cable's {name} is given twice; leave one out.")
            try:
                values[name] = types[name](text)
            except ValueError:
                kind = "a whole number" if types[name] is int else "a number"
                raise FaultsError(
                    f"A cable with {name}={text[:40]!r} cannot be: {kind} from 0 to "
                    f"{_most(name):g} is expected. Change it."
                ) from None
        return cls(**values)


def _most(name: str) -> float:
    if name.endswith("_s"):
        return _SECONDS_MAX
    return {"seed": math.inf, "usb_buffer": _BUFFER_MAX}.get(name, 1)
