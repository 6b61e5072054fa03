"""The console on a screen of 80 columns and 24 lines, its gun looked at only as a test wants."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from mesogun.console import desk
from mesogun.console.app import Console
from mesogun.console.question import Question
from mesogun.console.talk import TalkPage
from mesogun.desk.attending import Settled
from mesogun.desk.watching import Watch
from mesogun.treatment import Progress

HANG_S = 600
"""Ends a test that would wait for ever; no result depends on it."""

_DRAWINGS = 4
_HOPS = 100
"""Turns of the event loop; a key takes some ten from the application to the gun."""


class Gate:
    """Lets the gun be looked at until something is so; in between its time stands still."""

    def __init__(self) -> None:
        self._wanted: Callable[[Progress], bool] | None = None
        self._seen: Progress | None = None
        self._reached = threading.Event()
        self._go = threading.Event()

    def stand(self, progress: Progress) -> None:
        """Called by the gun's thread after each look."""
        self._seen = progress
        if self._wanted is not None and not self._wanted(progress):
            return
        self._go.clear()
        self._reached.set()
        assert self._go.wait(HANG_S)

    def set(self, wanted: Callable[[Progress], bool]) -> None:
        """Let the next look that is `wanted` be the last."""
        self._wanted = wanted
        self._reached.clear()
        self._go.set()

    async def reached(self) -> None:
        """Wait until that look was taken."""
        assert await asyncio.to_thread(self._reached.wait, HANG_S), self._seen

    def open(self) -> None:
        """Look on for good."""
        self._wanted = lambda _progress: False
        self._go.set()


@dataclass
class Person:
    """Who sits at the console.

    Attributes:
        app: the console.
        pilot: presses keys.
        gate: holds the gun.
        asked: questions that were opened and not taken up yet.
    """

    app: Console
    pilot: Pilot[None]
    gate: Gate
    asked: "asyncio.Queue[Question]" = field(default_factory=asyncio.Queue)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def settle(self) -> None:
        """Lets the screen act on all that was sent to it, and draw.

        Textual's own pause ends when the process is idle by the clock, on a busy computer too soon.
        What is drawn may ask for something that follows the drawing, such as a scroll to the end.
        """
        for _ in range(_DRAWINGS):
            for _ in range(_HOPS):
                await asyncio.sleep(0)
            await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Types a line, and Enter."""
        await self.press(*text, "enter")

    async def hear(self, part: str) -> None:
        """Waits for the next question, which must be this one."""
        question = await asyncio.wait_for(self.asked.get(), HANG_S)
        assert part in question.text, self.screen
        await self.settle()

    async def answer(self, part: str, *keys: str) -> None:
        """Answers the next question, which must be this one."""
        await self.hear(part)
        await self.press(*keys)

    async def back(self) -> None:
        """Waits for the end of a treatment's dialogue."""
        await self.app.workers.wait_for_complete()
        await self.settle()

    async def until(self, wanted: Callable[[Progress], bool]) -> None:
        """Lets the gun go on until a look is `wanted`, and sees that look."""
        self.gate.set(wanted)
        await self.reached()

    async def reached(self) -> None:
        """Waits until the look that the gate is set for was taken, and sees it."""
        await self.gate.reached()
        await self.settle()

    @property
    def screen(self) -> str:
        """What can be read."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips)


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder, an own store and own virtual guns; no gun is connected."""
    monkeypatch.setenv("MESOGUN_DB", f"sqlite:///{tmp_path}/records.db")
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path / "virtual"))
    monkeypatch.setenv("MESOGUN_LANG", "en")
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Sit = Callable[..., Any]


@pytest.fixture
def sit(monkeypatch: pytest.MonkeyPatch) -> Sit:
    """Sits a person down at a console whose virtual gun goes as fast as it can."""
    # Keys come at once here: no two of them are one that is held.
    monkeypatch.setattr("mesogun.desk.hands.REPEAT_S", 0.0)

    @asynccontextmanager
    async def at(size: tuple[int, int] = (80, 24), **settled: Any) -> AsyncGenerator[Person]:
        gate = Gate()
        ask = TalkPage.ask

        class Gated(Watch):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments, now_s=count().__next__)

            def __call__(self, progress: Progress) -> Any:
                action = super().__call__(progress)
                gate.stand(progress)
                return action

        app = Console(Settled(**{"port": "auto", "speed": "max", "seed": 1} | settled))
        async with app.run_test(size=size) as pilot:
            person = Person(app, pilot, gate)

            async def heard(page: TalkPage, question: Question) -> Any:
                person.asked.put_nowait(question)
                return await ask(page, question)

            monkeypatch.setattr(TalkPage, "ask", heard)
            monkeypatch.setattr(desk, "Watch", Gated)
            await pilot.pause()
            try:
                yield person
            finally:
                gate.open()

    return at
