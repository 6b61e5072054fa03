"""What was asked before a gun was armed, and what was answered, as a session's row keeps it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from mesogun.errors import RecordError


@dataclass(frozen=True)
class Answered:
    """One question and its answer.

    Attributes:
        id: of the question, for programs.
        question: as it was asked, in the language in which it was.
        answer: as it was given.
        hard: the treatment could not begin without this answer.
    """

    id: str
    question: str
    answer: str
    hard: bool = False


def to_text(answers: Iterable[Answered]) -> str:
    """Return the answers as `Session.preflight` keeps them: a JSON array of objects."""
    return json.dumps([asdict(each) for each in answers], ensure_ascii=False)


def from_text(text: str | None) -> tuple[Answered, ...]:
    """Return the answers of `Session.preflight`, none if nothing was asked.

    Raises:
        RecordError: if the text is nothing that `to_text` writes.
    """
    try:
        return tuple(Answered(**each) for each in json.loads(text or "[]"))
    except (ValueError, TypeError) as error:
        raise RecordError(
            f"The pre-flight answers of a session cannot be read ({error}). "
            "Run `mesogun sessions verify`."
        ) from error
