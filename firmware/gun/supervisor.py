"""Watches everything that must end motion, whatever the sequencer thinks."""

from micropython import const

from gun import wire

_NEVER_MS = const(0x3FFFFFFF)
_SAMPLE_MS = const(
    20
)  # pressure rises over tens of milliseconds at the stiffest (3 ml, 0.04 ul/kPa)
_OVER_SAMPLES = const(2)  # one noisy sample is no occlusion
_FORCE_FULL_SCALE_MN = const(120000)  # force sensor of the board, at 4095
_FRICTION_MN = const(5000)  # stopper in the barrel, assumed as in the host's catalog


class Supervisor:
    """Checks inputs, link and pressure; `fault` and `detail` hold the first thing that is wrong."""

    def __init__(self, machine, inputs):
        self._machine = machine
        self._inputs = inputs
        self.detail = 0
        self.heard_ms = 0
        self.pressure_pa = 0
        self.area_mm2_x100 = 0
        self.limit_kpa = 0
        self._over = 0
        self._sample_ms = 0
        self.watch(False, False, False)

    def fit(self, area_mm2_x100, limit_kpa):
        """Take the plunger's area, hundredths of a square millimetre (0 = none), and the limit."""
        self.area_mm2_x100 = area_mm2_x100
        self.limit_kpa = limit_kpa
        self._over = 0

    def update(self, now_ms, heard):
        """Look at the force sensor, and note that the host was heard."""
        if heard:
            self.heard_ms = now_ms
        force_mn = self._machine.force_raw * _FORCE_FULL_SCALE_MN // 4095
        if self.area_mm2_x100 and force_mn > _FRICTION_MN:
            # mN / mm2 = kPa; two steps, so that nothing exceeds a small integer of 31 bits
            self.pressure_pa = (force_mn - _FRICTION_MN) * 1000 // self.area_mm2_x100 * 100
        else:
            self.pressure_pa = 0

    def watch(self, moving, host_paced, presses_only):
        """Say what the next looks are about.

        `moving`: a shot is in flight. `host_paced`: the step needs the heartbeat (R22).
        `presses_only`: a trigger that stays down is stuck (R21).
        """
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
        if self._moving and self._occluded(now_ms):
            self.detail = self.pressure_pa // 1000
            return wire.FAULT_OCCLUSION
        return wire.FAULT_NONE

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

    def _occluded(self, now_ms):
        if now_ms < self._sample_ms:
            return False
        self._sample_ms = now_ms + _SAMPLE_MS
        if self.pressure_pa <= self.limit_kpa * 1000:
            self._over = 0
            return False
        self._over += 1
        return self._over >= _OVER_SAMPLES
