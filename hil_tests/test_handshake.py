"""Who the gun is, and that two definitions of the protocol never move it."""

import pytest
from benches.bench import Bench, Steps
from health import Health
from sessions import SHOT, arm, load

from mesogun.errors import VersionMismatch
from mesogun.gun import Gun, Limits, Refused
from mesogun.link import Link, handshake
from mesogun_protocol import messages
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault, Inputs, ResetCause
from mesogun_protocol.limits import PROTOCOL_VERSION
from mesogun_protocol.schema import SCHEMA_HASH


def test_the_gun_says_who_it_is(gun: Gun) -> None:
    info = gun.info
    assert (info.protocol_version, info.schema_hash) == (PROTOCOL_VERSION, SCHEMA_HASH)
    assert (info.boot_id, info.reset_cause) == (1, ResetCause.POWER_ON)
    assert len(info.board_id) == 16
    assert info.journal_records >= 20_000


@pytest.mark.req("R03", "R19")
def test_a_gun_that_was_just_switched_on_can_do_nothing(bench: Bench, gun: Gun) -> None:
    status = gun.status()
    assert (status.state, status.fault) == (ControllerState.UNLOADED, Fault.NONE)
    assert status.inputs == Inputs.INTERLOCK_CLOSED | Inputs.SYRINGE_SEATED | Inputs.SUPPLY_OK
    assert gun.get_limits() == Limits(0, 0, 0)
    assert not bench.driver_on()


@pytest.mark.req("R36")
def test_a_host_of_another_definition_is_told_so_and_moves_nothing(bench: Bench, gun: Gun) -> None:
    session_id = arm(gun, SHOT)
    link = Link(bench.connect())
    with pytest.raises(VersionMismatch):
        handshake(link, SCHEMA_HASH ^ 1)
    for message, fields in (
        (messages.START, {"session_id": session_id}),
        (messages.STATUS, {}),
        (messages.PRIME, {"dose_nl": 10_000, "inject_us": 200_000}),
    ):
        with pytest.raises(Refused) as refused:
            link.request(message, **fields)
        assert refused.value.code is ErrorCode.SCHEMA_MISMATCH
    assert bench.steps() == Steps(0, 0)


def test_stop_is_heard_whatever_the_definition(bench: Bench, gun: Gun) -> None:
    arm(gun, SHOT)
    assert bench.driver_on()
    link = Link(bench.connect())
    with pytest.raises(VersionMismatch):
        handshake(link, SCHEMA_HASH ^ 1)
    link.request(messages.STOP)
    assert not bench.driver_on()


def test_a_second_host_takes_the_conversation_over(bench: Bench, health: Health, gun: Gun) -> None:
    load(gun)
    again = health.greet(Link(bench.connect()))
    assert again.status().state is ControllerState.LOADED
    assert again.info.boot_id == gun.info.boot_id
