"""What is asked of the person who treats: checklist, syringe, prime, and how to go on."""

from collections.abc import Mapping
from typing import Any

from mesogun.catalog import Question, care, get_syringe
from mesogun.desk.desk import Desk
from mesogun.errors import UsageError
from mesogun.program import Program
from mesogun.treatment import Answer, Said, Visit, questions, require_begin
from mesogun.words import _, ngettext, volume
from mesogun.words.gun import fault_advice, fault_name
from mesogun_protocol.enums import Fault


def lay_out(desk: Desk, treatment: str | None) -> None:
    """Tell what has to lie ready."""
    desk.tell(_("Lay out:"))
    for each in care().material:
        if each.concerns(treatment):
            desk.tell(f"  - {each.words}")


def checklist(desk: Desk, program: Program, given: Mapping[str, Said]) -> list[Answer]:
    """Answers to every question, given ones taken over, the others asked.

    Args:
        desk: of the person who is asked.
        program: that is about to begin.
        given: answers by the id of their question.

    Raises:
        UsageError: an answer forbids to begin, or a question can be asked of nobody.
    """
    answers: list[Answer] = []
    for question in questions(program.treatment):
        if question.id not in given and not desk.attended:
            raise UsageError(
                _(
                    "Not started: nobody was asked {words}. Give each answer in advance, this one "
                    "as --answer {question}=yes or --answer {question}=no."
                ).format(words=repr(question.words), question=question.id)
            )
        answer = _answered(desk, question, given.get(question.id))
        require_begin([answer])
        answers.append(answer)
    return answers


def _answered(desk: Desk, question: Question, said: Said | None) -> Answer:
    if said is None:
        said = "yes" if desk.yes_or_no(question.words) else "no"
    answer = Answer(question, said)
    if answer.is_good or question.hard or not desk.attended:
        return answer
    desk.tell(f"  {question.advice_words}")
    return Answer(question, said, desk.confirmed(_("Treat all the same?")))


def confirm_syringe(desk: Desk, program: Program) -> dict[str, Any]:
    """Have brand and size of the syringe read from it.

    Raises:
        UsageError: it is another one than the program's.
    """
    title = get_syringe(program.syringe).title
    if not desk.yes_or_no(_("Read the syringe: is it a {syringe}?").format(syringe=title)):
        raise UsageError(
            _(
                "Not started: the program is for a {syringe}, and another brand or size is another "
                "dose. Start again and name the one in your hand (--syringe)."
            ).format(syringe=title)
        )
    return {"syringe": program.syringe, "confirmed": True}


def fit_syringe(desk: Desk, program: Program, visit: Visit) -> None:
    """Have the syringe drawn up and put in.

    Raises:
        UsageError: it is not in.
    """
    desk.tell(
        _(
            "Draw up {volume} into the {syringe}, without air. Screw the needle on. Put the "
            "syringe into the gun until it clicks."
        ).format(
            volume=volume(visit.fill_nl(prime=True)), syringe=get_syringe(program.syringe).title
        )
    )
    if not desk.yes_or_no(_("Is it in?")):
        raise UsageError(_("Not started: no syringe is in the gun."))


def ask_go_on(desk: Desk, visit: Visit, fault: Fault) -> str | None:
    """Tell what is left and ask how to go on.

    Returns:
        `syringe` with another one, `needle` with the one that is in, None to end here.
    """
    left = visit.left
    if fault is not Fault.NONE:
        desk.tell(_("{name}: {advice}").format(name=fault_name(fault), advice=fault_advice(fault)))
    desk.tell(
        ngettext(
            "{count} shot is left, {volume}.", "{count} shots are left, {volume}.", left.shots
        ).format(count=left.shots, volume=volume(left.volume_nl))
    )
    ways = {"syringe": _("Change the syringe and go on with what is left")}
    if visit.can_keep_syringe:
        ways["needle"] = _("Keep the syringe, change the needle or mend the cause, and go on")
    ways[""] = _("End the treatment here")
    return list(ways)[desk.choose(_("How do you want to go on?"), list(ways.values()))] or None
