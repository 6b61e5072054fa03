import pytest

from mesogun.errors import LinkError, UsageError
from mesogun.gun import DoseUncertain, Gun, GunRestarted, Refused
from mesogun_protocol.enums import ControllerState, Fault, ResetCause
from mesogun_protocol.messages import START
from tests.fake_cable import FakeCable, intact, silence
from tests.fake_gun import FakeGun
from tests.fake_session import PAUSE, Step, armed, loaded

pytestmark = pytest.mark.req("R33")


def times(device: FakeGun, name: str) -> int:
    return [executed for executed, _ in device.executed].count(name)


def lose_start(gun: Gun, cable: FakeCable, *, reply: bool) -> None:
    """START gets no answer: its reply is lost, or it is lost itself."""

    def disturb(data: bytes) -> list[tuple[int, bytes]]:
        # The first piece is the STATUS in front of it.
        lost = sent and cable.sent[-1] is not sent[0]
        sent.append(cable.sent[-1])
        return [] if lost else [(0, data)]

    sent: list[bytes] = []
    if reply:
        cable.to_host = disturb
    else:
        cable.to_gun = disturb
    with pytest.raises(DoseUncertain, match="carried out start is not known"):
        gun.start(7)
    cable.to_gun = cable.to_host = intact


@pytest.mark.parametrize("reply", [True, False])
def test_an_unanswered_start_is_settled_by_one_query(reply):
    gun, cable, device = armed()
    lose_start(gun, cable, reply=reply)
    assert times(device, "start") == reply
    cable.sent.clear()
    assert gun.resolve() is reply
    assert len(cable.sent) == 1
    assert times(device, "start") == reply


def test_a_start_that_was_lost_can_be_given_again_and_is_carried_out_once():
    gun, cable, device = armed()
    lose_start(gun, cable, reply=False)
    assert gun.resolve() is False
    gun.start(7)
    assert times(device, "start") == 1


def test_a_start_that_is_over_by_the_time_it_is_asked_was_carried_out():
    gun, cable, _ = armed(Step(count=2))
    lose_start(gun, cable, reply=True)
    assert gun.status().state is ControllerState.DONE
    assert gun.resolve() is True


@pytest.mark.parametrize("reply", [True, False])
def test_a_stop_in_between_does_not_hide_what_became_of_a_start(reply):
    gun, cable, _ = armed()
    lose_start(gun, cable, reply=reply)
    gun.stop()
    assert gun.resolve() is reply


def test_a_start_of_a_gun_that_was_not_armed_was_certainly_not_carried_out():
    gun, cable, _ = armed()
    gun.start(7)
    gun.wait(0)
    lose_start(gun, cable, reply=False)
    assert gun.resolve() is False


def test_a_fault_in_between_counts_as_carried_out():
    gun, cable, device = armed()
    lose_start(gun, cable, reply=False)
    device.fail(Fault.INTERLOCK_OPEN, cable.gun_ms())
    assert gun.resolve() is True


def test_in_doubt_nothing_that_could_deliver_is_sent():
    gun, cable, _ = armed()
    lose_start(gun, cable, reply=False)
    crc = gun.status().program_crc
    cable.sent.clear()
    for command in (
        lambda: gun.start(7),
        lambda: gun.resume(7),
        lambda: gun.prime(10_000, 100_000),
        lambda: gun.arm(8, crc),
        lambda: gun.load_syringe(40_000, 1_000_000, 600, 3, 160),
        gun.unload_syringe,
    ):
        with pytest.raises(DoseUncertain, match=r"start is not known.*\(resolve\)"):
            command()
    assert cable.sent == []


def test_in_doubt_a_stop_is_sent_and_confirmed():
    gun, cable, device = armed()
    lose_start(gun, cable, reply=True)
    gun.stop()
    assert device.state is ControllerState.DONE


def test_the_doubt_stays_while_the_gun_does_not_answer():
    gun, cable, _ = armed()
    lose_start(gun, cable, reply=True)
    cable.to_gun = silence
    with pytest.raises(LinkError):
        gun.resolve()
    with pytest.raises(DoseUncertain):
        gun.start(7)
    cable.to_gun = intact
    assert gun.resolve() is True


