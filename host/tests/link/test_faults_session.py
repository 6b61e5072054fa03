"""Whole sessions of the virtual gun over a bad cable: complete, verified, no dose twice."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.errors import LinkError
from mesogun.gun import Gun
from mesogun.link import Exchange, Faults, FaultyTransport, Link, SerialTransport
from mesogun.link.session import REQUEST_TIMEOUT_S, REQUEST_TRIES, STOP_TIMEOUT_S, STOP_TRIES
from mesogun.ports import Simulation
from mesogun.program import Program, resolve
from mesogun.records import Store
from mesogun.sync import sync_gun
from mesogun.treatment import Order, Result, Treatment
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.serve import PtyOutlet, pump
from mesogun_protocol.enums import EndReason

SHOTS = 60
LONGEST_S = 3 * max(REQUEST_TIMEOUT_S * REQUEST_TRIES, STOP_TIMEOUT_S * STOP_TRIES)


def nappage() -> Program:
    program = resolve("nappage")
    (step,) = program.steps
    return program.model_copy(update={"steps": (step.model_copy(update={"count": SHOTS}),)})


@pytest.fixture(autouse=True)
def flash_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'records.db'}") as opened:
        yield opened


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each request took, in the gun's time, answered or not."""
    measured: list[float] = []
    exchange = Link.exchange

    def timed(link: Link, *args: object, **fields: object) -> Exchange:
        began_s = link.transport.monotonic_s()
        try:
            return exchange(link, *args, **fields)  # pyright: ignore[reportArgumentType]
        finally:
            measured.append(link.transport.monotonic_s() - began_s)

    monkeypatch.setattr(Link, "exchange", timed)
    return measured


def virtual_gun(program: Program, speed: float | None = None) -> VirtualTransport:
    syringe, needle = get_syringe(program.syringe), get_needle(program.needle)
    simulation = Simulation(syringe, needle, seed=1, speed=speed, auto_trigger=True)
    return VirtualTransport(simulation.settings())


def deliver(gun: Gun, store: Store, program: Program) -> Result:
    """Run the program as a person would: again if its start got lost and nothing was delivered."""
    while True:
        treatment = Treatment(gun, store, Order(program))
        treatment.prepare()
        try:
            return treatment.run(lambda _: None, 0.5)
        except LinkError as error:
            if "certainly not carried out" not in str(error):
                raise


def assert_delivered_once(world_steps: int, store: Store, result: Result) -> None:
    """Compare what moved with what is in the record, over all sessions of the store."""
    assert result.record_complete
    assert all(report.ok for report in store.verify_all())
    views = [store.session_view(session.id) for session in store.list_sessions()]
    assert sum(view.shots_delivered for view in views) == SHOTS
    forward = sum(shot.forward_steps or 0 for view in views for shot in view.shots)
    assert forward == world_steps


@pytest.mark.req("R32", "R33")
@pytest.mark.parametrize(
    "faults",
    [
        "drop=0.05",
        "duplicate=0.05",
        "reorder=0.05",
        "corrupt=0.05",
        "split=0.05",
        "glue=0.05",
        "stall=0.05&stall_s=0.5",
        "stall=0.05&stall_s=0.5&usb_buffer=256&usb_timeout_s=0.2",
        "delay_s=0.1",
        "drop=0.01&duplicate=0.01&reorder=0.01&corrupt=0.01&split=0.01&glue=0.01&delay_s=0.05",
    ],
)
def test_a_session_over_a_bad_cable_is_complete(
    faults: str, store: Store, waits: list[float]
) -> None:
    program = nappage()
    inner = virtual_gun(program)
    cable = FaultyTransport(inner, Faults.parse(f"{faults}&seed=4"))
    with Gun.open(cable) as gun:
        result = deliver(gun, store, program)
    assert result.shots_delivered == SHOTS
    assert result.ended is EndReason.COMPLETE
    assert_delivered_once(inner.world.stream.forward_steps, store, result)
    for name in ("drop", "duplicate", "reorder", "corrupt", "split", "glue", "stall"):
        assert (cable.cable.counts[name] > 0) == (name in faults)
    assert max(waits) <= LONGEST_S


@pytest.mark.req("R32", "R33")
def test_a_cable_that_is_pulled_in_the_middle_loses_no_record(
    store: Store, waits: list[float]
) -> None:
    program = nappage()
    inner = virtual_gun(program)
    cable = FaultyTransport(inner, Faults(replug_s=1.0))
    gun = Gun.open(cable)
    treatment = Treatment(gun, store, Order(program))
    treatment.prepare()

    def pull(_: object) -> None:
        if inner.world.stream.forward_steps > 2000 and cable.cable.unplugged_s is None:
            cable.cable.unplug()

    with pytest.raises(LinkError, match="unplugged"):
        treatment.run(pull, 0.1)
    with pytest.raises(LinkError):
        cable.read(30.0)  # the gun goes on under its trigger, or stops by itself
    cable.reopen()
    gun.reconnect()
    gun.stop()
    report = sync_gun(gun, store)
    gun.close()
    (session,) = store.list_sessions()
    view = store.session_view(session.id)
    assert report.sessions == (session.id,)
    assert view.complete
    assert store.verify(session.id).ok
    assert 0 < view.shots_delivered <= SHOTS
    forward = sum(shot.forward_steps or 0 for shot in view.shots)
    assert forward == inner.world.stream.forward_steps
    assert max(waits) <= LONGEST_S


def test_a_simulated_run_over_a_bad_cable_is_repeatable(tmp_path: Path) -> None:
    def run(name: str) -> tuple[object, ...]:
        program = nappage()
        inner = virtual_gun(program)
        board = FaultyTransport(inner, Faults(drop=0.05, duplicate=0.05, delay_s=0.02, seed=9))
        with Store.open(f"sqlite:///{tmp_path / name}.db") as store, Gun.open(board) as gun:
            treatment = Treatment(gun, store, Order(program, seed=9))
            treatment.prepare()
            result = treatment.run(lambda _: None, 0.5)
            return result.record_hash, dict(board.cable.counts), inner.world.now_ns

    assert run("first") == run("second")


class Served:
    """A virtual gun on a pseudo-terminal, carried along by a thread."""

    def __init__(self) -> None:
        self.transport = virtual_gun(nappage(), speed=1.0)
        self.outlet = PtyOutlet()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._carry)

    def _carry(self) -> None:
        while not self._over.is_set():
            pump(self.transport, self.outlet)

    def __enter__(self) -> str:
        self._thread.start()
        return self.outlet.url

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.transport.close()
        self.outlet.close()


@pytest.mark.req("R32")
def test_a_gun_answers_over_a_bad_port(waits: list[float]) -> None:
    faults = "drop=0.05&corrupt=0.05&split=0.05&duplicate=0.05&hold_s=0.05&seed=2"
    with Served() as url, Gun.open(SerialTransport(f"fault://{url}?{faults}")) as gun:
        clocks = [gun.status().clock_ms for _ in range(30)]
        assert gun._link.resent > 0
    assert clocks == sorted(clocks)
    assert max(waits) <= LONGEST_S
