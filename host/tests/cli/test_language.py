"""Whole flows in a language that nobody speaks: what is still English bypassed the catalogues.

Every looked-up text comes back in Cyrillic letters, so whatever is left in Latin ones is a value
(an id, a title, a key of a program file, something that was typed) or was never looked up.
"""

import ast
import calendar
import errno
import gettext
import os
import re
import sqlite3
import string
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from xml.etree.ElementTree import Element

import pytest

import mesogun as mesogun_package
from mesogun.catalog import (
    MeasuredTrain,
    care,
    layers,
    measured_trains,
    needles,
    sources,
    syringes,
    techniques,
    treatments,
)
from mesogun.desk import overview
from mesogun.desk.attending import Settled, attend
from mesogun.desk.hands import Hands
from mesogun.desk.planning import Plan, completed
from mesogun.desk.summary import summary
from mesogun.desk.text import Table
from mesogun.desk.view import instruction
from mesogun.errors import UsageError
from mesogun.handover.content import document
from mesogun.handover.document import Tone
from mesogun.link.refusal import Refused
from mesogun.program import Program, plan
from mesogun.program.accuracy import _failing
from mesogun.program.bounds import AREA_BOUNDS
from mesogun.program.model import STEPS, Area, Limits
from mesogun.records import Store
from mesogun.treatment import Action, Progress
from mesogun.virtual.panel import Panel
from mesogun.words import gun
from mesogun_protocol.enums import (
    ControllerState,
    ErrorCode,
    Fault,
    RecordKind,
    StepKind,
    TriggerMode,
)
from mesogun_protocol.messages import ARM, MESSAGES
from tests.cli.program_file import PAPULES
from tests.cli.test_mistakes import TYPED, WRITTEN
from tests.desk.progress import look
from tests.handover.conftest import Clinic

_OTHER = {ord(letter): 0x410 + place for place, letter in enumerate(string.ascii_letters)}
_PLACE = re.compile(r"(\{[a-z_]*\}|`[^`]*`|--[a-z-]+)")
_WORD = re.compile(r"[A-Za-z]{3,}")
MADE = datetime(2026, 6, 2, 8, 0, tzinfo=UTC)


