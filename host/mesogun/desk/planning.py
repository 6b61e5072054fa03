"""Plans a program with a person: what is missing is asked, never assumed."""

from dataclasses import dataclass

from mesogun.catalog import (
    Delivery,
    Setting,
    get_technique,
    get_treatment,
    needles,
    syringes,
    treatments,
)
from mesogun.desk.desk import Desk
from mesogun.errors import UsageError
from mesogun.program import Program
from mesogun.program import plan as make
from mesogun.words import N_, _, number

_WHY_SYRINGE = N_("brand and size decide the dose, and brands of one size differ by up to 24 %")


@dataclass(frozen=True)
class Plan:
    """The options of `mesogun plan`; see there."""

    name: str
    syringe: str | None = None
    needle: str | None = None
    area: str | None = None
    spacing_mm: float | None = None
    delivery: str | None = None


def completed(desk: Desk, wishes: Plan) -> Program:
    """The program, after what is missing was asked for."""
    delivery = checked_delivery(wishes.delivery)
    # An unknown name, an area that is none: told before anybody is asked anything.
    first = make(
        wishes.name,
        needle=wishes.needle,
        area=wishes.area,
        spacing_mm=wishes.spacing_mm,
        delivery=delivery,
        syringe=wishes.syringe,
    )
    if wishes.syringe is None and not desk.attended:
        known = ", ".join(syringes())
        raise UsageError(
            _(
                "No syringe was named, and none is assumed: {why_syringe}. Write --syringe ID with "
                "one of {known}."
            ).format(why_syringe=_(_WHY_SYRINGE), known=known)
        )
    syringe = wishes.syringe or asked_syringe(desk)
    area, spacing_mm = wishes.area, wishes.spacing_mm
    if area is None and desk.attended:
        area, spacing_mm = _asked_area(desk, wishes)
    needle = wishes.needle or (_asked_needle(desk, first.needle) if desk.attended else None)
    return make(
        wishes.name,
        syringe=syringe,
        needle=needle,
        area=area,
        spacing_mm=spacing_mm,
        delivery=delivery,
    )


def checked_delivery(name: str | None) -> Delivery | None:
    """The delivery that an option names.

    Raises:
        UsageError: there is no such delivery.
    """
    match name:
        case None | "dry" | "wet" | "mixed":
            return name
        case _:
            raise UsageError(
                _("--delivery {name} is none: choose dry, wet or mixed.").format(
                    name=repr(name[:20])
                )
            )


def asked_syringe(desk: Desk) -> str:
    """Ask which syringe it is, by brand and size."""
    known = list(syringes().values())
    question = _("Which syringe? Read brand and size from the one in your hand.")
    return known[desk.choose(question, [each.title for each in known])].id


def _setting(name: str) -> Setting:
    return (get_treatment(name) if name in treatments() else get_technique(name)).setting


def _asked_needle(desk: Desk, usual: str) -> str:
    question = _("Needle, such as 30g-4 (Enter: {usual})").format(usual=usual)

    def read(answer: str) -> str:
        if answer and answer not in needles():
            raise UsageError(
                _("There is no needle {name}; `mesogun catalog needles` lists them.").format(
                    name=answer[:20]
                )
            )
        return answer or usual

    return desk.ask(question, read)


def _asked_area(desk: Desk, wishes: Plan) -> tuple[str | None, float | None]:
    """Ask for the area and the distance of the points, where the technique has an area."""
    setting = _setting(wishes.name)
    if setting.spacing_mm is None:
        return None, None
    usual = number(setting.spacing_mm, 1, trim=True)

    def read_area(answer: str) -> str | None:
        if answer:
            make(wishes.name, area=answer)
        return answer or None

    def read_spacing(answer: str) -> float | None:
        if not answer:
            return wishes.spacing_mm
        try:
            spacing_mm = float(answer.replace(",", "."))
        except ValueError:
            raise UsageError(_("{answer} is no number.").format(answer=answer[:20])) from None
        make(wishes.name, area=area, spacing_mm=spacing_mm)
        return spacing_mm

    area = desk.ask(_("Area, such as 12x8 cm (Enter: the usual number of points)"), read_area)
    if area is None:
        return None, None
    question = _("Distance of the points in mm (Enter: {usual})").format(usual=usual)
    return area, desk.ask(question, read_spacing)
