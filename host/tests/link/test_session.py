import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.errors import LinkError, UsageError
from mesogun.link import DoseUncertain, Link, NoAnswer, Refused, handshake
from mesogun.link.session import EVENTS_KEPT, NEVER_RESENT
from mesogun_protocol import messages
from mesogun_protocol.enums import ConfigKey, EventKind
from mesogun_protocol.frame import Frame, FrameReader, encode_frame
from mesogun_protocol.messages import EVENT, PING, PRIME, REPLY_BIT, RESUME, START, STATUS, STOP
from tests.fake_cable import FakeCable, silence
from tests.fake_gun import FakeGun

BANNER = b"MPY: soft reboot\r\nMicroPython v1.28.0 on 2026-03-01; RP2040\r\n>>> "


def connect(start_us: int = 0) -> tuple[Link, FakeCable, FakeGun]:
    gun = FakeGun()
    cable = FakeCable(gun, start_us=start_us)
    link = Link(cable)
    handshake(link)
    cable.sent.clear()
    gun.executed.clear()
    return link, cable, gun


def lose(count: int):
    """Lose the first `count` pieces."""
    left = [count]

    def disturb(data: bytes) -> list[tuple[int, bytes]]:
        left[0] -= 1
        return [] if left[0] >= 0 else [(0, data)]

    return disturb


def test_a_request_returns_the_fields_of_its_reply():
    link, _, _ = connect()
    reply = link.request(PING, token=77)
    assert reply["token"] == 77
    assert reply["clock_ms"] > 0


@pytest.mark.req("R32")
def test_a_lost_request_is_sent_again_with_its_number_and_carried_out_once():
    link, cable, gun = connect()
    cable.to_gun = lose(2)
    link.request(messages.WRITE_CONFIG, key=ConfigKey.DEBOUNCE_MS, value=42)
    assert len(cable.sent) == 3
    assert len(set(cable.sent)) == 1
    assert [name for name, _ in gun.executed] == ["write_config"]
    assert link.resent == 2


@pytest.mark.req("R32")
def test_a_lost_reply_is_repeated_by_the_gun_and_the_request_not_carried_out_again():
    link, cable, gun = connect()
    cable.to_host = lose(3)
    reply = link.request(PING, token=5)
    assert reply["token"] == 5
    assert [name for name, _ in gun.executed] == ["ping"]


def test_a_gun_that_is_deaf_for_a_flash_erase_answers_in_time():
    link, cable, gun = connect()
    cable.to_gun = lambda data: [(400_000, data)]
    assert link.request(PING, token=1)["token"] == 1
    assert [name for name, _ in gun.executed] == ["ping"]


def test_silence_ends_after_four_tries_and_names_the_port():
    link, cable, _ = connect()
    cable.to_gun = silence
    before_us = cable.now_us
    with pytest.raises(NoAnswer, match=r"fake did not answer ping within 1\.2 s\. Check its cable"):
        link.request(PING, token=1)
    assert len(cable.sent) == 4
    assert cable.now_us - before_us == 1_200_000


@pytest.mark.req("R33")
@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (START, {"session_id": 1}),
        (RESUME, {"session_id": 1}),
        (PRIME, {"dose_nl": 1000, "inject_us": 10_000}),
    ],
)
def test_what_delivers_is_sent_once_and_its_silence_is_uncertain(message, fields):
    link, cable, _ = connect()
    cable.to_gun = silence
    before_us = cable.now_us
    with pytest.raises(
        DoseUncertain, match=f"Whether the gun carried out {message.name}"
    ) as caught:
        link.request(message, **fields)
    assert len(cable.sent) == 1
    assert cable.now_us - before_us == 1_200_000
    assert caught.value.request == message.name
    assert isinstance(caught.value, LinkError)


def test_exactly_the_dose_commands_are_never_resent():
    assert {START.id, RESUME.id, PRIME.id} == NEVER_RESENT


