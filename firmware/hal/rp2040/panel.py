"""Light and buzzer: what each pattern looks and sounds like.

Alarms as IEC 60601-1-8 has them: high priority flashes red at 1.4 to 2.8 Hz and sounds in bursts of
ten, medium in bursts of three, low is a steady yellow.
"""

import machine
from micropython import const

from boards import reference as board

_NEVER_MS = const(0x3FFFFFFF)
_RED = const(1)
_GREEN = const(2)
_BLUE = const(4)
_YELLOW = const(_RED | _GREEN)
_WHITE = const(_RED | _GREEN | _BLUE)

# By number of the light: colour, time on and time off in ms; 0 off is steady.
_LIGHTS = (
    (0, 0, 0),
    (_BLUE, 0, 0),
    (_GREEN, 0, 0),
    (_GREEN, 700, 300),
    (_WHITE, 0, 0),
    (_BLUE, 500, 500),
    (_BLUE, 150, 150),
    (_GREEN, 1000, 1000),
    (_GREEN, 100, 1900),
    (_YELLOW, 0, 0),
    (_RED, 250, 250),  # 2 Hz, half of the time on
)

_CLICK = (20,)
_MEDIUM = (200, 200, 200, 200, 200)
# Ten pulses: 3, a longer rest, 2, a long rest, and all of it again.
_HALF = (150, 100, 150, 100, 150, 350, 150, 100, 150)
_HIGH = _HALF + (700,) + _HALF  # noqa: RUF005 (MicroPython has no such display)
# By number of the buzzer: times of sound and rest by turns in ms, and the rest before the next.
_SOUNDS = ((), _CLICK, _MEDIUM, _HIGH)
_AGAIN_MS = (0, 0, 5000, 3500)

_DUTY = const(0x8000)


class Panel:
    """See `gun.ports.Panel`; patterns go on as long as `update` is called at `due_ms`."""

    def __init__(self):
        self._pins = tuple(
            (machine.Pin(number, machine.Pin.OUT, value=0), colour)
            for number, colour in (
                (board.LIGHT_RED_PIN, _RED),
                (board.LIGHT_GREEN_PIN, _GREEN),
                (board.LIGHT_BLUE_PIN, _BLUE),
            )
        )
        self._tone = machine.PWM(machine.Pin(board.BUZZER_PIN), freq=board.BUZZER_HZ, duty_u16=0)
        self._light = 0
        self._buzzer = 0
        self._lit = False
        self._place = 0  # in the sound
        self._light_ms = _NEVER_MS
        self._sound_ms = _NEVER_MS
        self._changed = False

    @property
    def due_ms(self):
        return 0 if self._changed else min(self._light_ms, self._sound_ms)

    def show(self, light, buzzer):
        if light != self._light:
            self._light = light
            self._lit = False
            self._light_ms = 0
            self._changed = True
        if buzzer != self._buzzer:
            self._buzzer = buzzer
            self._place = 0
            self._sound_ms = 0
            self._changed = True

    def update(self, now_ms):
        """Do what is due."""
        self._changed = False
        if now_ms >= self._light_ms:
            self._turn(now_ms)
        if now_ms >= self._sound_ms:
            self._sound(now_ms)

    def _turn(self, now_ms):
        colour, on_ms, off_ms = _LIGHTS[self._light]
        self._lit = not self._lit
        for pin, own in self._pins:
            pin.value(self._lit and colour & own != 0)
        self._light_ms = now_ms + (on_ms if self._lit else off_ms) if off_ms else _NEVER_MS

    def _sound(self, now_ms):
        times = _SOUNDS[self._buzzer]
        place = self._place
        self._tone.duty_u16(_DUTY if place < len(times) and not place & 1 else 0)
        if place < len(times):
            self._sound_ms = now_ms + times[place]
            self._place = place + 1
        else:
            again_ms = _AGAIN_MS[self._buzzer]
            self._sound_ms = now_ms + again_ms if again_ms else _NEVER_MS
            self._place = 0
