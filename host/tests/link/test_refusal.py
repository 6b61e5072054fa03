import pytest

from mesogun.errors import GunRefused
from mesogun.link import Refused
from mesogun_protocol import messages
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault


def refusal(request, code, field=0, value=0, minimum=0, maximum=0):
    return Refused(
        {
            "request": request,
            "code": code,
            "field": field,
            "value": value,
            "minimum": minimum,
            "maximum": maximum,
        }
    )


@pytest.mark.parametrize("code", ErrorCode)
def test_each_code_has_a_sentence_that_is_filled_in(code):
    error = refusal(messages.ARM.id, code, value=7)
    text = str(error)
    assert text.startswith("The gun refused arm: ")
    assert text.endswith(".")
    assert "{" not in text
    assert error.code is code
    assert isinstance(error, GunRefused)


@pytest.mark.req("R01")
def test_a_value_out_of_range_names_field_value_and_bounds():
    error = refusal(messages.PRIME.id, ErrorCode.OUT_OF_RANGE, 1, 5, 10_000, 10_000_000)
    assert error.field == "inject_us"
    assert (error.value, error.minimum, error.maximum) == (5, 10_000, 10_000_000)
    assert "inject_us = 5 is outside 10000 to 10000000" in str(error)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (4, "step 1 dose_nl"),
        (2 * 16 + 6, "step 3 period_us"),
        (15 * 16 + 10, "step 16 film_every"),
        (14, "program steps"),
        (15, "program total_nl"),
        (13, "step 1 limit_kpa"),
    ],
)
def test_a_refused_program_names_step_and_field(number, name):
    error = refusal(messages.PROGRAM_COMMIT.id, ErrorCode.OVER_LIMIT, number, 9, 0, 8)
    assert error.field == name
    assert f"{name} makes 9, over the limit of 8" in str(error)


def test_states_and_faults_are_named():
    state = refusal(messages.START.id, ErrorCode.WRONG_STATE, value=ControllerState.PAUSED)
    assert "it is PAUSED" in str(state)
    fault = refusal(messages.ARM.id, ErrorCode.FAULT_LATCHED, value=Fault.OCCLUSION)
    assert "fault OCCLUSION is latched" in str(fault)


def test_what_is_not_known_is_given_as_a_number():
    assert "message 0x6f" in str(refusal(0x6F, ErrorCode.UNKNOWN_MESSAGE))
    assert "it is 99" in str(refusal(messages.START.id, ErrorCode.WRONG_STATE, value=99))
    assert refusal(0x6F, ErrorCode.OUT_OF_RANGE).field is None
