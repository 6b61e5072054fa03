"""Puts an emulated gun on a pseudo-terminal or on TCP while something else talks to it."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from mesogun.emulated.gun import EmulatedTransport
from mesogun.virtual.serve import Outlet, PtyOutlet, pump

_QUIET_S: Final = 0.005
"""Wall time that passes with each look while nobody speaks, so that an idle gun costs little."""


@contextmanager
def served(transport: EmulatedTransport, outlet: Outlet | None = None) -> Generator[str]:
    """Serve a gun in the background; yields the port, such as `/dev/pts/5`.

    The gun belongs to the server until the end of the block. What fails there is raised here.
    """
    way_out = PtyOutlet() if outlet is None else outlet
    over = threading.Event()
    failed: list[BaseException] = []

    def serve() -> None:
        try:
            while not over.is_set():
                if not pump(transport, way_out):
                    time.sleep(_QUIET_S)
        except BaseException as error:  # noqa: BLE001 (raised again by the thread that waits)
            failed.append(error)

    server = threading.Thread(target=serve, name="emulated gun", daemon=True)
    server.start()
    try:
        yield way_out.url
    finally:
        over.set()
        server.join()
        way_out.close()
    if failed:
        raise failed[0]