@pytest.mark.req("R33")
@pytest.mark.parametrize("when", ["write", "read"])
def test_a_cable_pulled_at_start_leaves_it_uncertain(when):
    link, cable, _ = connect()

    def pull(data: bytes) -> list[tuple[int, bytes]]:
        cable.unplugged = True
        return [(0, data)]

    cable.unplugged = when == "write"
    cable.to_gun = pull
    with pytest.raises(DoseUncertain, match="is lost"):
        link.request(START, session_id=1)


def test_a_cable_pulled_at_a_harmless_request_is_a_lost_link():
    link, cable, _ = connect()
    cable.unplugged = True
    with pytest.raises(LinkError, match="is lost") as caught:
        link.request(STATUS)
    assert not isinstance(caught.value, DoseUncertain | NoAnswer)


@pytest.mark.req("R33")
def test_a_reply_to_start_that_breaks_the_protocol_is_uncertain():
    link, cable, _ = connect()

    def lengthen(data: bytes) -> list[tuple[int, bytes]]:
        (frame,) = FrameReader().feed(data)
        return [(0, encode_frame(Frame(START.id | REPLY_BIT, frame.request, b"!")))]

    cable.to_host = lengthen
    with pytest.raises(DoseUncertain, match="breaks the protocol"):
        link.request(START, session_id=1)


def test_stop_is_sent_until_it_is_confirmed():
    link, cable, gun = connect()
    cable.to_gun = lose(9)
    cable.to_host = lose(5)
    link.request(STOP)
    assert len(cable.sent) == 15
    assert [name for name, _ in gun.executed] == ["stop"]


def test_a_stop_that_nobody_confirms_says_what_to_do_by_hand():
    link, cable, _ = connect()
    cable.to_host = silence
    before_us = cable.now_us
    with pytest.raises(NoAnswer, match="still be moving: open the interlock"):
        link.request(STOP)
    assert cable.now_us - before_us == 2_000_000


def test_a_late_reply_answers_no_other_request():
    link, cable, _ = connect()
    cable.to_host = lambda data: [(1_300_000, data)]
    with pytest.raises(NoAnswer):
        link.request(PING, token=1)
    cable.to_host = lambda data: [(0, data)]
    assert link.request(PING, token=2)["token"] == 2
    link.listen(2)
    assert link.stray > 0


def test_a_refusal_of_another_message_under_the_same_number_is_no_answer():
    link, cable, _ = connect()

    def forge(data: bytes) -> list[tuple[int, bytes]]:
        (frame,) = FrameReader().feed(data)
        body = bytes([STOP.id]) + b"\x04" + bytes(13)
        return [(0, encode_frame(Frame(messages.REFUSED.id, frame.request, body))), (10, data)]

    cable.to_host = forge
    assert link.request(PING, token=3)["token"] == 3
    assert link.stray == 1


def test_numbers_run_round_and_leave_out_zero():
    start_ms = -FakeCable(FakeGun()).wall_clock().timestamp() * 1000 % 65_535
    link, _, gun = connect(start_us=int(start_ms - 3) * 1000)
    for _ in range(6):
        link.request(STATUS)
    assert [frame.request for frame in gun.heard] == [65_533, 65_534, 65_535, 1, 2, 3, 4]


def test_conversations_begin_at_different_numbers():
    def first(start_us: int) -> int:
        gun = FakeGun()
        handshake(Link(FakeCable(gun, start_us=start_us)))
        return gun.heard[0].request

    assert first(0) != first(1_000_000)


def test_a_value_out_of_bounds_is_not_sent():
    link, cable, _ = connect()
    with pytest.raises(
        UsageError, match=r"(?s)Nothing was sent: prime.*dose_nl.*999 is not within"
    ):
        link.request(PRIME, dose_nl=999, inject_us=10_000)
    assert cable.sent == []


def test_a_refusal_is_raised_and_the_link_goes_on():
    link, _, _ = connect()
    with pytest.raises(Refused, match="The gun refused start: it is UNLOADED"):
        link.request(START, session_id=1)
    assert link.request(PING, token=9)["token"] == 9


