"""Whole runs on a virtual gun: the result, what ends them, and what stays behind."""

import json
import signal
import sqlite3
import subprocess
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mesogun.catalog import techniques, treatments
from mesogun.desk import attending
from mesogun.errors import GunRefused
from mesogun.treatment import Left, Result, Treatment, Visit
from mesogun.virtual.gun import kept_guns
from mesogun_protocol.enums import EndReason
from tests.served_gun import begun

PROGRAM = """\
schema = 1
name = "Five points"
technique = "papule"
delivery = "dry"
depth_mm = 1.5
syringe = "bd-plastipak-5"
needle = "30g-4"

[limits]
total_ul = 200

[[step]]
kind = "shots"
dose_ul = 30
inject_s = 0.5
period_s = 1
count = 4
trigger = "TRIGGER"

[[step]]
kind = "pause"
message = "Change side"

[[step]]
kind = "shots"
dose_ul = 30
inject_s = INJECT
interval_s = 1
count = 1
trigger = "auto"
"""

KEYS = {
    "session": str,
    "program": str,
    "shots_planned": int,
    "shots_delivered": int,
    "volume_planned_nl": int,
    "volume_delivered_nl": int,
    "volume_needle_nl": int,
    "duration_s": float,
    "faults": list,
    "uncertain_shots": int,
    "record_complete": bool,
    "record_hash": str,
    "seed": int,
    "ended": str,
    "sessions": list,
    "shots_left": int,
    "next_session": type(None),
}

FAST = ("--port", "sim", "--speed", "max", "--yes")


@pytest.fixture
def program(surroundings: Path):
    def write(trigger: str = "auto", inject_s: float = 0.5) -> Path:
        path = surroundings / "points.toml"
        path.write_text(PROGRAM.replace("TRIGGER", trigger).replace("INJECT", str(inject_s)))
        return path

    return write


def test_a_run_ends_with_one_object_that_holds_its_result(mesogun, program):
    ran = mesogun("run", program(), *FAST, "--seed", 5, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert {key: type(value) for key, value in ran.data.items()} == KEYS
    result = ran.data
    assert result["program"] == "Five points"
    assert (result["shots_planned"], result["shots_delivered"]) == (5, 5)
    assert result["volume_planned_nl"] == 150_000
    assert abs(result["volume_delivered_nl"] - 150_000) <= 30
    assert result["volume_needle_nl"] > 0
    assert result["duration_s"] >= 4
    assert (result["faults"], result["uncertain_shots"]) == ([], 0)
    assert (result["seed"], result["ended"]) == (5, "complete")
    assert result["record_complete"]
    assert len(result["record_hash"]) == 64
    assert kept_guns() == []


def test_the_same_seed_gives_the_same_record(mesogun, program):
    runs = [
        mesogun("run", program("hold"), *FAST, "--auto-trigger", "--json", "--seed", seed).data
        for seed in (3, 3, 4)
    ]
    hashes = [run["record_hash"] for run in runs]
    assert hashes[0] == hashes[1] != hashes[2]
    assert runs[0]["session"] != runs[1]["session"]


def test_the_text_of_a_run_has_every_number_with_its_unit(mesogun, program):
    ran = mesogun("run", program(), *FAST, "--operator", "Dr. A", "--patient-ref", "P-17")
    assert ran.code == 0
    for told in (", complete", "5 of 5", "150 ul of 150 ul", "out of the needle", "(simulated)"):
        assert told in ran.out
    session = ran.out.split()[1].rstrip(",")
    shown = mesogun("sessions", "show", session).out
    assert "Dr. A" in shown
    assert "P-17" in shown


def test_progress_is_told_only_when_asked_for(mesogun, program):
    ran = mesogun("run", program(), *FAST, "-v")
    assert ran.code == 0
    assert "running, step 1 of 3, " in ran.err
    assert "paused, step 2 of 3, 4 of 5 shots, 120 ul given, " in ran.err
    assert "5 shots of" not in ran.out


@pytest.mark.req("R02")
def test_an_unusual_value_is_told_where_yes_confirms_it(mesogun, program):
    ran = mesogun("run", program(inject_s=5), *FAST)
    assert ran.code == 0
    assert "confirmed by --yes" in ran.err
    assert "inject_s = 5" in ran.err


def test_without_a_terminal_a_program_is_confirmed_with_yes_only(mesogun, program):
    ran = mesogun("run", program(), "--port", "sim", "--speed", "max")
    assert (ran.code, ran.out) == (2, "")
    assert "--yes" in ran.err
    assert "Nothing was delivered." in ran.err
    assert mesogun("sessions", "list", "--json").data == []
    assert kept_guns() == []


@pytest.mark.parametrize("trigger", ["hold", "press"])
def test_without_a_terminal_somebody_must_work_the_trigger(mesogun, program, trigger):
    ran = mesogun("run", program(trigger), *FAST)
    assert (ran.code, ran.out) == (2, "")
    assert "--auto-trigger" in ran.err
    assert mesogun("run", program(trigger), *FAST, "--auto-trigger").code == 0


@pytest.mark.parametrize("speed", ["fast", "0", "-1", "nan", "inf"])
def test_a_speed_that_is_none_is_refused(mesogun, program, speed):
    ran = mesogun("run", program(), "--port", "sim", "--yes", "--speed", speed)
    assert ran.code == 2
    assert f"--speed {speed}" in ran.err


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "x" * 201])
def test_an_operator_that_is_no_name_is_refused(mesogun, program, name):
    ran = mesogun("run", program(), *FAST, "--operator", name)
    assert ran.code == 2
    assert "--operator" in ran.err


