"""A treatment on the screen, its dialogue and its gun in a thread."""

from collections.abc import Callable

from textual import events

from mesogun.console.desk import ScreenDesk
from mesogun.console.guns import gun_name
from mesogun.console.talk import TalkPage
from mesogun.console.treating import Chosen, treat
from mesogun.desk.attending import Settled
from mesogun.desk.summary import Visited
from mesogun.words import _


class VisitPage(TalkPage):
    """From the plan to the report.

    Attributes:
        desk: of the person who treats.
    """

    def __init__(self, chosen: Chosen, settled: Settled, told: Callable[[Visited], None]) -> None:
        """Give `chosen`; `told` is called, in the thread, with what the visit came to."""
        super().__init__()
        self.desk = ScreenDesk(self)
        self._chosen = chosen
        self._settled = settled
        self._tell = told
        self._then: Callable[[], object] | None = None

    def on_mount(self) -> None:
        """Begin."""
        self.entitle(f"{gun_name(self._settled.port)}: {_(self._chosen.title)}")
        self.run_worker(self._give_it, thread=True)

    def on_unmount(self) -> None:
        """Stop a gun that is followed, whatever takes the screen away."""
        self.desk.close()

    def end(self, then: Callable[[], object]) -> None:
        """Break off everything, and call `then` once the gun has stopped."""
        self._then = then
        self.desk.close()

    def on_key(self, event: events.Key) -> None:
        """Give keys to the gun while it is followed."""
        if not self.is_live:
            return
        event.stop()
        # Else the toolkit lets the talk have it too.
        event.prevent_default()
        key = "\r" if event.key == "enter" else event.character
        if key is not None:
            self.desk.press(key.lower())

    def _give_it(self) -> None:
        treat(self.desk, self._chosen, self._settled, self._tell)
        self.wait_for(self._over)

    def _over(self) -> None:
        if self._then is not None:
            self._then()
        elif self.is_attached:
            self.dismiss()
