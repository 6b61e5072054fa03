"""The screen of a treatment: what was said, the open question, and the gun while it works."""

import asyncio
from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList, Static

from mesogun.console.page import Key, Page
from mesogun.console.question import Kind, Question, no_key, yes_key
from mesogun.words import _

Given = bool | int | str


class TalkPage(Page):
    """Asks one question at a time; what was answered stays above it."""

    def __init__(self) -> None:
        """Nothing is said yet."""
        super().__init__()
        self._parts: list[RenderableType] = []
        self._told = Static(id="told")
        self._log = VerticalScroll(self._told, id="log")
        self._question_line = Static(id="question")
        self._choices = OptionList(id="choices")
        self._line = Input(id="line", select_on_focus=False)
        self._live = Static(id="live")
        self._question: Question | None = None
        self._answer: asyncio.Future[Given] | None = None

    def body(self) -> ComposeResult:
        """The talk, or the live view in its place."""
        yield self._live
        yield self._log
        yield self._question_line
        yield self._choices
        yield self._line

    def on_mount(self) -> None:
        """Begin with the talk, and no question."""
        self._live.display = False
        self._clear()

    @property
    def is_live(self) -> bool:
        """Whether a gun is followed now."""
        return bool(self._live.display)

    def keys(self) -> Mapping[str, Key]:
        """Those that answer the question."""
        question = self._question
        if question is None:
            return {}
        leave = {"escape": Key(_("break off"), self.withdraw), "pages": Key(_("read back"))}
        match question.kind:
            case Kind.TEXT:
                return {"enter": Key(_("accept"))} | leave
            case Kind.CHOICE:
                return {"arrows": Key(_("or a number mark")), "enter": Key(_("choose"))} | leave
            case _:
                return self._yes_no(question) | leave

    def _yes_no(self, question: Question) -> dict[str, Key]:
        keys = {
            yes_key(): Key(_("yes"), lambda: self._give(True)),
            no_key(): Key(_("no"), lambda: self._give(False)),
        }
        if question.kind is Kind.SURE:
            keys["enter"] = Key(_("no"), lambda: self._give(False))
        return keys

    def add(self, part: RenderableType) -> None:
        """Say something more."""
        self._parts.append(part)
        self._told.update(Group(*self._parts))
        self._log.scroll_end(animate=False)

    async def ask(self, question: Question) -> Given:
        """Ask, and wait for the answer.

        Raises:
            CancelledError: the question was withdrawn.
        """
        self._question = question
        self._answer = asyncio.get_running_loop().create_future()
        self._open(question)
        try:
            given = await self._answer
        finally:
            self._clear()
        line = Text(question.text + " ")
        line.append(f"> {question.in_words(given)}", style="bold")
        self.add(line)
        return given

    def withdraw(self) -> bool:
        """Take the open question back; return whether there was one."""
        return self._answer is not None and self._answer.cancel()

    def look(self, picture: RenderableType) -> None:
        """Show the gun in place of the talk."""
        if not self.is_live:
            self._live.display = True
            self._title.display = self._log.display = self._keys.display = False
        self._live.update(picture)

    def end_live(self) -> None:
        """Show the talk again."""
        self._live.display = False
        self._title.display = self._log.display = self._keys.display = True

    def on_key(self, event: events.Key) -> None:
        """Mark a choice by its number, and act by the keys of the last line."""
        if self._question is not None and self._question.kind is Kind.CHOICE:
            self._mark(event)
        if event.key in ("pageup", "pagedown"):
            up = event.key == "pageup"
            (self._log.scroll_page_up if up else self._log.scroll_page_down)(animate=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the line."""
        self._give(event.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the choice."""
        self._give(event.option_index)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Mark the choice by a sign, since a colour may not be seen."""
        if self._question is not None:
            for place, name in enumerate(self._question.names):
                prompt = _numbered(place, name, event.option_index)
                self._choices.replace_option_prompt_at_index(place, prompt)

    def _give(self, answer: Given) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _mark(self, event: events.Key) -> None:
        """A number marks, and only Enter chooses: a slip of a finger picks no syringe."""
        if event.character is not None and event.character.isdecimal():
            number = int(event.character) or 10
            if number <= self._choices.option_count:
                self._choices.highlighted = number - 1

    def _open(self, question: Question) -> None:
        self._question_line.update(Text(question.text))
        self._question_line.display = True
        self._choices.clear_options()
        if question.kind is Kind.CHOICE:
            self._choices.add_options(
                [_numbered(place, name) for place, name in enumerate(question.names)]
            )
            self._choices.display = True
            self._choices.focus()
        elif question.kind is Kind.TEXT:
            self._line.value = ""
            self._line.display = True
            self._line.focus()
        else:
            self.set_focus(None)
        self.show_keys()
        self.call_after_refresh(self._log.scroll_end, animate=False)

    def _clear(self) -> None:
        self._question = self._answer = None
        self._question_line.display = self._choices.display = self._line.display = False
        self.show_keys()


def _numbered(place: int, name: str, marked: int | None = None) -> Text:
    return Text(f"{'>' if place == marked else ' '}{place + 1:2}  {name}")
