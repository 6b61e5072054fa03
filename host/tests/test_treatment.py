"""One session from order to sealed record, on the virtual gun."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.errors import UsageError
from mesogun.gun import Gun
from mesogun.ports import Simulation
from mesogun.program import Program, resolve
from mesogun.records import Store
from mesogun.treatment import Action, Interrupted, Order, Progress, Treatment
from mesogun.virtual.gun import VirtualTransport
from mesogun_protocol.enums import ControllerState, EndReason


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path / "virtual"))
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{folder}/records.db") as opened:
        yield opened


Bench = Callable[[str], tuple[Treatment, VirtualTransport]]


@pytest.fixture
def bench(store: Store) -> Iterator[Bench]:
    """Makes a virtual gun ready for a program of the catalog."""
    guns: list[Gun] = []

    def make(name: str) -> tuple[Treatment, VirtualTransport]:
        program: Program = resolve(name)
        simulation = Simulation(
            get_syringe(program.syringe),
            get_needle(program.needle),
            speed=None,
            auto_trigger=True,
        )
        transport = VirtualTransport(simulation.settings())
        guns.append(Gun.open(transport))
        return Treatment(guns[-1], store, Order(program, seed=0)), transport

    yield make
    for gun in guns:
        gun.close()


def test_nothing_runs_unprepared(bench: Bench):
    treatment, _ = bench("ppp")
    with pytest.raises(UsageError, match="prepare"):
        treatment.run(lambda _: None)


def test_a_refused_resume_is_told_and_ends_nothing(bench: Bench):
    """It should go on when the reason is gone."""
    treatment, transport = bench("mesoperfusion")
    treatment.prepare()
    seen: list[str] = []

    def observe(progress: Progress) -> Action | None:
        if progress.refusal is not None:
            seen.append(progress.refusal)
            transport.panel.trigger = False
        elif not seen and progress.shots_done == 1:
            if progress.state is ControllerState.PAUSED:
                transport.panel.trigger = True
                return Action.RESUME if progress.trigger_pressed else None
            return Action.PAUSE
        elif progress.state is ControllerState.PAUSED and not progress.trigger_pressed:
            return Action.RESUME
        return None

    result = treatment.run(observe)
    assert len(seen) == 1
    assert "trigger" in seen[0]
    assert result.ended is EndReason.COMPLETE
    assert result.shots_delivered == result.shots_planned


def test_a_stop_leaves_a_complete_record_of_what_was_delivered(bench: Bench, store: Store):
    treatment, _ = bench("mesoperfusion")
    treatment.prepare()
    result = treatment.run(lambda seen: Action.STOP if seen.shots_done == 3 else None)
    assert (result.ended, result.shots_delivered) == (EndReason.STOPPED, 3)
    assert result.record_complete
    assert store.verify(result.session).ok


def test_an_interrupt_stops_the_gun_before_it_is_told(bench: Bench, store: Store):
    treatment, transport = bench("me")
    treatment.prepare()

    def observe(progress: Progress) -> None:
        if progress.delivered_nl > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as told:
        treatment.run(observe)
    result = told.value.result
    assert result.ended is EndReason.STOPPED
    assert 100_000 < result.volume_delivered_nl < result.volume_planned_nl
    assert not transport.world.stream.driver_on
    assert store.verify(result.session).ok


@pytest.mark.parametrize(
    ("seed", "port", "kind"),
    [(None, "/dev/ttyACM0", "board"), (0, "sim", "sim"), (7, "rp2040", "rp2040")],
)
def test_the_record_says_what_stood_behind_the_port(seed: int | None, port: str, kind: str):
    assert Order(resolve("face"), port=port, seed=seed).gun_kind == kind
