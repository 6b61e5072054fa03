import pytest

from mesogun.errors import MesogunError, PortError, VersionMismatch
from mesogun.link import SerialPort, find_gun, list_ports, probe_ports
from mesogun.link.discovery import RASPBERRY_PI_VID
from tests.fake_cable import FakeCable, silence
from tests.fake_gun import FakeGun


def port(name: str, vid: int | None = RASPBERRY_PI_VID) -> SerialPort:
    return SerialPort(name, vid, 5, "E66038B7", "Board in FS mode")


class Desk:
    """Opens the fake port of a name; a name without one is in use."""

    def __init__(self, **cables: FakeCable) -> None:
        self.cables = cables
        self.opened: list[str] = []

    def __call__(self, name: str) -> FakeCable:
        self.opened.append(name)
        if name not in self.cables:
            raise PortError(f"Cannot open {name}: another program uses it.")
        return self.cables[name]


def test_the_one_gun_is_found_and_its_port_given_back():
    desk = Desk(acm0=FakeCable(FakeGun()))
    assert find_gun([port("acm0")], desk).device == "acm0"
    assert desk.cables["acm0"].closed


def test_ports_of_other_vendors_are_never_opened():
    desk = Desk(acm1=FakeCable(FakeGun()))
    probes = probe_ports([port("s0", None), port("usb0", 0x0403), port("acm1")], desk)
    assert desk.opened == ["acm1"]
    assert [probe.board_id for probe in probes] == [b"FAKEGUN1".hex()]


def test_no_gun_says_so_and_names_the_simulated_one():
    with pytest.raises(PortError, match=r"No gun is connected.*--port sim.*No serial port here"):
        find_gun([], Desk())


def test_no_gun_tells_what_the_likely_ports_said():
    mute = FakeCable(FakeGun())
    mute.to_gun = silence
    with pytest.raises(PortError, match=r"--port sim.*acm0: another program.*is not a mesogun"):
        find_gun([port("acm0"), port("acm1")], Desk(acm1=mute))
    assert mute.closed


def test_several_guns_are_listed():
    first, second = FakeCable(FakeGun(board_id=b"A" * 8)), FakeCable(FakeGun(board_id=b"B" * 8))
    with pytest.raises(PortError) as caught:
        find_gun([port("acm0"), port("acm1")], Desk(acm0=first, acm1=second))
    text = str(caught.value)
    assert text.startswith("2 guns are connected: acm0 (board 4141414141414141), acm1 (board 4242")
    assert "--port" in text


def test_a_gun_with_other_firmware_is_a_gun():
    desk = Desk(acm0=FakeCable(FakeGun(schema_hash=1)))
    (probe,) = probe_ports([port("acm0")], desk)
    assert probe.is_gun
    assert isinstance(probe.problem, VersionMismatch)
    again = Desk(acm0=FakeCable(FakeGun(schema_hash=1)))
    assert find_gun([port("acm0")], again).device == "acm0"


def test_a_probe_of_a_gun_carries_no_problem():
    (probe,) = probe_ports([port("acm0")], Desk(acm0=FakeCable(FakeGun())))
    assert probe.problem is None


def test_a_port_in_use_is_a_probe_with_its_reason():
    (probe,) = probe_ports([port("acm0")], Desk())
    assert not probe.is_gun
    assert isinstance(probe.problem, MesogunError)


def test_the_ports_of_this_computer_are_listed_by_name():
    names = [item.device for item in list_ports()]
    assert names == sorted(names)
