"""Copies of a process, to go on many times from one moment.

An emulated gun is spread over registers, memories, state machines, alarms and a plant; what takes
it long to bring about, such as the boot of its firmware, is brought about once. A process that
forks has an exact copy of all of it, and what happens in a copy never comes back.
"""

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, TypeVar

from mesogun.errors import MesogunError

Result = TypeVar("Result")


class CopyError(MesogunError):
    """A copy of the process ended without a result."""


def in_copy(work: Callable[[], Result]) -> Result:
    """Run `work` in a copy of this process; this one stays as it was, whatever `work` does.

    Returns:
        What `work` returned; it must be something that can be pickled.

    Raises:
        CopyError: if the copy ended without a result.
        BaseException: what `work` raised, with the traceback of the copy as a note.
    """
    here, there = Pipe(duplex=False)
    with here, there:
        sys.stdout.flush()
        sys.stderr.flush()
        copy = os.fork()
        if not copy:
            _work(work, there)
        there.close()
        try:
            error, result = here.recv()
        except EOFError:
            _, status = os.waitpid(copy, 0)
            raise CopyError(
                f"The copy of the process ended without a result, status {status}."
            ) from None
        os.waitpid(copy, 0)
    if error is not None:
        raise error
    return result


def serve_in_copies(
    server: socket.socket, leave: Connection, serve: Callable[[Connection], None]
) -> None:
    """Let a copy of this process serve each client of `server`; returns at the end of `leave`."""
    # Nobody asks how a copy ended: its client sees the end of the connection.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while leave not in wait([server, leave]):
        client, _ = server.accept()
        with client:
            if os.fork():
                continue
            try:
                serve(Connection(client.detach()))
            except BaseException:  # noqa: BLE001 (told here: the caller's code is the parent's)
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(0)


def connect_to_copy(address: str) -> Connection:
    """Return a connection to a new copy of the process that serves at a Unix socket."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(address)
    return Connection(client.detach())


def _work(work: Callable[[], Any], there: Connection) -> None:
    """The life of a copy: nothing of it may return into the caller's code."""
    try:
        try:
            there.send((None, work()))
        except BaseException as error:  # noqa: BLE001 (raised again by the process that waits)
            error.add_note(f"in a copy of the process:\n{traceback.format_exc()}")
            there.send((error, None))
    except BaseException:  # noqa: BLE001 (the error itself cannot be sent)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
