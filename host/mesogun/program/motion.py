"""What a step asks of the plunger drive, by the gun's own arithmetic, tick by tick.

What passes here is not refused there. A gun that was configured otherwise checks again with its own
figures.
"""

from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Final

from mesogun_protocol import limits
from mesogun_protocol.pulse import SEGMENT_TICKS, TICKS_PER_US

if TYPE_CHECKING:
    from mesogun.program.planned import PlannedStep

MAX_STEP_RATE_HZ: Final = 40_000
START_STEP_RATE_HZ: Final = 4_000
"""From standstill, without a ramp."""
RAMP_LEVELS: Final = 8
RAMP_SHARE: Final = 4
"""Each ramp is at most this part of its push: then the peak is 4/3 of the mean."""
MOVE_LEVELS: Final = 10
MOVE_LEVEL_US: Final = 1_000
"""In a move that delivers nothing, the drive gains its starting rate once more in this time."""
TURN_US: Final = 5_000
"""The plunger drive is at rest this long before it turns round."""

_TICKS_PER_S: Final = TICKS_PER_US * 1_000_000


@dataclass(frozen=True)
class Motion:
    """What one step asks of the drive.

    Attributes:
        peak_hz: fastest step rate of the dose.
        jump_hz: largest sudden change of it.
        needed_us: shortest period: shot, what goes to and fro around it, film and rest.
    """

    peak_hz: int
    jump_hz: int
    needed_us: int


def motion_of(step: "PlannedStep", pl_per_step: int) -> Motion:
    """What a step that pushes something asks of the drive, with so many picolitres a step."""
    dose = -(-step.dose_nl * 1000 // pl_per_step)
    film = -(-step.film_nl * 1000 // pl_per_step)
    retract = step.retract_nl * 1000 // pl_per_step
    stored = step.stored_nl * 1000 // pl_per_step
    inject = step.inject_us * TICKS_PER_US
    used, early = move_ticks(retract), 0
    if stored:
        half = move_ticks(stored) // 2
        leads = min(half, inject // 4)
        lags = min(half + TURN_US * TICKS_PER_US, inject // 4)
        leads_steps = dose * leads // inject
        lags_steps = min(dose * lags // inject, stored)
        early = stored - lags_steps
        used += move_ticks(stored + leads_steps)
        dose -= leads_steps + lags_steps
        inject -= leads + lags
    ramp = min(step.ramp_us * TICKS_PER_US, inject // RAMP_SHARE)
    levels = min(RAMP_LEVELS, isqrt(dose * ramp // (3 * (inject - ramp))))
    peak_ticks = inject - (levels * (ramp // levels) if levels else 0)
    peak_hz = -(-dose * _TICKS_PER_S // peak_ticks)
    used += inject + limits.DWELL_MIN_US * TICKS_PER_US + _film_ticks(film)
    if retract + early:
        turns = 2 if film else 1
        used += move_ticks(retract + early) + turns * TURN_US * TICKS_PER_US
    return Motion(peak_hz, -(-peak_hz // max(levels, 1)), -(-used // TICKS_PER_US))


def move_ticks(steps: int) -> int:
    """Ticks of a fast move: level n at n times the rate from standstill, up and down again."""
    if not steps:
        return 0
    first = START_STEP_RATE_HZ * MOVE_LEVEL_US // 1_000_000
    top = min(max(isqrt(steps // first), 1), MOVE_LEVELS, MAX_STEP_RATE_HZ // START_STEP_RATE_HZ)
    items = [-(-_TICKS_PER_S // (level * START_STEP_RATE_HZ)) for level in range(1, top + 1)]
    ticks = sum(2 * level * first * item for level, item in enumerate(items[:-1], 1))
    ticks += (steps - first * top * (top - 1)) * items[-1]
    return ticks + (2 * top - 1) * SEGMENT_TICKS


def _film_ticks(steps: int) -> int:
    """Whole microseconds, in ticks, in which `steps` go without a ramp."""
    if not steps:
        return 0
    ticks = 2 * SEGMENT_TICKS + steps * -(-_TICKS_PER_S // START_STEP_RATE_HZ)
    return -(-ticks // TICKS_PER_US) * TICKS_PER_US
