"""Finding an entry by its id, with an error that names the near ones."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

from mesogun.errors import UsageError
from mesogun.words import _

_LONGEST = 64
"""Longer names are cut before they are compared or shown: the input may be a whole file."""

T = TypeVar("T")


class UnknownName(UsageError):
    """No entry of the catalog has this id."""


def near(name: str, known: Iterable[str]) -> list[str]:
    """The known names that `name` was probably meant to be, best first, at most three."""
    name = name[:_LONGEST].lower()
    known = list(known)
    begun = [each for each in known if name and each.lower().startswith(name)]
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return list(dict.fromkeys(begun + close))[:3]


def unknown_text(kind: str, name: str, known: Iterable[str]) -> str:
    """One sentence for an unknown id, and what to do.

    Args:
        kind: what was looked for, in the singular, such as `syringe`.
        name: what was asked for.
        known: the ids that exist.
    """
    candidates = near(name, known)
    meant = (
        _("did you mean {candidates}? ").format(candidates=_(" or ").join(candidates))
        if candidates
        else ""
    )
    return _("no {kind} has the id {name}; {meant}`mesogun catalog {kind}s` lists them").format(
        kind=kind, name=repr(name[:_LONGEST]), meant=meant
    )


def find(kind: str, table: Mapping[str, T], name: str) -> T:
    """The entry of `table` with the id `name`.

    Raises:
        UnknownName: there is none.
    """
    try:
        return table[name]
    except KeyError:
        raise UnknownName(unknown_text(kind, name, table)) from None
