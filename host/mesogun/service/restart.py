"""Waits for a board that was just flashed to come back as the gun that it should be."""

import time
from typing import Any, Final

from mesogun.errors import PortError, VersionMismatch
from mesogun.link import Link, SerialTransport
from mesogun.link.handshake import handshake
from mesogun.service.package import Manifest

_PATIENCE_S: Final = 120.0
"""A board is back within some seconds; an emulated one takes a minute of a busy computer."""
_RETRY_S: Final = 0.5
_RETRY_MAX_S: Final = 15.0
"""Each try leaves questions behind that a slow board answers too late: the pauses grow."""


def await_gun(port: str, manifest: Manifest) -> dict[str, Any]:
    """Return the answer to HELLO of the gun on `port` once it runs what `manifest` names.

    Raises:
        PortError: if it does not come back.
        VersionMismatch: if something else runs on it.
    """
    end_s = time.monotonic() + _PATIENCE_S
    pause_s = _RETRY_S
    while True:
        try:
            hello = _hello(port)
            break
        except PortError as error:
            if time.monotonic() > end_s:
                raise PortError(
                    f"The board on {port} was flashed but does not answer as a mesogun ({error}). "
                    "Release the trigger, connect it again, and look with `mesogun firmware info`."
                ) from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _RETRY_MAX_S)
    runs = tuple(hello[f"firmware_{part}"] for part in ("major", "minor", "patch"))
    if (runs, hello["build"]) != (manifest.number, manifest.build):
        raise VersionMismatch(
            f"The board on {port} runs firmware {'.'.join(map(str, runs))}, build "
            f"{hello['build']:08x}, after {manifest.version}, build {manifest.build:08x}, was "
            "flashed. Flash it again."
        )
    return hello


def _hello(port: str) -> dict[str, Any]:
    link = Link(SerialTransport(port))
    try:
        return handshake(link).fields()
    finally:
        link.close()