def test_a_store_that_cannot_be_opened_is_found_before_anything_moves(
    mesogun, program, monkeypatch, tmp_path
):
    monkeypatch.setenv("MESOGUN_DB", f"sqlite:///{tmp_path}/none/records.db")
    ran = mesogun("run", program(), *FAST)
    assert ran.code == 1
    assert "there is no folder" in ran.err
    assert kept_guns() == []


def _begun(surroundings: Path, *more: str) -> subprocess.Popen[str]:
    """A run in a process of its own that has delivered at least one shot."""
    run = begun(
        surroundings,
        *("run", "chronic-pain", "--port", "sim", "--speed", "20", "--yes", "-v", "--json", *more),
    )
    assert run.stderr is not None
    for line in run.stderr:
        if "running" in line and " 0 of 135" not in line:
            break
    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_stops_the_gun_and_stores_the_record(mesogun, surroundings, number):
    run = _begun(surroundings)
    run.send_signal(number)
    out, err = run.communicate()
    assert run.returncode == 130, err
    assert "Traceback" not in err
    result = json.loads(out)
    assert set(result) == set(KEYS)
    assert result["ended"] == "stopped"
    assert result["record_complete"]
    assert result["uncertain_shots"] == 0
    assert 0 < result["shots_delivered"] < 135
    assert mesogun("sessions", "verify", result["session"]).code == 0
    assert kept_guns() == []


@pytest.mark.req("R41")
@pytest.mark.parametrize("options", [[], ["--port", "sim"]])
def test_what_a_killed_host_left_in_the_gun_is_stored_by_a_sync(mesogun, surroundings, options):
    run = _begun(surroundings)
    run.kill()
    run.communicate()
    [board_id] = kept_guns()
    assert "1 virtual gun may hold records" in mesogun("sessions", "list").err

    [outcome] = mesogun("sessions", "sync", *options, "--json").data
    assert outcome["id"] == board_id.hex()
    assert outcome["problem"] is None
    assert outcome["stored"] > 0
    assert kept_guns() == []
    [session] = mesogun("sessions", "list", "--json").data
    assert outcome["sessions"] == [session["id"]]
    assert session["status"] == "interrupted"
    assert session["shots_delivered"] >= 1
    verified = mesogun("sessions", "verify", "--json")
    assert (verified.code, verified.data[0]["ok"]) == (0, True)
    assert mesogun("sessions", "sync").out == "No gun holds any records.\n"


