"""A bench in another process: calls go through a pipe, one at a time."""

from multiprocessing.connection import Connection
from typing import Any, cast

from benches.bench import Bench
from benches.cable import Cable
from benches.emulated import EmulatedBench

_OF_THE_CABLE = frozenset({"write", "read", "monotonic_s"})


def serve(bench: EmulatedBench, connection: Connection) -> None:
    """Do what the other end asks for until it goes away."""
    while True:
        try:
            name, arguments = connection.recv()
        except EOFError:
            return
        owner = bench.port if name in _OF_THE_CABLE else bench
        try:
            answer = (None, getattr(owner, name)(*arguments))
        except Exception as error:  # noqa: BLE001 (raised again at the other end)
            answer = (error, None)
        connection.send(answer)


def remote_bench(connection: Connection) -> Bench:
    """Return the bench that is served at the other end of `connection`."""
    return cast(Bench, _Remote(connection))


class _Remote:
    """Passes on whatever is called."""

    patience = EmulatedBench.patience
    boot_s = EmulatedBench.boot_s

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cables = 0

    def connect(self) -> Cable:
        self._ask("plug")
        self._cables += 1
        return Cable(cast(Any, self), self._cables)

    def close(self) -> None:
        self._connection.close()

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self._ask(name, *arguments)

    def _ask(self, name: str, *arguments: Any) -> Any:
        self._connection.send((name, arguments))
        error, result = self._connection.recv()
        if error is not None:
            raise error
        return result
