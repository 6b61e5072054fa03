"""The command line run in this process, with a store and virtual guns of its own."""

import json
import os
import select
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mesogun.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own store and own virtual guns; no gun and no terminal here."""
    monkeypatch.setenv("MESOGUN_DB", f"sqlite:///{tmp_path}/records.db")
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path / "virtual"))
    monkeypatch.setenv("MESOGUN_LANG", "en")
    for name in ("MESOGUN_PORT", "MESOGUN_DEBUG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    return tmp_path


@pytest.fixture
def mesogun(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line and returns its exit code and what it wrote."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    return run


@contextmanager
def port_that_answers(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """A pseudo-terminal whose far end answers whatever is written to it; yields its name."""
    device, host = os.openpty()
    tty.setraw(host)
    wake, ring = os.pipe()

    def serve() -> None:
        while True:
            ready, _, _ = select.select([device, wake], [], [])
            if wake in ready:
                return
            os.write(device, answer(os.read(device, 4096)))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield os.ttyname(host)
    finally:
        os.write(ring, b"!")
        thread.join()
        for each in (device, host, wake, ring):
            os.close(each)
