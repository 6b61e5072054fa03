"""Reads the force behind the plunger as pressure, and tells from it what is wrong with the flow.

Three tests against a blocked needle, each against what the host expects of the step that runs:

- pressure above the limit;
- within a shot, a rise that a closed needle explains and an open one does not;
- from shot to shot, pressure that is still there when the next one begins. A rest after a
  retraction has another friction than one after a film, so each is compared with its like.

The last two count how far pressure rises beyond half of what each step would add behind a closed
needle in the softest gun; where liquid leaves, that sum stays near zero. Within a shot only steps
count that go farther than any before: what was pulled back and is pushed again brings pressure
that was there before, and turns friction round. A motor or plunger that slips shows as a shot that
hardly raises the pressure where those before it did.
"""

from micropython import const

from gun import wire

_FORCE_FULL_SCALE_MN = const(120000)  # force sensor of the board, at 4095
_FRICTION_MN = const(5000)  # stopper in the barrel, assumed as in the host's catalog
_OVER_LOOKS = const(2)  # one noisy reading is no occlusion
# Most that friction holds before the stopper has moved, beyond what is taken off each reading:
# 9 N and a third, of glide and break-loose together (assumed, as the host's plant has them).
_STUCK_MN = const(7000)
_REST_SPREAD_MN = const(3000)  # at rest friction differs by this from shot to shot, with a margin
# Readings in a row, of looks that push, that are the same to the count; noise of 3 counts makes
# that once in 10^14.
_SAME_LOOKS = const(16)
_LEARN_SHOTS = const(4)
_CLEAR_RISE_MN = const(2500)  # a smaller rise drowns in friction, which the first shot loads
_FLAT_SHOTS = const(3)


