"""MicroPython by a fork: the same firmware, the same answers, the same words when it ends."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesogun.errors import LinkError
from mesogun.virtual.firmware import Firmware
from mesogun.virtual.forked import ForkServer
from mesogun_protocol import cosim
from mesogun_protocol.enums import ResetCause


@pytest.fixture
def server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


def _first_request(firmware: Firmware) -> str:
    message, _ = next(firmware.requests())
    return message.name


def test_it_boots_as_often_as_it_is_started(server: ForkServer) -> None:
    for _ in range(3):
        firmware = Firmware(start=server.start)
        requests = firmware.requests()
        message, _ = next(requests)
        assert message is cosim.BOOT
        firmware.answer(cosim.BOOTED, board_id=b"12345678", reset_cause=ResetCause.POWER_ON)
        assert next(requests)[0] is not cosim.BOOT
        firmware.kill()


def test_two_run_at_once(server: ForkServer) -> None:
    first, second = (Firmware(start=server.start) for _ in range(2))
    assert _first_request(second) == _first_request(first) == cosim.BOOT.name
    first.kill()
    second.kill()


def test_a_firmware_that_ends_is_told_with_its_words(server: ForkServer, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise ValueError('no such pin')\n")
    firmware = Firmware(tmp_path, server.start)
    with pytest.raises(LinkError, match=r"(?s)no message: Traceback.*no such pin"):
        next(firmware.requests())
    firmware.kill()


def test_a_firmware_that_leaves_is_told(server: ForkServer, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit(3)\n")
    firmware = Firmware(tmp_path, server.start)
    with pytest.raises(LinkError, match="ended with code 3"):
        next(firmware.requests())
    firmware.kill()


def test_a_child_that_was_killed_says_so(server: ForkServer, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("while True:\n    pass\n")
    with (tmp_path / "errors").open("wb") as errors:
        child = server.start(["main.py"], tmp_path, errors)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        child.kill()
        assert child.wait() == -signal.SIGKILL
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        pipe.close()


def test_another_micropython_is_started_as_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "micropython"
    named.write_text(f'#!/bin/sh\nexec {Path(sys.executable).with_name("micropython")} "$@"\n')
    named.chmod(0o755)
    monkeypatch.setenv("MESOGUN_MICROPYTHON", str(named))
    server = ForkServer()
    firmware = Firmware(start=server.start)
    assert _first_request(firmware) == cosim.BOOT.name
    firmware.kill()
    server.close()
