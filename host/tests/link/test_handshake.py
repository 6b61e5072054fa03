import pytest

from mesogun.errors import LinkError, PortError, VersionMismatch
from mesogun.link import Link, handshake
from mesogun_protocol.frame import Frame, FrameReader, encode_frame
from mesogun_protocol.messages import HELLO_REPLY
from mesogun_protocol.schema import SCHEMA_HASH
from tests.fake_cable import FakeCable, silence
from tests.fake_gun import FakeGun

OTHER = SCHEMA_HASH ^ 0x1234


def test_hello_tells_who_the_gun_is():
    hello = handshake(Link(FakeCable(FakeGun()))).fields()
    assert hello["board_id"] == b"FAKEGUN1"
    assert hello["schema_hash"] == SCHEMA_HASH


@pytest.mark.req("R36")
def test_another_schema_is_refused_and_both_sides_are_named():
    gun = FakeGun(schema_hash=OTHER)
    with pytest.raises(VersionMismatch) as caught:
        handshake(Link(FakeCable(gun)))
    text = str(caught.value)
    for part in (f"{SCHEMA_HASH:08x}", f"{OTHER:08x}", "firmware 1.2.3", "protocol 1"):
        assert part in text
    assert "mesogun firmware flash" in text


@pytest.mark.req("R36")
@pytest.mark.parametrize("length", [12, 80])
def test_a_hello_of_another_length_still_names_the_mismatch(length):
    cable = FakeCable(FakeGun(schema_hash=OTHER))

    def resize(data: bytes) -> list[tuple[int, bytes]]:
        (frame,) = FrameReader().feed(data)
        body = frame.body[:length].ljust(length, b"\7")
        return [(0, encode_frame(Frame(HELLO_REPLY.id, frame.request, body)))]

    cable.to_host = resize
    with pytest.raises(VersionMismatch, match=f"{OTHER:08x}"):
        handshake(Link(cable))


def test_a_hello_that_is_too_short_to_read_is_no_mesogun():
    cable = FakeCable(FakeGun())

    def shorten(data: bytes) -> list[tuple[int, bytes]]:
        (frame,) = FrameReader().feed(data)
        return [(0, encode_frame(Frame(HELLO_REPLY.id, frame.request, b"\1")))]

    cable.to_host = shorten
    with pytest.raises(PortError, match="fake is not a mesogun"):
        handshake(Link(cable))


def test_a_silent_port_is_no_mesogun():
    cable = FakeCable(FakeGun())
    cable.to_gun = silence
    with pytest.raises(PortError, match=r"fake is not a mesogun.*sent nothing.*mesogun devices"):
        handshake(Link(cable))


def test_a_port_that_talks_of_something_else_is_no_mesogun():
    cable = FakeCable(FakeGun())
    cable.to_host = lambda data: [(0, b"$GPGGA,123519,4807.038,N\r\n" + data[:3])]
    with pytest.raises(PortError, match=r"fake is not a mesogun.*sent \d+ bytes"):
        handshake(Link(cable))


def test_a_pulled_cable_is_a_lost_link():
    cable = FakeCable(FakeGun())
    cable.unplugged = True
    with pytest.raises(LinkError, match="is lost"):
        handshake(Link(cable))


def test_a_gun_that_is_just_booting_is_found():
    cable = FakeCable(FakeGun())
    cable.say(b"MicroPython v1.28.0; Raspberry Pi Pico with RP2040\r\n>>> ")
    cable.to_gun = lambda data: [(500_000, data)]
    assert handshake(Link(cable)).fields()["boot_id"] == 1
