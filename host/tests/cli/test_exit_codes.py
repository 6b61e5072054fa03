"""Every error has its exit code, one message on stderr and no traceback."""

import errno
import subprocess
import sys

import pytest
from typer import Abort

from mesogun import errors
from mesogun.cli.exit_codes import UNEXPECTED, exit_code
from mesogun.link import DoseUncertain, NoAnswer
from mesogun.program import InvalidProgram

EXPECTED = {
    errors.GunRefused("x"): 1,
    errors.GunFault("x"): 1,
    errors.RecordError("x"): 1,
    errors.UsageError("x"): 2,
    errors.ProgramError("x"): 2,
    InvalidProgram(()): 2,
    errors.PortError("x"): 3,
    errors.VersionMismatch("x"): 4,
    errors.LinkError("x"): 5,
    NoAnswer("x"): 5,
    DoseUncertain("start", "x"): 5,
    KeyboardInterrupt(): 130,
    Abort(): 130,
    ZeroDivisionError("x"): 70,
}


@pytest.mark.parametrize(("error", "code"), EXPECTED.items(), ids=repr)
def test_each_error_has_its_code(error, code):
    assert exit_code(error) == code


def test_every_branch_of_the_tree_of_errors_is_in_the_table():
    tree = {each for each in vars(errors).values() if isinstance(each, type)}
    for kind in tree - {errors.MesogunError}:
        assert exit_code(kind("x")) != UNEXPECTED


@pytest.mark.parametrize(
    ("error", "code"),
    [(errors.PortError("No gun here."), 3), (errors.LinkError("Gone."), 5)],
)
def test_an_error_is_told_in_its_own_words_and_without_a_traceback(
    mesogun, monkeypatch, error, code
):
    _failing(monkeypatch, error)
    ran = mesogun("devices")
    assert (ran.code, ran.out, ran.err) == (code, "", f"{error}\n")


def test_notes_of_an_error_are_told(mesogun, monkeypatch):
    error = errors.LinkError("Gone.")
    error.add_note("It may still be moving.")
    _failing(monkeypatch, error)
    assert mesogun("devices").err == "Gone.\nIt may still be moving.\n"


def test_a_defect_is_one_sentence_that_asks_for_a_report(mesogun, monkeypatch):
    _failing(monkeypatch, ZeroDivisionError("division by zero"))
    ran = mesogun("devices")
    assert ran.code == 70
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert "ZeroDivisionError: division by zero" in ran.err
    assert "please report it" in ran.err
    assert "mesogun --debug" in ran.err


def test_a_pipe_that_breaks_within_a_command_is_a_defect_and_not_silent(mesogun, monkeypatch):
    _failing(monkeypatch, BrokenPipeError(errno.EPIPE, "Broken pipe"))
    ran = mesogun("devices")
    assert (ran.code, ran.out) == (70, "")
    assert "BrokenPipeError" in ran.err


@pytest.mark.parametrize("way", ["option", "environment"])
def test_debug_adds_the_traceback(mesogun, monkeypatch, way):
    _failing(monkeypatch, ZeroDivisionError("x"))
    if way == "environment":
        monkeypatch.setenv("MESOGUN_DEBUG", "1")
    ran = mesogun(*(["--debug"] if way == "option" else []), "devices")
    assert ran.code == 70
    assert "Traceback" in ran.err


def test_an_interrupt_is_told_and_has_its_code(mesogun, monkeypatch):
    _failing(monkeypatch, KeyboardInterrupt())
    ran = mesogun("devices")
    assert (ran.code, ran.out, ran.err) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frobnicate"], "No such command 'frobnicate'."),
        (["run"], "Missing argument 'PROGRAM'."),
        (["check", "face", "--nonsense"], "No such option: --nonsense"),
        (["run", "face", "--seed", "minus"], "--seed"),
        (["run", "face", "--seed", "-1"], "--seed"),
        (["run", "face", "--seed", "4294967296"], "--seed"),
        (["sessions", "list", "--since", "yesterday"], "--since"),
        (["catalog"], "Missing command."),
    ],
)
def test_a_wrong_command_line_is_told_with_where_to_read_more(mesogun, arguments, said):
    ran = mesogun(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert said in ran.err
    assert "--help` tells more" in ran.err
    assert "Traceback" not in ran.err


def _failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("mesogun.cli.gun_state.devices", fail)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_leaves_early_causes_no_traceback(surroundings, stream):
    script = (
        "import os, sys; from mesogun.cli import main;"
        f"read, write = os.pipe(); os.dup2(write, sys.{stream}.fileno()); os.close(write);"
        "os.close(read); sys.exit(main(['devices'] if sys.argv[1:] else ['catalog', 'needles']))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *(["devices"] if stream == "stderr" else [])],
        capture_output=True,
        text=True,
        check=False,
        cwd=surroundings,
    )
    assert ran.returncode == (141 if stream == "stdout" else 0)
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_a_language_that_does_not_exist_is_told_and_stops_nothing(mesogun, monkeypatch):
    monkeypatch.setenv("MESOGUN_LANG", "tlh")
    ran = mesogun("version")
    assert ran.code == 0
    assert ran.err == "MESOGUN_LANG=tlh: choose one of en, fr; English is used.\n"


def test_people_are_spoken_to_in_their_language_and_programs_are_not(mesogun, monkeypatch):
    monkeypatch.setenv("MESOGUN_LANG", "fr")
    assert "300 injections de 10 µl en 0,1 s" in mesogun("check", "face").out
    assert mesogun("check", "face", "--json").data["name"] == "Facial rejuvenation"