class Strange(gettext.NullTranslations):
    """Every text in other letters; placeholders, commands and options as they are."""

    def gettext(self, message: str) -> str:
        return "".join(
            part if place % 2 else part.translate(_OTHER)
            for place, part in enumerate(_PLACE.split(message))
        )

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture(autouse=True)
def _strange(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesogun.words.language._catalogue", lambda _code: Strange())


def _values() -> set[str]:
    """Words that are values: ids, titles and keys that no language changes."""
    tables = (layers(), needles(), sources(), syringes(), techniques(), treatments())
    found = {str(key) for table in tables for key in table}
    found |= {each.title for table in (needles(), syringes(), sources()) for each in table.values()}
    found |= {
        field.alias or name
        for model in (Program, Area, Limits, *STEPS.values())
        for name, field in model.model_fields.items()
    }
    found |= {*STEPS, *AREA_BOUNDS, "dry wet mixed auto hold press finish stop"}
    found |= {each.id for each in care().question} | {name.upper() for name in layers()}
    found |= {message.name for message in MESSAGES.values()}
    found |= {each.name for enum in (ControllerState, Fault) for each in enum}
    return {word for text in found for word in _WORD.findall(text)}


# Dates are written by the locale, which is the English one here.
VALUES = _values() | {
    *calendar.month_name,
    *["mesogun", "sessions", "verify", "toml", "TOML", "NUMBER", "UTC"],
}
VALUES |= {"SHA", *get_args(Tone)}


def english(text: str, *typed: object) -> list[str]:
    """The words of a text that were not looked up."""
    known = VALUES | {word for each in typed for word in _WORD.findall(str(each))}
    text = re.sub(r"`[^`]*`|--[a-z-]+|\b[0-9a-f]{8,}\b", "", text)
    return sorted({word for word in _WORD.findall(text) if word not in known})


def texts(value: object) -> Iterator[str]:
    """Every text of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Element):
        yield from (each.text or "" for each in value.iter("text"))
    elif is_dataclass(value):
        yield from (text for each in fields(value) for text in texts(getattr(value, each.name)))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in texts(each))


def test_what_bypasses_the_catalogues_is_found() -> None:
    assert english("never looked up: 5 ul of bd-plastipak-5") == ["looked", "never"]
    assert english(gun.fault_advice(Fault.OCCLUSION)) == []


REFUSED = [typed for typed, *_ in TYPED if typed[0] != "run" or typed[-1] != "face"]


@pytest.mark.parametrize("typed", REFUSED, ids=" ".join)
def test_what_refuses_something_typed(typed: tuple[str, ...], mesogun: Any, tmp_path: Any) -> None:
    ran = mesogun(*typed)
    assert ran.code == 2
    # What the system says of a file is in the language of the system.
    assert english(ran.err, *typed, tmp_path, os.strerror(errno.ENOENT)) == []


@pytest.mark.parametrize(("right", "wrong"), [(right, wrong) for right, wrong, *_ in WRITTEN])
def test_what_refuses_something_written(
    right: str, wrong: str, mesogun: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(PAPULES.replace(right, wrong))
    assert english(mesogun("check", "mine.toml").err, PAPULES, wrong, "mine.toml") == []


@pytest.mark.parametrize("name", [*treatments(), *techniques()])
def test_a_plan_and_its_warnings(name: str) -> None:
    program = plan(name, syringe="bd-plastipak-10")
    look_at = overview.overview(program, "x")
    assert english(" ".join(_shown(look_at.text)), name) == []


def _shown(text: overview.Text) -> Iterator[str]:
    for each in text:
        if isinstance(each, Table):
            yield from (cell for row in each.rows for cell in row)
        else:
            yield each


@pytest.mark.parametrize("code", ErrorCode)
def test_a_refusal_of_the_gun(code: ErrorCode) -> None:
    request = ARM.id
    for value in (0, 1):
        fields_ = {"request": request, "code": code, "value": value, "minimum": 0, "maximum": 9}
        assert english(str(Refused(fields_ | {"field": 0})), "session_id") == []


def test_the_live_view() -> None:
    hands = Hands(Panel(), False, lambda: 0.0)
    for state in ControllerState:
        for kind in StepKind:
            for mode in TriggerMode:
                for waits in (False, True):
                    told = instruction(
                        look(state=state, step_kind=kind, trigger_mode=mode, wants_trigger=waits),
                        hands,
                        True,
                    )
                    assert english(told) == []


class Person:
    """A person who treats, whose needle is blocked once, and who goes on in the way given."""

    attended = is_read = True

    def __init__(self, way: int) -> None:
        self.heard: list[str] = []
        self._way = way
        self._blocked = self._declined = False

    def tell(self, line: str) -> None:
        self.heard.append(line)

    def show(self, text: overview.Text) -> None:
        self.heard += _shown(text)

    def confirmed(self, question: str) -> bool:
        """Say yes to all, but prime no second time."""
        self.heard.append(question)
        if self._blocked and not self._declined:
            self._declined = True
            return False
        return True

    def yes_or_no(self, question: str) -> bool:
        self.heard.append(question)
        asked = [each for each in care().question if each.words == question]
        return not asked or asked[0].good == "yes"

    def choose(self, question: str, names: Any) -> int:
        self.heard += [question, *names]
        return self._way if self._blocked else 0

    def ask(self, question: str, read: Callable[[str], Any]) -> Any:
        self.heard.append(question)
        try:
            read("?")
        except UsageError as error:
            self.heard.append(str(error))
        return read("")

    @contextmanager
    def follow(self, gun: str, hands: Hands) -> Iterator[Callable[[Progress], Action | None]]:
        self.heard.append(gun)

        def observe(progress: Progress) -> Action | None:
            self.heard.append(instruction(progress, hands, True))
            assert hands.panel is not None
            assert hands.plant is not None
            hands.panel.trigger = progress.wants_trigger
            if progress.shots_done >= 10 and not self._blocked:
                self._blocked = hands.plant.occluded = True
            return None

        yield observe
        assert hands.panel is not None
        hands.panel.trigger = False


@pytest.mark.parametrize("way", [0, 1], ids=["another syringe", "another needle"])
def test_a_visit_with_a_blocked_needle(mesogun: Any, way: int) -> None:
    person = Person(way)
    program = completed(person, Plan("ppp", None, None, None, None, None))
    settled = Settled("sim", speed="max", seed=3, operator="Dr. Pistor", patient_ref="P-7")
    visited = attend(person, settled, program, is_named=False)
    assert visited.result.faults == ("occlusion",)
    assert len(visited.result.sessions) == 2
    person.heard += _shown(summary(visited))
    assert english(" ".join(person.heard), "Pistor", *visited.result.sessions) == []
    shown = mesogun("sessions", "list").out
    shown += "".join(mesogun("sessions", "show", each).out for each in visited.result.sessions)
    assert english(shown, "Pistor", *visited.result.sessions) == []
    with Store.open() as store:
        report = document(store.proven_visit(visited.result.session), 1, MADE)
    heard = " ".join(texts(report))
    assert english(heard, report.language, *visited.result.sessions, "Pistor") == []


@pytest.mark.parametrize(
    "kind", ["with_a_pause", "uncertain", "torn", "planned", "tampered", "erased"]
)
def test_a_report_of_a_session_that_is_not_whole(kind: str) -> None:
    with Store.open("sqlite://") as store:
        proven = getattr(Clinic(store), kind)()
        made = document([proven], 1, MADE)
    session = proven[0].session
    assert english(" ".join(texts(made)), session.operator, session.id, made.language) == []


TAMPERED = {
    "altered": "UPDATE records SET raw = (SELECT raw FROM records r WHERE r.sequence = 110) "
    "WHERE sequence = 108",
    "removed": "DELETE FROM records WHERE sequence > 112",
    "seal gone": "DELETE FROM seals WHERE number = 1",
    "seals gone": "DELETE FROM seals",
    "plan": "UPDATE sessions SET shots_planned = 99",
    "notes gone": "DELETE FROM notes",
    "note put in": "INSERT INTO notes SELECT session, 1, kind, content, made_at FROM notes",
    "note garbled": "UPDATE notes SET content = '5', made_at = '5'",
    "as it was": "SELECT 1",
}


@pytest.mark.parametrize("kind", ["with_a_pause", "uncertain", "torn", "tampered"])
@pytest.mark.parametrize("done", TAMPERED)
def test_a_proof_and_a_session_whose_record_was_changed(
    done: str, kind: str, mesogun: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    path = tmp_path / "records.db"
    monkeypatch.setenv("MESOGUN_DB", f"sqlite:///{path}")
    monkeypatch.chdir(tmp_path)  # where a report is written
    with Store.open() as store:
        record, _verified = getattr(Clinic(store), kind)()
        session = record.session.id
        if kind != "tampered":
            store.add_note(session, "syringe", {"syringe": "bd-plastipak-5", "confirmed": True})
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(TAMPERED[done])
    for command in ("verify", "show", "list", "report"):
        ran = mesogun("sessions", command, *([session] if command != "list" else []))
        known = (session, "Pistor Hyde session pdf", *(each.name for each in RecordKind))
        assert english(ran.out + ran.err, *known, "CRC does not match the record bytes") == []


def test_every_reason_of_a_record_is_looked_up() -> None:
    """Many are hard to come by; none may be worded where it is raised."""
    bare: list[str] = []
    for path in Path(mesogun_package.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RecordError":
                calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
                if not any(getattr(each.func, "id", "") in ("_", "ngettext") for each in calls):
                    bare.append(f"{path.name}:{node.lineno}")
    assert bare == []


@pytest.mark.parametrize("train", [each for each in measured_trains().values() if each.fails])
def test_what_a_measured_train_fails_by(train: MeasuredTrain) -> None:
    assert english("; ".join(map(_failing, train.fails))) == []
