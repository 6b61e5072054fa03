"""A treatment from the checked program to the sealed record; command line and console drive it.

`Visit` gives a program over as many syringes as it takes; `Treatment` is one session of the gun.
"""

from mesogun.treatment.checklist import (
    Answer,
    Said,
    not_asked,
    note,
    questions,
    read_answers,
    require_begin,
)
from mesogun.treatment.model import (
    Action,
    Interrupted,
    Observer,
    Order,
    Progress,
    Result,
    result_of,
    whole,
)
from mesogun.treatment.session import PRIME_NL, UNWATCHED_S, WATCHED_S, Treatment
from mesogun.treatment.visit import Left, Visit

__all__ = [
    "PRIME_NL",
    "UNWATCHED_S",
    "WATCHED_S",
    "Action",
    "Answer",
    "Interrupted",
    "Left",
    "Observer",
    "Order",
    "Progress",
    "Result",
    "Said",
    "Treatment",
    "Visit",
    "not_asked",
    "note",
    "questions",
    "read_answers",
    "require_begin",
    "result_of",
    "whole",
]
