"""The console where something is refused, broken off or breaks: the gun stops, and it is said."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from textual.worker import WorkerCancelled

from mesogun.console.app import Console
from mesogun.console.talk import TalkPage
from mesogun.console.visit import VisitPage
from mesogun.desk.attending import Settled
from mesogun.errors import UsageError
from mesogun.records import SessionRecord, Store
from mesogun.virtual.gun import kept_guns
from mesogun_protocol.enums import EndReason
from tests.cli.program_file import PAPULES


def running(progress):
    return progress.shots_done >= 1


async def choose_file(person, number: int = 12) -> None:
    """Marks the file below treatments and techniques, and takes it."""
    await person.press("t", *["down"] * number, "enter")


async def begin(person) -> None:
    """Everything up to the first shot of `mine.toml`."""
    await choose_file(person)
    await person.answer("This is the plan", "1", "enter")
    await person.answer("Patient reference", "enter")
    for answer in "nnyynny":
        await person.answer("?", answer)
    await person.answer("is it a BD Plastipak 5 ml?", "y")
    await person.answer("Is it in?", "y")
    await person.answer("Prime the needle now?", "n")
    person.gate.set(lambda progress: progress.wants_trigger)
    await person.answer("Start?", "y")
    await person.reached()
    await person.press("space")
    await person.until(running)


def the_session() -> SessionRecord:
    with Store.open() as store:
        (session,) = store.list_sessions()
        assert store.verify(session.id).ok
        return store.session_view(session.id)


def end_of(record: SessionRecord) -> EndReason | None:
    return record.end.reason if record.end else None


@pytest.fixture
def mine(surroundings: Path) -> Path:
    path = surroundings / "mine.toml"
    path.write_text(PAPULES)
    return path


def test_a_bad_dose_is_refused_with_mistake_bound_and_next_act(sit, mine):
    mine.write_text(PAPULES.replace("dose_ul = 50", "dose_ul = 500"))

    async def day() -> None:
        async with sit(port="sim") as person:
            await choose_file(person)
            await person.hear("How do you want to go on?")
            for told in ("mine.toml:", "dose_ul = 500", "1 to 100 ul", "Lower dose_ul"):
                assert told in person.screen
            await person.press("1", "enter")
            await person.back()
            assert "READY" not in person.screen
            assert "treat" in person.screen

    asyncio.run(day())
    with Store.open() as store:
        assert store.list_sessions() == []


def test_a_wrong_area_is_told_and_asked_again(sit):
    async def day() -> None:
        async with sit(port="sim") as person:
            await person.press("t", "enter")
            await person.answer("Which syringe?", "2", "enter")
            await person.hear("Area")
            await person.type("12")
            await person.hear("Area")
            assert "'12'" in person.screen
            assert "12x8 cm" in person.screen
            await person.press("escape")
            await person.back()

    asyncio.run(day())


@pytest.mark.usefixtures("mine")
def test_an_answer_that_forbids_ends_before_anything_moves(sit):
    async def day() -> None:
        async with sit(port="sim") as person:
            await choose_file(person)
            await person.answer("This is the plan", "1", "enter")
            await person.answer("Patient reference", "enter")
            await person.answer("allergic", "y")
            await person.hear("How do you want to go on?")
            assert "Nothing was delivered." in person.screen
            assert "Choose another" in person.screen
            await person.press("escape")
            await person.back()

    asyncio.run(day())
    with Store.open() as store:
        assert store.list_sessions() == []
    assert kept_guns() == []


@pytest.mark.usefixtures("mine")
def test_ctrl_c_stops_the_gun_and_shows_what_it_came_to(sit):
    async def day() -> None:
        async with sit(port="sim") as person:
            await begin(person)
            await person.press("ctrl+c")
            person.gate.open()
            await person.hear("It is over")
            await person.press("pageup")
            assert "Mine" in person.screen
            await person.press("pagedown", "escape")
            await person.back()
            await person.press("ctrl+c")

    asyncio.run(day())
    record = the_session()
    assert end_of(record) is EndReason.STOPPED
    assert record.complete


@pytest.mark.usefixtures("mine")
def test_a_signal_stops_the_gun_before_the_console_ends(sit):
    consoles: list[Console] = []

    async def day() -> None:
        async with sit(port="sim") as person:
            consoles.append(person.app)
            await begin(person)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)
            person.gate.open()
            # The console goes away under the worker that has ended it.
            with suppress(WorkerCancelled):
                await person.app.workers.wait_for_complete()

    asyncio.run(day())
    assert end_of(the_session()) is EndReason.STOPPED
    assert consoles[0].ended_by is signal.SIGTERM
    assert [each.result.session for each in consoles[0].visited] == [the_session().session.id]


@pytest.mark.usefixtures("mine")
def test_a_screen_that_breaks_stops_the_gun_and_is_no_secret(sit, monkeypatch):
    async def day() -> None:
        async with sit(port="sim") as person:
            await begin(person)

            def breaks(_page: TalkPage, _picture: object) -> None:
                raise ZeroDivisionError

            monkeypatch.setattr(TalkPage, "look", breaks)
            person.gate.open()
            await person.app.workers.wait_for_complete()

    with pytest.raises(Exception, match=r"ZeroDivision|Worker"):
        asyncio.run(day())
    assert end_of(the_session()) is EndReason.STOPPED


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_every_key_of_every_page_is_in_sight(sit, size):
    async def day() -> None:
        async with sit(size, port="sim") as person:
            for keys in ((), ("t",), ("escape", "g"), ("escape", "o"), ("escape", "r"), ("f",)):
                await person.press(*keys)
                await person.app.workers.wait_for_complete()
                await person.pilot.pause()
                shown = " ".join(person.screen.split())
                for what in person.app.screen.keys().values():
                    assert what.label in shown
                lines = person.screen.splitlines()
                assert len(lines) <= size[1]
                assert max(map(len, lines)) <= size[0]

    asyncio.run(day())


def test_without_a_terminal_there_is_no_console():
    from mesogun.cli.day import spend_day

    with pytest.raises(UsageError, match="needs a terminal"):
        spend_day(Settled("sim"))


def test_a_visit_needs_a_gun_that_was_chosen(sit):
    async def day() -> None:
        async with sit() as person:
            await person.press("t")
            await person.back()
            assert not isinstance(person.app.screen, VisitPage)
            assert "virtual gun" in person.screen
            await person.press("enter", "t")
            assert "Facial rejuvenation" in person.screen

    asyncio.run(day())
