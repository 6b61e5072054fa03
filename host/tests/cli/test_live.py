"""The live view on a real pseudo-terminal of 80 columns and 24 lines, with keys."""

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

HOST = Path(__file__).parents[2]
PROTOCOL = HOST.parent / "protocol"


def terminal(*command: str, surroundings: Path, **environment: str) -> pexpect.spawn:
    """`command` of this Python on a terminal of its own."""
    return pexpect.spawn(
        sys.executable,
        ["-m", *command],
        dimensions=(24, 80),
        timeout=30,
        encoding="utf-8",
        cwd=str(surroundings),
        env={
            **os.environ,
            "PYTHONPATH": f"{HOST}:{PROTOCOL}",
            "TERM": "xterm-256color",
            **environment,
        },
    )


@pytest.fixture
def fake(surroundings: Path) -> Iterator[pexpect.spawn]:
    child = terminal("tests.cli.fake_treatment", surroundings=surroundings)
    yield child
    child.close(force=True)


def test_keys_work_the_trigger_pause_and_stop(fake):
    fake.expect("HOLD THE TRIGGER")
    fake.send(" ")
    fake.expect("Delivering while the trigger is held")
    fake.expect("200 of 300, 100 left")
    fake.send("p")
    fake.expect("PAUSE: nothing moves")
    fake.send("p")
    fake.expect("HOLD THE TRIGGER")
    fake.send("i")
    fake.expect("INTERLOCK OPEN")
    fake.send("s")
    fake.expect("over: 200 shots, trigger False, Action.STOP")
    fake.expect(pexpect.EOF)


def test_arrows_and_upper_case_do_no_harm(fake):
    fake.expect("HOLD THE TRIGGER")
    fake.send("\x1b[A")
    fake.send("P")
    fake.expect("PAUSE")
    fake.send("Q")
    fake.expect("over: 0 shots")


def until_the_start(child: pexpect.spawn) -> None:
    """Answers everything that is asked before it."""
    child.expect("Number:")
    child.sendline("2")
    for answer in "nnyynny":
        child.expect(r"\[y/n\] ")
        child.sendline(answer)
    child.expect("Draw up 3.300 ml into the BD Plastipak 5 ml")
    child.expect(r"Is it in\? \[y/n\] ")
    child.sendline("y")
    child.expect(r"Prime the needle now\? \[y/N\] ")
    child.sendline("y")
    child.expect("50 ul primed")
    child.expect(r"Did a drop leave the needle\? \[y/n\] ")
    child.sendline("y")
    child.expect(r"Start\? \[y/N\] ")


def test_a_run_is_confirmed_followed_and_summed_up_without_colour(surroundings):
    child = terminal("mesogun.cli", *RUN, surroundings=surroundings, NO_COLOR="1")
    child.logfile_read = io.StringIO()
    until_the_start(child)
    child.sendline("y")
    child.expect("Facial rejuvenation ")
    child.expect(r"Keys:")
    child.expect(r"session +\w{8}, complete")
    child.expect(r"shots +300 of 300")
    child.expect(r"next +session 2 of 10")
    child.expect(pexpect.EOF)
    child.close()
    shown = child.logfile_read.getvalue()
    assert child.exitstatus == 0
    assert re.search(r"300 shots of 10 ul", shown)
    assert re.search(r"gun +virtual gun, seed 1, as fast as it goes", shown)
    assert not re.search(r"\x1b\[[\d;]*\b(3|4|9|10)\d[;m]", shown)


@pytest.mark.parametrize(
    ("place", "told"),
    [(0, "Do not treat with this product"), (4, "Bruises are more likely")],
    ids=["hard", "soft"],
)
def test_an_answer_that_forbids_ends_before_anything_moves(surroundings, place, told):
    child = terminal("mesogun.cli", *RUN, "--syringe", "bd-plastipak-5", surroundings=surroundings)
    answers = list("nnyyny")
    answers[place] = "y"
    for answer in answers[: place + 1]:
        child.expect(r"\[y/n\] ")
        child.sendline(answer)
    if place:
        child.expect(r"Treat all the same\? \[y/N\] ")
        child.sendline("")
    child.expect("Nothing was delivered")
    child.expect("Not started")
    child.expect(told.replace(" ", r"\s+"))
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2


def test_another_syringe_than_the_programs_ends_before_anything_moves(surroundings):
    child = terminal("mesogun.cli", *RUN, "--syringe", "terumo-5", surroundings=surroundings)
    for answer in "nnyynny":
        child.expect(r"\[y/n\] ")
        child.sendline(answer)
    child.expect(r"is it a Terumo 5 ml\? \[y/n\] ")
    child.sendline("n")
    child.expect(r"the\s+program\s+is\s+for\s+a\s+Terumo\s+5\s+ml")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [("n\r", 2, "Not started"), ("\r", 2, "Not started"), ("\x04", 2, "The terminal was closed")],
    ids=["no", "nothing", "end of input"],
)
def test_without_a_yes_nothing_is_delivered(surroundings, answer, code, told):
    child = terminal("mesogun.cli", *RUN, surroundings=surroundings)
    until_the_start(child)
    child.send(answer)
    child.expect("Nothing was delivered")
    child.expect(told)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert list((surroundings / "virtual").glob("*")) == []


RUN = ("run", "face", "--port", "sim", "--speed", "max", "--auto-trigger", "--seed", "1")