@pytest.mark.req("R41")
def test_a_gun_proves_what_the_store_cannot_prove_by_itself(mesogun, surroundings):
    run = _begun(surroundings)
    run.kill()
    run.communicate()
    [board_id] = kept_guns()
    proven = mesogun("sessions", "verify", "--port", "sim", "--json").data[-1]
    assert (proven["id"], proven["ok"], proven["first_sequence"]) == (board_id.hex(), True, 1)
    # No seal of a session covers a record that lies before its start.
    [session] = mesogun("sessions", "list", "--json").data
    with closing(sqlite3.connect(surroundings / "records.db")) as store:
        [raw] = store.execute("select raw from records where kind = 9").fetchone()
        forged = bytes([*raw[:12], raw[12] ^ 1, *raw[13:28]])
        forged += zlib.crc32(forged).to_bytes(4, "little")
        store.execute("update records set raw = ? where kind = 9", (forged,))
        store.commit()
    alone = mesogun("sessions", "verify", session["id"], "--json")
    assert "gun-hash" not in [problem["kind"] for problem in alone.data[0]["problems"]]
    found = mesogun("sessions", "verify", "--port", "sim")
    assert found.code == 1
    assert f"{board_id.hex()}: gun-hash: The gun's own hash does not fit records 2 to" in found.out
    assert len(kept_guns()) == 1


def test_a_virtual_gun_in_use_is_left_alone_by_a_sync(mesogun, surroundings):
    run = _begun(surroundings)
    [outcome] = mesogun("sessions", "sync", "--json").data
    assert "in use by another process" in outcome["problem"]
    assert len(kept_guns()) == 1
    run.send_signal(signal.SIGINT)
    run.communicate()
    assert run.returncode == 130


def test_a_gun_that_refuses_before_the_start_leaves_nothing_behind(mesogun, program, monkeypatch):
    def refuse(_: Treatment) -> None:
        raise GunRefused("The gun refused arm: the interlock is open; close it.")

    monkeypatch.setattr(Treatment, "prepare", refuse)
    ran = mesogun("run", program(), *FAST, "--json")
    assert (ran.code, ran.out) == (1, "")
    assert (
        ran.err == "Nothing was delivered.\nThe gun refused arm: the interlock is open; close it.\n"
    )
    assert kept_guns() == []


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({}, 0, ""),
        (
            {"faults": ("occlusion",), "ended": EndReason.FAULTED},
            1,
            "Fault occlusion: Liquid was pushed",
        ),
        # The needle was changed, and the rest given.
        ({"faults": ("occlusion",)}, 0, "Fault occlusion: Liquid was pushed"),
        ({"faults": ("occlusion",), "ended": EndReason.STOPPED}, 130, "Fault occlusion"),
        ({"ended": EndReason.STOPPED}, 130, ""),
        ({"ended": EndReason.DISARMED}, 1, ""),
        ({"record_complete": False}, 1, "mesogun sessions verify abcdefgh"),
        ({"ended": None, "record_complete": False}, 1, "The record is not complete"),
    ],
)
def test_the_exit_code_tells_how_a_session_ended(
    mesogun, program, monkeypatch, changes, code, told
):
    result = replace(RESULT, **changes)
    monkeypatch.setattr(Visit, "run", lambda *_: result)
    monkeypatch.setattr(Visit, "can_go_on", False)
    monkeypatch.setattr(Visit, "left", Left(0, 0, 0))
    monkeypatch.setattr(attending, "next_due", lambda *_: None)
    ran = mesogun("run", program(), *FAST, "--json")
    assert ran.code == code
    assert told in ran.err
    assert ran.data["faults"] == list(result.faults)
    assert ran.data["ended"] == (result.ended.name.lower() if result.ended is not None else None)


def test_a_visit_that_ends_with_its_syringe_and_not_with_its_program_was_broken_off(
    mesogun, program, monkeypatch
):
    monkeypatch.setattr(Visit, "run", lambda *_: RESULT)
    monkeypatch.setattr(Visit, "can_go_on", False)
    monkeypatch.setattr(Visit, "left", Left(2, 20_000, 1))
    monkeypatch.setattr(attending, "next_due", lambda *_: None)
    ran = mesogun("run", program(), *FAST, "--json")
    assert (ran.code, ran.data["shots_left"]) == (130, 2)


RESULT = Result(
    session="abcdefgh",
    program="Five points",
    shots_planned=5,
    shots_delivered=5,
    volume_planned_nl=150_000,
    volume_delivered_nl=150_000,
    volume_needle_nl=None,
    duration_s=4.0,
    faults=(),
    uncertain_shots=0,
    record_complete=True,
    record_hash="0" * 64,
    seed=1,
    ended=EndReason.COMPLETE,
)


