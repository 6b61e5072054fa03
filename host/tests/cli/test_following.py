"""What is told on the way, and what is passed on to the treatment."""

import pytest

from mesogun.cli.following import Lines
from mesogun.desk.careful import Careful
from mesogun.treatment import Action
from mesogun_protocol.enums import ControllerState
from tests.desk.progress import look

PAUSED = ControllerState.PAUSED


def test_a_line_is_written_when_something_changes_and_once_a_second(capsys):
    now_s = [0.0]
    lines = Lines(lambda: now_s[0])

    def told(progress) -> str:
        lines(progress)
        return capsys.readouterr().err

    assert "41.0 s: running, step 1 of 1, 123 of 300 shots, 1.230 ml given" in told(look())
    assert told(look(shots_done=124)) == ""
    assert "paused" in told(look(state=PAUSED))
    now_s[0] = 0.9
    assert told(look(state=PAUSED)) == ""
    now_s[0] = 1.0
    assert "paused" in told(look(state=PAUSED))


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_pause_of_the_program_is_passed_only_where_that_was_confirmed(goes_on):
    careful = Careful(lambda _: None, goes_on)
    expected = Action.RESUME if goes_on else None
    assert careful(look(state=PAUSED, message="Change side")) is expected
    assert careful(look(state=PAUSED)) is None
    assert careful(look()) is None


@pytest.mark.parametrize("asked", Action)
def test_what_the_keys_ask_for_is_passed_on(asked):
    careful = Careful(lambda _: asked, goes_on=True)
    assert careful(look(state=PAUSED, message="Change side")) is asked


def test_nothing_goes_on_while_the_trigger_may_still_be_felt():
    careful = Careful(lambda _: Action.RESUME, goes_on=True)
    pause = {"state": PAUSED, "message": "Change side"}
    assert careful(look(**pause, trigger_pressed=True, elapsed_s=10.0)) is None
    assert careful(look(**pause, elapsed_s=10.05)) is None
    assert careful(look(**pause, elapsed_s=10.2)) is Action.RESUME


def test_a_stop_is_passed_on_whatever_the_trigger_does():
    careful = Careful(lambda _: Action.STOP, goes_on=False)
    assert careful(look(trigger_pressed=True)) is Action.STOP
