"""A journal that fills up while a session runs: no motion begins that it could not record."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.gun import Gun, Refused
from mesogun.ports import Simulation
from mesogun.program.planned import PlannedStep
from mesogun.records import Store
from mesogun.simtest.compiled import compile_firmware
from mesogun.sync import sync_gun
from mesogun.virtual.firmware import Firmware
from mesogun.virtual.flash import NorFlash
from mesogun.virtual.panel import Panel
from mesogun.virtual.plant import Plant
from mesogun.virtual.simulated import SimulatedTransport
from mesogun.virtual.world import World
from mesogun_protocol.enums import (
    ControllerState,
    ErrorCode,
    Fault,
    RecordKind,
    StepKind,
    TriggerMode,
)
from mesogun_protocol.records import decode_record

_SECTORS = 4
_SESSION = 7
_FLOW = PlannedStep(
    StepKind.FLOW, TriggerMode.HOLD, dose_nl=4_000_000, inject_us=400_000_000, limit_kpa=500
)
_TRAIN = PlannedStep(
    StepKind.SHOTS,
    TriggerMode.HOLD,
    count=150,
    dose_nl=1_000,
    inject_us=50_000,
    period_us=2_000_000,
    limit_kpa=500,
)


class _Transport(SimulatedTransport):
    name = "small"

    def __init__(self, world: World) -> None:
        super().__init__(world, None)
        self._world = world

    def close(self) -> None:
        self._world.close()


@pytest.fixture
def panel() -> Panel:
    return Panel()


@pytest.fixture
def gun(tmp_path: Path, panel: Panel) -> Iterator[Gun]:
    """A gun whose journal has 4 sectors."""
    folder = tmp_path / "firmware"
    compile_firmware(folder, _SECTORS)
    settings = Simulation(
        get_syringe("bd-plastipak-5"), get_needle("27g-13"), speed=None
    ).settings()
    world = World(
        Plant(settings.plant, 0),
        NorFlash(None, 0),
        b"smallgun",
        panel,
        start=lambda: Firmware(folder),
    )
    with Gun.open(_Transport(world)) as opened:
        opened.load_syringe(28_558, 4_500_000, 800, 1, 164)
        opened.set_limits(4_500_000, 4_500_000, 1000)
        yield opened


def _pass(gun: Gun, time_ms: int) -> None:
    until_ms = gun.status().clock_ms + time_ms
    while gun.status().clock_ms < until_ms:
        gun.wait(0.1)


def _by_hand(gun: Gun, panel: Panel) -> None:
    panel.trigger = True
    _pass(gun, 300)
    panel.trigger = False
    _pass(gun, 300)


def _by_host(gun: Gun, panel: Panel) -> None:
    panel.trigger = True
    _pass(gun, 300)
    if gun.status().state is ControllerState.RUNNING:
        gun.pause()
    panel.trigger = False
    _pass(gun, 300)
    gun.resume(_SESSION)


def _until_it_rests(gun: Gun, panel: Panel, interrupt: Callable[[Gun, Panel], None]) -> None:
    for _ in range(500):
        interrupt(gun, panel)
        if gun.status().state is ControllerState.PAUSED:
            gun.resume(_SESSION)


@pytest.mark.req("R40")
@pytest.mark.parametrize("step", [_FLOW, _TRAIN], ids=["flow", "train"])
@pytest.mark.parametrize("interrupt", [_by_hand, _by_host])
def test_a_session_that_fills_the_journal_rests_before_it_is_full(
    gun: Gun,
    panel: Panel,
    tmp_path: Path,
    step: PlannedStep,
    interrupt: Callable[[Gun, Panel], None],
) -> None:
    gun.arm(_SESSION, gun.upload([step]).program_crc)
    gun.start(_SESSION)
    with pytest.raises(Refused) as refused:
        _until_it_rests(gun, panel, interrupt)
    assert refused.value.code is ErrorCode.JOURNAL_FULL
    status = gun.status()
    assert (status.state, status.fault) == (ControllerState.PAUSED, Fault.NONE)
    assert status.journal_free > 0

    gun.stop()

    assert gun.status().state is ControllerState.DONE
    records = [decode_record(raw) for raw in gun.read_records(1)]
    assert [record.sequence for record in records] == list(range(1, records[-1].sequence + 1))
    kinds = [record.kind for record in records]
    assert kinds.count(RecordKind.SHOT_INTENT) == kinds.count(RecordKind.SHOT_RESULT) > 90
    assert kinds.count(RecordKind.SESSION_END) == 1
    witnessed = sum(
        record.body["forward_steps"] for record in records if record.kind is RecordKind.SHOT_RESULT
    )
    assert witnessed == gun.status().total_forward_steps
    with Store.open(f"sqlite:///{tmp_path}/records.db") as store:
        assert sync_gun(gun, store).stored == len(records)
    _pass(gun, 2000)
    gun.arm(_SESSION + 1, gun.upload([_TRAIN]).program_crc)


@pytest.mark.req("R40")
def test_what_a_full_journal_cannot_take_is_refused_before_anything_changes(
    gun: Gun, tmp_path: Path
) -> None:
    def fill() -> None:
        while True:
            gun.set_limits(4_500_000, 4_500_000, 1000)

    with pytest.raises(Refused) as refused:
        fill()
    assert refused.value.code is ErrorCode.JOURNAL_FULL
    for ask in (
        lambda: gun.prime(10_000, 1_000_000),
        lambda: gun.load_syringe(28_558, 4_500_000, 800, 1, 164),
        gun.unload_syringe,
        lambda: gun.upload([_TRAIN]),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code is ErrorCode.JOURNAL_FULL
    status = gun.status()
    assert (status.state, status.fault) == (ControllerState.LOADED, Fault.NONE)

    with Store.open(f"sqlite:///{tmp_path}/records.db") as store:
        sync_gun(gun, store)
    _pass(gun, 2000)
    gun.arm(_SESSION, gun.upload([_TRAIN]).program_crc)
