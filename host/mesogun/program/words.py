"""Steps and deliveries of a program in words."""

from typing import Final

from mesogun.catalog import Delivery
from mesogun.program.model import FlowStep, PauseStep, PrimeStep, ShotsStep, Step
from mesogun.words import N_, _, duration, ngettext, number, volume

_STARTED_BY: Final = {
    "auto": N_("by the gun itself"),
    "hold": N_("while the trigger is held"),
    "press": N_("one for each press of the trigger"),
}
_DELIVERIES: Final = {"dry": N_("dry"), "wet": N_("wet"), "mixed": N_("mixed")}


def delivery_in_words(delivery: Delivery) -> str:
    """How liquid is laid on the skin between shots."""
    return _(_DELIVERIES[delivery])


def step_in_words(step: Step) -> str:
    """What a step does, in a line."""
    match step:
        case ShotsStep():
            text = ngettext(
                "{count} shot of {dose} in {inject} s, one every {period} s, {started}",
                "{count} shots of {dose} in {inject} s, one every {period} s, {started}",
                step.shots,
            ).format(
                count=step.shots,
                dose=volume(step.dose_nl),
                inject=number(step.inject_s, 3, trim=True),
                period=number(step.period_us / 1e6, 3, trim=True),
                started=_(_STARTED_BY[step.trigger]),
            )
            film = _(", film {volume}").format(volume=volume(step.film_nl))
            return text + film if step.film_nl else text
        case FlowStep():
            return _("flow of {rate} ul/s, {volume} in {time}, {started}").format(
                rate=number(step.rate_ul_per_s, 2, trim=True),
                volume=volume(step.volume_nl),
                time=duration(step.duration_us / 1e6),
                started=_(_STARTED_BY[step.trigger]),
            )
        case PauseStep():
            return _("pause: {message}").format(message=step.message)
        case PrimeStep():
            return _("prime of {volume}, started with the trigger").format(
                volume=volume(step.volume_nl)
            )
