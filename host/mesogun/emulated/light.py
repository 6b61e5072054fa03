"""What a person makes of the gun's light: a colour, steady or flashing, becomes a meaning."""

from dataclasses import dataclass
from typing import Final

from mesogun_protocol.enums import Light

RED, GREEN, BLUE = 1, 2, 4
YELLOW, WHITE = RED | GREEN, RED | GREEN | BLUE

_MS: Final = 1_000_000

FLASHING: Final = {
    Light.ARMED: (GREEN, 700),
    Light.HOLD: (BLUE, 500),
    Light.PRESS: (BLUE, 150),
    Light.PAUSED: (GREEN, 1000),
    Light.DONE: (GREEN, 100),
    Light.ALARM: (RED, 250),
}
"""Colour and the time that it is on, in ms."""

STEADY: Final = {
    0: Light.OFF,
    BLUE: Light.LOADED,
    GREEN: Light.READY,
    WHITE: Light.RUNNING,
    YELLOW: Light.ALERT,
    RED: Light.ALARM,
}

_ALIKE: Final = 0.2
"""A person tells times apart that differ by a fifth."""

_STEADY_NS: Final = 1_200 * _MS
_DARK_NS: Final = 2_200 * _MS
"""Longer than any flash is on, or off."""

_BLINK_NS: Final = 2 * _MS
"""Colours are made of three lamps that the firmware switches one after the other."""


@dataclass
class LightReader:
    """Follows the lamps.

    A light that may be steady or flash means what it means when steady until it has gone out once.
    """

    _colour: int = 0
    _since_ns: int = 0
    _meaning: Light = Light.OFF

    def change(self, now_ns: int, colour: int) -> None:
        """Take note of the lamps that are on now."""
        lasted_ns = now_ns - self._since_ns
        if lasted_ns >= _BLINK_NS:
            self.look(now_ns)
            if self._colour:
                self._meaning = _flashing(self._colour, lasted_ns) or self._meaning
            self._since_ns = now_ns
        self._colour = colour
        if colour and FLASHING.get(self._meaning, (None,))[0] != colour:
            self._meaning = STEADY.get(colour, Light.OFF)

    def look(self, now_ns: int) -> Light:
        """Return what the light means."""
        if now_ns - self._since_ns >= self._patience_ns:
            self._meaning = STEADY.get(self._colour, Light.OFF)
        return self._meaning

    def next_ns(self, now_ns: int) -> int | None:
        """Return when the light may come to mean something else without a change."""
        due_ns = self._since_ns + self._patience_ns
        return due_ns if due_ns > now_ns else None

    @property
    def _patience_ns(self) -> int:
        return _STEADY_NS if self._colour else _DARK_NS


def _flashing(colour: int, lasted_ns: int) -> Light | None:
    for light, (own, on_ms) in FLASHING.items():
        if own == colour and abs(lasted_ns - on_ms * _MS) <= _ALIKE * on_ms * _MS:
            return light
    return None
