"""Ports that cannot be used, and the gun on a port that can."""

import fcntl
import os
import socket
from types import SimpleNamespace

import pytest

from mesogun.link.discovery import RASPBERRY_PI_VID
from tests.cli.conftest import port_that_answers
from tests.fake_gun import FakeGun

FITTED = ("--syringe", "bd-plastipak-5", "--needle", "30g-4")


def _answers(gun: FakeGun):
    def answer(data: bytes) -> bytes:
        gun.take(data, 0)
        return b"".join(gun.output())

    return answer


def _refused(ran, code: int, *told: str) -> None:
    assert ran.code == code
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for each in told:
        assert each in ran.err


@pytest.mark.parametrize("command", [["status"], ["stop"], ["run", "face", "--yes", *FITTED]])
def test_without_a_gun_the_simulation_is_named_and_not_started(mesogun, tmp_path, command):
    _refused(mesogun(*command), 3, "No gun is connected", "--port sim")
    assert not (tmp_path / "virtual").exists()


def test_an_unknown_port_is_refused(mesogun):
    _refused(mesogun("status", "--port", "/dev/ttyNONE"), 3, "/dev/ttyNONE", "no such port")
    _refused(mesogun("status", "--port", "nonsense://x"), 3, "nonsense://x")


def test_the_port_of_the_environment_is_used(mesogun, monkeypatch):
    monkeypatch.setenv("MESOGUN_PORT", "/dev/ttyOTHER")
    _refused(mesogun("status"), 3, "/dev/ttyOTHER")


def test_a_port_in_use_is_refused_and_a_stop_says_what_else_stops(mesogun):
    with port_that_answers(lambda _: b"") as port:
        other = os.open(port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(other, fcntl.LOCK_EX)
        try:
            _refused(mesogun("status", "--port", port), 3, port, "another program uses it")
            _refused(mesogun("stop", "--port", port), 3, "Nothing was stopped", "interlock")
        finally:
            os.close(other)


def test_a_port_that_is_no_gun_is_refused(mesogun):
    with port_that_answers(lambda data: bytes(reversed(data)) + b"login: ") as port:
        _refused(mesogun("run", "face", "--yes", *FITTED, "--port", port), 3, port, "not a mesogun")


@pytest.mark.req("R36")
def test_a_gun_of_another_definition_is_refused(mesogun):
    with port_that_answers(_answers(FakeGun(schema_hash=0x1234))) as port:
        ran = mesogun("run", "face", "--yes", *FITTED, "--port", port)
    _refused(ran, 4, "schema 00001234", "mesogun firmware flash")


def test_two_guns_are_not_chosen_between(mesogun, monkeypatch):
    guns = FakeGun(board_id=b"FAKEGUN1"), FakeGun(board_id=b"FAKEGUN2")
    with port_that_answers(_answers(guns[0])) as one, port_that_answers(_answers(guns[1])) as two:
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: _ports(one, two))
        _refused(mesogun("status"), 3, "2 guns are connected", one, two, "--port")
        found = mesogun("devices", "--json").data
    assert [each["id"] for each in found] == sorted([one, two])
    assert {each["board_id"] for each in found} == {gun.board_id.hex() for gun in guns}
    assert all(each["is_gun"] for each in found)


def test_the_one_gun_that_is_connected_is_used(mesogun, monkeypatch):
    gun = FakeGun()
    with port_that_answers(_answers(gun)) as port:
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: _ports(port))
        ran = mesogun("status", "--json")
        assert ran.code == 0
        assert ran.data["id"] == gun.board_id.hex()
        assert ran.data["port"] == port
        assert ran.data["state"] == "unloaded"
        assert mesogun("stop").code == 0
    assert gun.executed[-2][0] == "stop"


@pytest.mark.parametrize("option", [["--auto-trigger"], ["--seed", "1"], ["--speed", "max"]])
def test_a_real_gun_is_given_no_option_of_a_virtual_one(mesogun, option):
    gun = FakeGun()
    with port_that_answers(_answers(gun)) as port:
        ran = mesogun("run", "face", "--yes", *FITTED, "--port", port, *option)
    _refused(ran, 2, option[0], "real one", "Nothing was delivered")
    assert "arm" not in {name for name, _ in gun.executed}


def test_other_serial_ports_are_listed_and_not_asked(mesogun, monkeypatch):
    with port_that_answers(lambda _: pytest.fail("was written to")) as port:
        other = [SimpleNamespace(**{**vars(_ports(port)[0]), "vid": None})]
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: other)
        found = mesogun("devices", "--json").data
    assert [(each["id"], each["is_gun"]) for each in found] == [(port, False)]


def test_no_serial_port_at_all_is_an_empty_list(mesogun):
    ran = mesogun("devices", "--json")
    assert (ran.code, ran.data) == (0, [])
    assert "--port sim" in ran.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tcp", "nonsense"], "HOST:PORT"),
        (["--tcp", "127.0.0.1:99999"], "0 to 65535"),
        (["--tcp", "0.0.0.0:0"], "--public"),
        (["--speed", "max"], "heartbeat"),
        (["--speed", "fast"], "--speed fast"),
        (["--pty", "--tcp", "127.0.0.1:0"], "exclude each other"),
    ],
)
def test_a_gun_is_not_served_with_wrong_options(mesogun, options, told):
    _refused(mesogun("sim", *options), 2, told)


def test_a_gun_is_not_served_on_an_address_in_use(mesogun):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        _refused(mesogun("sim", "--tcp", address), 3, address, "port 0 picks a free one")


def _ports(*names: str) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            device=name, vid=RASPBERRY_PI_VID, pid=5, serial_number="1", description="Board"
        )
        for name in names
    ]
