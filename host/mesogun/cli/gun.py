"""`mesogun status`, `stop` and `devices`: the gun now."""

from collections.abc import Iterator
from typing import Annotated

import typer

from mesogun.cli.options import Json, Port
from mesogun.cli.printer import Answer


def status(
    port: Port = "auto",
    watch: Annotated[bool, typer.Option("--watch", help="Every second, until Ctrl-C.")] = False,
    _json: Json = False,
) -> Answer | Iterator[Answer]:
    """Show what the gun is doing."""
    from mesogun.cli import gun_state

    return gun_state.watched(port) if watch else gun_state.status(port)


def stop(port: Port = "auto", _json: Json = False) -> Answer:
    """Stop the gun at once.

    Motion ends, the driver is switched off, the session is over. May be repeated freely.
    """
    from mesogun.cli import gun_state

    return gun_state.stop(port)


def devices(_json: Json = False) -> Answer:
    """List serial ports and the guns on them; moves nothing."""
    from mesogun.cli import gun_state

    return gun_state.devices()