def test_the_doubt_survives_a_new_cable():
    gun, cable, device = armed(Step(count=1000))

    def pull(data: bytes) -> list[tuple[int, bytes]]:
        cable.unplugged = START.id in [frame.message for frame in device.heard]
        return [] if cable.unplugged else [(0, data)]

    cable.to_host = pull
    with pytest.raises(DoseUncertain, match="is lost"):
        gun.start(7)
    gun.reconnect(FakeCable(device, start_us=cable.now_us))
    with pytest.raises(DoseUncertain):
        gun.start(7)
    assert gun.resolve() is True
    assert times(device, "start") == 1


def test_an_interrupted_start_is_in_doubt():
    gun, cable, _ = armed()
    with pytest.MonkeyPatch.context() as patch:
        read, calls = cable.read, []

        def interrupt(timeout_s: float) -> bytes:
            calls.append(timeout_s)
            if len(calls) > 1:
                raise KeyboardInterrupt
            return read(timeout_s)

        patch.setattr(cable, "read", interrupt)
        with pytest.raises(KeyboardInterrupt):
            gun.start(7)
    with pytest.raises(DoseUncertain):
        gun.start(7)
    assert gun.resolve() is True


def test_a_refused_start_leaves_no_doubt():
    gun, _, _ = loaded()
    with pytest.raises(Refused):
        gun.start(7)
    with pytest.raises(UsageError, match="nothing to resolve"):
        gun.resolve()


def test_a_value_out_of_bounds_leaves_no_doubt():
    gun, _, _ = loaded()
    with pytest.raises(UsageError, match="Nothing was sent"):
        gun.prime(1, 100_000)
    gun.prime(10_000, 100_000)


def test_a_gun_that_restarted_settles_the_doubt_and_says_so():
    gun, cable, device = armed()
    lose_start(gun, cable, reply=True)
    device.restart(ResetCause.WATCHDOG, cable.gun_ms())
    with pytest.raises(GunRestarted, match=r"restarted \(boot 1, now 2\).*sent start"):
        gun.resolve()
    assert gun.info.boot_id == 2
    gun.load_syringe(40_000, 1_000_000, 600, 3, 160)


def test_a_start_under_another_session_was_not_this_one():
    gun, cable, device = armed()
    lose_start(gun, cable, reply=True)
    device.session_id = 99
    assert gun.resolve() is False


@pytest.mark.parametrize("reply", [True, False])
def test_an_unanswered_resume_is_settled(reply):
    gun, cable, device = armed(Step(count=1), PAUSE, Step())
    gun.start(7)
    while gun.status().state is not ControllerState.PAUSED:
        gun.wait(1)
    gun.wait(0)
    count = [0]

    def disturb(data: bytes) -> list[tuple[int, bytes]]:
        count[0] += 1
        return [(0, data)] if count[0] == 1 else []

    cable.to_gun, cable.to_host = (intact, disturb) if reply else (disturb, intact)
    with pytest.raises(DoseUncertain, match="carried out resume"):
        gun.resume(7)
    cable.to_gun = cable.to_host = intact
    assert gun.resolve() is reply
    assert times(device, "resume") == reply


@pytest.mark.parametrize("reply", [True, False])
@pytest.mark.parametrize("pressed", [True, False])
def test_an_unanswered_prime_is_withdrawn_and_settled(reply, pressed):
    gun, cable, device = loaded()
    count = [0]

    def disturb(data: bytes) -> list[tuple[int, bytes]]:
        count[0] += 1
        return [(0, data)] if count[0] == 1 else []

    cable.to_gun, cable.to_host = (intact, disturb) if reply else (disturb, intact)
    with pytest.raises(DoseUncertain, match="carried out prime"):
        gun.prime(10_000, 100_000)
    cable.to_gun = cable.to_host = intact
    if pressed:
        device.press(cable.gun_ms())
    assert gun.resolve() is (reply and pressed)
    before = device.primed_steps
    device.press(cable.gun_ms())
    assert device.primed_steps == before
