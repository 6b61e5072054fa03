"""A visit on the virtual gun: syringe after syringe, and nothing is given twice or forgotten."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.errors import GunRefused, UsageError
from mesogun.gun import Gun
from mesogun.handover.joined import joined
from mesogun.handover.pictures import begun
from mesogun.ports import Simulation
from mesogun.program import Program, plan
from mesogun.records import SessionStatus, Store
from mesogun.treatment import Action, Order, Progress, Visit
from mesogun.virtual.gun import VirtualTransport
from mesogun_protocol.enums import EndReason, Fault, StepKind

Bench = Callable[..., tuple[Visit, VirtualTransport]]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path / "virtual"))
    with Store.open(f"sqlite:///{tmp_path}/records.db") as opened:
        yield opened


@pytest.fixture
def bench(store: Store) -> Iterator[Bench]:
    """Makes a virtual gun, whose operator works the trigger, ready for a program."""
    guns: list[Gun] = []

    def make(program: Program, **order: Any) -> tuple[Visit, VirtualTransport]:
        simulation = Simulation(
            get_syringe(program.syringe), get_needle(program.needle), speed=None, auto_trigger=True
        )
        transport = VirtualTransport(simulation.settings())
        guns.append(Gun.open(transport))
        return Visit(guns[-1], store, Order(program, seed=0, **order)), transport

    yield make
    for gun in guns:
        gun.close()


def at_shot(number: int, act: Callable[[], Action | None]) -> Callable[[Progress], Action | None]:
    """An observer that acts once, as soon as so many shots are done."""
    done: list[bool] = []

    def observe(progress: Progress) -> Action | None:
        if progress.shots_done >= number and not done:
            done.append(True)
            return act()
        return None

    return observe


def nothing(_: Progress) -> None:
    return None


@pytest.mark.req("R27")
def test_a_program_that_needs_two_syringes_takes_two(bench: Bench, store: Store):
    visit, transport = bench(plan("face", syringe="bd-plastipak-3"))
    assert (visit.left.shots, visit.left.syringes) == (300, 2)
    visit.begin()
    before: list[Progress] = []
    first = visit.run(before.append)
    assert first.ended is EndReason.COMPLETE
    assert (before[-1].syringe_number, before[-1].syringe_count) == (1, 2)
    assert visit.can_go_on
    assert visit.left.shots == 300 - first.shots_delivered
    transport.world.plant.load_syringe()
    seen: list[Progress] = []
    visit.begin()

    result = visit.run(seen.append)

    assert not visit.can_go_on
    assert (result.shots_delivered, result.shots_planned) == (300, 300)
    assert abs(result.volume_delivered_nl - 3_000_000) < 60
    assert (seen[0].shots_done, seen[-1].shots_done) == (first.shots_delivered, 300)
    assert (seen[0].syringe_number, seen[0].syringe_count) == (2, 2)
    assert len(result.sessions) == 2
    assert all(report.ok for report in store.verify_all())
    (note,) = store.session_view(result.sessions[1]).notes
    assert (note.kind, note.fields["session"]) == ("continues", result.sessions[0])
    assert note.fields["record_hash"] == store.session_view(result.sessions[0]).record_hash
    assert note.fields["shots_left"] == 300 - first.shots_delivered
    record, _ = joined(store.proven_visit(result.session))
    assert [shot.shot for shot in begun(record)] == list(range(300))
    assert (record.session.shots_planned, record.volume_nl) == (300, result.volume_delivered_nl)
    assert record.complete


@pytest.mark.req("R30")
@pytest.mark.parametrize("delivery", ["dry", "wet", "mixed"])
def test_a_syringe_is_changed_between_two_shots_and_the_rest_is_exact(
    bench: Bench, store: Store, delivery: Any
):
    program = plan("nappage", delivery=delivery)
    visit, transport = bench(program)
    visit.begin()
    first = visit.run(at_shot(37, lambda: Action.CHANGE))

    assert visit.changing
    assert first.ended is EndReason.STOPPED
    assert first.shots_delivered >= 37
    shots = store.session_view(first.session).shots
    assert all(shot.is_complete or not shot.upper_bound_steps for shot in shots)
    assert visit.left.shots == 100 - first.shots_delivered
    transport.world.plant.load_syringe()
    visit.begin()
    result = visit.run(nothing)

    assert result.ended is EndReason.COMPLETE
    assert result.shots_delivered == 100
    assert abs(result.volume_delivered_nl - result.volume_planned_nl) < 100
    assert not visit.can_go_on
    assert all(report.ok for report in store.verify_all())


@pytest.mark.req("R30")
def test_after_an_occlusion_the_needle_is_changed_and_the_shot_that_was_hit_stays_void(
    bench: Bench, store: Store
):
    visit, transport = bench(plan("nappage"))
    plant = transport.world.plant

    def block() -> None:
        plant.occluded = True

    visit.begin()
    hit = visit.run(at_shot(20, block))
    assert (hit.ended, hit.faults) == (EndReason.FAULTED, ("occlusion",))
    begun = [each for each in store.session_view(hit.session).shots if each.upper_bound_steps]
    over_nl = sum(max(each.upper_bound_nl - 10_000, 0) for each in begun if not each.is_complete)
    void = -(-over_nl // 10_000)
    assert visit.left.shots == 100 - len(begun) - void
    assert visit.can_keep_syringe
    plant.occluded = False
    visit.begin(keep=True)
    seen: list[Progress] = []
    result = visit.run(seen.append)

    assert result.ended is EndReason.COMPLETE
    assert {(each.syringe_number, each.syringe_count) for each in seen} == {(1, 1)}
    assert result.shots_delivered == 100 - (len(begun) - hit.shots_delivered) - void
    # Complete shots are whole to a step; the one that was hit must not take the total over its cap.
    assert result.volume_delivered_nl <= 1_000_000 + 100
    assert result.faults == ("occlusion",)


@pytest.mark.req("R16")
def test_nothing_goes_on_while_the_cause_of_a_fault_lasts(bench: Bench):
    visit, transport = bench(plan("nappage"))

    def open_interlock() -> None:
        transport.panel.interlock_closed = False

    visit.begin()
    assert visit.run(at_shot(5, open_interlock)).faults == ("interlock_open",)
    with pytest.raises(GunRefused):
        visit.begin(keep=True)
    transport.panel.interlock_closed = True
    visit.begin(keep=True)
    assert visit.run(nothing).ended is EndReason.COMPLETE


def test_a_stop_and_a_broken_gun_end_the_visit(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    visit, _ = bench(plan("nappage"))
    visit.begin()
    visit.run(at_shot(5, lambda: Action.STOP))
    assert visit.left.shots > 0
    assert not visit.can_go_on
    other, _ = bench(plan("nappage"))
    other.begin()
    other.run(at_shot(5, lambda: Action.CHANGE))
    assert other.can_go_on
    status = other._gun.status()
    monkeypatch.setattr(
        other._gun, "status", lambda: replace(status, fault=Fault.STEP_COUNT_MISMATCH)
    )
    assert not other.can_go_on


def test_pauses_keep_their_messages_over_a_change(bench: Bench):
    document = plan("papule").document()
    shots = document["step"][0] | {"count": 3, "trigger": "auto"}
    pauses = [{"kind": "pause", "message": text} for text in ("first", "second")]
    steps = (shots, pauses[0], shots, pauses[1], shots)
    program = Program.model_validate(document | {"step": steps})
    visit, transport = bench(program)
    visit.begin()
    messages: list[str | None] = []

    def change_at_the_first(progress: Progress) -> Action | None:
        messages.append(progress.message)
        return Action.CHANGE if progress.message else None

    visit.run(change_at_the_first)
    assert set(messages) == {None, "first"}
    messages.clear()
    assert visit.left.shots == 6
    transport.world.plant.load_syringe()
    visit.begin()

    def go_on(progress: Progress) -> Action | None:
        messages.append(progress.message)
        return Action.RESUME if progress.message else None

    result = visit.run(go_on)
    assert set(messages) == {None, "second"}
    assert result.shots_delivered == 9


@pytest.mark.req("R29")
def test_a_prime_is_pressed_for_recorded_and_no_dose(bench: Bench, store: Store):
    visit, _ = bench(plan("nappage"))
    visit.begin(prime=True)
    seen: list[Progress] = []

    primed_nl = visit.prime(seen.append)

    assert 49_900 < primed_nl < 50_100
    assert {each.step_kind for each in seen} == {StepKind.PRIME}
    assert any(each.wants_trigger for each in seen)
    visit.note("primed", {"seen": True})
    visit.arm()
    result = visit.run(nothing)
    assert result.shots_delivered == 100
    notes = [(each.kind, each.fields) for each in store.session_view(result.session).notes]
    assert notes == [("prime", {"volume_nl": primed_nl}), ("primed", {"seen": True})]
    record = store.session_view(result.session)
    (prime,) = record.primes
    assert record.prime_nl == primed_nl
    assert prime.start_ms is not None
    assert record.since_start_s(prime.start_ms) < 0
    assert record.complete
    assert store.verify(result.session).ok


@pytest.mark.req("R29")
def test_what_was_primed_is_noted_when_a_person_breaks_off(bench: Bench, store: Store):
    visit, _ = bench(plan("nappage"))
    visit.begin(prime=True)
    looks: list[Progress] = []

    def break_off(progress: Progress) -> None:
        looks.append(progress)
        if len(looks) > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        visit.prime(break_off)
    (session,) = store.list_sessions()
    record = store.session_view(session.id)
    assert record.status is SessionStatus.PLANNED
    assert [note.kind for note in record.notes] == ["prime"]
    assert record.prime_nl == record.notes[0].fields["volume_nl"] > 0


def test_what_is_not_begun_cannot_be_run(bench: Bench):
    visit, _ = bench(plan("nappage"))
    for act in (visit.arm, lambda: visit.run(nothing), lambda: visit.prime(nothing)):
        with pytest.raises(UsageError, match="call begin"):
            act()
    visit.begin()
    visit.run(nothing)
    with pytest.raises(UsageError, match="Nothing of the program is left"):
        visit.begin()
