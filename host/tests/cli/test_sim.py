"""A served virtual gun, and the ports that it is served on."""

import json
import signal
import socket

import pytest

from mesogun.errors import UsageError
from mesogun.gun import Gun
from mesogun.link import SerialTransport
from mesogun.virtual.gun import kept_guns
from mesogun.virtual.serve import Outlet, PtyOutlet, TcpOutlet
from tests.served_gun import running, served


def test_a_gun_is_watched_until_the_user_has_seen_enough(surroundings):
    with running(surroundings, "status", "--watch", "--port", "sim", "--json") as watch:
        assert watch.stdout is not None
        looks = [json.loads(watch.stdout.readline()) for _ in range(2)]
        watch.send_signal(signal.SIGINT)
        _, err = watch.communicate()
    assert (watch.returncode, err) == (130, "Interrupted.\n")
    assert looks[0]["id"] == looks[1]["id"]
    assert 1000 <= looks[1]["clock_ms"] - looks[0]["clock_ms"] < 1500
    assert kept_guns() == []


@pytest.mark.parametrize("options", [[], ["--pty"], ["--tcp", "127.0.0.1:0"], ["--tcp", ":0"]])
def test_clients_come_and_go_and_the_gun_stays(mesogun, surroundings, options):
    with served(surroundings, *options) as (port, gun):
        first = mesogun("status", "--port", port, "--json")
        second = mesogun("status", "--port", port, "--json")
        assert (first.code, second.code) == (0, 0)
        assert first.data["id"] == second.data["id"]
        assert second.data["clock_ms"] > first.data["clock_ms"]
        gun.send_signal(signal.SIGINT)
        _, err = gun.communicate()
    assert gun.returncode == 0
    assert first.data["id"] in err
    assert kept_guns() == []


# pyserial does not close a socket that its other end has closed before.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"
)
@pytest.mark.parametrize("options", [["--pty"], ["--tcp", "127.0.0.1:0"]])
def test_a_served_gun_has_one_client_at_a_time(mesogun, surroundings, options):
    with served(surroundings, *options) as (port, _):
        first = SerialTransport(port)
        assert first.read(0.05) == b""  # by then the server has let it in
        second = mesogun("status", "--port", port)
        assert second.code in (3, 5)
        first.close()
        assert mesogun("status", "--port", port).code == 0


def test_a_program_runs_on_a_served_gun_as_on_a_real_one(mesogun, surroundings):
    program = surroundings / "two.toml"
    program.write_text(PROGRAM)
    # A wrong syringe would be taken for a blocked needle.
    fitted = ("--syringe", "bd-plastipak-5", "--needle", "30g-4")
    with served(surroundings, "--auto-trigger", "--seed", "1", *fitted, "--json") as (line, _):
        port = json.loads(line)["port"]
        ran = mesogun("run", program, "--port", port, "--yes", *ANSWERED, "--json")
        assert ran.code == 0
        assert ran.data["shots_delivered"] == 2
        assert ran.data["volume_needle_nl"] is None
        assert ran.data["seed"] is None
        assert ran.data["record_complete"]


def test_a_gun_with_records_that_nobody_stored_is_kept(mesogun, surroundings):
    with served(surroundings) as (port, gun):
        with Gun.open(SerialTransport(port)) as client:
            client.load_syringe(41_283, 1_000_000, 300, 1, 110)
        gun.send_signal(signal.SIGINT)
        _, err = gun.communicate()
    assert "mesogun sessions sync" in err
    assert len(kept_guns()) == 1
    assert mesogun("sessions", "sync").code == 0
    assert kept_guns() == []


# A served gun is a real one to who talks to it: nobody may leave a hard question out.
ANSWERED = [
    word
    for answer in (
        "allergy=no",
        "skin=no",
        "asepsis=yes",
        "product=yes",
        "thinners=no",
        "creams=no",
        "goals=yes",
    )
    for word in ("--answer", answer)
]

PROGRAM = """\
schema = 1
name = "Two points"
technique = "papule"
delivery = "dry"
depth_mm = 1.5
syringe = "bd-plastipak-5"
needle = "30g-4"

[limits]
total_ul = 40

[[step]]
kind = "shots"
dose_ul = 20
inject_s = 0.3
period_s = 1
count = 2
trigger = "press"
"""


def test_what_a_pseudo_terminal_does_not_take_is_lost_and_nothing_blocks():
    outlet = PtyOutlet()
    try:
        for _ in range(100):
            outlet.send(b"x" * 4096)
        assert outlet.receive() == b""
    finally:
        outlet.close()


def test_every_byte_passes_a_pseudo_terminal_unchanged():
    outlet = PtyOutlet()
    client = SerialTransport(outlet.url)
    try:
        _carries_every_byte(outlet, client)
    finally:
        client.close()
        outlet.close()


def test_every_byte_passes_a_socket_unchanged_and_the_next_client_gets_in():
    outlet = TcpOutlet("127.0.0.1:0")
    try:
        for _ in range(2):
            outlet.send(b"nobody hears this")
            assert outlet.receive() == b""
            client = SerialTransport(outlet.url)
            _carries_every_byte(outlet, client)
            client.close()
            while outlet.receive():
                pass
    finally:
        outlet.close()


def test_a_socket_takes_no_second_client_and_survives_one_that_breaks_off():
    outlet = TcpOutlet("127.0.0.1:0")
    host, _, port = outlet.url.removeprefix("socket://").rpartition(":")
    try:
        with socket.create_connection((host, int(port))) as first:
            while outlet._client is None:
                outlet.receive()
            with socket.create_connection((host, int(port))) as second:
                while True:
                    outlet.receive()
                    second.settimeout(0.01)
                    try:
                        assert second.recv(1) == b""
                        break
                    except TimeoutError:
                        continue
            first.sendall(b"still here")
            assert _received(outlet, 10) == b"still here"
            # Reset instead of an orderly end.
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        while outlet._client is not None:
            outlet.receive()
        outlet.send(b"lost")
    finally:
        outlet.close()


def test_a_socket_listens_on_this_computer_alone_unless_allowed():
    with pytest.raises(UsageError, match="--public"):
        TcpOutlet("0.0.0.0:0")
    outlet = TcpOutlet("0.0.0.0:0", public=True)
    outlet.close()


def _received(outlet: Outlet, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += outlet.receive()
    return data


def _carries_every_byte(outlet: Outlet, client: SerialTransport) -> None:
    every_byte = bytes(range(256))
    client.write(every_byte)
    assert _received(outlet, 256) == every_byte
    outlet.send(every_byte)
    got = b""
    while len(got) < 256:
        got += client.read(1.0)
    assert got == every_byte
