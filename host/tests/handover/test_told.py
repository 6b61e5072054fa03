"""What people told before a treatment stands in its report, in the reader's language."""

import json
from typing import Any

import pytest

from mesogun.catalog import care
from mesogun.handover.document import Points, Table
from mesogun.handover.told import told
from mesogun.records import Note
from mesogun.words import speak


def note(kind: str, **content: Any) -> Note:
    return Note(
        session="abcdefgh",
        number=0,
        kind=kind,
        content=json.dumps(content),
        made_at="2026-06-01T09:30:00.000+00:00",
    )


def checklist(**said: Any) -> Note:
    """Answers by the id of their question; `in_spite` names those that were confirmed."""
    in_spite = said.pop("in_spite", ())
    answers = [
        {
            "id": each.id,
            "question": each.text,
            "figures": {name: figure.value for name, figure in each.figures.items()},
            "said": said[each.id],
            "good": said[each.id] == each.good,
            "hard": each.hard,
            "confirmed": each.id in in_spite,
        }
        for each in care().question
        if each.id in said
    ]
    return note("checklist", asked=True, answers=answers)


def lines(*notes: Note) -> list[str]:
    parts = told(notes, None)
    return [item for part in parts if isinstance(part, Points) for item in part.items]


def test_each_answer_stands_beside_its_question() -> None:
    with speak("en"):
        [table] = told([checklist(allergy="no", thinners="yes", in_spite=["thinners"])], None)
    assert isinstance(table, Table)
    assert [answer for _question, answer in table.rows] == [
        "no",
        "YES, CONFIRMED: treated all the same",
    ]
    assert "within 48 hours?" in table.rows[1][0]


def test_questions_and_answers_are_in_the_language_of_the_report() -> None:
    with speak("fr"):
        [table] = told([checklist(allergy="no", creams="yes", in_spite=["creams"])], None)
    assert isinstance(table, Table)
    assert table.headings == ("question", "réponse")
    assert [answer for _question, answer in table.rows] == [
        "non",
        "OUI, CONFIRMÉ\u00a0: traité malgré tout",
    ]
    assert "allergique" in table.rows[0][0]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            note("checklist", asked=False, why="simulated gun, --yes", answers=[]),
            "The checklist was not asked: simulated gun, --yes.",
        ),
        (
            note("syringe", syringe="bd-plastipak-5", confirmed=True),
            "A person has read the syringe: BD Plastipak 5 ml.",
        ),
        (
            note("syringe", syringe="bd-plastipak-5", confirmed=False),
            "No person has confirmed the syringe BD Plastipak 5 ml.",
        ),
        (
            note("unusual", values=["dose_ul = 200"], by="person"),
            "Unusual, confirmed by a person: dose_ul = 200",
        ),
        (
            note("unusual", values=["dose_ul = 200"], by="--yes"),
            "Unusual, confirmed in advance: dose_ul = 200",
        ),
        (note("prime", volume_nl=120_000), "120 ul primed."),
        (note("primed", seen=True), "After the prime a drop left the needle."),
        (note("primed", seen=None), "The needle was not primed."),
        (
            note(
                "continues",
                session="k7m2c9xw",
                record_hash="00",
                shots_left=12,
                volume_left_nl=120_000,
            ),
            "Goes on from session k7m2c9xw with what it left: 12 shots, 120 ul.",
        ),
    ],
)
def test_each_kind_of_note_is_told_in_words(given: Note, line: str) -> None:
    with speak("en"):
        assert lines(given) == [line]


@pytest.mark.parametrize(
    "strange",
    [
        note("weather", sky="blue"),
        note("syringe", brand="?"),
        note("primed", seen="perhaps"),
        note("checklist", asked=True, answers=[{"id": "allergy"}]),
    ],
)
def test_what_is_not_known_is_shown_as_it_is(strange: Note) -> None:
    [line] = lines(strange)
    assert strange.kind in line
    assert all(name in line for name in strange.fields)


def test_no_notes_no_parts() -> None:
    assert told([], None) == []
