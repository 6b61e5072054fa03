"""`fault://` in front of real ports, and what cannot be opened."""

import socket
import time

import pytest
import serial
from serial.serialutil import PortNotOpenError, SerialException

from mesogun.cli import main
from mesogun.errors import LinkError, PortError, UsageError
from mesogun.link import SerialTransport
from mesogun.link.protocol_fault import Serial
from tests.link.conftest import Terminal, needs_terminal

pytestmark = needs_terminal


def opened(url: str, timeout_s: float = 60.0) -> Serial:
    port = serial.serial_for_url(url, timeout=timeout_s)
    assert isinstance(port, Serial)
    return port


def test_bytes_go_both_ways(terminal: Terminal) -> None:
    transport = SerialTransport(f"fault://{terminal.name}")
    transport.write(b"\0abc\0")
    assert terminal.received(5) == b"\0abc\0"
    terminal.write(b"de\0f\0")
    got = b""
    while len(got) < 5:
        got += transport.read(1.0)
    assert got == b"de\0f\0"
    before_s = time.monotonic()
    assert transport.read(0.02) == b""
    assert 0.02 <= time.monotonic() - before_s < 0.2
    transport.close()
    transport.close()


def test_the_faults_of_the_url_happen(terminal: Terminal) -> None:
    with opened(f"fault://{terminal.name}?duplicate=1&hold_s=0&seed=1") as port:
        port.write(b"abc\0")
        assert terminal.received(8) == b"abc\0abc\0"
        terminal.write(b"de\0")
        assert port.read(6) == b"de\0de\0"
        assert port.in_waiting == 0
        assert port.cable.counts == {"duplicate": 2}
    with opened(f"fault://{terminal.name}?drop=1", timeout_s=0.2) as port:
        port.write(b"abc\0")
        terminal.write(b"de\0")
        while port.cable.counts["drop"] < 2:
            assert port.read(64) == b""
        assert port.cable.counts == {"drop": 2}
        assert terminal.is_empty()


def test_a_late_frame_leaves_while_the_program_waits(terminal: Terminal) -> None:
    with opened(f"fault://{terminal.name}?reorder=1&hold_s=0.05", timeout_s=0.1) as port:
        port.write(b"abc\0")
        assert terminal.is_empty()
        port.read(1)
        assert terminal.received(4) == b"abc\0"
        port.write(b"d\0")
        port.flush()
        assert terminal.received(2) == b"d\0"


def test_a_port_of_any_kind_and_what_belongs_to_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, number = server.getsockname()
        with opened(f"fault://socket://{host}:{number}?glue=1&hold_s=0.01") as port:
            client, _ = server.accept()
            with client:
                client.sendall(b"a\0b\0c\0")
                assert port.read(6) == b"a\0b\0c\0"
                port.write(bytearray(b"x\0"))
                port.write(memoryview(b"y\0"))
                assert client.recv(64) == b"x\0y\0"
    with opened("fault://loop://") as port:
        port.rts = False
        port.dtr = True
        port.break_condition = True
        port.baudrate = 9600
        assert (port.cts, port.dsr) == (False, True)
        assert port._bare.baudrate == 9600
        port.write(b"abc\0")
        assert port.in_waiting == 4
        port.reset_input_buffer()
        assert port.in_waiting == 0
        with pytest.raises(AttributeError, match="_nothing"):
            _ = port._nothing


def test_a_read_without_a_limit_waits_for_all_of_it() -> None:
    with serial.serial_for_url("fault://loop://?split=1&delay_s=0.05&seed=4") as port:
        port.write(b"abc\0")
        assert port.timeout is None
        assert port.read(4) == b"abc\0"


def test_a_cable_inside_a_cable() -> None:
    with opened("fault://fault://loop://?duplicate=1&hold_s=0?drop=0") as port:
        port.write(b"a\0")
        assert port.read(8) == b"a\0" * 4  # twice out and twice back


def test_an_unplugged_port_is_gone_for_a_while(terminal: Terminal) -> None:
    url = f"fault://{terminal.name}?unplug=1&replug_s=0.3"
    transport = SerialTransport(url)
    transport.write(b"lost\0")
    with pytest.raises(LinkError, match=r"is lost .*unplugged"):
        transport.read(1.0)
    with pytest.raises(LinkError, match=r"is lost .*unplugged"):
        transport.write(b"x\0")
    transport.close()
    with pytest.raises(PortError, match="there is no such port; check the cable"):
        SerialTransport(url)
    while True:
        try:
            again = opened(url)
            break
        except SerialException:
            time.sleep(0)
    assert again.cable.counts == {"unplug": 1}  # the same cable
    again.close()
    with pytest.raises(PortNotOpenError):
        again.read(1)
    again.flush()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("fault:///dev/ttyACM0?drop=2", "drop=2.0 cannot be: 0 to 1 is possible"),
        ("fault:///dev/ttyACM0?speed=2", "no fault 'speed' of a cable; there are drop,"),
        ("fault://", "names no port: give one, such as fault:///dev/ttyACM0"),
        ("fault://?drop=0.1", "names no port"),
    ],
)
def test_faults_that_cannot_be_are_an_error_of_use(
    url: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        SerialTransport(url)
    assert text in str(caught.value)
    assert main(["status", "--port", url]) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("port", ["/dev/no-such-port", "nonsense://host", "socket://127.0.0.1:1"])
def test_a_port_that_is_not_there(port: str) -> None:
    with pytest.raises(PortError, match="Cannot open fault://"):
        SerialTransport(f"fault://{port}?drop=0.1")
