"""Watches everything that must end motion, whatever the sequencer thinks."""

from micropython import const

from gun import wire

_NEVER_MS = const(0x3FFFFFFF)
# Pressure rises over tens of milliseconds at the stiffest (3 ml, 0.04 ul/kPa).
_SAMPLE_MS = const(20)


class Supervisor:
    """Checks inputs, link and pressure; `fault` and `detail` hold the first thing that is wrong."""

    def __init__(self, machine, inputs, gauge):
        self._machine = machine
        self._inputs = inputs
        self._gauge = gauge
        self.detail = 0
        self.heard_ms = 0
        self._sample_ms = 0
        self._begins = False
        self._moving = False
        self._ended = wire.FAULT_NONE
        self.watch(False, False, False)

    def update(self, now_ms, heard):
        """Look at the force sensor, and note that the host was heard."""
        if heard:
            self.heard_ms = now_ms
        self._gauge.update()

    def watch(self, moving, host_paced, presses_only):
        """Say what the next looks are about.

        `moving`: a shot is in flight. `host_paced`: the step needs the heartbeat (R22).
        `presses_only`: a trigger that stays down is stuck (R21).
        """
        if moving and not self._moving:
            self._begins = True
            self._sample_ms = 0
            self._ended = wire.FAULT_NONE
        elif self._moving and not moving:
            self._ended = self._gauge.end()
        self._moving = moving
        self._host_paced = host_paced
        self._presses_only = presses_only

    def check(self, now_ms):  # noqa: PLR0911 (one a fault)
        """Return a fault, or FAULT_NONE."""
        self.detail = 0
        inputs = self._inputs
        if self._machine.pulse.interlock_latched or not inputs.active(wire.INPUT_INTERLOCK_CLOSED):
            return wire.FAULT_INTERLOCK_OPEN
        if self._machine.pulse.budget_tripped:
            return wire.FAULT_BUDGET_EXHAUSTED
        if not inputs.active(wire.INPUT_SYRINGE_SEATED):
            return wire.FAULT_SYRINGE_REMOVED
        if not inputs.active(wire.INPUT_SUPPLY_OK):
            return wire.FAULT_SUPPLY
        if inputs.active(wire.INPUT_STALLED):
            return wire.FAULT_STALL
        if self._host_paced and now_ms - self.heard_ms > wire.HEARTBEAT_TIMEOUT_MS:
            self.detail = now_ms - self.heard_ms
            return wire.FAULT_HEARTBEAT_LOST
        if self._presses_only and inputs.held_ms(now_ms) >= wire.STUCK_TRIGGER_MS:
            self.detail = inputs.held_ms(now_ms)
            return wire.FAULT_STUCK_TRIGGER
        if self._moving:
            fault = self._feel(now_ms)
        else:
            fault = self._ended
            self._ended = wire.FAULT_NONE
        if fault:
            self.detail = self._gauge.pressure_pa // 1000
        return fault

    def deadline_ms(self):
        """When the next check is due by time alone."""
        due = _NEVER_MS
        if self._moving:
            due = self._sample_ms
        if self._host_paced:
            due = min(due, self.heard_ms + wire.HEARTBEAT_TIMEOUT_MS + 1)
        if self._presses_only and self._inputs.pressed:
            due = min(due, self._inputs.changed_ms + wire.STUCK_TRIGGER_MS)
        return due

    def _feel(self, now_ms):
        """Ask the gauge, as a shot begins and every so often while it moves."""
        if now_ms < self._sample_ms:
            return wire.FAULT_NONE
        self._sample_ms = now_ms + _SAMPLE_MS
        pulse = self._machine.pulse
        position = pulse.forward_steps - pulse.backward_steps
        if self._begins:
            self._begins = False
            return self._gauge.begin(position)
        return self._gauge.look(position)
