import os
import signal
import socket
import threading
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

import pytest

from mesogun.emulated.copies import CopyError, connect_to_copy, in_copy, serve_in_copies
from mesogun.emulated.pico import Pico
from tests.emulated.raw_repl import RawRepl


def test_what_a_copy_did_comes_back_and_nothing_else() -> None:
    seen = [1]

    def work() -> tuple[int, list[int]]:
        seen.append(2)
        return os.getpid(), seen

    pid, told = in_copy(work)
    assert pid != os.getpid()
    assert (told, seen) == ([1, 2], [1])


def test_what_fails_in_a_copy_fails_here_and_tells_where() -> None:
    def work() -> None:
        assert 6 * 9 == 42, "the answer"

    with pytest.raises(AssertionError, match="the answer") as caught:
        in_copy(work)
    assert "in work" in "".join(caught.value.__notes__)


def test_a_copy_that_dies_is_no_result() -> None:
    with pytest.raises(CopyError, match=f"status {signal.SIGKILL}"):
        in_copy(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_what_cannot_be_sent_is_no_result(capfd: pytest.CaptureFixture[str]) -> None:
    class Local(Exception):
        """Pickled by its name, which nobody can find."""

    def work() -> None:
        raise Local

    with pytest.raises(TypeError, match="cannot pickle"):
        in_copy(threading.Lock)
    with pytest.raises(CopyError, match="status 0"):
        in_copy(work)
    assert "pickle" in capfd.readouterr().err


def test_a_chip_goes_on_from_one_moment_many_times(pico: Pico, repl: RawRepl) -> None:
    repl.run("import machine\nled = machine.Pin(10, machine.Pin.OUT, value=0)\ncount = 0")
    pico.watch(10)
    script = "for n in range(%d):\n count += 1; led(count & 1)\nprint(count)"

    def work(times: int) -> tuple[str, list[int], int]:
        shown = repl.run(script % times)
        return shown.strip(), [edge.ns for edge in pico.edges], pico.now_ns

    first, other, again = (in_copy(lambda times=times: work(times)) for times in (5, 9, 5))
    assert (first[0], other[0]) == ("5", "9")
    assert len(first[1]) == 5
    assert again == first
    assert work(5) == first


def test_each_connection_gets_a_copy_of_its_own(tmp_path: Path) -> None:
    def count(connection: Connection) -> None:
        state = 0
        while True:
            try:
                state += connection.recv()
            except EOFError:
                return
            connection.send(state)

    address = str(tmp_path / "socket")
    here, leave = Pipe()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        server = os.fork()
        if not server:
            here.close()
            serve_in_copies(listening, leave, count)
            os._exit(0)
    with here, connect_to_copy(address) as one, connect_to_copy(address) as two:
        for connection, added, total in ((one, 2, 2), (two, 5, 5), (one, 1, 3)):
            connection.send(added)
            assert connection.recv() == total
    assert os.waitpid(server, 0) == (server, 0)
    leave.close()
