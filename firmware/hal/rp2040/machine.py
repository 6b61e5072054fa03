"""One gun on an RP2040: all ports together, the clock, and the sleep between two looks."""

import select
import time

import machine
from micropython import const

from hal.rp2040.flash import Flash
from hal.rp2040.panel import Panel
from hal.rp2040.pulse import Pulse
from hal.rp2040.sensors import Sensors
from hal.rp2040.usb import Serial

# R18, as in mesogun_protocol.limits. Longer than the slowest sector erase, 400 ms, with the loop
# around it.
_WATCHDOG_MS = const(2000)
_SLEEP_MAX_MS = const(1000)

_POWER_ON = const(1)  # of mesogun_protocol.enums.ResetCause
_WATCHDOG = const(3)


class Machine:
    """See `gun.ports.Machine`."""

    def __init__(self):
        self.board_id = machine.unique_id()
        # A reset by software is made with the watchdog too.
        self.reset_cause = _POWER_ON if machine.reset_cause() == machine.PWRON_RESET else _WATCHDOG
        self.clock_ms = 0
        self._ticks_ms = time.ticks_ms()
        self.pulse = Pulse(self)
        self._sensors = Sensors()
        self.flash = Flash()
        self.panel = Panel()
        self.serial = Serial()
        self._events = select.poll()
        self._events.register(self.serial.source, select.POLLIN)
        self._events.register(self._sensors.bell, select.POLLIN)
        self._watchdog = None
        self._look()

    def update(self):
        """Bring `clock_ms` up to date; `ticks_ms` begins anywhere in its circle of 12 days."""
        now_ms = time.ticks_ms()
        self.clock_ms += time.ticks_diff(now_ms, self._ticks_ms)
        self._ticks_ms = now_ms

    def wait(self, deadline_ms):
        # The loop comes here when link, sequencer, supervisor and journal have all had their turn,
        # and nowhere else is the watchdog fed. Before the first time the driver cannot be on, and a
        # journal in disorder may take longer to read than the watchdog waits.
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=_WATCHDOG_MS)
        self._watchdog.feed()
        self.update()
        due_ms = min(deadline_ms, self.panel.due_ms) - self.clock_ms
        for _ in self._events.ipoll(min(max(due_ms, 0), _SLEEP_MAX_MS)):
            pass
        self._look()

    def _look(self):
        self.update()
        sensors = self._sensors
        sensors.update()
        self.inputs = sensors.inputs
        self.force_raw = sensors.force_raw
        self.serial.fetch()
        self.panel.update(self.clock_ms)
