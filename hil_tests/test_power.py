"""The power goes at random moments: nothing resumes, and the record bounds what was given."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from benches.bench import Bench, Steps
from health import Health, read_records, recorded_steps
from sessions import FLOW, SHOT, arm, listen, press, shots, some, start, steps_of

from mesogun.gun import Gun, Limits, Refused
from mesogun.records import Store
from mesogun.sync import sync_gun
from mesogun_protocol.enums import ControllerState, RecordKind, TriggerMode
from mesogun_protocol.records import Record

_CUTS = 12
_STEPS = {
    "shots": shots(20),
    "flow": FLOW,
    "retract": replace(
        SHOT, count=9, retract_nl=5_000, film_nl=3_000, film_every=1, period_us=500_000
    ),
    "advance": replace(SHOT, count=9, retract_nl=5_000, stored_nl=7_000, period_us=300_000),
    "held": shots(20, TriggerMode.HOLD),
}


_PUSHED = ("dose_steps", "advance_steps", "early_steps")


def _open_shots(records: list[Record], boot_id: int) -> dict[int, tuple[int, int]]:
    """Return the shots of a boot without a result, and between which steps each may have ended."""
    found: dict[int, tuple[int, int]] = {}
    for record in records:
        if record.boot_id != boot_id:
            continue
        body = record.body
        if record.kind is RecordKind.SHOT_INTENT:
            found[body["shot"]] = (0, sum(body[name] for name in _PUSHED))
        elif record.kind is RecordKind.SHOT_PROGRESS:
            found[body["shot"]] = (body["forward_steps"], body["bound_steps"])
        elif record.kind is RecordKind.SHOT_RESULT:
            del found[body["shot"]]
    return found


@pytest.mark.req("R17", "R19", "R40", "R42")
@pytest.mark.parametrize("name", _STEPS)
def test_a_cut_costs_the_running_shot_at_most(
    bench: Bench, gun: Gun, health: Health, name: str
) -> None:
    dice = random.Random(f"cuts {name}")
    cuts = health.restarts = some(bench, _CUTS)
    for _ in range(cuts):
        start(gun, _STEPS[name])
        if _STEPS[name].trigger is TriggerMode.HOLD:
            bench.press()
        began_ns = bench.now_ns()
        boot_id = gun.info.boot_id
        bench.run_for(dice.choice([0.0, 0.2, 0.6]))
        cut_s = dice.uniform(0.0001, 0.3)
        before = bench.now_ns()
        bench.cut_power(cut_s)
        cut_ns = before + round(cut_s * 1e9)
        bench.release()
        press(bench)
        bench.run_for(0.5)
        assert not bench.edges_since(cut_ns)
        assert bench.steps() == Steps(0, 0)
        assert not bench.driver_on()
        assert gun.reconnect(bench.connect())
        status = gun.status()
        assert status.state is ControllerState.UNLOADED
        assert gun.get_limits() == Limits(0, 0, 0)
        made = bench.edges_since(began_ns)
        forward = sum(edge.forward for edge in made)
        records = read_records(gun)
        _assert_bounded(records, boot_id, forward)


def _assert_bounded(records: list[Record], boot_id: int, forward: int) -> None:
    """What was made lies between what is recorded and what the open shots allow beside it."""
    known = recorded_steps(records, boot_id).forward
    unsettled = _open_shots(records, boot_id).values()
    assert len(unsettled) <= 2
    least = known + sum(bounds[0] for bounds in unsettled)
    most = known + sum(bounds[1] for bounds in unsettled)
    assert least <= forward <= most


@pytest.mark.req("R40", "R42")
def test_a_cut_in_a_long_flow_leaves_seconds_of_it_open(
    bench: Bench, gun: Gun, health: Health
) -> None:
    dice = random.Random("long flow")
    cuts = health.restarts = some(bench, 6)
    for _ in range(cuts):
        start(gun, replace(FLOW, dose_nl=400_000, inject_us=60_000_000, ramp_us=1_000_000))
        began_ns = bench.now_ns()
        boot_id = gun.info.boot_id
        ran_s = 5.1 + dice.uniform(0, 45) * bench.patience
        listen(gun, ran_s)
        bench.cut_power(dice.uniform(0.0001, 0.1))
        assert gun.reconnect(bench.connect())
        forward = len(bench.edges_since(began_ns))
        ((least, most),) = _open_shots(read_records(gun), boot_id).values()
        rate_hz = steps_of(400_000) / 59
        assert least <= forward <= most <= least + 7.1 * rate_hz
        # It was told every five seconds, the last time at most so long before the cut.
        assert forward - least <= 5.2 * rate_hz


@pytest.mark.req("R40", "R41")
def test_after_cuts_the_store_holds_each_record_once(
    bench: Bench, gun: Gun, health: Health, tmp_path: Path
) -> None:
    dice = random.Random("sync")
    cuts = health.restarts = some(bench, 8)
    with Store.open(f"sqlite:///{tmp_path / 'records.db'}") as store:
        stored = 0
        for _ in range(cuts):
            start(gun, shots(20))
            listen(gun, dice.uniform(0.1, 1.0))
            # Sometimes right after a sync, whose acknowledgement makes the gun write and erase.
            if dice.random() < 0.5:
                gun.stop()
                stored += sync_gun(gun, store).stored
            bench.cut_power(dice.uniform(0.0001, 0.05))
            assert gun.reconnect(bench.connect())
            stored += sync_gun(gun, store).stored
        for _ in range(2):
            # The acknowledgement of the first is a record too.
            listen(gun, 0.5)
            stored += sync_gun(gun, store).stored
        made = gun.status().journal_next - 1
        # What is missing was torn: at most the record in the making of each cut.
        assert made - health.restarts <= stored <= made


@pytest.mark.req("R19")
def test_an_armed_gun_is_not_armed_after_a_cut(bench: Bench, gun: Gun, health: Health) -> None:
    health.restarts = 1
    session_id = arm(gun, SHOT)
    assert bench.driver_on()
    bench.cut_power()
    assert not bench.driver_on()
    assert gun.reconnect(bench.connect())
    assert gun.info.boot_id == 2
    with pytest.raises(Refused):
        gun.start(session_id)
    bench.run_for(1)
    assert bench.steps() == Steps(0, 0)


@pytest.mark.req("R40")
def test_power_that_flickers_while_the_gun_boots(bench: Bench, gun: Gun, health: Health) -> None:
    dice = random.Random("boot")
    start(gun, shots(3))
    listen(gun, 0.3)
    # The first cut ends the session, each other one the start that the one before it caused.
    lasted = [dice.uniform(0.0001, 1.5 * bench.boot_s) for _ in range(some(bench, 15, 4))]
    for after_s in lasted:
        bench.cut_power(after_s)
    assert gun.reconnect(bench.connect())
    health.restarts = gun.info.boot_id - 1
    # A boot that was cut short may have left no record.
    whole = sum(after_s >= bench.boot_s for after_s in lasted[1:])
    assert 2 + whole <= gun.info.boot_id <= 1 + len(lasted)
    assert gun.status().state is ControllerState.UNLOADED
    assert read_records(gun)[-1].boot_id == gun.info.boot_id
