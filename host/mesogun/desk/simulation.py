"""The virtual gun that a person asks for, and what can be done to it that no real one allows."""

import secrets
from math import isfinite
from typing import Protocol, runtime_checkable

from mesogun.catalog import get_needle, get_syringe
from mesogun.errors import UsageError
from mesogun.ports import Simulation
from mesogun.virtual.panel import Panel
from mesogun.virtual.plant import Plant
from mesogun.words import _

_SYRINGE, _NEEDLE = "bd-plastipak-10", "30g-4"
"""Fitted to a virtual gun that no program has chosen them for."""

_SEEDS = 1_000_000
"""A seed that is drawn is short enough to be read aloud."""


class _World(Protocol):
    @property
    def plant(self) -> Plant:
        """The physics."""
        ...


@runtime_checkable
class Simulated(Protocol):
    """What a transport to a virtual or an emulated gun has that one to a real gun has not."""

    @property
    def panel(self) -> Panel:
        """Trigger, interlock, syringe, light."""
        ...

    @property
    def world(self) -> _World:
        """The gun and its surroundings."""
        ...


def parse_speed(text: str | None) -> float | None:
    """Return simulated seconds a second from `--speed`, None for as fast as it goes.

    Raises:
        UsageError: if it is neither `max` nor a number above 0.
    """
    if text is None:
        return 1.0
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not (isfinite(speed) and 0.01 <= speed <= 10_000):
        raise UsageError(
            _(
                "--speed {text} is no speed: give simulated seconds a second from 0.01 to 10000, "
                "or max."
            ).format(text=text[:40])
        )
    return speed


def simulation(
    syringe: str | None = None,
    needle: str | None = None,
    *,
    viscosity_mpa_s: float = 1.0,
    new_point_each_shot: bool = True,
    seed: int | None = None,
    speed: str | None = None,
    auto_trigger: bool = False,
) -> Simulation:
    """Return the virtual gun that the options describe; a seed that is not given is drawn."""
    return Simulation(
        syringe=get_syringe(syringe or _SYRINGE),
        needle=get_needle(needle or _NEEDLE),
        viscosity_mpa_s=viscosity_mpa_s,
        new_point_each_shot=new_point_each_shot,
        seed=secrets.randbelow(_SEEDS) if seed is None else seed,
        speed=parse_speed(speed),
        auto_trigger=auto_trigger,
    )
