"""The person's side of the gun: trigger, interlock, syringe, light; and a virtual operator."""

import random
from dataclasses import dataclass

from mesogun_protocol.enums import Buzzer, Inputs, Light

_TRIGGER = int(Inputs.TRIGGER)
_INTERLOCK_CLOSED = int(Inputs.INTERLOCK_CLOSED)
_SYRINGE_SEATED = int(Inputs.SYRINGE_SEATED)


@dataclass
class Panel:
    """What the hands do and what the eyes see. The world wakes the firmware when an input changes.

    Attributes:
        trigger: held down.
        interlock_closed: the safety loop is closed.
        seated: a syringe sits in the gun.
        light: what the firmware shows.
        buzzer: what the firmware plays.
    """

    trigger: bool = False
    interlock_closed: bool = True
    seated: bool = True
    light: Light = Light.OFF
    buzzer: Buzzer = Buzzer.OFF

    def inputs(self) -> int:
        """Return the bits of `Inputs` as the pins are now."""
        # Plain integers: the world looks here at each of its steps, and IntFlag arithmetic is slow.
        return (
            self.trigger * _TRIGGER
            + self.interlock_closed * _INTERLOCK_CLOSED
            + self.seated * _SYRINGE_SEATED
        )


class Operator:
    """A person who follows the light: holds or presses the trigger when it asks for that.

    Reaction and press times are assumed: 0.15 to 0.35 s to react, 0.08 to 0.16 s for a press.
    """

    def __init__(self, panel: Panel, seed: int) -> None:
        """Watch `panel`; `seed` draws the times."""
        self._panel = panel
        self._random = random.Random(f"operator {seed}")
        self._seen = Light.OFF
        self._act_ns: int | None = None

    def next_ns(self, now_ns: int) -> int | None:
        """Return when the hand moves next, None if it rests; looks at the light."""
        light = self._panel.light
        if light != self._seen:
            self._seen = light
            wants_down = light in (Light.HOLD, Light.PRESS)
            self._act_ns = None
            # A trigger that is still down from the press before is let go first.
            if wants_down != self._panel.trigger or light is Light.PRESS:
                self._act_ns = now_ns + self._span_ns(0.15, 0.35)
        return self._act_ns

    def act(self, now_ns: int) -> None:
        """Move the hand if it is time."""
        if self._act_ns is None or now_ns < self._act_ns:
            return
        panel = self._panel
        panel.trigger = not panel.trigger
        self._act_ns = None
        if self._seen is Light.PRESS:
            # A press ends by itself, and if the light still asks, the next one follows.
            self._act_ns = now_ns + self._span_ns(0.08, 0.16)
            if not panel.trigger:
                self._act_ns += self._span_ns(0.15, 0.35)

    def _span_ns(self, shortest_s: float, longest_s: float) -> int:
        return round(self._random.uniform(shortest_s, longest_s) * 1e9)
