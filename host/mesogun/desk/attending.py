"""One visit at a desk: checks, questions, delivery over as many syringes as it takes."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from mesogun.catalog import get_syringe
from mesogun.desk import dialogue
from mesogun.desk.delivering import Delivery
from mesogun.desk.desk import Desk
from mesogun.desk.overview import Overview, overview
from mesogun.desk.simulation import Simulated, simulation
from mesogun.desk.summary import Visited, next_due
from mesogun.errors import GunRefused, UsageError
from mesogun.gun import Gun
from mesogun.link import Transport
from mesogun.ports import EMULATED, SIM, Simulation, open_port
from mesogun.program import STAYS, Program, compile_steps, estimate
from mesogun.records import Store
from mesogun.sync import sync_gun
from mesogun.treatment import Order, Visit, not_asked, note, read_answers
from mesogun.virtual.gun import VirtualTransport
from mesogun.words import N_, _, general
from mesogun_protocol.enums import StepKind, TriggerMode

Notes = tuple[tuple[str, Mapping[str, Any]], ...]

_NAME_LENGTH = 200


@dataclass(frozen=True)
class Settled:
    """What is settled before anybody is asked; see the options of `mesogun run`."""

    port: str
    speed: str | None = None
    seed: int | None = None
    auto_trigger: bool = False
    answers: tuple[str, ...] = ()
    yes: bool = False
    operator: str | None = None
    patient_ref: str | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether the gun is a virtual or an emulated one."""
        return self.port in (SIM, EMULATED)


def attend(
    desk: Desk, settled: Settled, program: Program, *, is_named: bool, is_seen: bool = False
) -> Visited:
    """Carry out a visit.

    Args:
        desk: of the person who treats.
        settled: what is not asked any more.
        program: to be given.
        is_named: its syringe comes from a file or an option, and was not just chosen.
        is_seen: the person has just seen what it will do.

    Raises:
        UsageError: if the program or what is settled is wrong, or nobody confirmed; nothing moved.
        KeyboardInterrupt: the person broke off before anything was given.
        MesogunError: as the texts say.
    """
    read_answers(settled.answers)
    _require_possible(desk, settled, program)
    simulated = _simulated(settled, program)
    with Store.open() as store:
        transport = open_port(settled.port, lambda: simulated)
        seed = simulated.seed if settled.is_simulated else None
        order = Order(program, settled.operator, settled.patient_ref, transport.name, seed)
        with Gun.open(transport) as gun:
            name = _gun_in_words(gun, order, simulated)
            delivery = Delivery(
                desk, program, transport, name, yes=settled.yes, operated=settled.auto_trigger
            )
            with _nothing_delivered(desk, gun, store, transport):
                if not settled.is_simulated:
                    _require_virtual(settled)
                look = overview(program, name)
                if not is_seen:
                    _show(desk, look)
                notes = _confirm(desk, settled, program, look, is_named=is_named)
                visit = Visit(gun, store, replace(order, notes=notes))
                delivery.make_ready(visit)
            result = delivery.give(visit)
        due = next_due(store, result)
    if isinstance(transport, VirtualTransport):
        transport.forget()
    if isinstance(transport, Simulated):
        result = replace(result, volume_needle_nl=round(transport.world.plant.needle_nl))
    return Visited(result, program, visit.left.shots, due)


def _require_possible(desk: Desk, settled: Settled, program: Program) -> None:
    """Refuse what could only go wrong later, before a port is opened."""
    for option, name in (("--operator", settled.operator), ("--patient-ref", settled.patient_ref)):
        if name is not None:
            checked_name(option, name)
    if estimate(program).syringes > 1 and not desk.attended and not settled.is_simulated:
        raise UsageError(
            _(
                "The program takes {syringes} syringes, and without a terminal nobody can be asked "
                "to change them. Run it at a terminal, or take a larger syringe."
            ).format(syringes=estimate(program).syringes)
        )
    has_hand = settled.auto_trigger or desk.attended
    if settled.is_simulated and _needs_trigger(program) and not has_hand:
        raise UsageError(
            _(
                "The program waits for the trigger, and without a terminal there is no key for it. "
                "Let a virtual operator work it with --auto-trigger."
            )
        )


def checked_name(what: str, name: str) -> str:
    """The name of an operator, or the code of a patient.

    Raises:
        UsageError: it is none; `what` tells which.
    """
    if not (name.isprintable() and 0 < len(name.strip()) <= _NAME_LENGTH):
        raise UsageError(
            _(
                "{what} {name} must be one line of 1 to {name_length} printable characters. Change "
                "it."
            ).format(what=what, name=repr(name[:40]), name_length=_NAME_LENGTH)
        )
    return name


