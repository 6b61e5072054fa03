"""Whether the reference drive can make the steps: how fast, how suddenly, and in the time there is.

The arithmetic is the gun's own, tick by tick, so that what passes here is not refused there. A gun
that was configured otherwise checks again with its own figures.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any, Final

from mesogun.catalog import Syringe
from mesogun.program.locate import Path
from mesogun.program.planned import PlannedStep
from mesogun.program.problems import Problem, show
from mesogun_protocol import limits
from mesogun_protocol.enums import StepKind
from mesogun_protocol.pulse import SEGMENT_TICKS, TICKS_PER_US

MAX_STEP_RATE_HZ: Final = 40_000
START_STEP_RATE_HZ: Final = 4_000
"""From standstill, without a ramp."""
RAMP_LEVELS: Final = 8
TURN_US: Final = 5_000
"""The plunger drive is at rest this long before it turns round."""
_SOURCE: Final = "configuration of a new gun"
_SPEED_KEY: Final = {
    StepKind.SHOTS: "inject_s",
    StepKind.FLOW: "rate_ul_per_s",
    StepKind.PRIME: "volume_ul",
}


@dataclass(frozen=True)
class Motion:
    """What one step asks of the drive.

    Attributes:
        peak_hz: fastest step rate.
        jump_hz: largest sudden change of it.
        needed_us: shortest period: shot, retraction, film and rest.
    """

    peak_hz: int
    jump_hz: int
    needed_us: int


def _ticks_at_start_rate(steps: int) -> int:
    """Whole microseconds, in ticks, in which `steps` go without a ramp."""
    if not steps:
        return 0
    ticks = 2 * SEGMENT_TICKS + steps * -(-TICKS_PER_US * 1_000_000 // START_STEP_RATE_HZ)
    return -(-ticks // TICKS_PER_US) * TICKS_PER_US


def motion_of(step: PlannedStep, pl_per_step: int) -> Motion:
    """What a step that pushes something asks of the drive, with so many picolitres a step."""
    dose_steps = -(-step.dose_nl * 1000 // pl_per_step)
    film_steps = -(-step.film_nl * 1000 // pl_per_step)
    retract_steps = step.retract_nl * 1000 // pl_per_step
    inject, ramp = step.inject_us * TICKS_PER_US, step.ramp_us * TICKS_PER_US
    levels = min(RAMP_LEVELS, isqrt(dose_steps * ramp // (3 * (inject - ramp))))
    peak_ticks = inject - (levels * (ramp // levels) if levels else 0)
    peak_hz = -(-dose_steps * TICKS_PER_US * 1_000_000 // peak_ticks)
    needed = inject + limits.DWELL_MIN_US * TICKS_PER_US + _ticks_at_start_rate(film_steps)
    if retract_steps:
        turns = 2 if film_steps else 1
        needed += 2 * _ticks_at_start_rate(retract_steps) + turns * TURN_US * TICKS_PER_US
    return Motion(peak_hz, -(-peak_hz // max(levels, 1)), needed // TICKS_PER_US)


def check_drive(
    path: Path, step: Mapping[str, Any], planned: PlannedStep, pace_key: str, syringe: Syringe
) -> Iterator[Problem]:
    """Problems of the drive with one step whose numbers are right.

    Args:
        path: of the step.
        step: the step as its file has it.
        planned: the same step in integers.
        pace_key: the key that gives the pace of a train.
        syringe: that is driven.
    """
    if planned.kind is StepKind.PAUSE:
        return
    key = _SPEED_KEY[planned.kind]
    motion = motion_of(planned, syringe.pl_per_step())
    if motion.peak_hz > MAX_STEP_RATE_HZ:
        yield Problem(
            (*path, key),
            f"{key} = {show(step[key])}: takes {motion.peak_hz} steps/s on {syringe.id}, the drive "
            f"makes {MAX_STEP_RATE_HZ} (source: {_SOURCE}). Push slower, or take a larger syringe.",
        )
    elif motion.jump_hz > START_STEP_RATE_HZ:
        yield Problem(
            (*path, key),
            f"{key} = {show(step[key])}: the drive would start at {motion.jump_hz} steps/s on "
            f"{syringe.id}, it starts at {START_STEP_RATE_HZ} (source: {_SOURCE}). Set a longer "
            f"ramp_ms, up to a quarter of the push, or push slower.",
        )
    if planned.retract_nl > planned.dose_nl:
        yield Problem(
            (*path, "retract_ul"),
            f"retract_ul = {show(step['retract_ul'])}: more than the dose of "
            f"{planned.dose_nl / 1000:g} ul would draw fluid in (source: dose_ul). Lower it.",
        )
    elif planned.period_us and motion.needed_us > planned.period_us:
        yield Problem(
            (*path, pace_key),
            f"{pace_key} = {show(step[pace_key])}: a shot with its retraction, film and rest takes "
            f"{motion.needed_us / 1e6:g} s, the pace leaves {planned.period_us / 1e6:g} s (source: "
            f"{_SOURCE}). Slow the pace, or lower retract_ul or film_ul.",
        )
