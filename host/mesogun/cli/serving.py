"""Serves a virtual or an emulated gun until the user ends it; keys work trigger and interlock."""

import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from mesogun.cli.keyboard import Keyboard
from mesogun.cli.printer import Answer, tell
from mesogun.desk.guns import unstored
from mesogun.desk.simulation import simulation
from mesogun.errors import UsageError
from mesogun.gun import Gun
from mesogun.link.serial_transport import PACE
from mesogun.ports import Simulation, open_emulated
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.panel import Panel
from mesogun.virtual.serve import Outlet, PtyOutlet, TcpOutlet, pump
from mesogun.virtual.simulated import SimulatedTransport

if TYPE_CHECKING:
    from mesogun.emulated.gun import EmulatedTransport

_FASTEST = 3.0
"""A client sends a heartbeat every 0.5 s of its own time; the gun waits for it 2 s of the gun's."""


def serving(
    tcp: str | None,
    public: bool,
    seed: int | None,
    speed: str | None,
    auto_trigger: bool,
    syringe: str | None,
    needle: str | None,
    emulated: bool,
) -> Iterator[Answer]:
    """Yield the port, then serve until Ctrl-C; an emulated gun keeps its firmware and its records.

    Raises:
        UsageError: if an option is wrong.
        PortError: if the port cannot be served.
    """
    simulated = simulation(syringe, needle, seed=seed, speed=speed, auto_trigger=auto_trigger)
    if simulated.speed is None or simulated.speed > _FASTEST:
        raise UsageError(
            f"--speed {speed}: a gun that is served keeps the time of its client, up to "
            f"{_FASTEST:g} times as fast; faster, it would miss the client's heartbeat. Lower it."
        )
    with closing(TcpOutlet(tcp, public) if tcp is not None else PtyOutlet()) as outlet:
        transport = open_emulated(simulated) if emulated else VirtualTransport(simulated.settings())
        yield Answer(_data(outlet, transport, simulated), [outlet.url])
        kind = "Emulated RP2040" if emulated else "Virtual gun"
        tell(f"{kind} {transport.board_id.hex()}, seed {simulated.seed}. Ctrl-C ends it.")
        if simulated.speed != 1:
            tell(f"With {PACE}={simulated.speed:g} other programs keep its time.")
        try:
            _serve(transport, outlet, None if auto_trigger else transport.panel)
        except KeyboardInterrupt:
            if isinstance(transport, VirtualTransport):
                _put_away(transport)
            else:
                transport.close()


def _serve(transport: SimulatedTransport, outlet: Outlet, panel: Panel | None) -> None:
    """Serve for ever; where there is a terminal, keys work the trigger and interlock of `panel`."""
    has_keys = panel is not None and sys.stdin.isatty()
    if has_keys:
        tell("Keys: space holds and releases the trigger, i opens and closes the interlock.")
    with Keyboard() if has_keys else nullcontext() as keyboard:
        while True:
            if keyboard is not None and panel is not None:
                _press(keyboard.keys(), panel)
            pump(transport, outlet)


def _press(keys: str, panel: Panel) -> None:
    for key in keys:
        if key == " ":
            panel.trigger = not panel.trigger
            tell(f"trigger {'pressed' if panel.trigger else 'released'}")
        elif key == "i":
            panel.interlock_closed = not panel.interlock_closed
            tell(f"interlock {'closed' if panel.interlock_closed else 'open'}")


def _put_away(transport: VirtualTransport) -> None:
    """Throw the gun away, unless it holds records that no host has stored."""
    with transport.at_full_speed(), Gun.open(transport) as gun:
        gun.stop()
        left = unstored(gun)
    if not left:
        transport.forget()
    else:
        tell(
            f"The gun holds {left} records that no host has stored; "
            "`mesogun sessions sync` stores them."
        )


def _data(
    outlet: Outlet, transport: "VirtualTransport | EmulatedTransport", simulated: Simulation
) -> dict[str, str | int | float | None]:
    return {
        "id": transport.board_id.hex(),
        "port": outlet.url,
        "seed": simulated.seed,
        "speed": simulated.speed,
    }
