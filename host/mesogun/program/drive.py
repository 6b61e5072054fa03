"""Whether the reference drive can make the steps: how fast, how suddenly, and in time."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesogun.catalog import Syringe
from mesogun.program.locate import Path
from mesogun.program.motion import MAX_STEP_RATE_HZ, START_STEP_RATE_HZ, motion_of
from mesogun.program.planned import PlannedStep
from mesogun.program.problems import Problem, show
from mesogun_protocol.enums import StepKind

_SOURCE: Final = "configuration of a new gun"
SPEED_KEY: Final = {
    StepKind.SHOTS: "inject_s",
    StepKind.FLOW: "rate_ul_per_s",
    StepKind.PRIME: "volume_ul",
}


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
    key = SPEED_KEY[planned.kind]
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
