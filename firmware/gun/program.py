"""An uploaded program: decoded, checked against every bound, and laid out for the sequencer."""

from gun import wire
from gun.dose import whole_steps
from gun.motion import Timing

# Fields of a step by number, as PROGRAM_STEP has them.
_TRIGGER = 1
_COUNT = 3
_DOSE = 4
_INJECT = 5
_PERIOD = 6
_RAMP = 7
_RETRACT = 8
_FILM = 9
_FILM_EVERY = 10
_STORED = 11
_RISE = 12
_LIMIT = 13
# Fields of the header are told from those of step 0 by this offset.
HEADER_FIELD = 14
_TOTAL = HEADER_FIELD + 1

# What pushes has an alarm.
_ALARMED = (_LIMIT, 1, wire.PRESSURE_LIMIT_MAX_KPA)
# What a kind of step narrows down of the bounds of the wire: field, smallest, largest.
_BOUNDS = {
    wire.STEP_SHOTS: (
        (_DOSE, wire.DOSE_MIN_NL, wire.DOSE_MAX_NL),
        (_INJECT, wire.INJECT_MIN_US, wire.INJECT_MAX_US),
        (_PERIOD, wire.PERIOD_MIN_US, wire.PERIOD_MAX_US),
        _ALARMED,
    ),
    wire.STEP_FLOW: (
        (_TRIGGER, wire.TRIGGER_AUTO, wire.TRIGGER_HOLD),
        (_DOSE, wire.DOSE_MIN_NL, wire.FLOW_MAX_NL),
        (_INJECT, wire.FLOW_MIN_US, wire.FLOW_MAX_US),
        _ALARMED,
    ),
    wire.STEP_PAUSE: ((_DOSE, 0, 0), (_INJECT, 0, 0), (_RAMP, 0, 0)),
    wire.STEP_PRIME: (
        (_TRIGGER, wire.TRIGGER_PRESS, wire.TRIGGER_PRESS),
        (_DOSE, wire.DOSE_MIN_NL, wire.PRIME_MAX_NL),
        (_INJECT, wire.INJECT_MIN_US, wire.INJECT_MAX_US),
        _ALARMED,
    ),
}
# What all kinds but a train leave empty.
_NO_TRAIN = (
    (_COUNT, 1, 1),
    (_PERIOD, 0, 0),
    (_RETRACT, 0, 0),
    (_FILM, 0, 0),
    (_FILM_EVERY, 0, 0),
    (_STORED, 0, 0),
)
_RAMP_SHARE = 4  # each ramp at most this part of the injection: then the peak is 4/3 of the mean
_RECORD_STEPS_MAX = 0xFFFF  # a journal record holds what goes to and fro in 16 bits


class ProgramRefused(Exception):
    # args: error code, step times 16 plus field, value, smallest and largest allowed value.
    pass


