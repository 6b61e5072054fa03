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


def test_a_run_is_confirmed_followed_and_summed_up_without_colour(surroundings):
    child = terminal("mesogun.cli", *RUN, surroundings=surroundings, NO_COLOR="1")
    child.logfile_read = io.StringIO()
    child.expect(r"300 shots of 10 ul")
    child.expect(r"gun +virtual gun, seed 1, as fast as it goes")
    child.expect(r"Start\? \[y/N\] ")
    child.sendline("y")
    child.expect("Facial rejuvenation ")
    child.expect(r"Keys:")
    child.expect(r"session +\w{8}, complete")
    child.expect(r"shots +300 of 300")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert not re.search(r"\x1b\[[\d;]*\b(3|4|9|10)\d[;m]", child.logfile_read.getvalue())


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [("n\r", 2, "Not started"), ("\r", 2, "Not started"), ("\x04", 2, "Not started")],
    ids=["no", "nothing", "end of input"],
)
def test_without_a_yes_nothing_is_delivered(surroundings, answer, code, told):
    child = terminal("mesogun.cli", *RUN, surroundings=surroundings)
    child.expect(r"Start\? \[y/N\] ")
    child.send(answer)
    child.expect("Nothing was delivered")
    child.expect(told)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert list((surroundings / "virtual").glob("*")) == []


RUN = ("run", "face", "--port", "sim", "--speed", "max", "--auto-trigger", "--seed", "1")
