"""The state machine of the gun: who may do what, when. Hardware is reached through its ports alone.

unloaded -> loaded -> ready -> armed -> running <-> paused -> done, and fault from anywhere. A fault
latches: driver off, and two actions (CLEAR_FAULT, ARM) lie between it and the next step (R16).
"""

import sys

from micropython import const

from gun import selftest, wire
from gun.dose import budget_steps
from gun.journal import JournalError
from gun.light import light_for
from gun.link import Refusal
from gun.prime import Prime
from gun.program import Program
from gun.sequencer import FAILED, FINISHED, PAUSED
from gun.syringe import Syringe

_NEVER_MS = const(0x3FFFFFFF)
_OTHER_RECORDS = const(64)  # of a session beside those of its shots: pauses, a fault, its end
_REQUEST_RECORDS = const(4)  # of a request outside of a session: what it sets, and the new state
_IDLE_STATES = (wire.STATE_UNLOADED, wire.STATE_LOADED, wire.STATE_READY, wire.STATE_DONE)
# Built once: a tuple of names in an expression is memory at each look.
_SESSION_STATES = (wire.STATE_RUNNING, wire.STATE_PAUSED)


class Limits:
    """What the host allows; zero until it has said so (R03)."""

    def __init__(self):
        self.session_nl = 0
        self.shot_nl = 0
        self.shots = 0


