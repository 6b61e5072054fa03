"""The host dies in the middle of a session: what is stored afterwards is complete (R41)."""

from pathlib import Path

import pytest
from benches.bench import Bench
from health import Health
from sessions import press

from mesogun.catalog import get_syringe
from mesogun.gun import Gun
from mesogun.link import Link
from mesogun.program import Program, plan
from mesogun.records import SessionStatus, Store
from mesogun.sync import sync_gun
from mesogun.treatment import Order, Progress, Treatment
from mesogun_protocol.enums import ControllerState, EndReason, Fault


class HostDied(Exception):
    """Nobody catches it: as if the process had been killed."""


def _run_until_it_dies(gun: Gun, store: Store, program: Program, shots_done: int) -> None:
    def observe(progress: Progress) -> None:
        if progress.shots_done >= shots_done:
            raise HostDied

    treatment = Treatment(gun, store, Order(program, seed=1))
    treatment.prepare()
    with pytest.raises(HostDied):
        treatment.run(observe)


@pytest.mark.req("R17", "R22", "R41")
def test_a_host_that_dies_in_an_automatic_session(
    bench: Bench, gun: Gun, health: Health, tmp_path: Path
) -> None:
    health.faults = [Fault.HEARTBEAT_LOST]
    program = plan("mesoperfusion", syringe="bd-plastipak-5")
    assert get_syringe(program.syringe).id == "bd-plastipak-5"
    with Store.open(f"sqlite:///{tmp_path / 'records.db'}") as store:
        _run_until_it_dies(gun, store, program, 2)
        made = bench.steps().forward
        bench.run_for(60)
        assert not bench.driver_on()
        # At most the shot that ran when the host fell silent, and the one that fell due within 2 s.
        assert bench.steps().forward - made <= 40_000_000 // 28_558 + 1
        again = health.greet(Link(bench.connect()))
        report = sync_gun(again, store)
        session = store.session_view(report.sessions[0])
        assert session.complete
        assert session.end is not None
        assert session.end.reason is EndReason.FAULTED
        assert session.delivered_steps == bench.steps().forward
        assert sync_gun(again, store).sessions == ()
        assert store.verify(session.session.id).problems == ()


@pytest.mark.req("R22", "R41")
def test_a_host_that_dies_in_a_session_of_the_trigger(
    bench: Bench, gun: Gun, health: Health, tmp_path: Path
) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'records.db'}") as store:
        _run_until_it_dies(gun, store, plan("papule"), 0)
        for _ in range(5):
            press(bench)
            bench.run_for(2)
        again = health.greet(Link(bench.connect()))
        assert again.status().state is ControllerState.RUNNING
        first = sync_gun(again, store)
        name = store.list_sessions()[0].id
        assert store.session_view(name).status is SessionStatus.OPEN
        for _ in range(15):
            press(bench)
            bench.run_for(2)
        second = sync_gun(again, store)
        assert first.duplicates == second.duplicates == 0
        session = store.session_view(name)
        assert session.complete
        assert session.shots_delivered == 20
        made = bench.steps()
        # What is pushed ahead of a dose is pulled back behind it; the last pull is not made up for.
        last_pull = session.delivered_steps - (made.forward - made.backward)
        assert 0 <= last_pull <= made.backward / 20
        assert second.sessions == (name,)
