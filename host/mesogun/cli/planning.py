"""Plans a program with whoever is at the terminal: what is missing is asked, never assumed."""

from dataclasses import dataclass, replace
from pathlib import Path

from mesogun.catalog import (
    Delivery,
    Setting,
    get_technique,
    get_treatment,
    needles,
    syringes,
    treatments,
)
from mesogun.cli.asking import ask, choose, is_interactive
from mesogun.cli.files import require_new, write_new
from mesogun.cli.overview import overview
from mesogun.cli.printer import Answer, show
from mesogun.errors import UsageError
from mesogun.program import Program, dump_toml
from mesogun.program import plan as make
from mesogun.words import _, number

_WHY_SYRINGE = "brand and size decide the dose, and brands of one size differ by up to 24 %"


@dataclass(frozen=True)
class Plan:
    """The options of `mesogun plan`; see there."""

    name: str
    syringe: str | None
    needle: str | None
    area: str | None
    spacing_mm: float | None
    delivery: str | None


def planned(wishes: Plan, output: str | None, picture: str | None, force: bool) -> Answer:
    """Make the program, and a file and a picture of it if they are asked for.

    Raises:
        UsageError: something is missing and nobody can be asked, or does not fit.
    """
    for path in (output, picture):
        if path is not None:
            require_new(path, force=force)
    program = completed(wishes)
    answer = drawn(overview(program), program, picture, force)
    content = dump_toml(program)
    if output is None:
        # The program is the result; its figures are for who reads along.
        show([*answer.text, ""], stderr=True)
        return Answer(answer.data | {"file": None, "content": content}, [content.rstrip()])
    write_new(output, content, force=force)
    return Answer(
        answer.data | {"file": output},
        [*answer.text, "", _("Written to {file}.").format(file=output)],
    )


def drawn(answer: Answer, program: Program, picture: str | None, force: bool) -> Answer:
    """The answer, and a picture of the program if one is asked for."""
    if picture is None:
        return answer
    require_new(picture, force=force)
    from mesogun.program.picture import save_picture

    save_picture(program, Path(picture))
    text = [*answer.text, _("Drawn to {file}.").format(file=picture)]
    return replace(answer, data=answer.data | {"picture": picture}, text=text)


def completed(wishes: Plan) -> Program:
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
    if wishes.syringe is None and not is_interactive():
        known = ", ".join(syringes())
        raise UsageError(
            f"No syringe was named, and none is assumed: {_WHY_SYRINGE}. Write --syringe ID with "
            f"one of {known}."
        )
    syringe = wishes.syringe or asked_syringe()
    area, spacing_mm = wishes.area, wishes.spacing_mm
    if area is None and is_interactive():
        area, spacing_mm = _asked_area(wishes)
    needle = wishes.needle or (_asked_needle(first.needle) if is_interactive() else None)
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
            raise UsageError(f"--delivery {name[:20]!r} is none: choose dry, wet or mixed.")


def asked_syringe() -> str:
    """Ask which syringe it is, by brand and size."""
    known = list(syringes().values())
    question = _("Which syringe? Read brand and size from the one in your hand.")
    return known[choose(question, [each.title for each in known])].id


def _setting(name: str) -> Setting:
    return (get_treatment(name) if name in treatments() else get_technique(name)).setting


def _asked_needle(usual: str) -> str:
    question = _("Needle, such as 30g-4 (Enter: {usual})").format(usual=usual)

    def read(answer: str) -> str:
        if answer and answer not in needles():
            raise UsageError(
                _("There is no needle {name}; `mesogun catalog needles` lists them.").format(
                    name=answer[:20]
                )
            )
        return answer or usual

    return ask(question, read)


def _asked_area(wishes: Plan) -> tuple[str | None, float | None]:
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

    area = ask(_("Area, such as 12x8 cm (Enter: the usual number of points)"), read_area)
    if area is None:
        return None, None
    question = _("Distance of the points in mm (Enter: {usual})").format(usual=usual)
    return area, ask(question, read_spacing)