class Gauge:
    """Attributes are as of the last `update`; `peak_kpa` is the highest since the last `begin`."""

    def __init__(self, machine):
        self._machine = machine
        self._area = 0
        self._limit_kpa = 0
        self._closed_pa = 0
        self._pa = 0  # below zero where friction is less than assumed
        self._raw = 0
        self._same = 0  # readings in a row that were equal
        self._over = 0  # looks in a row above the limit
        self._peak_pa = 0
        self._before_pa = 0  # as the shot began
        self._position = 0
        self._farthest = 0  # position that the plunger has reached
        self._seen_pa = 0
        self._held_pa = 0  # risen within the shot beyond half of what a closed needle explains
        self._rest_farthest = 0
        # The same from rest to rest, by whether the plunger was pulled back last: each its own.
        self._rested = [False, False]
        self._rest_position = [0, 0]
        self._rest_pa = [0, 0]
        self._kept_pa = [0, 0]
        self.fit(0, 0, 0)

    def fit(self, area_mm2_x100, limit_kpa, closed_pa):
        """Take a syringe: the plunger's area (0 = none), its limit, and the stiffness.

        `closed_pa` is what one step adds at least while the needle is closed.
        """
        self._area = area_mm2_x100
        self._limit_kpa = limit_kpa
        self._closed_pa = closed_pa
        self._take(None)
        self._peak_pa = 0

    def expect(self, step):
        """Say which step of the program runs; None is a prime, or nothing."""
        if step is not self._step:
            self._take(step)

    def _take(self, step):
        self._step = step
        limit_kpa = self._limit_kpa
        rise_kpa = wire.PRESSURE_LIMIT_MAX_KPA
        if step is not None:
            limit_kpa = min(limit_kpa, step.limit_kpa)
            rise_kpa = step.rise_kpa
        self._step_limit_pa = limit_kpa * 1000
        self._rise_limit_pa = rise_kpa * 1000
        self._train = step is not None and step.kind == wire.STEP_SHOTS
        self._rested[0] = self._rested[1] = False
        self._slid = False
        self._shots = 0
        self._usual_pa = 0
        self._flat = 0

    @property
    def pressure_pa(self):
        return self._pa if self._pa > 0 else 0

    @property
    def peak_kpa(self):
        return self._peak_pa // 1000 if self._peak_pa > 0 else 0

    def update(self):
        """Read the sensor."""
        raw = self._machine.force_raw
        if raw != self._raw:
            self._same = 0
        self._raw = raw
        self._pa = self._pa_of(raw * _FORCE_FULL_SCALE_MN // 4095 - _FRICTION_MN)
        if self._pa > self._peak_pa:
            self._peak_pa = self._pa

    def begin(self, position):
        """Note that a shot begins at `position`, net steps; return OCCLUSION if pressure stayed."""
        pa = self._pa
        fault = wire.FAULT_NONE
        if self._train:
            pulled = 1 if position < self._farthest else 0
            if self._rested[pulled] and self._has_slid(pa, self._rest_pa[pulled]):
                closed_pa = self._closed_pa * (position - self._rest_position[pulled])
                kept_pa = self._kept_pa[pulled] + pa - self._rest_pa[pulled] - closed_pa // 2
                self._kept_pa[pulled] = kept_pa if kept_pa > 0 else 0
                if kept_pa > max(closed_pa * 3 // 8, self._pa_of(_REST_SPREAD_MN)):
                    fault = wire.FAULT_OCCLUSION
            else:
                self._rested[pulled] = True
                self._kept_pa[pulled] = 0
            self._rest_pa[pulled] = pa
            self._rest_position[pulled] = position
            self._rest_farthest = self._farthest
        self._peak_pa = self._seen_pa = pa
        # Pulled back, the force says nothing of the liquid, and its way up to friction is no rise.
        self._before_pa = pa if pa > 0 else 0
        self._position = position
        self._held_pa = 0
        self._over = 0
        return fault

    def _has_slid(self, pa, before_pa):
        """Has the stopper moved in this step? Before, friction keeps what each shot adds.

        A push through the play of a screw that was pulled back adds nothing, and moves nothing.
        """
        if not self._slid:
            pushed = self._farthest > self._rest_farthest
            self._slid = (pushed and pa <= before_pa) or pa > self._pa_of(_STUCK_MN)
        return self._slid

    def look(self, position):
        """Test what was read while a shot moves; return a fault or FAULT_NONE."""
        pa = self._pa
        self._over = self._over + 1 if pa > self._step_limit_pa else 0
        if position > self._farthest:
            # Where nothing pushes back the force is zero, and all readings may be the lowest.
            self._same += 1
            if self._same > _SAME_LOOKS:
                return wire.FAULT_FORCE_SENSOR
            if self._position >= self._farthest:
                steps = position - self._position
                held_pa = self._held_pa + pa - self._seen_pa - self._closed_pa * steps // 2
                self._held_pa = held_pa if held_pa > 0 else 0
            self._farthest = position
        self._position = position
        self._seen_pa = pa
        if self._over >= _OVER_LOOKS or self._held_pa > self._rise_limit_pa:
            return wire.FAULT_OCCLUSION
        return wire.FAULT_NONE

    def end(self):
        """Note that the shot is over; return NO_PRESSURE if it is one of several without any."""
        if not self._train:
            return wire.FAULT_NONE
        rise_pa = self._peak_pa - self._before_pa
        if self._shots < _LEARN_SHOTS:
            self._shots += 1
            self._usual_pa += (rise_pa - self._usual_pa) // self._shots
        elif 4 * rise_pa < self._usual_pa and self._usual_pa > self._pa_of(_CLEAR_RISE_MN):
            self._flat += 1
            if self._flat >= _FLAT_SHOTS:
                return wire.FAULT_NO_PRESSURE
        else:
            self._flat = 0
            self._usual_pa += (rise_pa - self._usual_pa) // 8
        return wire.FAULT_NONE

    def _pa_of(self, force_mn):
        # mN / mm2 = kPa; two steps, so that nothing exceeds a small integer of 31 bits
        return force_mn * 1000 // self._area * 100 if self._area else 0