class Step:
    """One checked step; `timing` is how its shots move."""

    def __init__(self):
        self.kind = 0
        self.trigger = 0
        self.on_release = 0
        self.count = 0
        self.dose_nl = 0
        self.inject_us = 0
        self.period_us = 0
        self.ramp_us = 0
        self.film_nl = 0
        self.film_every = 0
        self.retract_steps = 0
        self.rise_kpa = 0
        self.limit_kpa = 0
        self.records_each = 0  # of a shot: its intent, what it tells between, its result
        self.timing = Timing()

    def film_after_nl(self, shot):
        """Return the film that follows `shot`, counted from 0 in this step."""
        if self.film_every and (shot + 1) % self.film_every == 0:
            return self.film_nl
        return 0

    def records(self):
        """Return how many records the step makes."""
        return self.count * self.records_each

    def total_nl(self):
        """Return what all shots of the step deliver, with their films."""
        films = self.count // self.film_every if self.film_every else 0
        return self.count * self.dose_nl + films * self.film_nl

    def load(self, buf, at, pl_per_step, start_hz, max_hz):
        """Decode and check; raise WireError with the number of the field."""
        values = wire.unpack_program_step(buf, at, wire.SIZE_PROGRAM_STEP)
        _check_bounds(values, _BOUNDS[values[0]])
        if values[0] != wire.STEP_SHOTS:
            _check_bounds(values, _NO_TRAIN)
        retract_nl = values[_RETRACT]
        self.kind, self.trigger, self.on_release, self.count, self.dose_nl = values[:_INJECT]
        self.inject_us = values[_INJECT]
        self.records_each = 2 + self.inject_us // (wire.PROGRESS_MS * 1000)
        self.period_us = values[_PERIOD]
        self.ramp_us = values[_RAMP]
        self.film_nl = values[_FILM]
        self.film_every = values[_FILM_EVERY]
        self.rise_kpa = values[_RISE]
        self.limit_kpa = values[_LIMIT]
        wire.check_range(_RAMP, self.ramp_us, 0, self.inject_us // _RAMP_SHARE)
        # More than the dose would draw fluid back in, shot by shot.
        most_nl = min(self.dose_nl, _RECORD_STEPS_MAX * pl_per_step // 1000)
        wire.check_range(_RETRACT, retract_nl, 0, most_nl)
        if self.film_every:
            wire.check_range(_FILM, self.film_nl, 1, wire.FILM_MAX_NL)
        else:
            wire.check_range(_FILM, self.film_nl, 0, 0)
        self.retract_steps = whole_steps(retract_nl, pl_per_step)
        # Both go back in one piece (R12).
        most_nl = min(wire.RETRACT_MAX_NL, _RECORD_STEPS_MAX * pl_per_step // 1000) - retract_nl
        wire.check_range(_STORED, values[_STORED], 0, most_nl)
        if self.kind != wire.STEP_PAUSE:
            stored_steps = whole_steps(values[_STORED], pl_per_step)
            self._set_timing(pl_per_step, stored_steps, start_hz, max_hz)
        else:
            # Those of the step that stood here in the program before are in no budget.
            self.timing.early_steps = 0

    def _set_timing(self, pl_per_step, stored_steps, start_hz, max_hz):
        # One step in PERIOD_MAX_US is as slow as a pulse word can be.
        slowest_us = whole_steps(self.dose_nl, pl_per_step) * wire.PERIOD_MAX_US
        wire.check_range(_INJECT, self.inject_us, 0, slowest_us)
        self.timing.set(
            -(-self.dose_nl * 1000 // pl_per_step),
            self.inject_us,
            self.period_us,
            self.ramp_us,
            self.retract_steps,
            -(-self.film_nl * 1000 // pl_per_step),
            start_hz,
            stored_steps,
            max_hz,
        )
        if self.period_us:
            wire.check_range(_PERIOD, self.period_us, self.timing.needed_us, wire.PERIOD_MAX_US)


class Program:
    """The program that the gun holds; all zero until `load` has found nothing wrong.

    `length` is the number of `steps` in use. The totals count shots and flows with their films,
    `prime_nl` is apart; `duration_ms` is the time without waiting for a trigger; `records` is what
    an uninterrupted run writes into the journal about its shots.
    """

    def __init__(self):
        self.steps = [Step() for _ in range(wire.PROGRAM_STEPS_MAX)]
        self.clear()

    def clear(self):
        """Hold no program."""
        self.length = 0
        self.shots = 0
        self.volume_nl = 0
        self.dose_steps = 0
        self.prime_nl = 0
        self.duration_ms = 0
        self.records = 0

    def load(self, buf, size, limits, pl_per_step, remaining_nl, max_hz, start_hz):
        """Take the `size` bytes at the start of `buf`, or raise ProgramRefused and hold nothing.

        `limits` has `session_nl`, `shot_nl` and `shots`; `remaining_nl` is what the syringe holds;
        the drive makes `max_hz` steps a second, `start_hz` without a ramp.
        """
        self.clear()
        if not pl_per_step:
            raise ProgramRefused(wire.ERROR_NO_SYRINGE, 0, 0, 1, wire.PL_PER_STEP_MAX)
        if not (limits.session_nl and limits.shot_nl and limits.shots):
            raise ProgramRefused(wire.ERROR_NO_LIMITS, 0, 0, 1, wire.SESSION_MAX_NL)
        try:
            length = self._load_header(buf, size)
            for index in range(length):
                self._load_step(index, buf, pl_per_step, max_hz, min(start_hz, max_hz))
                self._count_step(index, limits)
            self._check_total(buf, limits, remaining_nl)
        except ProgramRefused:
            self.clear()
            raise
        self.dose_steps = whole_steps(self.volume_nl, pl_per_step)
        self.length = length

    def _load_header(self, buf, size):
        if size < wire.SIZE_PROGRAM_HEADER:
            raise ProgramRefused(
                wire.ERROR_WRONG_LENGTH, 0, size, _size(1), _size(wire.PROGRAM_STEPS_MAX)
            )
        try:
            length, _ = wire.unpack_program_header(buf, 0, wire.SIZE_PROGRAM_HEADER)
        except wire.WireError as error:
            raise _out_of_range(HEADER_FIELD, error) from None
        if size != _size(length):
            raise ProgramRefused(wire.ERROR_WRONG_LENGTH, 0, size, _size(length), _size(length))
        return length

    def _load_step(self, index, buf, pl_per_step, max_hz, start_hz):
        step = self.steps[index]
        field = 16 * index
        try:
            step.load(buf, _size(index), pl_per_step, start_hz, max_hz)
        except wire.WireError as error:
            raise _out_of_range(field, error) from None
        if step.kind != wire.STEP_PAUSE:
            timing = step.timing
            _check_most(wire.ERROR_TOO_FAST, field + _INJECT, timing.peak_hz, max_hz)
            _check_most(wire.ERROR_TOO_FAST, field + _RAMP, timing.jump_hz, start_hz)

    def _count_step(self, index, limits):
        step = self.steps[index]
        if step.kind == wire.STEP_PRIME:
            self.prime_nl += step.dose_nl
        elif step.kind != wire.STEP_PAUSE:
            field = 16 * index
            shot_nl = step.dose_nl + step.film_nl
            _check_most(wire.ERROR_OVER_LIMIT, field + _DOSE, shot_nl, limits.shot_nl)
            self.shots += step.count
            _check_most(wire.ERROR_OVER_LIMIT, field + _COUNT, self.shots, limits.shots)
            self.volume_nl += step.total_nl()
        self.duration_ms += -(-step.count * (step.period_us or step.inject_us) // 1000)
        self.records += step.records()

    def _check_total(self, buf, limits, remaining_nl):
        _, total_nl = wire.unpack_program_header(buf, 0, wire.SIZE_PROGRAM_HEADER)
        if total_nl != self.volume_nl:
            code = wire.ERROR_OUT_OF_RANGE
            raise ProgramRefused(code, _TOTAL, total_nl, self.volume_nl, self.volume_nl)
        _check_most(wire.ERROR_OVER_LIMIT, _TOTAL, total_nl, limits.session_nl)
        _check_most(wire.ERROR_OVER_REMAINING, _TOTAL, total_nl + self.prime_nl, remaining_nl)


def _check_bounds(values, bounds):
    for field, minimum, maximum in bounds:
        wire.check_range(field, values[field], minimum, maximum)


def _size(steps):
    return wire.SIZE_PROGRAM_HEADER + steps * wire.SIZE_PROGRAM_STEP


def _out_of_range(field, error):
    number, value, minimum, maximum = error.args
    return ProgramRefused(wire.ERROR_OUT_OF_RANGE, field + number, value, minimum, maximum)


def _check_most(code, field, value, maximum):
    if value > maximum:
        raise ProgramRefused(code, field, value, 0, maximum)
