import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.errors import GunRefused, ProgramError
from mesogun.gun import Refused, UploadMismatch
from mesogun.gun.upload import encode_program, totals
from mesogun_protocol import limits
from mesogun_protocol.enums import ControllerState, StepKind
from mesogun_protocol.frame import Frame, FrameReader, encode_frame
from mesogun_protocol.messages import PROGRAM_CHUNK, PROGRAM_HEADER, PROGRAM_STEP
from tests.fake_session import PAUSE, Step, loaded

PRIME = Step(StepKind.PRIME, count=1, dose_nl=50_000, period_us=0)
FLOW = Step(StepKind.FLOW, count=1, dose_nl=300_000, inject_us=60_000_000, period_us=0)

STEPS = st.lists(
    st.one_of(
        st.just(PAUSE),
        st.just(PRIME),
        st.just(FLOW),
        st.builds(
            Step,
            count=st.integers(1, 50),
            dose_nl=st.integers(limits.DOSE_MIN_NL, 10_000),
            film_nl=st.integers(0, 5_000),
            film_every=st.integers(0, 2),
        ),
    ),
    min_size=1,
    max_size=limits.PROGRAM_STEPS_MAX,
)


@pytest.mark.req("R36")
@given(STEPS)
def test_what_the_gun_holds_is_what_was_sent(steps):
    gun, _, device = loaded()
    receipt = gun.upload(steps)
    program = encode_program(steps)
    assert bytes(device._upload) == program
    assert receipt.program_crc == zlib.crc32(program) == device.program_crc
    assert (receipt.shots, receipt.volume_nl) == totals(steps)
    assert device.state is ControllerState.READY


@given(STEPS)
def test_a_program_is_its_header_and_its_steps(steps):
    program = encode_program(steps)
    head, size = PROGRAM_HEADER.body.sizeof(), PROGRAM_STEP.body.sizeof()
    assert PROGRAM_HEADER.parse(program[:head]) == {
        "steps": len(steps),
        "total_nl": totals(steps)[1],
    }
    for number, step in enumerate(steps):
        at = head + number * size
        assert PROGRAM_STEP.parse(program[at : at + size]) == vars(step)


def test_totals_count_flows_and_films_but_no_primes():
    wet = Step(count=5, dose_nl=2_000, film_nl=100, film_every=1)
    mixed = replace(wet, film_every=2)
    assert totals([wet]) == (5, 10_500)
    assert totals([mixed]) == (5, 10_200)
    assert totals([PRIME, PAUSE, FLOW]) == (1, 300_000)


@pytest.mark.req("R36")
def test_a_program_that_reads_back_otherwise_is_not_to_be_armed():
    gun, _, device = loaded()
    device.flip_read_back = True
    with pytest.raises(UploadMismatch, match="reads back another program") as caught:
        gun.upload([Step()])
    assert isinstance(caught.value, GunRefused)


@pytest.mark.req("R36")
def test_a_gun_that_counts_otherwise_is_not_to_be_armed():
    gun, _, device = loaded()
    device.wrong_volume_nl = 1
    with pytest.raises(UploadMismatch, match="20 shots of 200001 nl in all, the program asks for"):
        gun.upload([Step()])


@pytest.mark.req("R36")
def test_a_part_that_was_changed_on_the_way_is_refused_by_the_gun():
    gun, cable, device = loaded()

    def change(data: bytes) -> list[tuple[int, bytes]]:
        (frame,) = FrameReader().feed(data)
        body = bytearray(frame.body)
        if frame.message == PROGRAM_CHUNK.id:
            body[-1] ^= 1
        return [(0, encode_frame(Frame(frame.message, frame.request, bytes(body))))]

    cable.to_gun = change
    with pytest.raises(Refused, match="the program arrived damaged; upload it again"):
        gun.upload([Step()])
    assert device.state is ControllerState.LOADED


def test_a_refused_program_names_step_field_and_bound():
    gun, _, _ = loaded()
    gun.set_limits(10_000_000, 40_000, 100)
    with pytest.raises(Refused, match="step 2 dose_nl makes 50000, over the limit of 40000"):
        gun.upload([Step(), Step(dose_nl=50_000)])


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([], "1 to 16 steps"),
        ([Step()] * 17, "1 to 16 steps .* not 17"),
        ([Step(), Step(count=0)], r"(?s)Step 2: .*count.*0 is not within 1\.\.10800"),
        ([Step(count=10_800, dose_nl=10_000_000)], r"(?s)as a whole: .*total_nl"),
    ],
)
def test_what_breaks_a_bound_of_the_wire_is_not_sent(steps, text):
    gun, cable, _ = loaded()
    cable.sent.clear()
    with pytest.raises(ProgramError, match=text):
        gun.upload(steps)
    assert cable.sent == []
