"""Carries out the steps of a program: plans each shot, keeps the stream fed, reads the witness.

Hardware holds the steps of one shot at a time: no more than that follows if the processor hangs
(R17). The next shot of a train is planned while the running one moves. In the rest at the end of
its period the witness is read, the result recorded, then the intent of the next one, and its words
are queued behind the rest: a train is exact to the tick.
"""

from micropython import const

from gun import motion, wire

_NEVER_MS = const(0x3FFFFFFF)
_LATE_MS = const(10)  # a garbage collection; later than that a shot that is not over is a fault
_LEAD_MS = const(5)  # a page program, in which a shot's intent is written
_HAND_OVER_MS = const(2)  # to give a shot to hardware, or to take it back
_LAST_LOOK_MS = const(3)  # a wake and a pass of the main loop fit
_SPARE_RECORDS = const(16)  # an interruption, a pause and the end of the session
_RAMP_SHARE = const(4)  # as in a program: each ramp at most this part of the injection

IDLE = const(0)
BUSY = const(1)
PAUSED = const(2)
FINISHED = const(3)
FAILED = const(4)


class Slot:
    """One shot in flight: what was planned, and when."""

    def __init__(self):
        self.block = motion.Block()
        self.purpose = wire.STEP_SHOTS
        self.shot = 0
        self.dose_steps = 0
        self.advance_steps = 0  # take up the last retraction
        self.early_steps = 0  # pushed before the dose, taken back after it
        self.retract_steps = 0
        self.start_ms = 0
        self.start_us = 0  # fraction of a millisecond, so that a long train does not drift
        self.told_ms = 0  # when it began, or the journal was last told how far it has come
        self.motion_us = 0
        self.block_us = 0
        self.peak_hz = 0

    @property
    def forward_steps(self):
        return self.advance_steps + self.early_steps + self.dose_steps

    @property
    def backward_steps(self):
        return self.early_steps + self.retract_steps

    def delivered(self, forward, backward):
        """Return what so many witnessed steps deliver.

        What was pushed early and not taken back is part of it: it leaves the needle by itself.
        """
        return max(forward - self.advance_steps - min(backward, self.early_steps), 0)

    def outstanding(self, forward, backward):
        """Return what is pulled back after so many witnessed steps."""
        return max(self.advance_steps - forward, 0) + max(backward - self.early_steps, 0)

    def after(self, other):
        """Begin where the block of `other` ends."""
        us = other.start_us + other.block_us
        self.start_ms = self.told_ms = other.start_ms + us // 1000
        self.start_us = us % 1000

    def motion_end_ms(self):
        return self.start_ms + (self.start_us + self.motion_us + 999) // 1000

    def bound_steps(self, forward_steps):
        """Forward steps that it can have made when a watchdog ends it before it is told again."""
        more = self.peak_hz * (wire.PROGRESS_MS + wire.WATCHDOG_MS + _LATE_MS) // 1000 + 1
        # The moves before the dose are not made at its rate.
        moved = max(forward_steps, self.advance_steps + self.early_steps)
        return min(moved + more, self.forward_steps)


