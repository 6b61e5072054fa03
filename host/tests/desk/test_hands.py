"""What keys do to a treatment and to the panel of a virtual gun."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from mesogun.desk.hands import PRESS_S, REPEAT_S, Hands
from mesogun.treatment import Action
from mesogun.virtual.panel import Panel
from mesogun_protocol.enums import ControllerState, StepKind, TriggerMode
from tests.desk.progress import look

PAUSED = ControllerState.PAUSED
PRESSING = look(trigger_mode=TriggerMode.PRESS)


@dataclass
class Person:
    """Hands on a virtual gun, and a clock on the wall."""

    operated: bool = False
    panel: Panel = field(default_factory=Panel)
    now_s: float = 100.0

    def __post_init__(self) -> None:
        self.hands = Hands(self.panel, self.operated, lambda: self.now_s)

    def types(self, keys: str, progress=None, after_s: float = 2 * REPEAT_S) -> Action | None:
        self.now_s += after_s
        return self.hands.take(keys, progress or look())


@pytest.mark.parametrize(
    ("key", "state", "action"),
    [
        ("p", ControllerState.RUNNING, Action.PAUSE),
        ("p", PAUSED, Action.RESUME),
        ("\r", PAUSED, Action.RESUME),
        ("\n", PAUSED, Action.RESUME),
        ("\n", ControllerState.RUNNING, None),
        ("s", ControllerState.RUNNING, Action.STOP),
        ("q", PAUSED, Action.STOP),
        ("c", ControllerState.RUNNING, Action.CHANGE),
        ("c", PAUSED, Action.CHANGE),
        ("cs", ControllerState.RUNNING, Action.STOP),
        ("x", ControllerState.RUNNING, None),
    ],
)
def test_a_key_asks_for_an_action(key, state, action):
    assert Person().types(key, look(state=state)) is action


def test_the_needle_of_a_virtual_gun_can_be_blocked_and_freed():
    plant = SimpleNamespace(occluded=False)
    hands = Hands(Panel(), False, lambda: 0.0, plant)  # pyright: ignore[reportArgumentType]
    hands.take("o", look())
    assert plant.occluded
    hands.take("o", look())
    assert not plant.occluded
    assert Person().types("o") is None


def test_a_stop_wins_over_every_other_key():
    assert Person().types("psp") is Action.STOP


def test_in_hold_mode_space_holds_until_the_next_space():
    person = Person()
    person.types(" ")
    assert person.panel.trigger
    person.types("", look(elapsed_s=99.0))
    assert person.panel.trigger
    person.types(" ")
    assert not person.panel.trigger


def test_a_key_that_is_held_down_is_one_press_of_it():
    person = Person()
    person.types(" ")
    person.types(" ", after_s=REPEAT_S * 0.9)
    for _ in range(50):
        person.types("  ", after_s=0.03)
    assert person.panel.trigger
    person.types(" ")
    assert not person.panel.trigger


def test_in_press_mode_space_is_one_press_long_enough_to_count():
    person = Person()
    person.types(" ", look(trigger_mode=TriggerMode.PRESS, elapsed_s=10.0))
    assert person.panel.trigger
    person.types("", look(trigger_mode=TriggerMode.PRESS, elapsed_s=10.0 + PRESS_S / 2))
    assert person.panel.trigger
    person.types("", look(trigger_mode=TriggerMode.PRESS, elapsed_s=10.0 + 2 * PRESS_S))
    assert not person.panel.trigger


@pytest.mark.parametrize(
    "progress",
    [
        look(state=PAUSED),
        look(state=ControllerState.DONE),
        look(state=ControllerState.FAULT),
        look(trigger_mode=TriggerMode.AUTO),
    ],
)
def test_the_trigger_is_released_when_there_is_nothing_to_hold_it_for(progress):
    person = Person()
    person.types(" ")
    person.types("", progress)
    assert not person.panel.trigger
    person.types(" ", progress)
    assert not person.panel.trigger


def test_a_prime_is_started_with_the_trigger_whatever_its_mode():
    person = Person()
    person.types(" ", look(step_kind=StepKind.PRIME, trigger_mode=TriggerMode.AUTO))
    assert person.panel.trigger


def test_a_virtual_operator_keeps_the_trigger_to_himself():
    person = Person(operated=True)
    person.types(" ")
    assert not person.panel.trigger
    person.panel.trigger = True
    person.types("", look(state=PAUSED))
    assert person.panel.trigger


def test_the_interlock_opens_and_closes():
    person = Person()
    person.types("i")
    assert not person.panel.interlock_closed
    assert person.hands.interlock_open
    person.types("i")
    assert person.panel.interlock_closed


def test_at_a_real_gun_the_keys_of_the_panel_do_nothing():
    hands = Hands(None, False, lambda: 0.0)
    assert hands.take(" i", look()) is None
    assert not hands.works_trigger(look())
    assert not hands.interlock_open
    assert hands.take("p", look()) is Action.PAUSE
