"""Writes what happens into the journal and tells the host: one function for each kind of record.

A record that cannot be written raises `JournalError`; the controller then stops the gun.
"""

from gun import wire


class Recorder:
    """Journal and event line of one gun, with the step of the program that records belong to."""

    def __init__(self, machine, journal, version, build, gauge):
        self._machine = machine
        self._journal = journal
        self._version = version
        self._build = build
        self._gauge = gauge
        self.booted = False
        self._body = journal.body
        self._tell = _to_nobody
        self.step = wire.STEP_NONE

    def connect(self, tell):
        """`tell(kind, clock_ms, a, b)` sends an event to the host."""
        self._tell = tell

    def tell(self, kind, a, b):
        self._tell(kind, self._machine.clock_ms, a, b)

    @property
    def room(self):
        """Records that the journal takes before it has to be read and acknowledged."""
        return self._journal.free_records

    def boot(self):
        """Record the start; `booted` tells whether that was done."""
        cause = self._machine.reset_cause
        wire.pack_record_boot(self._body, 0, self._build, wire.SCHEMA_HASH, cause, *self._version)
        self._append(wire.RECORD_BOOT)
        self.booted = True

    def syringe(self, pl_per_step, volume_nl, calibration_id, pressure_limit_kpa, closed_pa):
        wire.pack_record_syringe(
            self._body, 0, pl_per_step, volume_nl, calibration_id, pressure_limit_kpa, closed_pa
        )
        self._append(wire.RECORD_SYRINGE)

    def limits(self, session_nl, shot_nl, shots):
        wire.pack_record_limits(self._body, 0, session_nl, shot_nl, shots)
        self._append(wire.RECORD_LIMITS)

    def config(self, key, value, previous):
        wire.pack_record_config(self._body, 0, value, previous, key)
        self._append(wire.RECORD_CONFIG)

    def session_start(self, session_id, program_crc, shots, steps):
        wire.pack_record_session_start(self._body, 0, session_id, program_crc, shots, steps)
        self._append(wire.RECORD_SESSION_START)

    def session_end(self, session_id, shots, delivered_steps, reason):
        wire.pack_record_session_end(self._body, 0, session_id, shots, delivered_steps, reason)
        self._append(wire.RECORD_SESSION_END)

    def intent(self, slot):
        wire.pack_record_shot_intent(
            self._body,
            0,
            slot.shot,
            slot.dose_steps,
            slot.advance_steps,
            slot.retract_steps,
            slot.purpose,
            slot.early_steps,
        )
        self._append(wire.RECORD_SHOT_INTENT)

    def progress(self, slot, forward_steps, bound_steps):
        wire.pack_record_shot_progress(
            self._body, 0, slot.shot, forward_steps, bound_steps, slot.purpose
        )
        self._append(wire.RECORD_SHOT_PROGRESS)

    def result(self, slot, forward_steps, backward_steps, motion_ms, reason):
        wire.pack_record_shot_result(
            self._body,
            0,
            slot.shot,
            self._gauge.peak_kpa if forward_steps or backward_steps else 0,
            forward_steps,
            motion_ms,
            backward_steps,
            reason,
            slot.purpose,
        )
        self._append(wire.RECORD_SHOT_RESULT)
        self.tell(wire.EVENT_SHOT, slot.shot, reason)

    def state(self, state, previous):
        wire.pack_record_state(self._body, 0, state, previous)
        self._append(wire.RECORD_STATE)
        self.tell(wire.EVENT_STATE, state, previous)

    def fault(self, fault, detail, forward_steps):
        wire.pack_record_fault(self._body, 0, detail, forward_steps, fault)
        self._append(wire.RECORD_FAULT)

    def _append(self, kind):
        self._journal.append(kind, self.step, self._machine.clock_ms)


def _to_nobody(kind, clock_ms, a, b):
    """Stand in for the host until there is a link."""
