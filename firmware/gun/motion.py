"""One shot as pulse words: every section exact in steps and, to the tick, in time.

A block of a train lasts one period:

    take-up | build-up | dose, ramped | turn | let-down and retraction | turn | film | rest

The take-up is that of the last retraction. The build-up pushes early what the pressure of the dose
will store in the syringe, and the let-down takes it back, so that the needle's flow begins and ends
with the dose; both are fast, and what leaves the needle meanwhile is a part of the dose. Sections
that a train never uses take no time. A take-up that a single shot leaves out is a dwell of the same
length, so an injection begins at the same offset in every block of a step.
"""

from array import array

from micropython import const

from gun import wire

_LEVELS_MAX = const(8)
_MOVE_LEVELS_MAX = const(10)
# Two words a segment: two segments a section of the dose, for the film and for each of the four
# dwells, one a level of the three moves.
MAX_WORDS = 2 * (2 * (2 * _LEVELS_MAX + 1) + 3 * (2 * _MOVE_LEVELS_MAX - 1) + 2 + 2 * 4)

_FORWARD = 1 << wire.DIRECTION_BIT
_BACKWARD = const(0)
_RAMP_SHARE = const(4)  # as in a program: each ramp at most this part of the injection
_PULSES = 1 << wire.KIND_BIT
_COUNT_MAX = const(1 << 28)  # the word stays a small integer

# Hardware looks at the interlock once an item: a dwell is cut into items of this length.
_LOOK_US = const(1000)
# The plunger drive is at rest this long before it turns round.
TURN_US = const(5000)
# A move gains its rate from standstill once more each millisecond: on the reference drive a tenth
# of what the motor's torque could do to its rotor (60 mNm, 9 g cm2 assumed).
MOVE_LEVEL_US = const(1000)


