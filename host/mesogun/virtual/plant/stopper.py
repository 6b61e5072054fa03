"""Pusher, play and the stopper that sticks and slides: how travel becomes swept volume."""

import math

from mesogun.virtual.plant.liquid import Liquid
from mesogun.virtual.plant_parameters import PlantParameters

_PLAY_LOOK_S = 1e-4
_LEAST_LOOK_S = 1e-5
_FLOAT_LOOK_S = 1e-3  # between two jumps of a stopper that pressure moves within the play
_VOID_LOOK_S = 1e-2  # while a void fills, the pressure does not tell when it will rise


class Stopper:
    """A spring with play that pushes a stopper with Coulomb friction, which ages at rest.

    Ahead of the stopper lies the spring of the drive (screw, frame, pusher), behind it that of
    stopper and barrel, which is the liquid's. At rest the friction can rise from the glide friction
    f by as much as f + e (1 - exp(-t / T)) after a time t; a push that exceeds it breaks the
    stopper loose, its friction falls to f at once, and the springs share out what was wound up.
    It sticks again when the push grows more slowly than half of what the friction can gain, e / T;
    hence it stutters below e / (2 k T) and glides above. No mass: a jump takes no time.

    While it slides, the drive's spring lies in parallel with the liquid's compliance; while it
    sticks, the two store apart. Forces are pressures here, divided by the area of the barrel.

    Attributes:
        swept_nl: volume that the pusher has swept in touch with the plunger.
        play_mm: free way between pusher and plunger; all of the backlash while it pulls.
    """

    def __init__(self, parameters: PlantParameters, liquid: Liquid, fineness: int) -> None:
        """Put a primed syringe in: the stopper rests, wound up by the glide friction."""
        p = parameters
        self.swept_nl = 0.0
        self.play_mm = 0.0
        self._liquid = liquid
        self._fineness = fineness
        self._backlash_mm = p.backlash_mm
        self._nl_per_mm = p.area_mm2 * 1000
        self._spring = p.drive_compliance_nl_per_kpa
        self._glide_kpa = p.glide_friction_n / p.area_mm2 * 1000
        self._extra_kpa = p.break_loose_extra_n / p.area_mm2 * 1000
        self._ageing_s = p.break_loose_rest_s
        self._still_kpa_s = self._extra_kpa / self._ageing_s / 2
        self._rest_nl = self._spring * self._glide_kpa
        self._age_s = math.inf
        self._slides = 0  # direction, 0 if it sticks
        self._wound_nl = self._rest_nl  # what the drive's spring stores and the liquid does not
        self._apart = p.syringe_compliance_nl_per_kpa
        self._together = p.compliance_nl_per_kpa
        liquid.compliance_nl_per_kpa = self._apart

    @property
    def stored_nl(self) -> float:
        """Volume that was swept and not pushed out, above that of the primed syringe at rest."""
        return self._liquid.stored_nl + self._wound_nl - self._rest_nl

    @property
    def push_kpa(self) -> float:
        """Force between pusher and plunger; negative while it pulls."""
        if self._slides:
            return self._liquid.pressure_kpa + self._slides * self._glide_kpa
        return self._wound_nl / self._spring

    @property
    def glides_forward(self) -> bool:
        """True while the stopper moves into the barrel."""
        return self._slides > 0

    def headroom_s(self, limit_kpa: float, swept_nl_s: float) -> float:
        """Shortest time in which sweeping at this rate can raise the push to a limit."""
        gives = self._liquid.compliance_nl_per_kpa if self._slides else self._spring
        return (limit_kpa - self.push_kpa) * gives / swept_nl_s

    def advance(self, swept_nl_s: float, duration_s: float) -> None:
        """Go on for `duration_s` while the pusher moves at a constant rate."""
        left_s = duration_s
        while left_s > 0:
            act = self._slide if self._slides else self._hold
            left_s -= act(swept_nl_s, left_s)

    # ------------------------------------------------------------ stuck

    def _hold(self, rate: float, left_s: float) -> float:
        """Stand until something changes; return the time that it took."""
        wound = self._wound_nl
        if rate and not wound:
            way_mm = self.play_mm if rate > 0 else self._backlash_mm - self.play_mm
            if way_mm > 0:
                return self._cross_play(rate, way_mm, left_s)
        look_s = self._hold_s(rate, left_s)
        if wound * rate < 0:
            look_s = min(look_s, -wound / rate)
        self._stand(look_s)
        after = wound + rate * look_s
        self._wound_nl = 0.0 if wound * after < 0 or abs(after) < 1e-9 else after
        self.swept_nl += self._wound_nl - wound
        self._loosen()
        return look_s

    def _hold_s(self, rate: float, left_s: float) -> float:
        """Time that passes at least before the push can exceed the friction."""
        liquid = self._liquid
        pressure, stiffness = liquid.pressure(liquid.stored_nl)
        push = self._wound_nl / self._spring
        if not rate:
            low, high = liquid.reach_kpa
            if liquid.settled or max(push - low, high - push) < self._friction_kpa:
                return left_s
        gain = rate / self._spring + liquid.outflow_nl_s * stiffness
        if not gain:
            return min(left_s, _VOID_LOOK_S / self._fineness)
        net = push - pressure if gain > 0 else pressure - push
        # A little later, so that the push is past the friction and not on its way there.
        past_s = (_LEAST_LOOK_S if rate or self._wound_nl else _FLOAT_LOOK_S) / self._fineness
        return min(left_s, self._grip_s(net, abs(gain)) + past_s)

    def _grip_s(self, net: float, gain: float) -> float:
        """Time in which a net push that grows steadily exceeds the friction that grows as well.

        Newton's method on f + e (1 - exp(-t / T)) - net - gain t from the right of its last zero;
        the function is concave, so each root of a tangent lies to the right of it, too. At rest the
        push gains ever more slowly, hence the stopper never breaks loose sooner.
        """
        ageing_s = self._ageing_s
        least = self._friction_kpa - net
        if least <= 0:
            return 0.0
        ungained = self._ungained_kpa
        time_s = (least + ungained) / gain
        for _ in range(8):
            fading = ungained * math.exp(-time_s / ageing_s)
            over = gain * time_s - least - ungained + fading
            nearer_s = over / (gain - fading / ageing_s)
            time_s -= nearer_s
            if nearer_s < 1e-3 * time_s:
                break
        return time_s

    @property
    def _ungained_kpa(self) -> float:
        """What the friction of the stuck stopper can still gain."""
        return self._extra_kpa * math.exp(-self._age_s / self._ageing_s)

    @property
    def _friction_kpa(self) -> float:
        """Highest friction of the stuck stopper now."""
        return self._glide_kpa + self._extra_kpa - self._ungained_kpa

    def _stand(self, duration_s: float) -> None:
        self._liquid.advance(0.0, duration_s)
        self._age_s += duration_s

    def _cross_play(self, rate: float, way_mm: float, left_s: float) -> float:
        needed_s = way_mm * self._nl_per_mm / abs(rate)
        if needed_s <= left_s:
            self.play_mm = 0.0 if rate > 0 else self._backlash_mm
        else:
            self.play_mm -= rate * left_s / self._nl_per_mm
        taken_s = min(needed_s, left_s)
        self._stand(taken_s)
        self._loosen()
        return taken_s

    def _loosen(self) -> None:
        """Break the stopper loose if the push on it exceeds its friction."""
        liquid = self._liquid
        net = self._wound_nl / self._spring - liquid.pressure_kpa
        if abs(net) < self._friction_kpa:
            return
        stuck = (liquid.stored_nl, self._wound_nl)
        self._slides = 1 if net > 0 else -1
        self._wound_nl = self._slides * self._rest_nl
        liquid.compliance_nl_per_kpa = self._together
        liquid.stored_nl = sum(stuck) - self._wound_nl
        if not self._in_touch:
            self._leave(*stuck)

    def _leave(self, stored_nl: float, wound_nl: float) -> None:
        """Let the stopper jump out of touch with the pusher, until friction balances pressure."""
        liquid = self._liquid
        liquid.compliance_nl_per_kpa = self._apart
        jump_nl = liquid.stored_at(-self._slides * self._glide_kpa) - stored_nl
        play_mm = self.play_mm + (jump_nl - wound_nl) / self._nl_per_mm
        play_mm = min(max(play_mm, 0.0), self._backlash_mm)
        jump_nl = (play_mm - self.play_mm) * self._nl_per_mm + wound_nl
        self.play_mm = play_mm
        self.swept_nl += jump_nl - wound_nl
        liquid.stored_nl = stored_nl + jump_nl
        self._wound_nl = 0.0
        self._slides = 0
        self._age_s = 0.0

    # ------------------------------------------------------------ sliding

    @property
    def _in_touch(self) -> bool:
        """Can the contact that there is carry the push of the sliding stopper?"""
        if not self._backlash_mm:
            return True
        push = self.push_kpa
        return (self.play_mm == 0 and push >= 0) or (
            self.play_mm == self._backlash_mm and push <= 0
        )

    def _slide(self, rate: float, left_s: float) -> float:
        """Slide until something changes; return the time that it took."""
        liquid = self._liquid
        slides = self._slides
        stiffness = liquid.pressure(liquid.stored_nl)[1]
        stuck_compliance = 1 / stiffness - self._spring if stiffness else math.inf
        outflow = liquid.outflow_nl_s
        gain = rate / self._spring + outflow / stuck_compliance
        if slides * gain < self._still_kpa_s:
            self._stick()
            return 0.0
        if slides < 0 or self.play_mm:
            away_nl = abs(liquid.stored_nl - liquid.stored_at(-slides * self._glide_kpa))
            look_s = away_nl / (abs(rate) + abs(outflow) + 1e-9)
            left_s = min(left_s, max(look_s, _PLAY_LOOK_S / self._fineness))
        least = 0.0
        if slides > 0 and rate < self._still_kpa_s * self._spring:
            least = (self._still_kpa_s - rate / self._spring) * stuck_compliance
        taken_s = liquid.advance(rate, left_s, least)
        self.swept_nl += rate * taken_s
        if taken_s < left_s:
            self._stick()
        elif not self._in_touch:
            self._stick()
            liquid.stored_nl += self._wound_nl
            self._wound_nl = 0.0
        return taken_s

    def _stick(self) -> None:
        liquid = self._liquid
        pushed_nl = self._spring * liquid.pressure_kpa
        liquid.compliance_nl_per_kpa = self._apart
        liquid.stored_nl -= pushed_nl
        self._wound_nl += pushed_nl
        self._slides = 0
        self._age_s = 0.0