ANSWERS = {
    "allergy": "no",
    "skin": "no",
    "asepsis": "yes",
    "product": "yes",
    "thinners": "no",
    "creams": "no",
    "goals": "yes",
}


def answered(**changes: str) -> list[str]:
    given = [(name, said) for name, said in (ANSWERS | changes).items() if said]
    return [part for name, said in given for part in ("--answer", f"{name}={said}")]


def notes_of(mesogun, session: str) -> dict[str, dict]:
    exported = json.loads(mesogun("sessions", "export", session).out)
    return {each["kind"]: each["content"] for each in exported["notes"]}


def test_the_answers_stand_in_the_record_under_its_seals(mesogun, program):
    ran = mesogun("run", program(), *FAST, *answered(), "--json")
    assert ran.code == 0, ran.err
    notes = notes_of(mesogun, ran.data["session"])
    assert {each["id"]: each["said"] for each in notes["checklist"]["answers"]} == ANSWERS
    assert notes["checklist"]["asked"]
    assert notes["syringe"] == {"syringe": "bd-plastipak-5", "confirmed": False}
    assert mesogun("sessions", "verify", ran.data["session"]).code == 0


def test_that_nobody_was_asked_stands_there_too(mesogun, program):
    ran = mesogun("run", program(), *FAST, "--json")
    checklist = notes_of(mesogun, ran.data["session"])["checklist"]
    assert checklist == {"asked": False, "why": "simulated gun, --yes", "answers": []}


@pytest.mark.req("R02")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"allergy": "yes"}, "Do not treat with this product"),
        ({"skin": "yes"}, "Do not inject there"),
        ({"asepsis": "no"}, "Do that first"),
        ({"product": "no"}, "Do not inject it"),
        ({"thinners": "yes"}, "Bruises are more likely"),
        ({"allergy": ""}, "--answer allergy=yes or --answer allergy=no"),
    ],
)
def test_yes_skips_no_question_that_forbids_or_was_not_answered(mesogun, program, changes, told):
    ran = mesogun("run", program(), *FAST, *answered(**changes))
    assert (ran.code, ran.out) == (2, "")
    assert "Not started" in ran.err
    assert told in ran.err
    assert mesogun("sessions", "list", "--json").data == []
    assert kept_guns() == []


def test_a_large_program_takes_its_syringes_and_tells_them(mesogun):
    ran = mesogun("run", "face", "--syringe", "bd-plastipak-3", *FAST, "--auto-trigger", "--json")
    assert ran.code == 0
    assert "Confirm 2 syringes" in ran.err
    assert len(ran.data["sessions"]) == 2
    assert ran.data["shots_delivered"] == 300
    assert ran.data["next_session"]["number"] == 2


@pytest.mark.parametrize("delivery", ["dry", "wet", "mixed"])
def test_each_delivery_runs_from_its_name(mesogun, delivery):
    ran = mesogun("run", "nappage", "--delivery", delivery, *FAST, "--auto-trigger", "--json")
    assert ran.code == 0
    assert ran.data["shots_delivered"] == 100
    films_nl = {"dry": 0, "wet": 300_000, "mixed": 150_000}[delivery]
    assert ran.data["volume_planned_nl"] == 1_000_000 + films_nl


@pytest.mark.parametrize("name", [*treatments(), *techniques()])
def test_each_treatment_and_technique_runs_from_its_name(mesogun, name):
    ran = mesogun("run", name, *FAST, "--auto-trigger", "--json")
    assert ran.code == 0, ran.err
    assert ran.data["shots_delivered"] == ran.data["shots_planned"]
    assert ran.data["record_complete"]


def test_the_summary_names_the_next_session_and_what_to_tell_the_patient(mesogun, monkeypatch):
    run = ("run", "face", *FAST, "--auto-trigger")
    ran = mesogun(*run)
    assert "session 2 of 10, on " in ran.out
    assert "No bath and no shower for 12 hours." in ran.out
    monkeypatch.setenv("MESOGUN_LANG", "fr")
    assert "séance 2 sur 10, le " in mesogun(*run).out
