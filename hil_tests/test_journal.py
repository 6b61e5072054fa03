"""The journal: what a shot leaves in it, and a gun whose journal is full."""

import pytest
from benches.bench import Bench
from health import Health, read_records
from raw import RawHost, pack
from sessions import FILL_NL, PAUSE, PL_PER_STEP, SHOT, arm_again, follow, load, shots, start

from mesogun.gun import Gun, Refused
from mesogun_protocol import messages
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault, RecordKind

_SPARE = 64
_REQUEST = 4


@pytest.mark.req("R40")
def test_a_session_in_the_record(gun: Gun) -> None:
    session_id = start(gun, shots(2), PAUSE, SHOT)
    follow(gun, 2, ControllerState.PAUSED)
    gun.resume(session_id)
    follow(gun, 2, ControllerState.DONE)
    records = read_records(gun)
    kinds = [record.kind for record in records]
    intent, result = RecordKind.SHOT_INTENT, RecordKind.SHOT_RESULT
    states = [r.body["state"] for r in records if r.kind is RecordKind.STATE]
    assert kinds[:3] == [RecordKind.BOOT, RecordKind.SYRINGE, RecordKind.STATE]
    assert [kind for kind in kinds if kind in (intent, result)].count(intent) == 3
    assert states == [
        ControllerState.LOADED,
        ControllerState.READY,
        ControllerState.ARMED,
        ControllerState.RUNNING,
        ControllerState.PAUSED,
        ControllerState.RUNNING,
        ControllerState.DONE,
    ]
    assert [r.sequence for r in records] == list(range(1, len(records) + 1))
    assert [r.step for r in records if r.kind is intent] == [0, 0, 2]
    times = [r.time_ms for r in records]
    assert times == sorted(times)
    for shot in range(3):
        written = [r.kind for r in records if r.body.get("shot") == shot]
        assert written == [intent, result]


def _fill(bench: Bench, leave: int) -> None:
    """Write records, as only a gun that is never read out collects them, until `leave` are free."""
    raw = RawHost(bench.connect())
    body = pack(messages.SET_LIMITS, (FILL_NL, FILL_NL, 1000))
    while True:
        frame = raw.ask(messages.STATUS.id, b"")
        assert frame is not None
        free = messages.STATUS_REPLY.parse(frame.body)["journal_free"] - leave
        if free <= 0:
            return
        for _ in range(min(50, -(-free // 12))):
            data = [raw.frame(messages.SET_LIMITS.id, body) for _ in range(min(12, free))]
            raw.transport.write(b"".join(data))
            bench.run_for(0.02)
            free -= len(data)


@pytest.mark.req("R40")
def test_a_full_journal_blocks_arming_and_is_read_out(
    bench: Bench, gun: Gun, health: Health
) -> None:
    if bench.patience < 1:
        pytest.skip("it takes 32,000 records, and that many writes wear a board and take an hour")
    health.resends = True
    health.restarts = _REQUEST
    load(gun)
    receipt = gun.upload([shots(10)])
    _fill(bench, 2 * 10 + _SPARE - 1)
    gun.reconnect(bench.connect())
    gun.upload([shots(10)])
    with pytest.raises(Refused) as refused:
        arm_again(gun, receipt)
    assert refused.value.code is ErrorCode.JOURNAL_FULL
    assert not bench.driver_on()
    _fill(bench, _REQUEST - 1)

    # What cannot be recorded is refused, and nothing changes.
    gun.reconnect(bench.connect())
    with pytest.raises(Refused) as refused:
        gun.load_syringe(PL_PER_STEP, FILL_NL, 800, 1, 164)
    assert refused.value.code is ErrorCode.JOURNAL_FULL
    assert gun.status().fault is Fault.NONE

    # A gun that wakes up with a full journal can still be read out, and is well after it.
    for _ in range(_REQUEST):
        bench.cut_power()
        assert gun.reconnect(bench.connect())
    assert gun.status().journal_free == 0
    assert gun.status().fault is Fault.JOURNAL_WRITE
    with pytest.raises(Refused) as refused:
        gun.clear_fault(Fault.JOURNAL_WRITE)
    assert refused.value.code is ErrorCode.JOURNAL_FULL
    records = list(gun.read_records(1))
    assert len(records) == gun.info.journal_records
    gun.acknowledge(gun.status().journal_next)
    bench.run_for(60)
    assert gun.status().journal_free > gun.info.journal_records - 200
    gun.clear_fault(Fault.JOURNAL_WRITE)
    assert read_records(gun)[-2].kind is RecordKind.BOOT
    start(gun, SHOT)
    follow(gun, 2, ControllerState.DONE)
