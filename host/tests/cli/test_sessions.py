"""Reading the record: what is listed, shown, exported, and proven."""

import csv
import io
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mesogun.cli import main
from mesogun.records import Store
from mesogun.words import volume
from tests.handover.conftest import Clinic
from tests.records.conftest import new_session

FAST = ("--port", "sim", "--speed", "max", "--yes", "--auto-trigger")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A store with one session of a virtual gun, as the bytes of its database."""
    folder = tmp_path_factory.mktemp("recorded")
    program = folder / "points.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESOGUN_DB", f"sqlite:///{folder}/records.db")
        patch.setenv("MESOGUN_VIRTUAL_DIR", str(folder))
        assert main(["plan", "papule", "--syringe", "bd-plastipak-3", "-o", str(program)]) == 0
        arguments = ["run", str(program), *FAST, "--operator", "Dr. A", "--patient-ref", "P-17"]
        assert main([*arguments, "--seed", "9"]) == 0
    with closing(sqlite3.connect(folder / "records.db")) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    return (folder / "records.db").read_bytes()


@pytest.fixture
def session(mesogun, recorded: bytes, surroundings: Path) -> str:
    """The id of the one session in this test's own copy of the store."""
    (surroundings / "records.db").write_bytes(recorded)
    [only] = mesogun("sessions", "list", "--json").data
    return only["id"]


def test_a_session_is_listed_with_what_was_delivered(mesogun, session):
    [listed] = mesogun("sessions", "list", "--json").data
    assert listed["id"] == session
    assert (listed["operator"], listed["patient_ref"]) == ("Dr. A", "P-17")
    assert listed["shots_delivered"] == listed["shots_planned"] == 20
    assert (listed["status"], listed["record_complete"]) == ("complete", True)
    line = mesogun("sessions", "list").out.splitlines()[1]
    assert f"20/20, {volume(listed['volume_delivered_nl'])}, complete" in line


def test_a_session_that_never_started_stands_apart(mesogun, session):
    with Store.open() as store:
        planned = store.create_session(new_session(session_id=7)).id
    out = mesogun("sessions", "list").out
    first, apart = out.split("Prepared and never started:\n")
    assert session in first
    assert planned not in first
    assert planned in apart
    assert "INCOMPLETE" not in out
    statuses = {each["id"]: each["status"] for each in mesogun("sessions", "list", "--json").data}
    assert statuses == {session: "complete", planned: "planned"}


def test_only_sessions_that_never_started(mesogun):
    with Store.open() as store:
        store.create_session(new_session())
    assert mesogun("sessions", "list").out.startswith("Prepared and never started:\nid ")


TODAY = datetime.now().astimezone()


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--operator", "Dr. A"], 1),
        (["--operator", "Dr. B"], 0),
        (["--patient-ref", "P-17"], 1),
        (["--patient-ref", "P-1"], 0),
        (["--since", f"{TODAY - timedelta(days=1):%Y-%m-%d}"], 1),
        (["--since", f"{TODAY + timedelta(days=2):%Y-%m-%d}"], 0),
        (["--until", f"{TODAY - timedelta(days=1):%Y-%m-%d}"], 0),
        (["--until", f"{TODAY + timedelta(days=2):%Y-%m-%d}"], 1),
    ],
)
def test_sessions_are_found_by_date_operator_and_patient(mesogun, options, found):
    assert len(mesogun("sessions", "list", "--json", *options).data) == found


@pytest.mark.usefixtures("session")
def test_a_long_list_is_cut_and_says_so(mesogun):
    with _database() as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(sessions)")]
        others = [name for name in columns if name not in ("id", "session_id")]
        names = ", ".join(others)
        database.execute(
            f"INSERT INTO sessions (id, session_id, {names}) "
            f"SELECT 'zzzzzzzz', 77, {names} FROM sessions"
        )
    ran = mesogun("sessions", "list", "--last", 1)
    assert len(ran.out.splitlines()) == 2
    assert "1 more: --last 0 lists all." in ran.err
    assert "zzzzzzzz" not in ran.out
    assert "zzzzzzzz" in mesogun("sessions", "list", "--last", 0).out


def test_a_session_is_shown_with_shots_totals_faults_and_status(mesogun, session):
    text = mesogun("sessions", "show", session[:4]).out
    for told in (session, "20 of 20", "1.000 ml of 1.000 ml", "ended, complete", "planned 50 ul"):
        assert told in text
    assert "--shots" in text
    shots = mesogun("sessions", "show", session, "--shots").out
    assert len([line for line in shots.splitlines() if " shots " in line and " ul " in line]) == 20
    data = mesogun("sessions", "show", session, "--json").data
    assert len(data["shots"]) == 20
    assert (data["faults"], data["status"]) == ([], "ended")


def test_a_session_whose_pressure_fell_is_called_suspicious(mesogun):
    with Store.open() as store:
        record, _ = Clinic(store).leaking()
    text = mesogun("sessions", "show", record.session.id).out
    assert "SUSPICIOUS  equal shots took 70 kPa at first and 26 kPa at the end." in text
    assert "Possible: a leak, air in the syringe, a pusher that slips, or softer skin." in text


def test_a_session_is_exported(mesogun, session, tmp_path):
    path = tmp_path / "shots.csv"
    ran = mesogun("sessions", "export", session, "--format", "csv", "-o", path)
    assert ran.code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == 20
    assert {row["end_reason"] for row in rows} == {"complete"}
    assert mesogun("sessions", "export", session, "--format", "csv").out == path.read_text()
    assert mesogun("sessions", "export", session).data["id"] == session
    assert mesogun("sessions", "export", session, "-o", path).code == 2
    assert mesogun("sessions", "export", session, "-o", path, "--force").code == 0
    wrong = mesogun("sessions", "export", session, "--format", "xml")
    assert wrong.code == 2
    assert "csv, json, fhir, ics are" in wrong.err
    bundle = json.loads(mesogun("sessions", "export", session, "--format", "fhir").out)
    assert bundle["identifier"]["value"] == session
    course = mesogun("sessions", "export", session, "--format", "ics")
    assert course.code == 2
    assert "which is no treatment and has no course" in course.err


