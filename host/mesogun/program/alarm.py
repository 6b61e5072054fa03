"""What a step may need in pressure, and what tells that the needle must be blocked (R24, R25).

The gun gets two figures a step: the highest pressure, and how far pressure may rise within a shot
beyond half of what it would behind a closed needle. What it measures is a force, so both hold what
friction and the sensor may add. Where a figure has several causes with a spread each, independent
of each other, the spreads add as squares.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import ceil, exp, hypot, log
from typing import Any, Final

from mesogun.catalog import Needle, Syringe
from mesogun.program import hydraulics
from mesogun.program.drive import SPEED_KEY
from mesogun.program.locate import Path
from mesogun.program.planned import PlannedStep
from mesogun.program.problems import Problem, show
from mesogun.words import _, general, number
from mesogun_protocol.enums import StepKind, TriggerMode
from mesogun_protocol.limits import PRESSURE_LIMIT_MAX_KPA

STAYS: Final = "mesoperfusion"
"""The technique whose needle stays in one place."""

SOFTEST: Final = 0.75
"""The softest gun has this part of the stiffness: springs in a row, 30 % each way, assumed."""

TISSUE_UL_PER_KPA: Final = 0.5
"""What dense skin takes at once; assumed, and a third of it as spread. At 100 kPa it is 50 ul, as
the drive is sized for."""
TISSUE_KPA_S_PER_UL: Final = 8.0
"""What drives a steady flow into skin: a few hundred mmHg at 0.3 ml/min (Gupta 2011)."""
TISSUE_SPREAD: Final = 0.3

VISCOSITY_SPREAD: Final = 0.05
END_LOSS_SPREAD: Final = 0.15
GLIDE_SPREAD_N: Final = 2.0
"""Friction of a gliding stopper beyond what the gun takes off, and the drift of the sensor's zero;
assumed."""
BREAK_LOOSE_N: Final = 7.2
"""The same while a stopper that has rested breaks loose; assumed."""

STUTTER_N: Final = 5.5
"""Part of the break-loose force that the gun sees as a rise, with the noise of the sensor: a stuck
stopper lets the drive alone give way, which is less than half of what gives; assumed."""

REST_SPREAD_N: Final = 3.0
"""By how much friction at rest differs from shot to shot; the gun has the same figure."""

BOLUS_UL: Final = 100.0
"""R25."""
FOUND_S: Final = 2.0
FOUND_SHOTS: Final = 2
"""R24: a blocked needle is found within that time or that many shots."""
REACTION_S: Final = 0.041
"""From the pressure at the limit to the last step: two looks of the gun, 20 ms apart, and a pass of
its main loop."""


def closed_pa(
    syringe: Syringe, pl_per_step: int, compliance_ul_per_kpa: float | None = None
) -> int:
    """Pressure that one step adds at least behind a closed needle, Pa: the softest gun's.

    Args:
        syringe: whose compliance is that of the catalog unless one is given.
        pl_per_step: volume of a step.
        compliance_ul_per_kpa: as measured.
    """
    give = compliance_ul_per_kpa or syringe.compliance_ul_per_kpa
    return max(1, round(pl_per_step / give * SOFTEST / 1000))


def needle_most_kpa(flow_ul_per_s: float, needle: Needle, viscosity_mpa_s: float) -> float:
    """Pressure at the narrowest bore of the tolerance, the thickest liquid and the largest loss."""
    narrow = needle.model_copy(
        update={
            "bore_mm": needle.bore_mm.model_copy(
                update={"value": needle.bore_mm.value - needle.bore_tolerance_mm.value}
            )
        }
    )
    thick = viscosity_mpa_s * (1 + VISCOSITY_SPREAD)
    laminar = hydraulics.laminar_kpa(flow_ul_per_s, narrow, thick)
    whole = hydraulics.needle_pressure_kpa(flow_ul_per_s, narrow, thick)
    return laminar + (whole - laminar) * (1 + END_LOSS_SPREAD)


def rise_kpa(
    step: PlannedStep, syringe: Syringe, needle: Needle, viscosity_mpa_s: float, stays: bool
) -> float:
    """Rise of an open needle beyond half of what a closed one explains; see `needed_kpa`.

    The needle's own pressure comes about as behind a closed one, so half of it counts. Tissue fills
    together with the syringe; in stiff tissue and a soft syringe a part of that counts as well.
    """
    needle_kpa = needle_most_kpa(flow_ul_per_s(step), needle, viscosity_mpa_s)
    rise_kpa = needle_kpa / 2 + STUTTER_N / syringe.area_mm2 * 1000
    if step.kind in (StepKind.SHOTS, StepKind.FLOW):
        give = syringe.compliance_ul_per_kpa
        fill_kpa_per_ul = 1 / ((TISSUE_UL_PER_KPA + give) * (1 - TISSUE_SPREAD))
        half_closed_kpa_per_ul = SOFTEST / give / 2
        tissue_kpa = _tissue_kpa(step, syringe, TISSUE_SPREAD, stays)
        share = half_closed_kpa_per_ul / fill_kpa_per_ul
        if share < 1:
            # A flow fills the tissue ever more slowly, exp(-t / T), until it drains as fast.
            slows = share * log(share) if step.kind is StepKind.FLOW else 0.0
            rise_kpa += tissue_kpa * (1 - share + slows)
    return rise_kpa


def bolus_limit_kpa(flow_ul_per_s: float, syringe: Syringe) -> float:
    """Highest alarm behind which no more than `BOLUS_UL` is stored, in the softest gun."""
    left_ul = max(BOLUS_UL - flow_ul_per_s * REACTION_S, 0.0)
    return left_ul * SOFTEST / syringe.compliance_ul_per_kpa


def syringe_limit_kpa(syringe: Syringe) -> int:
    """The alarm of a syringe whatever is done with it, primes included; steps have their own."""
    return int(min(hydraulics.pressure_limit_kpa(syringe), bolus_limit_kpa(0.0, syringe)))


def stops_kpa(step: PlannedStep, syringe: Syringe) -> int:
    """Pressure at which the gun stops a step that `with_alarms` has been through."""
    return min(step.limit_kpa, syringe_limit_kpa(syringe))


def needed_kpa(
    step: PlannedStep, syringe: Syringe, needle: Needle, viscosity_mpa_s: float, stays: bool
) -> float:
    """Highest pressure that the gun may see while the needle is open.

    Args:
        step: that pushes something.
        syringe: whose area turns friction into pressure.
        needle: that the liquid passes.
        viscosity_mpa_s: of the liquid.
        stays: the needle stays in one place, else each shot meets fresh tissue.
    """
    flow = flow_ul_per_s(step)
    nominal_kpa = hydraulics.needle_pressure_kpa(flow, needle, viscosity_mpa_s)
    needle_spread_kpa = needle_most_kpa(flow, needle, viscosity_mpa_s) - nominal_kpa
    tissue_kpa = tissue_spread_kpa = 0.0
    if step.kind in (StepKind.SHOTS, StepKind.FLOW):
        tissue_kpa = _tissue_after_kpa(step, syringe, 0.0, stays)
        tissue_spread_kpa = _tissue_after_kpa(step, syringe, TISSUE_SPREAD, stays) - tissue_kpa
    area = syringe.area_mm2 / 1000
    spread_kpa = hypot(needle_spread_kpa, tissue_spread_kpa, GLIDE_SPREAD_N / area)
    return max(nominal_kpa + tissue_kpa + spread_kpa, tissue_kpa + BREAK_LOOSE_N / area)


def _tissue_kpa(step: PlannedStep, syringe: Syringe, spread: float, stays: bool) -> float:
    """Back-pressure of a shot: it fills the tissue as the syringe itself gives, and drains.

    `spread` is the part by which tissue and syringe give less, and resist more, than usual.
    """
    dose_ul, inject_s = step.dose_nl / 1000, step.inject_us / 1e6
    filled_kpa = dose_ul / ((TISSUE_UL_PER_KPA + syringe.compliance_ul_per_kpa) * (1 - spread))
    resistance = TISSUE_KPA_S_PER_UL * (1 + spread)
    kpa = min(filled_kpa, dose_ul / inject_s * resistance)
    if stays and step.period_us:
        kpa += dose_ul / (step.period_us / 1e6) * resistance
    return min(kpa, hydraulics.TISSUE_KPA)


def _tissue_after_kpa(step: PlannedStep, syringe: Syringe, spread: float, stays: bool) -> float:
    """The same in a train that goes on by itself, its needle in the skin until the next shot.

    Who presses for each shot has moved the needle before. Else the syringe keeps what the tissue
    has not drained, and gives it to the next point: of dose + g T exp(-rest / tau) that point takes
    C T, in a long train the same T each time.
    """
    kpa = _tissue_kpa(step, syringe, spread, stays)
    if stays or step.kind is not StepKind.SHOTS or step.trigger is TriggerMode.PRESS:
        return kpa
    give = syringe.compliance_ul_per_kpa * (1 - spread)
    both = give + TISSUE_UL_PER_KPA * (1 - spread)
    drained_s = TISSUE_KPA_S_PER_UL * (1 + spread) * both
    kept = give * exp((step.inject_us - step.period_us) / 1e6 / drained_s)
    return min(kpa * both / (both - kept), hydraulics.TISSUE_KPA)


def flow_ul_per_s(step: PlannedStep) -> float:
    """Fastest flow of the dose: ramps up and down count as one at full speed."""
    return step.dose_nl / 1000 / ((step.inject_us - step.ramp_us) / 1e6)


def found_after(
    step: PlannedStep, syringe: Syringe, needle: Needle, viscosity_mpa_s: float, stays: bool
) -> tuple[float, int]:
    """Longest time until a closed needle is found, s, and shots that it takes; 0 in a flow.

    The softest gun, whose pressure rises slowest. In a train what counts is the pressure at rest,
    of which each shot adds half of what it stores beyond what the gun takes for open.
    """
    closed_kpa_per_ul = SOFTEST / syringe.compliance_ul_per_kpa
    if step.kind is StepKind.SHOTS:
        added_kpa = closed_kpa_per_ul * step.dose_nl / 1000 / 2
        spread_kpa = REST_SPREAD_N / syringe.area_mm2 * 1000
        shots = max(1, ceil(spread_kpa / added_kpa))
        return shots * step.period_us / 1e6, shots
    rise = rise_kpa(step, syringe, needle, viscosity_mpa_s, stays)
    return 2 * rise / closed_kpa_per_ul / flow_ul_per_s(step) + REACTION_S, 0


def check_alarm(
    path: Path,
    step: Mapping[str, Any],
    planned: PlannedStep,
    syringe: Syringe,
    needle: Needle,
    viscosity_mpa_s: float,
    stays: bool,
) -> Iterator[Problem]:
    """Problems of a step whose open needle may look blocked, or whose blocked one open for long.

    Args:
        path: of the step.
        step: as its file has it.
        planned: the same step in integers.
        syringe: see `needed_kpa`, as for the arguments that follow.
        needle: see there.
        viscosity_mpa_s: see there.
        stays: see there.
    """
    if planned.kind is StepKind.PAUSE:
        return
    needed = needed_kpa(planned, syringe, needle, viscosity_mpa_s, stays)
    limit = bolus_limit_kpa(flow_ul_per_s(planned), syringe)
    if needed > limit:
        key = SPEED_KEY[planned.kind]
        yield Problem(
            (*path, key),
            _(
                "{key} = {step}: an open {needle} on {syringe} may need {needed} kPa, the alarm "
                "comes at {limit} kPa so that a blockage which gives way releases not more than "
                "{bolus} ul (source: R25). The gun may stop without a blockage. Confirm it, or "
                "push slower, give less at a point, or take a smaller syringe."
            ).format(
                key=key,
                step=show(step[key]),
                needle=needle.id,
                syringe=syringe.id,
                needed=number(needed),
                limit=number(limit),
                bolus=general(BOLUS_UL),
            ),
            hard=False,
        )
    after_s, shots = found_after(planned, syringe, needle, viscosity_mpa_s, stays)
    if planned.kind is not StepKind.PRIME and after_s > FOUND_S and not 0 < shots <= FOUND_SHOTS:
        key = SPEED_KEY[planned.kind] if planned.kind is StepKind.FLOW else "dose_ul"
        how = (
            _("{count} shots").format(count=shots)
            if shots
            else _("{time} s").format(time=number(after_s, 1))
        )
        text = (
            _(
                "{key} = {step}: if {needle} on {syringe} gets blocked, the gun may need {how} to "
                "find it; {most_s} s or {most} shots are allowed (source: R24). So little stores "
                "no more pressure than friction varies by. Confirm it, or push more in each shot, "
                "or take a smaller syringe."
            )
            if shots
            else _(
                "{key} = {step}: if {needle} on {syringe} gets blocked, the gun may need {how} to "
                "find it; {most_s} s or {most} shots are allowed (source: R24). So little stores "
                "no more pressure than friction varies by. Confirm it, or push faster, or take a "
                "smaller syringe."
            )
        )
        yield Problem(
            (*path, key),
            text.format(
                key=key,
                step=show(step[key]),
                needle=needle.id,
                syringe=syringe.id,
                how=how,
                most_s=general(FOUND_S),
                most=FOUND_SHOTS,
            ),
            hard=False,
        )


def with_alarms(
    steps: Iterable[PlannedStep],
    syringe: Syringe,
    needle: Needle,
    viscosity_mpa_s: float,
    stays: bool,
) -> list[PlannedStep]:
    """The same steps with their two figures for the gun; see `needed_kpa` for the arguments.

    A step that goes on where the one before it ended begins with the pressure of that one, and
    fills tissue that is filled already.
    """
    found: list[PlannedStep] = []
    before_kpa = tissue_kpa = 0.0
    for step in steps:
        if step.kind is StepKind.PAUSE:
            before_kpa = tissue_kpa = 0.0
            found.append(step)
            continue
        if step.trigger is TriggerMode.PRESS:
            before_kpa = tissue_kpa = 0.0
        needed = needed_kpa(step, syringe, needle, viscosity_mpa_s, stays)
        before_kpa = max(before_kpa, tissue_kpa + needed)
        if step.kind is not StepKind.PRIME:
            filled_kpa = _tissue_after_kpa(step, syringe, TISSUE_SPREAD, stays)
            tissue_kpa = min(tissue_kpa + filled_kpa, hydraulics.TISSUE_KPA)
        most_kpa = min(
            before_kpa,
            hydraulics.pressure_limit_kpa(syringe),
            bolus_limit_kpa(flow_ul_per_s(step), syringe),
        )
        rise = rise_kpa(step, syringe, needle, viscosity_mpa_s, stays)
        found.append(replace(step, rise_kpa=_whole(rise), limit_kpa=_whole(most_kpa)))
    return found


def _whole(kpa: float) -> int:
    return min(max(1, int(kpa)), PRESSURE_LIMIT_MAX_KPA)