def test_events_wait_while_requests_are_made():
    link, cable, gun = connect()
    gun.press(cable.gun_ms())
    gun.tell(EventKind.STEP, 5, 1, 2)
    link.request(STATUS)
    (event,) = link.listen(0)
    assert (event.kind, event.a, event.b) == (EventKind.STEP, 1, 2)
    assert link.listen(0) == []


def test_listen_returns_with_the_first_event_and_not_later_than_asked():
    link, cable, gun = connect()
    before_us = cable.now_us
    assert link.listen(0.25) == []
    assert cable.now_us - before_us == 250_000
    gun.tell(EventKind.STEP, 5, 1, 2)
    assert len(link.listen(60)) == 1
    assert cable.now_us - before_us < 300_000


def test_events_that_nobody_takes_do_not_fill_the_memory():
    link, _, gun = connect()
    for number in range(EVENTS_KEPT + 10):
        gun.tell(EventKind.SHOT, 0, number, 0)
    events = link.listen(1)
    assert len(events) <= EVENTS_KEPT
    assert events[-1].a == EVENTS_KEPT + 9


def test_an_event_of_another_definition_is_counted_and_does_no_harm():
    link, cable, _ = connect()
    cable.say(encode_frame(Frame(EVENT.id, 0, b"\xff")))
    assert link.request(PING, token=4)["token"] == 4
    assert link.stray == 1


def test_text_on_the_stream_is_counted_and_does_no_harm():
    link, cable, gun = connect()
    cable.say(BANNER)
    cable.to_gun = lambda data: [(0, BANNER), (1, data)]
    assert link.request(PING, token=4)["token"] == 4
    assert link.damaged == 1
    assert [name for name, _ in gun.executed] == ["ping"]


def test_a_broken_frame_in_front_does_not_take_the_next_request_with_it():
    link, cable, gun = connect()
    cable.to_gun = lambda data: [(0, b"half a frame"), (0, data)]
    link.request(STATUS)
    assert len(cable.sent) == 1
    assert [name for name, _ in gun.executed] == ["status"]


def test_an_echoing_port_answers_nothing():
    link, cable, _ = connect()
    cable.to_gun = silence
    cable.to_host = silence
    cable.to_gun = lambda data: (cable.say(data), [])[1]
    with pytest.raises(NoAnswer):
        link.request(PING, token=1)
    assert link.stray == 4


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.data())
def test_pieces_of_any_size_make_the_same_replies(sizes, data):
    link, cable, gun = connect()
    free_us = [0]

    def chop(sent: bytes) -> list[tuple[int, bytes]]:
        pieces, at = [], 0
        while at < len(sent):
            size = sizes[len(pieces) % len(sizes)]
            free_us[0] = max(cable.now_us, free_us[0] + 1)
            pieces.append((free_us[0] - cable.now_us, sent[at : at + size]))
            at += size
        return pieces

    cable.to_gun = cable.to_host = chop
    glue = data.draw(st.integers(0, 3))
    for _ in range(glue):
        gun.tell(EventKind.STEP, 1, 2, 3)
    assert link.request(PING, token=8)["token"] == 8
    events = link.listen(0)
    while more := link.listen(0.01):
        events += more
    assert len(events) == glue
    assert link.damaged == 0
    assert len(cable.sent) == 1


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_damaged_byte_costs_a_resend_and_never_a_wrong_answer(position, flip):
    link, cable, gun = connect()
    once = [True]

    def damage(data: bytes) -> list[tuple[int, bytes]]:
        if not once:
            return [(0, data)]
        once.clear()
        at = position % len(data)
        return [(0, data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])]

    cable.to_host = damage
    assert link.request(messages.READ_CONFIG, key=ConfigKey.LEAD_NM)["value"] == 102
    assert gun.executed.count(gun.executed[0]) == 1
    assert link.resent <= 2  # without its zero a frame takes the next one with it