class Sequencer:
    """Runs one program at a time; `state` is IDLE, BUSY, PAUSED, FINISHED or FAILED."""

    def __init__(self, machine, recorder, inputs, doser, config):
        self._machine = machine
        self._pulse = machine.pulse
        self._recorder = recorder
        self._inputs = inputs
        self._doser = doser
        self._config = config
        self._slots = (Slot(), Slot())
        self._timing = motion.Timing()  # of primes and interrupted flows
        self._take_up = motion.Block()
        self._take_up_timing = motion.Timing()
        self._running = None  # has been given to hardware and has no result yet
        self._next = None  # is planned to follow it
        self._given = None  # whose words hardware has got last
        self._program = None
        self.state = IDLE
        self.fault = wire.FAULT_NONE
        self.fault_detail = 0
        self.retracted_steps = 0
        self.primed_steps = 0
        self._primes_begun = 0
        self.begin(None)

    # What the controller asks for

    def begin(self, program):
        """Take up `program` at its first step; None takes it away."""
        self._program = program
        self._pause = False
        self._rebase()
        self.step = 0
        self._step = None
        self.consumed = 0  # shots of this step that are over
        self.shots_done = 0
        self.delivered_steps = 0
        self._shot = 0  # number of the next shot in the session
        self._not_before_ms = 0
        self.state = IDLE
        if program is not None:
            self.state = BUSY
            self._enter_step()

    def pause(self):
        """Rest after the shot that is running; a flow ends where it is."""
        self._pause = True
        if self._running is not None and self._running.purpose == wire.STEP_FLOW:
            self.halt(wire.END_STOPPED)
        else:
            self._hold_back(wire.END_STOPPED)

    def resume(self):
        """Go on behind a pause."""
        self._pause = False
        self._presses_seen = self._inputs.presses
        self.state = BUSY
        if self._step.kind == wire.STEP_PAUSE:
            self._next_step()

    def halt(self, reason):
        """Stop at once; what is in flight gets its result with `reason`."""
        self._pulse.abort()
        self._forget_next()
        # Whatever happens while the result is written: nothing is in flight any more.
        running, self._running = self._running, None
        if running is None:
            return
        if self._machine.clock_ms < running.start_ms and self._is_still():
            self._cancelled(running)
        else:
            self._settle(running, reason)

    def begin_prime(self, dose_nl, inject_us):
        """Push out `dose_nl` now, outside of any program; what the last session came to stays."""
        self._program = None
        self.state = IDLE
        self._rebase()
        self._purpose = wire.STEP_PRIME
        self._launch(self._plan_prime(dose_nl, inject_us, 0))

    def _rebase(self):
        self._running = self._next = None
        self._base_forward = self._pulse.forward_steps
        self._base_backward = self._pulse.backward_steps
        self.fault = wire.FAULT_NONE
        self.fault_detail = 0

    @property
    def moving(self):
        """Is it the time of a shot that is in flight?"""
        running = self._running
        return running is not None and self._machine.clock_ms >= running.start_ms

    def rest_ms(self):
        """How long nothing moves from now on, unless a trigger is pressed."""
        running = self._running
        return _NEVER_MS if running is None else max(running.start_ms - self._machine.clock_ms, 0)

    def delivered_so_far(self):
        """Dose steps of the session, those of the running shot included as the witness has them."""
        if not self.moving or self._running.purpose == wire.STEP_PRIME:
            return self.delivered_steps
        running = self._running
        forward = self._pulse.forward_steps - self._base_forward
        delivered = running.delivered(forward, self._pulse.backward_steps - self._base_backward)
        return self.delivered_steps + min(delivered, running.dose_steps)

    @property
    def in_flight(self):
        return self._running is not None

    @property
    def program_step(self):
        """The step of the program that runs."""
        return self._step

    @property
    def wants(self):
        """The trigger mode of the step that runs."""
        return self._step.trigger

    def waits_for_press(self):
        """Is a press of the trigger what has to come next?"""
        return self.state == BUSY and self._running is None and self.wants == wire.TRIGGER_PRESS

    def deadline_ms(self):
        running = self._running
        if running is None:
            if self.state != BUSY or self._program is None:
                return _NEVER_MS
            return self._not_before_ms if self._wanted() else _NEVER_MS
        now_ms = self._machine.clock_ms
        if now_ms < running.start_ms:
            # What went wrong in the rest must be seen before the next shot makes a step.
            last_look_ms = running.start_ms - _LAST_LOOK_MS
            return last_look_ms if now_ms < last_look_ms else running.start_ms
        if self._next is None and self._chains():
            return running.start_ms
        over_ms = max(running.motion_end_ms(), self._look_again_ms)
        return min(over_ms, running.told_ms + wire.PROGRESS_MS)

    # What time brings

    def tick(self, now_ms):
        """Do what is due."""
        if self._running is not None:
            self._follow(now_ms)
        if self.state != BUSY or self._program is None:
            return
        if self._released():
            if self.moving and (
                self._purpose == wire.STEP_FLOW or self._step.on_release == wire.ON_RELEASE_STOP
            ):
                self.halt(wire.END_RELEASED)
            else:
                self._hold_back(wire.END_RELEASED)
        if self._running is None:
            if self._pause:
                self.state = PAUSED
            elif self.consumed >= self._step.count:
                self._next_step()
            elif now_ms >= self._not_before_ms and self._wanted():
                if self._recorder.room >= self.records_needed():
                    self._start_train()
                else:
                    self.state = PAUSED

    def _follow(self, now_ms):
        running = self._running
        if self._next is None and now_ms >= running.start_ms and self._chains():
            self._next = self._plan_shot(self.consumed + 1)
        if now_ms < running.motion_end_ms():
            if now_ms >= running.told_ms + wire.PROGRESS_MS:
                self._tell_progress(running, now_ms)
            return
        self._pulse.read()
        if not self._is_complete(running):
            if now_ms <= running.motion_end_ms() + _LATE_MS:
                self._look_again_ms = now_ms + 1
            else:
                self._fail(wire.FAULT_STEP_COUNT_MISMATCH, self._missing(running))
            return
        self._running = None
        self._settle(running, wire.END_COMPLETE)
        if self._chains():
            self._queue_behind(running)
        if self._running is None:
            self._pulse.abort()  # only the rest of the last period is left
            self._forget_next()
            # What was pressed while something moved is not a wish for more of it.
            self._presses_seen = self._inputs.presses

    def _tell_progress(self, running, now_ms):
        self._pulse.read()
        forward = self._pulse.forward_steps - self._base_forward
        running.told_ms = now_ms
        self._recorder.progress(running, forward, running.bound_steps(forward))

    def _hold_back(self, reason):
        """Let no other shot begin; one whose begin is too near to be taken back goes its way."""
        self._forget_next()
        running = self._running
        if running is None:
            return
        self._pulse.read()
        if self._machine.clock_ms + _HAND_OVER_MS < running.start_ms:
            self.halt(reason)

    def _fail(self, fault, detail):
        self.fault = fault
        self.fault_detail = detail
        self.state = FAILED

    # Steps

    def _enter_step(self):
        step = self._step = self._program.steps[self.step]
        self.consumed = 0
        self._recorder.step = self.step
        self._purpose = step.kind
        self._presses_seen = self._inputs.presses
        self._flow_left = 0
        self._recorder.tell(wire.EVENT_STEP, self.step, self._purpose)
        if self._purpose == wire.STEP_PAUSE:
            self.state = PAUSED
        elif self._purpose == wire.STEP_FLOW:
            self._flow_left = self._flow_steps = self._doser.take(step.dose_nl)

    def _next_step(self):
        if self.step + 1 < self._program.length:
            self.step += 1
            self._enter_step()
        else:
            self.state = FINISHED

    def _wanted(self):
        mode = self.wants
        if mode == wire.TRIGGER_AUTO:
            return True
        if mode == wire.TRIGGER_HOLD:
            return self._inputs.pressed
        return self._inputs.presses != self._presses_seen

    def _released(self):
        return self.wants == wire.TRIGGER_HOLD and not self._inputs.pressed

    def _chains(self):
        """Does another shot follow the running one without a gap?"""
        return (
            self.state == BUSY
            and not self._pause
            and self._purpose == wire.STEP_SHOTS
            and self.wants != wire.TRIGGER_PRESS
            and not self._released()
            and self.consumed + (self._running is not None) < self._step.count
        )

    def records_needed(self):
        """Return what the rest of the program needs in the journal to begin a train or a flow.

        Arming has made sure of it, but each release of the trigger and each pause adds records.
        """
        need = _SPARE_RECORDS - self.consumed * self._step.records_each
        for index in range(self.step, self._program.length):
            need += self._program.steps[index].records()
        return need

    # Shots

    def _start_train(self):
        step = self._step
        if self._purpose == wire.STEP_FLOW:
            slot = self._plan_flow()
        elif self._purpose == wire.STEP_PRIME:
            slot = self._plan_prime(step.dose_nl, step.inject_us, step.ramp_us)
        else:
            slot = self._plan_shot(self.consumed)
        self._launch(slot)

    def _queue_behind(self, settled):
        """Give the next shot to hardware while the rest of the one that is `settled` goes on."""
        slot = self._next
        slot.after(settled)
        self._pulse.read()
        if self._machine.clock_ms + _LEAD_MS > slot.start_ms:
            self._come_late(slot)
            return
        self._next = None
        self._recorder.intent(slot)
        self._pulse.read()
        if self._machine.clock_ms + _HAND_OVER_MS > slot.start_ms:
            self._cancelled(slot)
            self._come_late(slot)
            return
        self._submit(slot)
        self._running = slot
        self._look_again_ms = 0

    def _come_late(self, slot):
        # A hand that holds the trigger begins another train; a clock that tears is a fault.
        if self.wants == wire.TRIGGER_AUTO:
            self._fail(wire.FAULT_UNDER_RUN, slot.shot)

    def _launch(self, slot):
        self._presses_seen = self._inputs.presses
        self._recorder.intent(slot)
        if self._took_up:
            self._pulse.submit(self._take_up.words, self._take_up.count)
        self._submit(slot)
        self._pulse.read()
        slot.start_ms = slot.told_ms = self._machine.clock_ms
        # Only the millisecond is known; a guess too early would find the shot unfinished.
        slot.start_us = 999
        self._running = slot
        self._look_again_ms = 0

    def _submit(self, slot):
        self._given = slot
        self._pulse.submit(slot.block.words, slot.block.count)
        self.retracted_steps = slot.retract_steps

    def _plan_shot(self, index):
        step = self._step
        self._doser.mark()
        steps = self._doser.take(step.dose_nl)
        film_nl = step.film_after_nl(index)
        film = self._doser.take(film_nl) if film_nl else 0
        return self._plan(wire.STEP_SHOTS, step.timing, steps, step.retract_steps, film)

    def _plan_prime(self, dose_nl, inject_us, ramp_us):
        self._doser.mark()
        steps = self._doser.take(dose_nl)
        self._timing.set(steps, inject_us, 0, ramp_us, 0, 0, self._start_hz())
        return self._plan(wire.STEP_PRIME, self._timing, steps, 0, 0)

    def _plan_flow(self):
        """The rest of a flow at its own rate; all of it where it was not interrupted."""
        step = self._step
        self._doser.mark()
        steps = self._flow_left
        if steps == self._flow_steps:
            return self._plan(wire.STEP_FLOW, step.timing, steps, 0, 0)
        start_hz = self._start_hz()
        us = max(step.inject_us * steps // self._flow_steps, 1000)
        timing = self._timing
        timing.set(steps, us, 0, min(step.ramp_us, us // _RAMP_SHARE), 0, 0, start_hz)
        if timing.jump_hz > start_hz:
            # Too little is left for a ramp; the motor would not follow.
            timing.set(steps, steps * 1000000 // start_hz + 1, 0, 0, 0, 0, start_hz)
        return self._plan(wire.STEP_FLOW, timing, steps, 0, 0)

    def _plan(self, purpose, timing, dose, retract, film):
        slot = self._slots[self._slots[0] is self._given]
        advance = self.retracted_steps
        slot.purpose = purpose
        slot.dose_steps = dose + film
        slot.advance_steps = advance
        slot.retract_steps = retract
        slot.peak_hz = timing.peak_hz
        slot.early_steps = timing.early_steps
        if purpose == wire.STEP_PRIME:
            slot.shot = self._primes_begun
            self._primes_begun += 1
        else:
            slot.shot = self._shot
            self._shot += 1
        # A block takes up what its own step pulls back, or nothing.
        self._took_up = bool(advance) and advance != timing.retract_steps
        slot.motion_us = slot.block_us = 0
        if self._took_up:
            self._plan_take_up(slot, advance)
            advance = 0
        slot.block.plan(timing, advance, dose, retract, film)
        slot.motion_us += slot.block.motion_us
        slot.block_us += slot.block.block_us
        return slot

    def _plan_take_up(self, slot, advance):
        start_hz = self._start_hz()
        us = max(advance * 1000000 // start_hz, 1000)
        self._take_up_timing.set(advance, us, 0, 0, 0, 0, start_hz)
        self._take_up.plan(self._take_up_timing, 0, advance, 0, 0)
        slot.motion_us = slot.block_us = self._take_up.block_us

    def _start_hz(self):
        config = self._config
        return min(
            config.get(wire.CONFIG_MAX_STEP_RATE_START_HZ), config.get(wire.CONFIG_MAX_STEP_RATE_HZ)
        )

    # Results

    def _is_complete(self, slot):
        """Did `slot` make its steps, and nobody any other ones?"""
        return (
            self._pulse.forward_steps == self._base_forward + slot.forward_steps
            and self._pulse.backward_steps == self._base_backward + slot.backward_steps
        )

    def _is_still(self):
        return (
            self._pulse.forward_steps == self._base_forward
            and self._pulse.backward_steps == self._base_backward
        )

    def _missing(self, slot):
        return abs(self._pulse.forward_steps - self._base_forward - slot.forward_steps)

    def _settle(self, slot, reason):
        """Write the result of the shot that ran; the witness has been read."""
        forward = self._pulse.forward_steps - self._base_forward
        backward = self._pulse.backward_steps - self._base_backward
        motion_ms = max(self._machine.clock_ms - slot.start_ms, 0)
        if self._is_complete(slot):
            reason = wire.END_COMPLETE
            motion_ms = slot.motion_us // 1000
        else:
            self.retracted_steps = slot.outstanding(forward, backward)
        self._base_forward += forward
        self._base_backward += backward
        delivered = slot.delivered(forward, backward)
        self._not_before_ms = slot.start_ms + 1 + wire.PERIOD_MIN_US // 1000
        self._count(slot, delivered, reason)
        self._recorder.result(slot, forward, backward, motion_ms, reason)

    def _count(self, slot, delivered, reason):
        if slot.purpose == wire.STEP_PRIME:
            self.primed_steps += delivered
        else:
            self.delivered_steps += delivered
        if self._program is None:
            return
        if slot.purpose == wire.STEP_FLOW:
            self._flow_left -= delivered
            over = self._flow_left <= 0
        else:
            over = True
        if over:
            self.consumed += 1
            if slot.purpose != wire.STEP_PRIME and reason == wire.END_COMPLETE:
                self.shots_done += 1

    def _forget_next(self):
        """Drop what is planned and known to nobody else."""
        if self._next is not None:
            self._next = None
            self._doser.undo()
            self._shot -= 1

    def _cancelled(self, slot):
        self._doser.undo()
        self.retracted_steps = slot.advance_steps
        self._recorder.result(slot, 0, 0, 0, wire.END_CANCELLED)
