"""A whole day at the console, by keys alone, in each language."""

import asyncio

import pytest

from mesogun.records import Store
from mesogun.treatment import Progress
from mesogun.words import _
from mesogun_protocol.enums import ControllerState, EndReason, StepKind
from tests.console.screens import compare


def shots(number: int):
    return lambda progress: progress.shots_done >= number


def waits_for_prime(progress: Progress) -> bool:
    return progress.step_kind is StepKind.PRIME and progress.wants_trigger


def waits_for_trigger(progress: Progress) -> bool:
    return progress.state is ControllerState.RUNNING and progress.wants_trigger


def long_paused():
    """Paused, and the trigger up for longer than the gun debounces it."""
    since: list[float] = []

    def wanted(progress: Progress) -> bool:
        if progress.state is ControllerState.PAUSED and not progress.trigger_pressed:
            since.append(progress.elapsed_s)
        return bool(since) and progress.elapsed_s - since[0] > 0.3

    return wanted


@pytest.mark.req("R29", "R30")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_day_by_keys(sit, surroundings, monkeypatch, language):
    monkeypatch.setenv("MESOGUN_LANG", language)
    yes = "y" if language == "en" else "o"
    kept: dict[str, str] = {}

    async def day() -> None:
        async with sit() as person:
            assert _("NONE CHOSEN") in person.screen
            await person.press("g")
            await person.back()
            assert _("virtual gun") in person.screen
            await person.press("enter")
            await person.press("o")
            await person.type("Dr. A")
            assert "Dr. A" in person.screen
            kept["day"] = person.screen
            await person.press("t")
            kept["programs"] = person.screen
            await person.press("enter")  # the first treatment: face
            await plan(person, kept)
            await prepare(person, yes, kept)
            await start(person, yes)
            assert f"> {_('HOLD THE TRIGGER{key}.').split('{')[0]}" in person.screen
            await person.press("space")
            await person.until(shots(3))
            await person.press("p")
            await person.until(long_paused())
            kept["pause"] = person.screen
            await person.press("p")
            await person.until(waits_for_trigger)
            await person.press("space")
            await person.until(shots(6))
            await person.press("o")  # a blocked needle
            person.gate.open()
            await person.hear(_("How do you want to go on?"))
            assert _("OCCLUSION") in person.screen
            kept["alarm"] = person.screen
            await person.press("1", "enter")  # another syringe
            await person.answer("BD Plastipak 5 ml", yes)
            await person.hear(_("Is it in?"))
            kept["change"] = person.screen
            await person.press(yes)
            await prime(person, yes)
            await start(person, yes)
            assert "2/2" in person.screen
            await person.press("space")
            await person.until(shots(9))
            await person.press("c")  # another needle
            person.gate.open()
            await person.answer(_("How do you want to go on?"), "2", "enter")
            await person.answer(_("Prime the needle now?"), "n")
            await start(person, yes)
            await person.press("space")
            person.gate.open()
            await person.hear(_("It is over. How do you want to go on?"))
            assert _("Tell the patient:") in person.screen
            await person.press("2", "enter")
            await person.hear(_("It is over. How do you want to go on?"))
            kept["end"] = person.screen
            await person.press("1", "enter")
            await person.back()
            await records(person, kept)

    asyncio.run(day())
    if language == "en":
        compare(kept)
    with Store.open() as store:
        sessions = list(reversed(store.list_sessions()))
        views = [store.session_view(each.id) for each in sessions]
        assert all(each.ok for each in store.verify_all())
    assert [each.end.reason for each in views if each.end] == [
        EndReason.FAULTED,
        EndReason.STOPPED,
        EndReason.COMPLETE,
    ]
    assert {(each.operator, each.patient_ref) for each in sessions} == {("Dr. A", "P-7")}
    planned_nl = sessions[0].volume_planned_nl
    assert planned_nl == 160_000
    given_nl = sum(each.volume_nl for each in views)
    assert planned_nl - 30_000 <= given_nl <= planned_nl + 100
    kinds = [note.kind for note in views[0].notes]
    assert kinds == ["checklist", "syringe", "prime", "primed"]
    asked = views[0].notes[0].fields["answers"]
    assert [each["said"] for each in asked if each["hard"]] == ["no", "no", "yes", "yes"]
    assert len(list(surroundings.glob("session-*.pdf"))) == 1


async def plan(person, kept: dict[str, str]) -> None:
    await person.hear(_("Which syringe? Read brand and size from the one in your hand."))
    await person.press("enter")
    assert person.asked.empty(), "a syringe was picked that nobody marked"
    await person.press("2", "enter")
    await person.hear(_("Area, such as 12x8 cm (Enter: the usual number of points)"))
    await person.type("2x2 cm")
    await person.hear(_("Distance of the points in mm (Enter: {usual})").split("(")[0])
    await person.type("5")
    await person.hear(_("Needle, such as 30g-4 (Enter: {usual})").split("(")[0])
    await person.type("")
    await person.hear(_("This is the plan. How do you want to go on?"))
    assert "16" in person.screen
    kept["plan"] = person.screen
    await person.press("1", "enter")
    await person.hear(_("Patient reference, a code and never a name (Enter: none)"))
    await person.type("P-7")


async def prepare(person, yes: str, kept: dict[str, str]) -> None:
    for answer in ("n", "n", yes, yes, "n", "n", yes):
        await person.answer("?", answer)
    await person.hear(_("Is it in?"))
    kept["checklist"] = person.screen
    await person.press(yes)
    await prime(person, yes)


async def prime(person, yes: str) -> None:
    person.gate.set(waits_for_prime)
    await person.answer(_("Prime the needle now?"), yes)
    await person.reached()
    assert f"> {_('PRIME')}" in person.screen
    await person.press("space")
    person.gate.open()
    await person.answer(_("Did a drop leave the needle?"), yes)


async def start(person, yes: str) -> None:
    person.gate.set(waits_for_trigger)
    await person.answer(_("Start?"), yes)
    await person.reached()


async def records(person, kept: dict[str, str]) -> None:
    await person.press("r")
    await person.back()
    assert person.screen.count("P-7") == 3
    await person.press("v")
    await person.back()
    proven = _("COMPLETE AND VERIFIED: nothing was changed, nothing is missing.")
    assert proven[:20] in person.screen
    kept["records"] = person.screen
    await person.press("enter")
    await person.back()
    assert (
        _("COMPLETE AND VERIFIED: nothing was changed, nothing is missing.")[:20] in person.screen
    )
    await person.press("h")
    await person.back()
    assert ".html" in person.screen
    await person.press("escape", "f")
    await person.type("2026-31-12")
    assert "2026-31-12" in person.screen
    await person.press("escape", "f", "tab", "tab")
    await person.type("Dr. B")
    await person.back()
    assert _("Past sessions, FILTERED") in person.screen
    await person.press("escape", "q")
