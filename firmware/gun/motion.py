"""One shot as pulse words: every section exact in steps and, to the tick, in time.

A block of a train lasts one period:

    take-up of the last retraction | dose, ramped | turn | retraction | turn | film | rest

Sections that a train never uses take no time. One that a single shot leaves out is a dwell of the
same length, so an injection begins at the same offset in every block of a step.
"""

from array import array

from micropython import const

from gun import wire

_LEVELS_MAX = const(8)
MAX_WORDS = 2 * (4 * _LEVELS_MAX + 11)  # two segments a section, one a dwell

_FORWARD = 1 << wire.DIRECTION_BIT
_BACKWARD = const(0)
_PULSES = 1 << wire.KIND_BIT
_COUNT_MAX = const(1 << 28)  # the word stays a small integer

# The plunger drive is at rest this long before it turns round.
TURN_US = const(5000)


class Timing:
    """How one step's shots share out their time; made when a program is checked."""

    def __init__(self):
        self.level_steps = array("I", [0] * _LEVELS_MAX)
        self.levels = 0
        self.level_ticks = 0
        self.ramp_steps = 0
        self.plateau_ticks = 0
        self.retract_steps = 0
        self.film_steps = 0
        self.move_ticks = 0
        self.inject_ticks = 0
        self.film_ticks = 0
        self.block_ticks = 0
        self.needed_us = 0
        self.peak_hz = 0
        self.jump_hz = 0

    def set(self, dose_steps, inject_us, period_us, ramp_us, retract_steps, film_steps, start_hz):
        """Share out `period_us`, or `inject_us` alone if that is 0.

        The numbers of steps are the most that one shot has. `start_hz` is the rate of everything
        but the dose. Then `needed_us` must not exceed `period_us`, `peak_hz` is the fastest step
        rate and `jump_hz` the largest sudden change of it.
        """
        self.inject_ticks = inject_us * wire.TICKS_PER_US
        self._set_ramp(dose_steps, ramp_us * wire.TICKS_PER_US)
        self.retract_steps = retract_steps
        self.film_steps = film_steps
        self.move_ticks = _ticks_at(retract_steps, start_hz)
        used = self.inject_ticks
        if retract_steps:
            used += 2 * self.move_ticks + TURN_US * wire.TICKS_PER_US
        if retract_steps and film_steps:
            used += TURN_US * wire.TICKS_PER_US
        self.block_ticks = self.inject_ticks
        self.film_ticks = 0
        if period_us:
            self.block_ticks = period_us * wire.TICKS_PER_US
            used += wire.DWELL_MIN_US * wire.TICKS_PER_US
            if film_steps:
                self.film_ticks = self.block_ticks - used
                used += _ticks_at(film_steps, start_hz)
        self.needed_us = used // wire.TICKS_PER_US

    def _set_ramp(self, dose_steps, ramp_ticks):
        # Equal times at 1/2K, 3/2K, 5/2K... of the peak: a straight ramp in K levels. As many
        # levels as leave the slowest 1.5 steps; with fewer, rounding would bend the ramp.
        full_ticks = self.inject_ticks - ramp_ticks
        area = dose_steps * ramp_ticks
        levels = 0
        while levels < _LEVELS_MAX and 3 * full_ticks * (levels + 1) * (levels + 1) <= area:
            levels += 1
        self.levels = levels
        self.level_ticks = ramp_ticks // levels if levels else 0
        self.ramp_steps = 0
        share = full_ticks * levels * levels
        for level in range(levels):
            steps = (area * (2 * level + 1) + share) // (2 * share)
            self.level_steps[level] = steps
            self.ramp_steps += steps
        self.plateau_ticks = self.inject_ticks - 2 * levels * self.level_ticks
        peak_ticks = self.inject_ticks - levels * self.level_ticks
        self.peak_hz = -(-dose_steps * wire.TICKS_PER_US * 1000000 // peak_ticks)
        self.jump_hz = -(-self.peak_hz // max(levels, 1))


def _ticks_at(steps, rate_hz):
    """Return whole microseconds, in ticks, in which `steps` go no faster than `rate_hz`."""
    if not steps:
        return 0
    ticks = 2 * wire.SEGMENT_TICKS + steps * -(-wire.TICKS_PER_US * 1000000 // rate_hz)
    return -(-ticks // wire.TICKS_PER_US) * wire.TICKS_PER_US


class Block:
    """One planned shot: `words[:count]` are for the pulse engine and must stay until done.

    `block_us` is how long the words last; after `motion_us` from their start no step follows.
    """

    def __init__(self):
        self.words = array("I", [0] * MAX_WORDS)
        self.count = 0
        self.motion_us = 0
        self.block_us = 0

    def plan(self, timing, advance_steps, dose_steps, retract_steps, film_steps):
        """Write the words of one shot; raise ValueError if it is not one that `timing` is for."""
        plateau_steps = dose_steps - 2 * timing.ramp_steps
        if (
            plateau_steps < 0
            or advance_steps > timing.retract_steps
            or retract_steps > timing.retract_steps
            or film_steps > timing.film_steps
        ):
            raise ValueError("the shot does not fit its timing")
        self.count = 0
        self._emit(_FORWARD, advance_steps, timing.move_ticks)
        for level in range(timing.levels):
            self._emit(_FORWARD, timing.level_steps[level], timing.level_ticks)
        self._emit(_FORWARD, plateau_steps, timing.plateau_ticks)
        for level in range(timing.levels - 1, -1, -1):
            self._emit(_FORWARD, timing.level_steps[level], timing.level_ticks)
        ticks = timing.move_ticks + timing.inject_ticks
        turn_ticks = TURN_US * wire.TICKS_PER_US
        if retract_steps:
            self._emit(_BACKWARD, 0, turn_ticks)
            self._emit(_BACKWARD, retract_steps, timing.move_ticks)
            ticks += turn_ticks + timing.move_ticks
        if film_steps:
            if retract_steps:
                self._emit(_FORWARD, 0, turn_ticks)
                ticks += turn_ticks
            self._emit(_FORWARD, film_steps, timing.film_ticks)
            ticks += timing.film_ticks
        self._emit(_FORWARD, 0, timing.block_ticks - ticks)
        self.motion_us = ticks // wire.TICKS_PER_US
        self.block_us = timing.block_ticks // wire.TICKS_PER_US

    def _emit(self, direction, items, ticks):
        """Spread `items` pulses evenly over exactly `ticks`; none at all is a dwell."""
        if not ticks:
            return
        ticks -= wire.SEGMENT_TICKS
        if not items:
            self._put(direction, 1, ticks - wire.DWELL_TICKS)
            return
        each = ticks // items
        if each * items == ticks:
            self._put(direction | _PULSES, items, each - wire.PULSE_TICKS)
            return
        ticks -= wire.SEGMENT_TICKS
        each = ticks // items
        longer = ticks - each * items
        interval = each - wire.PULSE_TICKS
        if longer:
            self._put(direction | _PULSES, items - longer, interval)
            self._put(direction | _PULSES, longer, interval + 1)
        else:
            # Even without the second head, but its ticks are part of the sum.
            self._put(direction | _PULSES, items - 1, interval)
            self._put(direction | _PULSES, 1, interval)

    def _put(self, what, count, interval):
        if not 0 <= interval <= wire.INTERVAL_MAX or count > _COUNT_MAX:
            raise ValueError("no pulse word holds this rate")
        self.words[self.count] = what | (count - 1) << wire.COUNT_SHIFT
        self.words[self.count + 1] = interval
        self.count += 2