def test_a_report_is_written_beside_the_others(mesogun, session, surroundings, monkeypatch):
    monkeypatch.chdir(surroundings)
    ran = mesogun("sessions", "report", session[:4])
    assert ran.code == 0
    assert ran.out == f"Report of session {session} written to session-{session}.pdf.\n"
    assert (surroundings / f"session-{session}.pdf").read_bytes().startswith(b"%PDF-1.")
    assert mesogun("sessions", "report", session).code == 2  # it exists
    page = surroundings / "report.html"
    told = mesogun("sessions", "report", session, "-o", page, "--lang", "fr", "--json").data
    assert told == {
        "id": session,
        "sessions": [session],
        "format": "html",
        "file": str(page),
        "record_complete": True,
        "verified": True,
    }
    assert "Compte rendu de séance" in page.read_text("utf-8")
    for wrong, text in [
        (["--format", "docx"], "pdf and html are"),
        (["--paper", "a5"], "a4 and letter are"),
        (["--lang", "xx"], "There is no language 'xx'"),
    ]:
        ran = mesogun("sessions", "report", session, "--force", *wrong)
        assert ran.code == 2
        assert text in ran.err


def test_a_report_of_a_record_that_is_not_whole_says_so(mesogun, session, surroundings):
    with _database() as database:
        database.execute("UPDATE sessions SET operator = 'Dr. Hyde'")
    ran = mesogun("sessions", "report", session, "-o", surroundings / "report.pdf")
    assert ran.code == 0
    assert "not complete or not verified; its first page says why" in ran.out


@pytest.mark.parametrize("command", ["show", "report", "export", "verify"])
def test_a_session_that_is_not_there_is_refused(mesogun, command):
    ran = mesogun("sessions", command, "nonesuch")
    assert ran.code == 1
    assert "There is no session 'nonesuch'" in ran.err


def test_a_sound_record_is_proven(mesogun, session):
    ran = mesogun("sessions", "verify")
    assert ran.code == 0
    assert f"{session}  ok" in ran.out


def test_each_problem_of_a_record_is_named_and_fails(mesogun, session):
    with _database() as database:
        [(sequence,)] = database.execute("SELECT max(sequence) - 3 FROM records")
        database.execute("DELETE FROM records WHERE sequence = ?", (sequence,))
    ran = mesogun("sessions", "verify", session)
    assert ran.code == 1
    assert f"Record {sequence}" in ran.out
    found = mesogun("sessions", "verify", "--json")
    assert found.code == 1
    assert found.data[0]["problems"]
    assert not found.data[0]["ok"]
    [listed] = mesogun("sessions", "list", "--json").data
    assert not listed["record_complete"]


def test_sessions_are_found_by_gun(mesogun, session):
    [listed] = mesogun("sessions", "list", "--json").data
    board = listed["board_id"]
    assert [
        each["id"] for each in mesogun("sessions", "list", "--gun", board[:5], "--json").data
    ] == [session]
    other = "0" if board[0] != "0" else "1"
    assert mesogun("sessions", "list", "--gun", other, "--json").data == []
    wrong = mesogun("sessions", "list", "--gun", "gun 1")
    assert wrong.code == 2
    assert "16 hexadecimal digits" in wrong.err


def test_a_patient_reference_is_erased_and_the_record_stays_proven(mesogun, session, surroundings):
    refused = mesogun("sessions", "erase-patient", "P-17")
    assert refused.code == 2
    assert "from 1 session, which cannot be undone. Confirm it with --yes." in refused.err
    (surroundings / "records-layout-1.db").touch()
    ran = mesogun("sessions", "erase-patient", "P-17", "--yes")
    assert (ran.code, ran.out) == (0, f"Erased from 1 session: {session}.\n")
    assert "records-layout-1.db is a copy from before an upgrade and still holds it" in ran.err
    assert "erased" in mesogun("sessions", "list").out
    assert "patient    erased" in mesogun("sessions", "show", session).out
    proven = mesogun("sessions", "verify")
    assert proven.code == 0
    assert "erased" in proven.out
    assert mesogun("sessions", "verify", "--json").data[0]["patient_erased"] is True
    assert "P-17" not in mesogun("sessions", "export", session).out
    again = mesogun("sessions", "erase-patient", "P-17", "--yes")
    assert again.code == 1
    assert "No session has the patient reference 'P-17'" in again.err


def test_erasing_at_a_terminal_wants_the_reference_again(mesogun, session, monkeypatch):
    for stream in ("stdin", "stderr"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", _Terminal("P-71\n"))
    ran = mesogun("sessions", "erase-patient", "P-17")
    assert ran.code == 2
    assert "Nothing was erased" in ran.err
    monkeypatch.setattr("sys.stdin", _Terminal("P-17\n"))
    assert mesogun("sessions", "erase-patient", "P-17", "--json").data["sessions"] == [session]


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_empty_store_has_no_sessions(mesogun):
    assert mesogun("sessions", "list").out == "No sessions.\n"
    assert mesogun("sessions", "verify", "--json").data == []
    assert mesogun("sessions", "sync", "--json").data == []


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    """The store behind mesogun's back."""
    path = os.environ["MESOGUN_DB"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database, database:
        yield database
