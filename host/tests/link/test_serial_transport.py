import os
from datetime import UTC

import pytest

from mesogun.errors import LinkError, PortError, UsageError
from mesogun.gun import Gun
from mesogun.link import SerialTransport
from tests.fake_gun import FakeGun
from tests.link.conftest import Terminal, needs_terminal

pytestmark = needs_terminal


def test_bytes_go_both_ways_unchanged(terminal):
    every_byte = bytes(range(256))
    transport = SerialTransport(terminal.name)
    transport.write(every_byte)
    assert terminal.received(256) == every_byte
    terminal.write(every_byte)
    got = b""
    while len(got) < 256:
        got += transport.read(1.0)
    assert got == every_byte
    assert transport.name == terminal.name
    transport.close()


def test_a_read_without_bytes_ends_in_time(terminal):
    transport = SerialTransport(terminal.name)
    before_s = transport.monotonic_s()
    assert transport.read(0) == b""
    assert transport.read(0.02) == b""
    assert 0.02 <= transport.monotonic_s() - before_s < 1
    assert transport.wall_clock().tzinfo is UTC
    transport.close()


def test_a_port_in_use_names_port_reason_and_next_act(terminal):
    name = terminal.name
    first = SerialTransport(name)
    with pytest.raises(PortError) as caught:
        SerialTransport(name)
    text = str(caught.value)
    assert f"Cannot open {name}: another program uses it; close that program." in text
    assert "Serial ports here: " in text
    first.close()
    SerialTransport(name).close()


@pytest.mark.parametrize(
    ("port", "reason"),
    [
        ("/dev/no-such-port", "there is no such port; check the cable"),
        ("nonsense://host", "choose a port that exists"),
    ],
)
def test_a_port_that_is_not_there_names_reason_and_choices(port, reason):
    with pytest.raises(PortError) as caught:
        SerialTransport(port)
    assert f"Cannot open {port}: " in str(caught.value)
    assert reason in str(caught.value)
    assert "Serial ports here: " in str(caught.value)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may open every port")
def test_a_port_that_may_not_be_opened_names_the_group(tmp_path):
    locked = tmp_path / "port"
    locked.touch(0o000)
    with pytest.raises(PortError, match="you may not open it; join the group"):
        SerialTransport(str(locked))


def test_an_unplugged_port_is_a_lost_link(terminal):
    transport = SerialTransport(terminal.name)
    terminal.file.close()
    with pytest.raises(LinkError, match=f"The connection on {terminal.name} is lost"):
        transport.read(1.0)
    with pytest.raises(LinkError, match="is lost"):
        transport.write(b"x")
    transport.close()
    transport.close()


def test_a_url_is_a_port_too():
    transport = SerialTransport("loop://")
    transport.write(b"abc")
    assert transport.read(1.0) == b"abc"
    transport.close()


class Answering(SerialTransport):
    """A real port with a fake gun at its other end, which answers whenever it was written to."""

    def __init__(self, terminal: Terminal, gun: FakeGun) -> None:
        super().__init__(terminal.name)
        self.terminal, self.gun = terminal, gun

    def write(self, data: bytes) -> None:
        super().write(data)
        self.gun.take(self.terminal.received(len(data)), 0)
        self.terminal.write(b"boot text\r\n\0" + b"".join(self.gun.output()))


def test_a_gun_is_opened_over_a_real_port(terminal):
    with Gun.open(Answering(terminal, FakeGun())) as gun:
        assert gun.info.board_id == b"FAKEGUN1".hex()
        assert gun.get_limits().shots == 0


def test_its_seconds_are_those_of_a_gun_that_is_simulated_slower(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 40.0)
    monkeypatch.setenv("MESOGUN_PACE", "0.25")
    port = SerialTransport("loop://")
    assert port.monotonic_s() == 10.0
    port.read(0.0)
    port._serial.write(b"x")
    assert port.read(2.0) == b"x"
    assert port._serial.timeout == 8.0
    port.close()


@pytest.mark.parametrize("pace", ["slow", "0", "-1", "nan", "100"])
def test_a_pace_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, pace: str) -> None:
    monkeypatch.setenv("MESOGUN_PACE", pace)
    with pytest.raises(UsageError, match=f"MESOGUN_PACE = '{pace}'.*0.01 to 3"):
        SerialTransport("loop://")
