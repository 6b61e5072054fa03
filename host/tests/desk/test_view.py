"""The live view as a person reads it, drawn for terminals of several sizes."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from mesogun.desk.big import big
from mesogun.desk.hands import Hands
from mesogun.desk.view import _keys, picture
from mesogun.treatment import Progress
from mesogun.virtual.panel import Panel
from mesogun.words import speak
from mesogun_protocol.enums import ControllerState, Fault, StepKind, TriggerMode
from tests.desk.progress import look

RUNNING, PAUSED = ControllerState.RUNNING, ControllerState.PAUSED
AUTO, PRESS = TriggerMode.AUTO, TriggerMode.PRESS
LONG = "Change to the other side of the body and wait until the skin there is dry again"


def _hands(panel: Panel | None, operated: bool = False) -> Hands:
    return Hands(panel, operated, lambda: 0.0)


SIM = _hands(Panel())
OPERATED = _hands(Panel(), operated=True)
REAL = _hands(None)


def drawn(
    progress: Progress,
    hands: Hands = SIM,
    *,
    keys: bool = True,
    columns: int = 80,
    rows: int = 24,
) -> list[str]:
    console = Console(file=io.StringIO(), width=columns, height=rows, force_terminal=False)
    with console.capture() as lines:
        console.print(picture(progress, "virtual gun, seed 7, speed 1", hands, keys))
    return lines.get().splitlines()


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 24), (80, 60), (160, 50)])
@pytest.mark.parametrize(
    "progress",
    [
        look(shots_done=10_799, shots_planned=10_800, refusal="The trigger is still held"),
        look(shots_done=10_799, shots_planned=10_800),
        look(),
        look(state=PAUSED, step_kind=StepKind.PAUSE, message=LONG * 2),
        look(program_name="x" * 200),
        look(fault=Fault.BUDGET_EXHAUSTED, state=ControllerState.FAULT),
    ],
    ids=["refused", "longest", "running", "long message", "long name", "fault"],
)
def test_the_view_fits_the_terminal(progress, columns, rows):
    lines = drawn(progress, columns=columns, rows=rows)
    # One line stays free for the cursor below the view.
    assert len(lines) < rows
    assert {len(line) for line in lines} == {columns}


def test_the_view_shows_every_figure_with_its_unit():
    text = "\n".join(drawn(look()))
    for told in (
        "Facial rejuvenation",
        "1 of 1: shots, while the trigger is held",
        "123 of 300, 177 left",
        "1.230 ml given, 1.770 ml to go",
        "1.920 ml of 3.150 ml left",
        "212 kPa, stops at 453 kPa",
        "running; trigger released",
        "41.0 s, about 59.0 s left",
        "virtual gun, seed 7",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("columns", "rows", "scale"), [(80, 24, 1), (160, 24, 1), (100, 33, 2), (160, 50, 3)]
)
def test_the_large_letters_grow_with_the_screen(columns, rows, scale):
    lines = [line[2:-2].rstrip() for line in drawn(look(), columns=columns, rows=rows)]
    for text in ("HOLD", "123/300"):
        large = [line.rstrip() for line in big(text, scale)]
        assert len(large) == 5 * scale
        assert any(lines[at : at + len(large)] == large for at in range(len(lines)))


def test_the_bars_take_the_columns_of_a_wide_screen():
    (line,) = [each for each in drawn(look(), columns=160) if "123 of 300" in each]
    assert line.count("#") + line.count(".") == 24 + 80


DOING = [
    (look(), SIM, "HOLD THE TRIGGER (space takes hold of it)."),
    (look(), REAL, "HOLD THE TRIGGER."),
    (look(), OPERATED, "Waiting for the virtual operator"),
    (look(wants_trigger=False), SIM, "Delivering while the trigger is held (space releases it)."),
    (look(trigger_mode=PRESS), SIM, "PRESS THE TRIGGER for the next shot (space)."),
    (look(trigger_mode=PRESS), REAL, "PRESS THE TRIGGER for the next shot."),
    (look(trigger_mode=AUTO), SIM, "The gun delivers by itself."),
    (look(step_kind=StepKind.PRIME), SIM, "PRIME: point the needle away from people"),
    (look(state=PAUSED), SIM, "PAUSE: nothing moves. Press p to go on."),
    (look(state=PAUSED, message="Change side."), REAL, "PAUSE: Change side. Press p to go on."),
    (look(state=PAUSED, trigger_pressed=True), REAL, "moves. Release the trigger first. Press p"),
    (look(state=ControllerState.ARMED), SIM, "about to start"),
    (look(state=ControllerState.DONE), SIM, "The session is over."),
    (look(state=ControllerState.FAULT, fault=Fault.OCCLUSION), SIM, "OCCLUSION: Liquid was pushed"),
]


@pytest.mark.parametrize(("progress", "hands", "told"), DOING, ids=[each[2] for each in DOING])
def test_the_first_line_says_what_to_do_now(progress, hands, told):
    (line,) = [each for each in drawn(progress, hands) if each.startswith("│ > ")]
    assert told in line


@pytest.mark.parametrize(
    ("progress", "word"),
    [
        (look(), "HOLD"),
        (look(trigger_mode=PRESS), "PRESS"),
        (look(wants_trigger=False), "GIVING"),
        (look(trigger_mode=AUTO, wants_trigger=False), "GIVING"),
        (look(step_kind=StepKind.PRIME), "PRIME"),
        (look(state=PAUSED), "PAUSE"),
        (look(state=ControllerState.ARMED), "READY"),
        (look(state=ControllerState.DONE), "OVER"),
        (look(state=ControllerState.FAULT, fault=Fault.OCCLUSION), "ALARM"),
    ],
)
def test_what_to_do_stands_in_letters_for_two_metres(progress, word):
    lines = drawn(progress)
    # An alarm has the room of the count as well.
    large = [each.rstrip() for each in big(word, 2 if word == "ALARM" else 1)]
    assert [line[2:-2].rstrip() for line in lines[1 : 1 + len(large)]] == large
    count = [each.rstrip() for each in big("123/300")]
    shown = [line[2:-2].rstrip() for line in lines]
    assert any(shown[at : at + 5] == count for at in range(20)) == (word != "ALARM")


def test_the_largest_count_fits_beside_its_frame():
    lines = drawn(look(shots_done=10_799, shots_planned=10_800))
    assert [each.rstrip() for each in big("10799/10800")] == [
        line[2:-2].rstrip() for line in lines[7:12]
    ]


def test_letters_have_no_accents_and_lose_what_has_no_shape():
    assert big("prêt") == big("PRET")
    assert big("a~b") == big("AB")
    assert len({len(line) for line in big("REDO 0123456789/-")}) == 1


def test_which_syringe_it_is_is_told_if_there_are_several():
    assert "Syringe 2/3" in "\n".join(drawn(look(syringe_number=2, syringe_count=3)))
    assert "Syringe 1/1" not in "\n".join(drawn(look()))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_view_fits_in_every_language(language):
    with speak(language):
        for progress in (
            look(),
            look(state=PAUSED, step_kind=StepKind.PAUSE, message=LONG),
            *(look(state=ControllerState.FAULT, fault=each) for each in set(Fault) - {Fault.NONE}),
        ):
            lines = drawn(progress)
            assert len(lines) < 24
            assert {len(line) for line in lines} == {80}


def test_without_keys_none_are_named():
    text = "\n".join(drawn(look(state=PAUSED), keys=False))
    assert "Press p" not in text
    assert "Keys" not in text
    assert "(space" not in "\n".join(drawn(look(), keys=False))


@pytest.mark.parametrize(
    ("progress", "hands", "named", "not_named"),
    [
        (look(), SIM, ["space trigger", "p pause", "c new", "s stop", "i inter"], ["go on"]),
        (look(state=PAUSED), SIM, ["p go on"], ["p pause", "space"]),
        (look(trigger_mode=AUTO), SIM, ["p pause"], ["space"]),
        (look(), REAL, ["p pause", "s stop"], ["space", "interlock"]),
        (look(), OPERATED, ["i interlock"], ["space"]),
    ],
)
def test_the_keys_that_do_something_are_named(progress, hands, named, not_named):
    keys = next(line for line in drawn(progress, hands) if "Keys:" in line)
    for each in named:
        assert each in keys
    for each in not_named:
        assert each not in keys


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_keys_take_one_line(language):
    with speak(language):
        plant = SimpleNamespace(occluded=False)
        hands = Hands(Panel(), False, lambda: 0.0, plant)  # pyright: ignore[reportArgumentType]
        shown = _keys(look(), hands)
    assert len(shown) <= 76


def test_an_open_interlock_is_told_in_words():
    text = "\n".join(drawn(look(), _hands(Panel(interlock_closed=False))))
    assert "INTERLOCK OPEN" in text


@pytest.mark.parametrize(("done", "filled"), [(0, 0), (150, 12), (300, 24), (400, 24)])
def test_bars_are_filled_by_their_share(done, filled):
    line = next(line for line in drawn(look(shots_done=done)) if " Shots " in line)
    assert line.count("#") == filled


def test_nothing_planned_is_an_empty_bar():
    line = next(line for line in drawn(look(planned_nl=0, delivered_nl=0)) if " Volume " in line)
    assert line.count("#") == 0


def test_a_refusal_is_shown_with_its_reason():
    text = " ".join("\n".join(drawn(look(refusal="release the trigger first"))).split())
    assert "Not done: release the trigger first" in text
    assert "Not done" not in "\n".join(drawn(look()))
