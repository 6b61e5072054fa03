"""The cable is pulled, or the host takes nothing more: the gun goes on as the program says."""

import itertools

import pytest
from benches.bench import Bench
from health import Health, read_records
from raw import RawHost
from sessions import follow, groups, listen, load, press, shots, start, steps_of

from mesogun.gun import Gun
from mesogun.link import Link
from mesogun_protocol import messages
from mesogun_protocol.enums import ControllerState, Fault, RecordKind, TriggerMode

DONE, FAULT = ControllerState.DONE, ControllerState.FAULT


@pytest.mark.req("R17", "R22", "R41")
def test_a_pulled_cable_ends_what_the_host_paces(bench: Bench, gun: Gun, health: Health) -> None:
    health.faults = [Fault.HEARTBEAT_LOST]
    start(gun, shots(50))
    listen(gun, 0.5)
    pulled_ns = bench.now_ns()
    bench.unplug()
    bench.run_for(4)
    assert bench.edges_since(0)[-1].at_ns <= pulled_ns + 2_006_000_000
    assert not bench.driver_on()
    again = health.greet(Link(bench.connect()))
    status = again.status()
    assert (status.state, status.fault) == (FAULT, Fault.HEARTBEAT_LOST)
    stopped_ns = bench.now_ns()
    listen(again, 1)
    assert not bench.edges_since(stopped_ns)
    results = [r.body for r in read_records(again) if r.kind is RecordKind.SHOT_RESULT]
    assert sum(body["forward_steps"] for body in results) == bench.steps().forward


@pytest.mark.req("R22", "R41")
def test_without_a_cable_the_trigger_keeps_its_authority(
    bench: Bench, gun: Gun, health: Health
) -> None:
    start(gun, shots(4, TriggerMode.PRESS))
    press(bench)
    bench.run_for(0.3)
    bench.unplug()
    for _ in range(3):
        press(bench)
        bench.run_for(0.3)
    again = health.greet(Link(bench.connect()))
    status = again.status()
    assert (status.state, status.shots_done) == (DONE, 4)
    assert bench.steps().forward == steps_of(40_000)
    kinds = [record.kind for record in read_records(again)]
    assert kinds.count(RecordKind.SHOT_INTENT) == kinds.count(RecordKind.SHOT_RESULT) == 4


def test_a_cable_comes_and_goes(bench: Bench, gun: Gun, health: Health) -> None:
    load(gun)
    for seconds in (0.001, 0.3, 3):
        bench.unplug()
        bench.run_for(seconds)
        again = health.greet(Link(bench.connect()))
        assert again.status().state is ControllerState.LOADED
        assert again.info.boot_id == gun.info.boot_id


@pytest.mark.req("R17", "R40")
@pytest.mark.parametrize("deaf_s", [0.6, 3.0])
def test_a_host_that_takes_nothing_delays_no_shot(
    bench: Bench, gun: Gun, health: Health, deaf_s: float
) -> None:
    """A write to the port of such a host blocks for 500 ms, and the gun must not wait for it."""
    health.damage = health.resends = True
    start(gun, shots(round(deaf_s / 0.2) + 6))
    raw = RawHost(bench.connect())
    bench.stop_listening()
    for _ in range(round(deaf_s / 0.1)):
        # What it asks for is more than any buffer on the way holds.
        for _ in range(4):
            raw.transport.write(raw.frame(messages.STATUS.id, b""))
        bench.run_for(0.1)
    bench.listen_again()
    again = health.greet(Link(bench.connect()))
    status = follow(again, 5, DONE, FAULT)
    assert (status.state, status.fault) == (DONE, Fault.NONE)
    first = [group[0].at_ns for group in groups(bench.edges_since(0))]
    # Within a train a shot may have one step more, which comes the earlier.
    assert all(abs(b - a - 200_000_000) <= 1000 for a, b in itertools.pairwise(first))
    assert status.delivered_steps == bench.steps().forward
