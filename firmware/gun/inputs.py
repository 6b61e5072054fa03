"""The input pins as the logic wants them: a debounced trigger, safety inputs as they are."""

from micropython import const

from gun import wire

_NEVER_MS = const(0x3FFFFFFF)


class Inputs:
    """Debounces by lock-out: an edge counts at once, then none for `debounce_ms` (R21)."""

    def __init__(self, machine):
        self._machine = machine
        self.debounce_ms = wire.DEBOUNCE_DEFAULT_MS
        self.pressed = False
        self.presses = 0
        self.changed_ms = 0
        self._settled_ms = 0

    def update(self, now_ms):
        """Look at the pins; returns True if the trigger was pressed or released."""
        raw = bool(self._machine.inputs & wire.INPUT_TRIGGER)
        if raw == self.pressed or now_ms < self._settled_ms:
            return False
        self.pressed = raw
        self.presses += raw
        self.changed_ms = now_ms
        # The edge lies anywhere in this millisecond; the lock-out must not be shorter for it.
        self._settled_ms = now_ms + self.debounce_ms + 1
        return True

    def deadline_ms(self, now_ms):
        """When the lock-out ends, if a look is due then."""
        return self._settled_ms if now_ms < self._settled_ms else _NEVER_MS

    def held_ms(self, now_ms):
        """How long the trigger has been held, 0 if it is not."""
        return now_ms - self.changed_ms if self.pressed else 0

    def active(self, bit):
        """Is the bit of this input (one of wire.INPUT_*) set?"""
        return bool(self._machine.inputs & bit)