class Timing:
    """How one step's shots share out their time; made when a program is checked."""

    def __init__(self):
        self.level_steps = array("I", [0] * _LEVELS_MAX)
        self.levels = 0
        self.level_ticks = 0
        self.ramp_steps = 0
        self.plateau_ticks = 0
        self.retract_steps = 0
        self.build_steps = 0
        self.early_steps = 0
        self.out_steps = 0
        self.film_steps = 0
        self.start_hz = 1
        self.move_levels = 1
        self.move_ticks = 0
        self.build_ticks = 0
        self.back_ticks = 0
        self.inject_ticks = 0
        self.film_ticks = 0
        self.block_ticks = 0
        self.needed_us = 0
        self.peak_hz = 0
        self.jump_hz = 0

    def set(
        self,
        dose_steps,
        inject_us,
        period_us,
        ramp_us,
        retract_steps,
        film_steps,
        start_hz,
        stored_steps=0,
        max_hz=0,
    ):
        """Share out `period_us`, or `inject_us` alone if that is 0.

        The numbers of steps are the most that one shot has. `stored_steps` are what the pressure of
        the dose stores. Moves begin at `start_hz` and reach `max_hz`. Then `needed_us` must not
        exceed `period_us`, `peak_hz` is the fastest step rate of the dose and `jump_hz` the largest
        sudden change of it.
        """
        self.start_hz = start_hz
        self.move_levels = min(max(max_hz // start_hz, 1), _MOVE_LEVELS_MAX)
        self.retract_steps = retract_steps
        self.film_steps = film_steps
        self.inject_ticks = inject_us * wire.TICKS_PER_US
        dose_steps -= self._set_early(dose_steps, stored_steps)
        # No more of the middle than of the whole: then one step fewer is always left over.
        ramp_ticks = min(ramp_us * wire.TICKS_PER_US, self.inject_ticks // _RAMP_SHARE)
        self._set_ramp(dose_steps, ramp_ticks)
        back_steps = self.early_steps + retract_steps
        self.move_ticks = self.ticks_of(retract_steps)
        self.back_ticks = self.ticks_of(back_steps)
        turn_ticks = TURN_US * wire.TICKS_PER_US
        used = self.move_ticks + self.build_ticks + self.inject_ticks + self.back_ticks
        if back_steps:
            used += turn_ticks
        if back_steps and film_steps:
            used += turn_ticks
        self.block_ticks = self.inject_ticks
        self.film_ticks = 0
        if period_us:
            self.block_ticks = period_us * wire.TICKS_PER_US
            used += wire.DWELL_MIN_US * wire.TICKS_PER_US
            if film_steps:
                self.film_ticks = self.block_ticks - used
                used += _ticks_at(film_steps, start_hz)
        self.needed_us = -(-used // wire.TICKS_PER_US)

    def _set_early(self, dose_steps, stored_steps):
        # Flow rises and falls evenly, as reckoned here, in the moves on either side of the dose:
        # what leaves the needle in half of a move, and in the turn, is dose that need not be pushed
        # in the middle. A quarter of the injection at most goes to either side.
        self.build_steps = self.early_steps = self.out_steps = self.build_ticks = 0
        if not stored_steps:
            return 0
        whole = self.inject_ticks
        half = self.ticks_of(stored_steps) // 2
        in_ticks = min(half, whole // 4)
        out_ticks = min(half + TURN_US * wire.TICKS_PER_US, whole // 4)
        in_steps = dose_steps * in_ticks // whole
        self.out_steps = min(dose_steps * out_ticks // whole, stored_steps)
        self.early_steps = stored_steps - self.out_steps
        self.build_steps = stored_steps + in_steps
        self.build_ticks = self.ticks_of(self.build_steps)
        self.inject_ticks = whole - in_ticks - out_ticks
        return in_steps + self.out_steps

    def levels_of(self, steps):
        """Return in how many levels a move of `steps` reaches its highest rate.

        Level n lasts `MOVE_LEVEL_US` at n times the rate from standstill on the way up, and again
        on the way down; the highest takes what is left over.
        """
        first = self.first_steps
        levels = 1
        while levels < self.move_levels and first * (levels + 1) * (levels + 1) <= steps:
            levels += 1
        return levels

    @property
    def first_steps(self):
        """Return the steps of the first level of a move."""
        return max(self.start_hz * MOVE_LEVEL_US // 1000000, 1)

    def item_ticks(self, level):
        """Return the ticks of one step in a level of a move."""
        return -(-wire.TICKS_PER_US * 1000000 // (level * self.start_hz))

    def ticks_of(self, steps):
        """Return the ticks that a move of `steps` takes."""
        if not steps:
            return 0
        top = self.levels_of(steps)
        first = self.first_steps
        ticks = (2 * top - 1) * wire.SEGMENT_TICKS
        for level in range(1, top):
            ticks += 2 * level * first * self.item_ticks(level)
        return ticks + (steps - first * top * (top - 1)) * self.item_ticks(top)

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
        """Write the words of one shot; raise ValueError if it is not one that `timing` is for.

        `advance_steps` are the take-up: all of the step's retraction, or none.
        """
        dose_steps -= timing.build_steps - timing.early_steps
        plateau_steps = dose_steps - 2 * timing.ramp_steps
        if (
            plateau_steps < 0
            or (advance_steps and advance_steps != timing.retract_steps)
            or retract_steps != timing.retract_steps
            or film_steps > timing.film_steps
        ):
            raise ValueError("the shot does not fit its timing")
        self.count = 0
        if advance_steps:
            self._move(_FORWARD, advance_steps, timing)
        else:
            self._emit(_FORWARD, 0, timing.move_ticks)
        self._move(_FORWARD, timing.build_steps, timing)
        for level in range(timing.levels):
            self._emit(_FORWARD, timing.level_steps[level], timing.level_ticks)
        self._emit(_FORWARD, plateau_steps, timing.plateau_ticks)
        for level in range(timing.levels - 1, -1, -1):
            self._emit(_FORWARD, timing.level_steps[level], timing.level_ticks)
        ticks = timing.move_ticks + timing.build_ticks + timing.inject_ticks
        turn_ticks = TURN_US * wire.TICKS_PER_US
        back_steps = timing.early_steps + retract_steps
        if back_steps:
            self._emit(_BACKWARD, 0, turn_ticks)
            self._move(_BACKWARD, back_steps, timing)
            ticks += turn_ticks + timing.back_ticks
        if film_steps:
            if back_steps:
                self._emit(_FORWARD, 0, turn_ticks)
                ticks += turn_ticks
            self._emit(_FORWARD, film_steps, timing.film_ticks)
            ticks += timing.film_ticks
        self._emit(_FORWARD, 0, timing.block_ticks - ticks)
        self.motion_us = -(-ticks // wire.TICKS_PER_US)
        self.block_us = timing.block_ticks // wire.TICKS_PER_US

    def _move(self, direction, steps, timing):
        """Go fast: up to the highest rate in levels, and down again."""
        if not steps:
            return
        top = timing.levels_of(steps)
        first = timing.first_steps
        for index in range(2 * top - 1):
            level = top - abs(top - 1 - index)
            items = first * level
            if level == top:
                items = steps - first * top * (top - 1)
            self._put(direction | _PULSES, items, timing.item_ticks(level) - wire.PULSE_TICKS)

    def _emit(self, direction, items, ticks):
        """Spread `items` pulses evenly over exactly `ticks`; none at all is a dwell."""
        if not ticks:
            return
        ticks -= wire.SEGMENT_TICKS
        what = direction | _PULSES
        fixed = wire.PULSE_TICKS
        if not items:
            what = direction
            fixed = wire.DWELL_TICKS
            items = max(ticks // (_LOOK_US * wire.TICKS_PER_US), 1)
        each = ticks // items
        if each * items == ticks:
            self._put(what, items, each - fixed)
            return
        ticks -= wire.SEGMENT_TICKS
        each = ticks // items
        longer = ticks - each * items
        # Where it is even without the second head, its ticks are part of the sum all the same.
        second = longer or 1
        self._put(what, items - second, each - fixed)
        self._put(what, second, each - fixed + (longer > 0))

    def _put(self, what, count, interval):
        if not 0 <= interval <= wire.INTERVAL_MAX or count > _COUNT_MAX:
            raise ValueError("no pulse word holds this rate")
        self.words[self.count] = what | (count - 1) << wire.COUNT_SHIFT
        self.words[self.count + 1] = interval
        self.count += 2
