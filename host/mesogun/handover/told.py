"""What people told and confirmed around a session, from its notes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from mesogun.catalog import syringes
from mesogun.handover.document import Part, Points, Table
from mesogun.program import Program, check
from mesogun.records import Note
from mesogun.words import N_, _, number, speak, volume

_SAID: Final = {"yes": N_("yes"), "no": N_("no")}
_DROP: Final = {
    True: N_("After the prime a drop left the needle."),
    False: N_("After the prime no drop left the needle."),
    None: N_("The needle was not primed."),
}


def told(notes: Sequence[Note], program: Program | None) -> list[Part]:
    """Return the checklist as a table and the rest as a list, both in the order of time.

    Args:
        notes: of the session.
        program: of the session, None if it cannot be read.
    """
    asked = any(note.kind == "unusual" for note in notes)
    unusual = _in_words(program) if asked and program else {}
    lines: list[str] = []
    answers: list[tuple[str, str]] = []
    for note in notes:
        try:
            answers += _answers(note.fields) if note.kind == "checklist" else []
            lines += (
                _unusual(note, unusual)
                if note.kind == "unusual"
                else _KINDS.get(note.kind, _raw)(note)
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            # Of a version that writes it otherwise: shown as it is, never left out.
            lines += _raw(note)
    parts: list[Part] = []
    if answers:
        parts.append(Table((_("question"), _("answer")), answers))
    if lines:
        parts.append(Points(lines))
    return parts


def _answers(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_question(each), _answer(each)) for each in content["answers"]]


def _question(asked: Mapping[str, Any]) -> str:
    """The question in the language that is spoken, with the figures that it was asked with."""
    figures = {name: number(value, 2, trim=True) for name, value in asked["figures"].items()}
    return _(asked["question"]).format(**figures)


def _answer(asked: Mapping[str, Any]) -> str:
    word = _SAID[asked["said"]]
    said = _(word)
    if asked["good"]:
        return said
    if asked["confirmed"]:
        return _("{answer}, CONFIRMED: treated all the same").format(answer=said.upper())
    return said.upper()


def _checklist(note: Note) -> list[str]:
    if note.fields["asked"]:
        return []
    why: str = note.fields["why"]
    return [_("The checklist was not asked: {reason}.").format(reason=_(why))]


def _in_words(program: Program) -> dict[str, str]:
    """What is unusual in a program, by its English text, which is the one that is recorded."""
    with speak("en"):
        recorded = [each.text for each in check(program)]
    return dict(zip(recorded, [each.text for each in check(program)], strict=True))


def _unusual(note: Note, known: Mapping[str, str]) -> list[str]:
    confirmed = (
        _("Unusual, confirmed by a person: {value}")
        if note.fields["by"] == "person"
        else _("Unusual, confirmed in advance: {value}")
    )
    return [confirmed.format(value=_translated(value, known)) for value in note.fields["values"]]


def _translated(value: str, known: Mapping[str, str]) -> str:
    """A recorded text in words; as it was recorded if it comes from another version's check."""
    for recorded, text in known.items():
        if value.endswith(recorded):
            return value.removesuffix(recorded) + text
    return value


def _syringe(note: Note) -> list[str]:
    known = syringes().get(note.fields["syringe"])
    text = (
        _("A person has read the syringe: {syringe}.")
        if note.fields["confirmed"]
        else _("No person has confirmed the syringe {syringe}.")
    )
    return [text.format(syringe=known.title if known else note.fields["syringe"])]


def _prime(note: Note) -> list[str]:
    return [_("{volume} primed.").format(volume=volume(note.fields["volume_nl"]))]


def _primed(note: Note) -> list[str]:
    drop = _DROP[note.fields["seen"]]
    return [_(drop)]


def _continues(note: Note) -> list[str]:
    left = note.fields
    return [
        _("Goes on from session {session} with what it left: {shots} shots, {volume}.").format(
            session=left["session"],
            shots=left["shots_left"],
            volume=volume(left["volume_left_nl"]),
        )
    ]


def _raw(note: Note) -> list[str]:
    try:
        at = f"{datetime.fromisoformat(note.made_at).astimezone():%H:%M}"
    except ValueError:
        at = note.made_at
    return [f"{at} {note.kind}: {note.content}"]


_KINDS: Final[Mapping[str, Callable[[Note], list[str]]]] = {
    "checklist": _checklist,
    "syringe": _syringe,
    "prime": _prime,
    "primed": _primed,
    "continues": _continues,
}