def _require_virtual(settled: Settled) -> None:
    """Refuse options that a real gun could only ignore."""
    for option, given in (
        ("--speed", settled.speed is not None),
        ("--seed", settled.seed is not None),
        ("--auto-trigger", settled.auto_trigger),
    ):
        if given:
            raise UsageError(
                _(
                    "{option} is for a virtual gun and this is a real one. Leave it out, or "
                    "simulate with --port sim."
                ).format(option=option)
            )


def _needs_trigger(program: Program) -> bool:
    steps = compile_steps(program, get_syringe(program.syringe))
    return any(
        step.trigger is not TriggerMode.AUTO or step.kind is StepKind.PRIME for step in steps
    )


def _simulated(settled: Settled, program: Program) -> Simulation:
    return simulation(
        program.syringe,
        program.needle,
        viscosity_mpa_s=program.viscosity_mpa_s,
        # The one technique that leaves the needle where it is.
        new_point_each_shot=program.technique != STAYS,
        seed=settled.seed,
        speed=settled.speed,
        auto_trigger=settled.auto_trigger,
    )


def _gun_in_words(gun: Gun, order: Order, simulated: Simulation) -> str:
    if order.seed is None:
        return _("board {board_id} on {port}, firmware {firmware}").format(
            board_id=gun.info.board_id, port=order.port, firmware=gun.info.firmware
        )
    pace = (
        _("as fast as it goes")
        if simulated.speed is None
        else _("speed {speed}").format(speed=general(simulated.speed))
    )
    kind = _("virtual gun") if order.port == SIM else _("emulated RP2040")
    return _("{kind}, seed {seed}, {pace}").format(kind=kind, seed=order.seed, pace=pace)


def _show(desk: Desk, look: Overview) -> None:
    if desk.is_read:
        desk.show(look.text)
    elif look.warnings:
        desk.tell("\n".join([_("Unusual, confirmed by --yes:"), *look.warnings]))


def _confirm(
    desk: Desk, settled: Settled, program: Program, look: Overview, *, is_named: bool
) -> Notes:
    """Ask what has to be asked, and return what the record keeps of it."""
    asks = desk.attended and not settled.yes
    if not settled.yes and not desk.attended:
        raise UsageError(
            _(
                "Nobody can be asked whether to start, because this is no terminal. Look at "
                "`mesogun check {origin}`, then confirm with --yes."
            ).format(origin=program.origin.label)
        )
    if asks:
        desk.tell("")
        dialogue.lay_out(desk, program.treatment)
        desk.tell("")
    told: list[tuple[str, Mapping[str, Any]]] = [("checklist", _checklist(desk, settled, program))]
    if look.warnings:
        if asks and not desk.confirmed(_("Deliver these unusual values?")):
            raise UsageError(_("Not started: the unusual values were not confirmed."))
        told.append(("unusual", {"values": look.noted, "by": "person" if asks else "--yes"}))
    syringe: dict[str, Any] = {"syringe": program.syringe, "confirmed": False}
    if asks:
        # Who has just picked it from the list is not asked again.
        picked = syringe | {"confirmed": True}
        syringe = dialogue.confirm_syringe(desk, program) if is_named else picked
    told.append(("syringe", syringe))
    return tuple(told)


def _checklist(desk: Desk, settled: Settled, program: Program) -> Mapping[str, Any]:
    """Ask the checklist; --yes leaves it out for a simulated gun alone, which treats nobody."""
    given = read_answers(settled.answers)
    if settled.is_simulated and settled.yes and not given:
        return not_asked(N_("simulated gun, --yes"))
    return note(dialogue.checklist(desk, program, given))


@contextmanager
def _nothing_delivered(desk: Desk, gun: Gun, store: Store, transport: Transport) -> Generator[None]:
    """Throw a virtual gun away that did not start, after its records are stored."""
    before = gun.status().total_forward_steps
    try:
        yield
    except (GunRefused, UsageError, KeyboardInterrupt):
        gun.stop()
        primed = gun.status().total_forward_steps > before
        if isinstance(transport, VirtualTransport):
            sync_gun(gun, store)
            transport.forget()
        desk.tell(
            _("Nothing was delivered beside what was primed.")
            if primed
            else _("Nothing was delivered.")
        )
        raise
