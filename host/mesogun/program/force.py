"""Whether the drive can push what a program asks for, through its needle."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesogun.catalog import Needle, Syringe
from mesogun.program import hydraulics
from mesogun.program.bounds import is_number
from mesogun.program.locate import Path
from mesogun.program.model import PrimeStep
from mesogun.program.pace import rest_s
from mesogun.program.problems import Problem, show
from mesogun.words import _, general, number


@dataclass(frozen=True)
class Push:
    """Liquid that is pushed in one go.

    Attributes:
        key: the key of the step that sets its speed.
        volume_ul: volume.
        time_s: time at full speed: ramps up and down count as one at full speed.
        tissue: whether it goes into tissue, not into the open.
    """

    key: str
    volume_ul: float
    time_s: float
    tissue: bool

    @property
    def flow_ul_per_s(self) -> float:
        """Highest flow."""
        return self.volume_ul / self.time_s

    def pressure_kpa(self, needle: Needle, viscosity_mpa_s: float) -> float:
        """Highest pressure in the barrel."""
        back_kpa = hydraulics.TISSUE_KPA if self.tissue else 0.0
        through = hydraulics.needle_pressure_kpa(self.flow_ul_per_s, needle, viscosity_mpa_s)
        return through + back_kpa


def _shot(step: Mapping[str, Any], ramp_s: float) -> Iterator[Push]:
    dose_ul, inject_s, film_ul = step.get("dose_ul"), step.get("inject_s"), step.get("film_ul")
    if is_number(dose_ul) and is_number(inject_s):
        yield Push("inject_s", dose_ul, inject_s - ramp_s, True)
    rest = rest_s(step)
    if is_number(film_ul) and rest is not None:
        yield Push("film_ul", film_ul, rest, False)


def _flow(step: Mapping[str, Any], ramp_s: float) -> Iterator[Push]:
    rate = step.get("rate_ul_per_s")
    if not is_number(rate) or rate <= 0:
        return
    duration_s, volume_ul = step.get("duration_s"), step.get("volume_ul")
    if is_number(duration_s):
        yield Push("rate_ul_per_s", rate * duration_s, duration_s - ramp_s, True)
    elif is_number(volume_ul):
        yield Push("rate_ul_per_s", volume_ul, volume_ul / rate - ramp_s, True)


def pushes(step: Mapping[str, Any]) -> list[Push]:
    """What one step pushes; a figure that is missing or makes no sense is passed over."""
    ramp_ms = step.get("ramp_ms", 0)
    ramp_s = ramp_ms / 1000 if is_number(ramp_ms) else 0.0
    found: list[Push] = []
    match step.get("kind"):
        case "shots":
            found = list(_shot(step, ramp_s))
        case "flow":
            found = list(_flow(step, ramp_s))
        case "prime" if is_number(volume_ul := step.get("volume_ul")):
            prime = PrimeStep(volume_ul=volume_ul)
            time_s = (prime.inject_us - prime.ramp_us) / 1e6
            found = [Push("volume_ul", volume_ul, time_s, False)]
        case _:
            pass
    return [push for push in found if push.volume_ul > 0 and push.time_s > 0]


def check_force(
    path: Path,
    step: Mapping[str, Any],
    syringe: Syringe,
    needle: Needle,
    viscosity_mpa_s: float,
) -> Iterator[Problem]:
    """Problems of pressure and force of one step whose numbers are within their bounds.

    Args:
        path: of the step.
        step: the step.
        syringe: whose area turns pressure into force.
        needle: that the liquid passes.
        viscosity_mpa_s: of the liquid.
    """
    limit_kpa = hydraulics.pressure_limit_kpa(syringe)
    for push in pushes(step):
        kpa = push.pressure_kpa(needle, viscosity_mpa_s)
        force_n = hydraulics.plunger_force_n(kpa, syringe)
        into = _(" into tissue") if push.tissue else ""
        text = _(
            "{key} = {step}: {flow} ul/s through {needle}{into} take {kpa} kPa and "
            "{force} N on {syringe}"
        ).format(
            key=push.key,
            step=show(step[push.key]),
            flow=general(push.flow_ul_per_s, 4),
            needle=needle.id,
            into=into,
            kpa=number(kpa),
            force=number(force_n),
            syringe=syringe.id,
        )
        if kpa > limit_kpa:
            back_kpa = hydraulics.TISSUE_KPA if push.tissue else 0.0
            flow = hydraulics.highest_flow_ul_per_s(limit_kpa - back_kpa, needle, viscosity_mpa_s)
            by_drive = limit_kpa < hydraulics.PRESSURE_MAX_KPA
            most = f"{hydraulics.DRIVE_LIMIT_N:g} N" if by_drive else f"{limit_kpa:g} kPa"
            source = hydraulics.DRIVE_SOURCE if by_drive else hydraulics.PRESSURE_SOURCE
            yield Problem(
                (*path, push.key),
                _(
                    "{what}, the most is {most} (source: {source}). Push slower, at most {flow} "
                    "ul/s, or take a wider or shorter needle."
                ).format(what=text, most=most, source=_(source), flow=general(flow, 3)),
            )
        elif force_n > hydraulics.DRIVE_CONTINUOUS_N:
            yield Problem(
                (*path, push.key),
                _(
                    "{what}, the drive is made for {drive_continuous} N (source: {drive_source}). "
                    "Confirm it, or push slower."
                ).format(
                    what=text,
                    drive_continuous=general(hydraulics.DRIVE_CONTINUOUS_N),
                    drive_source=_(hydraulics.DRIVE_SOURCE),
                ),
                hard=False,
            )
