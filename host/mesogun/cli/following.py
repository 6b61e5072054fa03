"""Observers of a treatment: a live view on a terminal, lines where they are asked for."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.live import Live

from mesogun.cli.keyboard import Keyboard
from mesogun.cli.printer import tell
from mesogun.desk.hands import Hands
from mesogun.desk.watching import Watch
from mesogun.treatment import Observer, Progress
from mesogun.words import _, duration, pressure, volume
from mesogun.words.gun import state

_LINE_S = 1.0


class Lines:
    """Writes a line when something changes, and one a second in between."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        """`now_s` is a clock on the wall."""
        self._now_s = now_s
        self._told_s = float("-inf")
        self._told: tuple[object, ...] = ()

    def __call__(self, progress: Progress) -> None:
        """Tell `progress` if it is news."""
        news = progress.state, progress.step_index
        if news == self._told and self._now_s() - self._told_s < _LINE_S:
            return
        self._told_s, self._told = self._now_s(), news
        tell(
            _(
                "{time}: {state}, step {step} of {steps}, {done} of {planned} shots, {given} "
                "given, {pressure}"
            ).format(
                time=duration(progress.elapsed_s),
                state=state(progress.state),
                step=progress.step_index + 1,
                steps=progress.step_count,
                done=progress.shots_done,
                planned=progress.shots_planned,
                given=volume(progress.delivered_nl),
                pressure=pressure(progress.pressure_kpa),
            )
        )


@contextmanager
def live_view(gun: str, hands: Hands) -> Generator[Observer]:
    """Show a live view on stderr; keys act if stdin is a terminal too."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with ExitStack() as stack:
        keys = stack.enter_context(Keyboard()).keys if sys.stdin.isatty() else None
        live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        stack.enter_context(live)
        yield Watch(lambda drawn: live.update(drawn, refresh=True), gun, hands, keys)
