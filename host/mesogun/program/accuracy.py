"""Whether the accuracy at the needle was measured for a train, and holds."""

from collections.abc import Iterator
from functools import cache

from mesogun.catalog import (
    Failing,
    MeasuredTrain,
    Needle,
    Syringe,
    get_needle,
    get_source,
    get_syringe,
    measured_trains,
)
from mesogun.program.hydraulics import needle_pressure_kpa
from mesogun.program.locate import Path
from mesogun.program.planned import PlannedStep
from mesogun.program.problems import Problem
from mesogun.words import _, general, number
from mesogun_protocol.enums import StepKind

_ROUNDING = 1 + 1e-9


def covers(
    train: MeasuredTrain, step: PlannedStep, syringe: Syringe, needle: Needle, viscosity: float
) -> bool:
    """Whether a measured train was at least as hard in every respect as a step.

    A wider barrel stores more, a finer bore is less certain, a higher pressure stores more, a
    smaller dose shows an error more, and a shorter rest leaves less time to settle. A train whose
    first shots were not counted says nothing of doses that were measured with them.
    """
    measured_needle = get_needle(train.needle)
    measured_flow = train.dose_ul / train.inject_s
    measured_kpa = needle_pressure_kpa(measured_flow, measured_needle, train.viscosity_mpa_s)
    flow = step.dose_nl / step.inject_us * 1000
    rest_s = (step.period_us - step.inject_us) / 1e6
    return (
        syringe.area_mm2 <= get_syringe(train.syringe).area_mm2 * _ROUNDING
        and needle.bore_mm.value >= measured_needle.bore_mm.value
        and needle_pressure_kpa(flow, needle, viscosity) <= measured_kpa * _ROUNDING
        and step.dose_nl * _ROUNDING >= train.dose_ul * 1000
        and (not train.skips or step.dose_nl < _least_judged_from_the_first_nl())
        and rest_s * _ROUNDING >= train.period_s - train.inject_s
    )


@cache
def _least_judged_from_the_first_nl() -> float:
    return min(each.dose_ul * 1000 for each in measured_trains().values() if not each.skips)


def _failing(what: Failing) -> str:
    return _("{what} {value} {unit}, {bound} allowed ({requirement})").format(
        what=_(what.what),
        value=number(what.value, 1),
        unit=what.unit,
        bound=general(what.bound),
        requirement=what.requirement,
    )


def check_accuracy(
    path: Path,
    step: PlannedStep,
    syringe: Syringe,
    needle: Needle,
    viscosity: float,
    *,
    advance: bool,
) -> Iterator[Problem]:
    """Warn of a train whose dose at the needle was not shown to keep R06 to R12.

    Args:
        path: of the step.
        step: what the gun is told.
        syringe: that is driven.
        needle: that the liquid passes.
        viscosity: of the liquid, mPa s.
        advance: False if the program goes without pressure advance.
    """
    if step.kind is not StepKind.SHOTS:
        return
    trains = measured_trains().values()
    holds = any(
        not each.fails and covers(each, step, syringe, needle, viscosity) for each in trains
    )
    if holds and advance and not step.film_nl:
        return
    what = _(
        "dose_ul = {dose}: the dose at the needle was not shown to keep R06 to R12 with "
        "{syringe} and {needle}"
    ).format(dose=general(step.dose_nl / 1000), syringe=syringe.id, needle=needle.id)
    if holds:
        why = (
            _("films were not measured")
            if step.film_nl
            else _("it was measured with pressure advance")
        )
    else:
        failed = next(
            (
                each
                for each in trains
                if each.fails
                and (each.syringe, each.needle) == (syringe.id, needle.id)
                and each.viscosity_mpa_s <= viscosity * _ROUNDING
                and step.dose_nl <= each.dose_ul * 1000 * _ROUNDING
            ),
            None,
        )
        why = (
            _("{dose} ul in {inject} s, one every {period} s, fails by {fails}").format(
                dose=general(failed.dose_ul),
                inject=general(failed.inject_s),
                period=general(failed.period_s),
                fails="; ".join(map(_failing, failed.fails)),
            )
            if failed
            else _("no train as hard was measured")
        )
    source = get_source(next(iter(trains)).source).title
    yield Problem(
        (*path, "dose_ul"),
        _(
            "{what}: {why} (source: {source}). Confirm it, or push slower, pause longer, or take a "
            "smaller syringe or a wider or shorter needle."
        ).format(what=what, why=why, source=source),
        hard=False,
    )
