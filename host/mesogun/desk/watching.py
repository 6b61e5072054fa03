"""Watches a gun for a person: draws it as often as eyes can follow, and lets keys act."""

import time
from collections.abc import Callable
from typing import Final

from rich.console import RenderableType

from mesogun.desk.hands import Hands
from mesogun.desk.view import picture
from mesogun.treatment import Action, Progress
from mesogun_protocol.enums import ControllerState

_PICTURE_S: Final = 0.1


class Watch:
    """An observer that draws each picture."""

    def __init__(
        self,
        draw: Callable[[RenderableType], None],
        gun: str,
        hands: Hands,
        keys: Callable[[], str] | None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Draw by `draw`; `gun` is which one, `keys` are those since the last call, if any."""
        self._draw = draw
        self._gun = gun
        self._hands = hands
        self._keys = keys
        self._now_s = now_s
        self._drawn_s = float("-inf")
        self._state: ControllerState | None = None

    def __call__(self, progress: Progress) -> Action | None:
        """Show `progress`, and return what the keys ask for."""
        action = self._hands.take(self._keys() if self._keys else "", progress)
        # As fast as it goes, a virtual gun is looked at a thousand times a second.
        if progress.state is not self._state or self._now_s() - self._drawn_s >= _PICTURE_S:
            self._drawn_s, self._state = self._now_s(), progress.state
            self._draw(picture(progress, self._gun, self._hands, self._keys is not None))
        return action
