"""What is asked before a treatment, and what the record says about it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from mesogun.catalog import Question, care
from mesogun.errors import UsageError
from mesogun.words import N_, _

Said = Literal["yes", "no"]
_SAID: Final[dict[Said, str]] = {"yes": N_("yes"), "no": N_("no")}


@dataclass(frozen=True)
class Answer:
    """What was said to a question.

    Attributes:
        question: of the catalog.
        said: yes or no.
        confirmed: a person confirmed to treat in spite of it.
    """

    question: Question
    said: Said
    confirmed: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it lets a treatment begin as it is."""
        return self.said == self.question.good

    @property
    def forbids(self) -> bool:
        """Whether nothing may begin with it."""
        return not self.is_good and (self.question.hard or not self.confirmed)


def questions(treatment: str | None) -> list[Question]:
    """The questions before this treatment, None for a program that is no treatment's."""
    return [each for each in care().question if each.concerns(treatment)]


def read_answers(given: Sequence[str]) -> dict[str, Said]:
    """Answers that were given in advance, by the id of their question.

    Args:
        given: each `ID=yes` or `ID=no`.

    Raises:
        UsageError: one is none, or contradicts another.
    """
    known = [each.id for each in care().question]
    found: dict[str, Said] = {}
    for each in given:
        name, _equals, said = each.partition("=")
        if name not in known or said not in ("yes", "no"):
            raise UsageError(
                _(
                    "--answer {each} is no answer: write ID=yes or ID=no, with one of {known}. "
                    "`mesogun catalog care` lists the questions."
                ).format(each=repr(each[:40]), known=", ".join(known))
            )
        if found.get(name, said) != said:
            raise UsageError(
                _("--answer {name} is given as yes and as no. Leave one out.").format(name=name)
            )
        found[name] = said
    return found


def require_begin(answers: Iterable[Answer]) -> None:
    """Refuse to begin with an answer that forbids it.

    Raises:
        UsageError: with the question, the answer and what to do.
    """
    for answer in answers:
        if answer.forbids:
            raise UsageError(
                _("Not started. {question} {answer}. {advice}").format(
                    question=answer.question.words,
                    answer=_(_SAID[answer.said]).capitalize(),
                    advice=answer.question.advice_words,
                )
            )


def note(answers: Iterable[Answer]) -> Mapping[str, Any]:
    """What the record keeps: each question as the catalog has it, and what was said."""
    return {
        "asked": True,
        "answers": [
            {
                "id": answer.question.id,
                "question": answer.question.text,
                "figures": {name: each.value for name, each in answer.question.figures.items()},
                "said": answer.said,
                "good": answer.is_good,
                "hard": answer.question.hard,
                "confirmed": answer.confirmed,
            }
            for answer in answers
        ],
    }


def not_asked(why: str) -> Mapping[str, Any]:
    """What the record keeps where nobody was asked."""
    return {"asked": False, "why": why, "answers": []}
