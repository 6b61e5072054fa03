"""What is needed, asked and told around a treatment, in the language that is spoken."""

from typing import Literal

from pydantic import Field

from mesogun.catalog.figures import Entry, Figure
from mesogun.words import _, number


class Advice(Entry):
    """A text for clinician or patient.

    Attributes:
        id: what records and commands call it.
        text: in English, with a placeholder for each figure; `words` is what people read.
        source: of what it says.
        figures: the numbers in it.
        treatments: ids of the treatments that it is about; empty for all.
    """

    id: str
    text: str
    source: str
    figures: dict[str, Figure] = Field(default_factory=dict)
    treatments: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The text in the language that is spoken, with its figures."""
        shown = {name: number(each.value, 2, trim=True) for name, each in self.figures.items()}
        return _(self.text).format(**shown)

    def concerns(self, treatment: str | None) -> bool:
        """Whether it is about this treatment; None is a program that is no treatment's."""
        return not self.treatments or treatment in self.treatments


class Question(Advice):
    """A question before a treatment.

    Attributes:
        good: the answer that lets it begin.
        hard: with another answer nothing begins; else a person may confirm it.
        advice: what to do after another answer.
    """

    good: Literal["yes", "no"]
    hard: bool
    advice: str

    @property
    def advice_words(self) -> str:
        """The advice in the language that is spoken."""
        return _(self.advice)


class Care(Entry):
    """Everything of the table, in the order in which it is read.

    Attributes:
        material: what to lay out.
        question: what is asked before.
        before: what the patient does before.
        expect: what may be seen afterwards.
        after: what the patient does, and leaves, afterwards.
    """

    material: tuple[Advice, ...]
    question: tuple[Question, ...]
    before: tuple[Advice, ...]
    expect: tuple[Advice, ...]
    after: tuple[Advice, ...]
