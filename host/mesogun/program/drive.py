"""Whether the reference drive can make the steps: how fast, how suddenly, and in time."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesogun.catalog import Syringe
from mesogun.program.locate import Path
from mesogun.program.motion import MAX_STEP_RATE_HZ, START_STEP_RATE_HZ, motion_of
from mesogun.program.planned import PlannedStep
from mesogun.program.problems import Problem, show
from mesogun.words import N_, _, general
from mesogun_protocol.enums import StepKind

_SOURCE: Final = N_("configuration of a new gun")
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
            _(
                "{key} = {step}: takes {peak} steps/s on {syringe}, the drive makes {most} "
                "(source: {source}). Push slower, or take a larger syringe."
            ).format(
                key=key,
                step=show(step[key]),
                peak=motion.peak_hz,
                syringe=syringe.id,
                most=MAX_STEP_RATE_HZ,
                source=_(_SOURCE),
            ),
        )
    elif motion.jump_hz > START_STEP_RATE_HZ:
        yield Problem(
            (*path, key),
            _(
                "{key} = {step}: the drive would start at {jump} steps/s on {syringe}, it starts "
                "at {least} (source: {source}). Set a longer ramp_ms, up to a quarter of the "
                "push, or push slower."
            ).format(
                key=key,
                step=show(step[key]),
                jump=motion.jump_hz,
                syringe=syringe.id,
                least=START_STEP_RATE_HZ,
                source=_(_SOURCE),
            ),
        )
    if planned.retract_nl > planned.dose_nl:
        yield Problem(
            (*path, "retract_ul"),
            _(
                "retract_ul = {retract}: more than the dose of {dose} ul would draw fluid in "
                "(source: dose_ul). Lower it."
            ).format(retract=show(step["retract_ul"]), dose=general(planned.dose_nl / 1000)),
        )
    elif planned.period_us and motion.needed_us > planned.period_us:
        yield Problem(
            (*path, pace_key),
            _(
                "{key} = {step}: a shot with its retraction, film and rest takes {needed} s, "
                "the pace leaves {period} s (source: {source}). Slow the pace, or lower "
                "retract_ul or film_ul."
            ).format(
                key=pace_key,
                step=show(step[pace_key]),
                needed=general(motion.needed_us / 1e6),
                period=general(planned.period_us / 1e6),
                source=_(_SOURCE),
            ),
        )
