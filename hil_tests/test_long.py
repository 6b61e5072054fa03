"""A program of thousands of shots: the last one is as exact as the first."""

from dataclasses import replace

import pytest
from benches.bench import Bench
from health import read_records
from sessions import SHOT, arm_again, follow, groups, load, some, steps_of

from mesogun.gun import Gun
from mesogun_protocol.enums import ControllerState, Fault, RecordKind

_PERIOD_US = 100_000


@pytest.mark.req("R04", "R10", "R40")
def test_no_error_accumulates_over_thousands_of_shots(bench: Bench, gun: Gun) -> None:
    count = some(bench, 2000)
    step = replace(SHOT, count=count, dose_nl=1_000, inject_us=30_000, period_us=_PERIOD_US)
    load(gun)
    gun.set_limits(count * 1_000, 1_000, count)
    gun.start(arm_again(gun, gun.upload([step])))
    status = follow(gun, 2 * count * _PERIOD_US / 1e6, ControllerState.DONE, ControllerState.FAULT)
    assert (status.state, status.fault) == (ControllerState.DONE, Fault.NONE)
    assert status.shots_done == count
    assert status.delivered_steps == bench.steps().forward == steps_of(count * 1_000)
    first = [group[0].at_ns for group in groups(bench.edges_since(0))]
    assert len(first) == count
    # A shot with one step more is the faster by one part in 35: 30 us for the first edge.
    late = [at_ns - first[0] - n * _PERIOD_US * 1000 for n, at_ns in enumerate(first)]
    assert max(late) - min(late) <= 30_000
    for kind in (RecordKind.SHOT_INTENT, RecordKind.SHOT_RESULT):
        records = [r for r in read_records(gun) if r.kind is kind]
        assert [record.body["shot"] for record in records] == list(range(count))