class Controller:
    """Holds the state; `Requests` carries the host's wishes to it, `tick` the passing of time."""

    def __init__(
        self, machine, recorder, journal, config, inputs, supervisor, sequencer, doser, gauge
    ):
        self.machine = machine
        self.recorder = recorder
        self.journal = journal
        self.config = config
        self.inputs = inputs
        self.supervisor = supervisor
        self.sequencer = sequencer
        self.gauge = gauge
        self.syringe = Syringe(machine.pulse, doser, config)
        self._prime = Prime(machine, inputs, sequencer, self.syringe, config)
        self.state = wire.STATE_UNLOADED
        self.fault = wire.FAULT_NONE
        self.fault_detail = 0
        self.session_id = 0
        self._started_id = 0
        self.program = None
        self.program_crc = 0
        self.limits = Limits()
        self._store = Program()
        self._armed_ms = 0
        self._alerted = False
        self.light = wire.LIGHT_OFF
        self._last_clock_ms = 0

    # What the host may ask for; each refuses with the reason, or does all of it

    def load_syringe(self, pl_per_step, volume_nl, limit_kpa, calibration_id, closed_pa):
        self._only_in(_IDLE_STATES)
        self._only_unprimed()
        most_kpa = self.config.get(wire.CONFIG_PRESSURE_LIMIT_KPA)
        if limit_kpa > most_kpa:
            raise Refusal(wire.ERROR_OUT_OF_RANGE, 2, limit_kpa, 1, most_kpa)
        self._require_room(_REQUEST_RECORDS)
        self.recorder.syringe(pl_per_step, volume_nl, calibration_id, limit_kpa, closed_pa)
        self._fit(pl_per_step, volume_nl, limit_kpa, closed_pa)
        self._enter(wire.STATE_LOADED)

    def unload_syringe(self):
        self._only_in(_IDLE_STATES)
        self._only_unprimed()
        self._require_room(_REQUEST_RECORDS)
        self.recorder.syringe(0, 0, 0, 0, 0)
        self._fit(0, 0, 0, 0)
        self._enter(wire.STATE_UNLOADED)

    def set_limits(self, session_nl, shot_nl, shots):
        self._only_in(_IDLE_STATES)
        self._only_unprimed()
        self._require_room(_REQUEST_RECORDS)
        self.recorder.limits(session_nl, shot_nl, shots)
        self.limits.session_nl = session_nl
        self.limits.shot_nl = shot_nl
        self.limits.shots = shots
        self.drop_program()

    def drop_program(self):
        """Forget the program that is held."""
        self.program = None
        self.program_crc = 0
        if self.state in (wire.STATE_READY, wire.STATE_DONE):
            self._enter(wire.STATE_LOADED)

    def may_upload(self):
        """A program may come while nothing runs, for a declared syringe and within limits."""
        self._only_in((wire.STATE_LOADED, wire.STATE_READY, wire.STATE_DONE))
        self._only_unprimed()
        self._require_room(_REQUEST_RECORDS)

    def load_program(self, view, crc):
        """Decode an uploaded program against everything that is known now, and hold it."""
        config = self.config
        program = self._store
        program.load(
            view,
            len(view),
            self.limits,
            self.syringe.pl_per_step,
            self.syringe.remaining_nl(),
            config.get(wire.CONFIG_MAX_STEP_RATE_HZ),
            config.get(wire.CONFIG_MAX_STEP_RATE_START_HZ),
        )
        self.program = program
        self.program_crc = crc
        self._enter(wire.STATE_READY)
        return program

    def write_config(self, key, value):
        self._only_in(_IDLE_STATES)
        self._only_unprimed()
        config = self.config
        if key == wire.CONFIG_BOARD_REVISION:
            raise Refusal(wire.ERROR_READ_ONLY, 0, key, 0, 0)
        if not config.minimum(key) <= value <= config.maximum(key):
            raise Refusal(
                wire.ERROR_OUT_OF_RANGE, 1, value, config.minimum(key), config.maximum(key)
            )
        self._require_room(_REQUEST_RECORDS)
        self.recorder.config(key, value, config.get(key))
        config.set(key, value)
        self.inputs.debounce_ms = config.get(wire.CONFIG_DEBOUNCE_MS)
        if self.state != wire.STATE_UNLOADED:
            # The plunger's area and every plan rest on these numbers.
            self._fit(0, 0, 0, 0)
            self._enter(wire.STATE_UNLOADED)

    def prime(self, dose_nl, inject_us):
        self._only_in((wire.STATE_LOADED, wire.STATE_READY, wire.STATE_DONE))
        self._only_unprimed()
        self._check_ready_to_move()
        self._require_room(_OTHER_RECORDS)
        self._prime.ask(dose_nl, inject_us, self.limits.shot_nl)

    def arm(self, session_id, program_crc):
        self._only_in((wire.STATE_READY, wire.STATE_DONE))
        self._only_unprimed()
        program = self.program
        if program is None or program_crc != self.program_crc:
            raise Refusal(
                wire.ERROR_PROGRAM_MISMATCH, 1, program_crc, self.program_crc, self.program_crc
            )
        if session_id == self._started_id:
            # A recorded ARM and START, played again, must find nothing to start.
            raise Refusal(wire.ERROR_OUT_OF_RANGE, 0, session_id, 1, 0xFFFFFFFF)
        self._check_ready_to_move()
        needed_nl = program.volume_nl + program.prime_nl
        remaining_nl = self.syringe.remaining_nl()
        if needed_nl > remaining_nl:
            raise Refusal(wire.ERROR_OVER_REMAINING, 1, needed_nl, 0, remaining_nl)
        self._require_room(program.records + _OTHER_RECORDS)
        self.session_id = session_id
        self.sequencer.begin(None)
        self.machine.pulse.enable(budget_steps(self._forward_steps(program)))
        self._armed_ms = self.machine.clock_ms
        self._alerted = False
        self._enter(wire.STATE_ARMED)

    def disarm(self):
        self._only_in((wire.STATE_ARMED,))
        self._switch_off()
        self._enter(wire.STATE_READY)

    def start(self, session_id):
        self._only_in((wire.STATE_ARMED,))
        self._only_session(session_id)
        self._only_released()
        program = self.program
        self.recorder.session_start(session_id, self.program_crc, program.shots, program.dose_steps)
        self._started_id = session_id
        self.syringe.watch(program)
        self._enter(wire.STATE_RUNNING)
        self.sequencer.begin(program)
        self._follow()

    def pause(self):
        self._only_in((wire.STATE_RUNNING,))
        self.sequencer.pause()

    def resume(self, session_id):
        self._only_in((wire.STATE_PAUSED,))
        self._only_session(session_id)
        self._only_released()
        self._require_room(self.sequencer.records_needed())
        self._enter(wire.STATE_RUNNING)
        self.sequencer.resume()

    def stop(self):
        """End whatever runs; never refused."""
        if self._prime.pending:
            self._prime.end(wire.END_STOPPED)
        if self.state == wire.STATE_ARMED:
            self.disarm()
        elif self.state in _SESSION_STATES:
            self.sequencer.halt(wire.END_STOPPED)
            self._end_session(wire.END_STOPPED, wire.STATE_DONE)
        else:
            self._switch_off()

    def clear_fault(self, fault):
        self._only_in((wire.STATE_FAULT,))
        if fault != self.fault:
            raise Refusal(wire.ERROR_OUT_OF_RANGE, 0, fault, self.fault, self.fault)
        self.machine.pulse.read()
        if self._look(self.machine.clock_ms):
            raise Refusal(wire.ERROR_FAULT_CONDITION, 0, self.fault, 0, 0)
        self._only_released()
        self._require_room(1)
        if not self.recorder.booted:
            self.recorder.boot()
        removed = fault == wire.FAULT_SYRINGE_REMOVED
        self.fault = wire.FAULT_NONE
        self.fault_detail = 0
        if removed:
            self._fit(0, 0, 0, 0)
        self._enter(
            wire.STATE_READY
            if self.program is not None
            else wire.STATE_LOADED
            if self.syringe.volume_nl
            else wire.STATE_UNLOADED
        )

    # What time brings

    def tick(self, heard):
        """Look at everything once and do what is due."""
        machine = self.machine
        now_ms = machine.clock_ms
        changed = self.inputs.update(now_ms)
        self.supervisor.update(now_ms, heard)
        if changed:
            self.recorder.tell(wire.EVENT_TRIGGER, self.inputs.pressed, self.inputs.presses)
        if self._prime.pending:
            self._tick_prime(now_ms)
        elif self.state == wire.STATE_ARMED:
            self._tick_armed(now_ms)
        elif self.state in _SESSION_STATES:
            if self.sequencer.in_flight:
                machine.pulse.read()
            if not self._supervise(now_ms):
                self.sequencer.tick(now_ms)
                self._follow()
        elif self._may_maintain():
            self.journal.maintain()
        self._last_clock_ms = now_ms
        self._show()

    def deadline_ms(self):
        """When the next tick is due by time alone."""
        now_ms = self.machine.clock_ms
        due = self.inputs.deadline_ms(now_ms)
        if self.state in _SESSION_STATES or self._prime.moving:
            due = min(due, self.sequencer.deadline_ms())
            self._watch()
            due = min(due, self.supervisor.deadline_ms())
        elif self._prime.pending:
            due = min(due, self._prime.until_ms)
        if self.state == wire.STATE_ARMED:
            wait_ms = wire.ARMED_DISARM_MS if self._alerted else wire.ARMED_ALERT_MS
            due = min(due, self._armed_ms + wait_ms)
        if self.journal.needs_maintenance and self._may_maintain():
            due = min(due, now_ms)
        return due

    def fail(self, fault, detail):
        """Stop with the driver off and stay there until it is cleared; then tell it and record it.

        Raises JournalError if it cannot be recorded; it is latched all the same.
        """
        self._switch_off()
        self._prime.forget()
        if self.state == wire.STATE_FAULT:
            return
        previous, self.state = self.state, wire.STATE_FAULT
        self.fault = fault
        self.fault_detail = detail
        self.recorder.tell(wire.EVENT_FAULT, fault, detail)
        self.sequencer.halt(wire.END_FAULTED)
        self.recorder.fault(fault, detail, self.machine.pulse.forward_steps)
        if previous in _SESSION_STATES:
            self._record_end(wire.END_FAULTED)
        self.recorder.state(wire.STATE_FAULT, previous)

    def boot(self):
        """Record that the gun has started; one whose journal does not take that is out of order."""
        try:
            self.recorder.boot()
        except JournalError as error:
            self.collapse(error)

    def collapse(self, error):
        """As `fail`, because of an exception: the journal or the logic itself is what failed."""
        sys.print_exception(error, sys.stderr)  # pyright: ignore[reportArgumentType]
        journal = isinstance(error, JournalError)
        try:
            self.fail(wire.FAULT_JOURNAL_WRITE if journal else wire.FAULT_INTERNAL, 0)
        except Exception as another:  # noqa: BLE001 (the gun stands still; its record has a gap)
            sys.print_exception(another, sys.stderr)  # pyright: ignore[reportArgumentType]
        self._show()

    # Inside

    def _only_in(self, states):
        if self.state not in states:
            if self.state == wire.STATE_FAULT:
                raise Refusal(wire.ERROR_FAULT_LATCHED, 0, self.fault, 0, 0)
            if self.state == wire.STATE_UNLOADED:
                raise Refusal(wire.ERROR_NO_SYRINGE, 0, 0, 0, 0)
            raise Refusal(wire.ERROR_WRONG_STATE, 0, self.state, states[0], states[-1])

    def _only_unprimed(self):
        if self._prime.pending:
            raise Refusal(wire.ERROR_WRONG_STATE, 0, self.state, 0, 0)

    def _only_released(self):
        if self.inputs.pressed:
            raise Refusal(wire.ERROR_NOT_RELEASED, 0, 0, 0, 0)

    def _require_room(self, records):
        if self.journal.free_records < records:
            raise Refusal(wire.ERROR_JOURNAL_FULL, 0, self.journal.free_records, records, 0)

    def _only_session(self, session_id):
        if session_id != self.session_id:
            raise Refusal(
                wire.ERROR_PROGRAM_MISMATCH, 0, session_id, self.session_id, self.session_id
            )

    def _check_ready_to_move(self):
        inputs = self.inputs
        if not inputs.active(wire.INPUT_INTERLOCK_CLOSED):
            raise Refusal(wire.ERROR_INTERLOCK, 0, 0, 0, 0)
        if not inputs.active(wire.INPUT_SYRINGE_SEATED):
            raise Refusal(wire.ERROR_NOT_SEATED, 0, 0, 0, 0)
        self._only_released()
        failed = selftest.run(self.machine, self.config, self.journal, self._last_clock_ms)
        if failed:
            raise Refusal(wire.ERROR_SELF_TEST, failed, 0, 0, 0)

    def _fit(self, pl_per_step, volume_nl, limit_kpa, closed_pa):
        self.syringe.fit(pl_per_step, volume_nl)
        self.sequencer.primed_steps = 0
        self.sequencer.retracted_steps = 0
        self.gauge.fit(self.syringe.area_mm2_x100, limit_kpa, closed_pa)
        self.program = None
        self.program_crc = 0

    def _forward_steps(self, program):
        """Most forward steps of a run: doses, primes, and what goes to and fro around them."""
        steps = self.sequencer.retracted_steps + program.dose_steps
        steps += self.syringe.most_steps(program.prime_nl)
        for index in range(program.length):
            step = program.steps[index]
            steps += step.count * (step.retract_steps + step.timing.early_steps)
        return steps

    def _switch_off(self):
        self.machine.pulse.abort()
        self.machine.pulse.disable()

    def _watch(self):
        """Tell the supervisor what it must know of the step that runs."""
        sequencer = self.sequencer
        if self._prime.moving or self.state != wire.STATE_RUNNING:
            self.gauge.expect(None)
            self.supervisor.watch(sequencer.moving, False, False)
        else:
            self.gauge.expect(sequencer.program_step)
            mode = sequencer.wants
            self.supervisor.watch(
                sequencer.moving, mode == wire.TRIGGER_AUTO, mode == wire.TRIGGER_PRESS
            )

    def _look(self, now_ms):
        """Return what is wrong now, FAULT_NONE if nothing is."""
        self._watch()
        return self.supervisor.check(now_ms)

    def _supervise(self, now_ms):
        fault = self._look(now_ms)
        if fault:
            self.fail(fault, self.supervisor.detail)
        return fault

    def _follow(self):
        """Take over what the sequencer has come to."""
        sequencer = self.sequencer
        if sequencer.state == FAILED:
            self.fail(sequencer.fault, sequencer.fault_detail)
        elif sequencer.state == FINISHED:
            self._end_session(wire.END_COMPLETE, wire.STATE_DONE)
        elif sequencer.state == PAUSED and self.state == wire.STATE_RUNNING:
            self._enter(wire.STATE_PAUSED)
        if self.state == wire.STATE_RUNNING and self.syringe.is_low():
            self.recorder.tell(wire.EVENT_LOW_VOLUME, self.syringe.remaining_nl(), 0)

    def _end_session(self, reason, state):
        self._switch_off()
        self._record_end(reason)
        self._enter(state)

    def _record_end(self, reason):
        sequencer = self.sequencer
        self.recorder.step = wire.STEP_NONE
        self.recorder.session_end(
            self.session_id, sequencer.shots_done, sequencer.delivered_steps, reason
        )

    def _may_maintain(self):
        """May the processor be deaf for a flash sector's erasure?"""
        at_rest = self.state in _IDLE_STATES or self.state == wire.STATE_FAULT
        return at_rest and not self._prime.pending and not self.inputs.pressed

    def _tick_armed(self, now_ms):
        if self._supervise(now_ms):
            return
        waited_ms = now_ms - self._armed_ms
        if waited_ms >= wire.ARMED_DISARM_MS:
            self.disarm()
        elif waited_ms >= wire.ARMED_ALERT_MS and not self._alerted:
            self._alerted = True
            self.recorder.tell(wire.EVENT_ARMED_IDLE, wire.ARMED_DISARM_MS - waited_ms, 0)

    def _tick_prime(self, now_ms):
        prime = self._prime
        sequencer = self.sequencer
        if prime.moving:
            self.machine.pulse.read()
            if self._supervise(now_ms):
                return
            sequencer.tick(now_ms)
            if sequencer.state == FAILED:
                self.fail(sequencer.fault, sequencer.fault_detail)
            elif not sequencer.in_flight:
                prime.end(wire.END_COMPLETE)
        elif self._look(now_ms):
            # The driver is still off, so nothing went wrong; but the press no longer means a prime.
            prime.end(wire.END_STOPPED)
        elif prime.pressed:
            prime.begin()
        elif now_ms >= prime.until_ms:
            prime.end(wire.END_DISARMED)

    def _enter(self, state):
        if state != self.state:
            previous, self.state = self.state, state
            self.recorder.state(state, previous)

    def _show(self):
        self.light = light_for(self.state, self._alerted, self._prime, self.sequencer)
        buzzer = wire.BUZZER_ALARM if self.state == wire.STATE_FAULT else wire.BUZZER_OFF
        self.machine.panel.show(self.light, buzzer)
