"""What one syringe gives of a program, and what is left of it after some of it was given.

A program that needs more than one syringe is given in loads, and one whose syringe is changed on
the way goes on with its rest; both are programs of their own for the gun, which checks and counts
them again. Shots are carried over whole: one that was begun is never begun again (R30).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mesogun.program.planned import PlannedStep, volumes
from mesogun_protocol import limits
from mesogun_protocol.enums import StepKind

Steps = tuple[PlannedStep, ...]


def loads(steps: Sequence[PlannedStep], usable_nl: int) -> list[Steps]:
    """Return the steps in as few parts as fit into one syringe each, reserve included.

    What is larger than the syringe by itself is a part of its own; such a program is refused by its
    check.
    """
    found: list[Steps] = []
    left = list(steps)
    while left:
        part = _filled(left, usable_nl) or [_smallest(left[0])]
        found.append(tuple(part))
        left = rest(left, len(part) - 1, part[-1].count)
    return found


def _smallest(step: PlannedStep) -> PlannedStep:
    return replace(step, count=min(step.count, max(step.film_every, 1)))


def _filled(steps: Sequence[PlannedStep], usable_nl: int) -> list[PlannedStep]:
    """As much from the beginning of `steps` as `usable_nl` holds."""
    part: list[PlannedStep] = []
    for step in steps:
        if volumes([*part, step]).fill_nl <= usable_nl:
            part.append(step)
            continue
        count = _most(part, step, usable_nl) if step.kind is StepKind.SHOTS else 0
        if count:
            part.append(replace(step, count=count))
        break
    return part


def _most(part: list[PlannedStep], step: PlannedStep, usable_nl: int) -> int:
    """How many shots of `step` fit behind `part`, so that its films go on as they would have."""
    low, high = 0, step.count
    while low < high:
        middle = (low + high + 1) // 2
        if volumes([*part, replace(step, count=middle)]).fill_nl <= usable_nl:
            low = middle
        else:
            high = middle - 1
    return low - low % max(step.film_every, 1)


def rest(
    steps: Sequence[PlannedStep], index: int, begun: int, flowed_nl: int = 0
) -> list[PlannedStep]:
    """Return what is left of a program.

    Args:
        steps: the program.
        index: of the step that was reached.
        begun: shots of that step that were begun, whether they were completed or not; for a pause
            or a prime that is behind, 1.
        flowed_nl: the most that was given of that step if it is a flow that was begun.
    """
    step = steps[index]
    if step.kind is StepKind.FLOW:
        left = [_flow_left(step, flowed_nl)] if flowed_nl or not begun else []
    else:
        left = _shots_left(step, begun)
    return [each for each in left if each is not None] + list(steps[index + 1 :])


def _shots_left(step: PlannedStep, begun: int) -> list[PlannedStep]:
    left = step.count - begun
    if left <= 0:
        return []
    behind = begun % step.film_every if step.film_every else 0
    if not behind:
        return [replace(step, count=left)]
    # In the middle of a pair: the film is due after the next shot, then after every second one.
    first = replace(step, count=1, film_every=1)
    return [first, replace(step, count=left - 1)] if left > 1 else [first]


def _flow_left(step: PlannedStep, flowed_nl: int) -> PlannedStep | None:
    """The rest of a flow at the same rate, None if it is too little for the gun."""
    left_nl = step.dose_nl - flowed_nl
    inject_us = step.inject_us * left_nl // step.dose_nl
    if left_nl < limits.DOSE_MIN_NL or inject_us < limits.FLOW_MIN_US:
        return None
    return replace(
        step, dose_nl=left_nl, inject_us=inject_us, ramp_us=min(step.ramp_us, inject_us // 4)
    )


def within(steps: Sequence[PlannedStep], volume_nl: int) -> list[PlannedStep]:
    """As much from the beginning of `steps` as a limit of their doses and films allows."""
    left = list(steps)
    while left and (over_nl := volumes(left).volume_nl - volume_nl) > 0:
        step = left.pop()
        fewer = -(-over_nl // max(step.dose_nl + step.film_nl, 1))
        if step.count > fewer:
            left.append(replace(step, count=step.count - fewer))
    return left


def seconds(steps: Iterable[PlannedStep]) -> float:
    """Time with the trigger held throughout, pauses not counted."""
    return sum(step.duration_us for step in steps) / 1e6
