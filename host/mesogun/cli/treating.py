"""One run of a program: checks, questions, delivery over as many syringes as it takes, summary."""

import signal
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from mesogun.catalog import get_syringe
from mesogun.cli import dialogue
from mesogun.cli.asking import confirmed, is_interactive, yes_or_no
from mesogun.cli.connect import Simulated, simulation
from mesogun.cli.following import Careful, Lines, live_view
from mesogun.cli.hands import Hands
from mesogun.cli.overview import overview
from mesogun.cli.planning import asked_syringe, checked_delivery
from mesogun.cli.printer import Answer, show, tell
from mesogun.cli.summary import next_due, summary
from mesogun.errors import GunRefused, MesogunError, UsageError
from mesogun.gun import Gun
from mesogun.link import Transport
from mesogun.ports import EMULATED, SIM, Simulation, open_port
from mesogun.program import STAYS, Program, compile_steps, estimate, resolve
from mesogun.records import Store
from mesogun.sync import sync_gun
from mesogun.treatment import (
    PRIME_NL,
    Interrupted,
    Observer,
    Order,
    Progress,
    Result,
    Visit,
    not_asked,
    note,
    read_answers,
)
from mesogun.virtual.gun import VirtualTransport
from mesogun.words import _, volume
from mesogun_protocol.enums import EndReason, Fault, StepKind, TriggerMode

Notes = tuple[tuple[str, Mapping[str, Any]], ...]

_NAME_LENGTH = 200
_PRIMES = 3
"""After so many primes without a drop something is wrong with syringe or needle."""


@dataclass(frozen=True)
class Wishes:
    """The options of `mesogun run`; see there."""

    program: str
    port: str
    speed: str | None
    seed: int | None
    auto_trigger: bool
    syringe: str | None
    needle: str | None
    delivery: str | None
    answers: tuple[str, ...]
    yes: bool
    operator: str | None
    patient_ref: str | None
    verbose: bool

    @property
    def is_simulated(self) -> bool:
        """Whether the gun is a virtual or an emulated one."""
        return self.port in (SIM, EMULATED)

    @property
    def asks(self) -> bool:
        """Whether a person is asked what is not settled in advance."""
        return is_interactive() and not self.yes


def treat(wishes: Wishes) -> Answer:
    """Carry out a run.

    Raises:
        UsageError: if the program or the options are wrong, or nobody confirmed; nothing moved.
        MesogunError: as the texts say.
    """
    read_answers(wishes.answers)
    program, is_named = _program(wishes)
    _require_possible(wishes, program)
    simulated = _simulated(wishes, program)
    with Store.open() as store:
        transport = open_port(wishes.port, lambda: simulated)
        seed = simulated.seed if wishes.is_simulated else None
        order = Order(program, wishes.operator, wishes.patient_ref, transport.name, seed)
        with Gun.open(transport) as gun:
            run = _Run(wishes, program, transport, _gun_in_words(gun, order, simulated))
            with _nothing_delivered(gun, store, transport):
                if not wishes.is_simulated:
                    _require_virtual(wishes)
                notes = _confirm(wishes, program, run.gun, is_named=is_named)
                visit = Visit(gun, store, replace(order, notes=notes))
                run.make_ready(visit)
            result = run.give(visit)
        due = next_due(store, result)
    if isinstance(transport, VirtualTransport):
        transport.forget()
    if isinstance(transport, Simulated):
        result = replace(result, volume_needle_nl=round(transport.world.plant.needle_nl))
    return summary(result, program, due)


def _program(wishes: Wishes) -> tuple[Program, bool]:
    """The program, and whether its syringe was named; else it is asked for, or a simulation's."""
    delivery = checked_delivery(wishes.delivery)
    program = resolve(
        wishes.program, syringe=wishes.syringe, needle=wishes.needle, delivery=delivery
    )
    by_name = program.origin.label == wishes.program and not program.origin.lines
    if wishes.syringe is not None or not by_name:
        return program, True
    if wishes.asks:
        syringe = asked_syringe()
        chosen = resolve(wishes.program, syringe=syringe, needle=wishes.needle, delivery=delivery)
        return chosen, False
    if not wishes.is_simulated:
        raise UsageError(
            "No syringe was named, and none is assumed: brand and size decide the dose. Write "
            "--syringe ID with one of `mesogun catalog syringes`."
        )
    return program, False


def _require_possible(wishes: Wishes, program: Program) -> None:
    """Refuse what could only go wrong later, before a port is opened."""
    for option, name in (("--operator", wishes.operator), ("--patient-ref", wishes.patient_ref)):
        if name is not None and not (name.isprintable() and 0 < len(name.strip()) <= _NAME_LENGTH):
            raise UsageError(
                f"{option} {name[:40]!r} must be one line of 1 to {_NAME_LENGTH} printable "
                "characters. Change it."
            )
    if estimate(program).syringes > 1 and not is_interactive() and not wishes.is_simulated:
        raise UsageError(
            f"The program takes {estimate(program).syringes} syringes, and without a terminal "
            "nobody can be asked to change them. Run it at a terminal, or take a larger syringe."
        )
    has_hand = wishes.auto_trigger or is_interactive()
    if wishes.is_simulated and _needs_trigger(program) and not has_hand:
        raise UsageError(
            "The program waits for the trigger, and without a terminal there is no key for it. "
            "Let a virtual operator work it with --auto-trigger."
        )


def _require_virtual(wishes: Wishes) -> None:
    """Refuse options that a real gun could only ignore."""
    for option, given in (
        ("--speed", wishes.speed is not None),
        ("--seed", wishes.seed is not None),
        ("--auto-trigger", wishes.auto_trigger),
    ):
        if given:
            raise UsageError(
                f"{option} is for a virtual gun and this is a real one. Leave it out, or simulate "
                "with --port sim."
            )


def _needs_trigger(program: Program) -> bool:
    steps = compile_steps(program, get_syringe(program.syringe))
    return any(
        step.trigger is not TriggerMode.AUTO or step.kind is StepKind.PRIME for step in steps
    )


def _simulated(wishes: Wishes, program: Program) -> Simulation:
    return simulation(
        program.syringe,
        program.needle,
        viscosity_mpa_s=program.viscosity_mpa_s,
        # The one technique that leaves the needle where it is.
        new_point_each_shot=program.technique != STAYS,
        seed=wishes.seed,
        speed=wishes.speed,
        auto_trigger=wishes.auto_trigger,
    )


def _gun_in_words(gun: Gun, order: Order, simulated: Simulation) -> str:
    if order.seed is None:
        return f"board {gun.info.board_id} on {order.port}, firmware {gun.info.firmware}"
    pace = "as fast as it goes" if simulated.speed is None else f"speed {simulated.speed:g}"
    kind = "virtual gun" if order.port == SIM else "emulated RP2040"
    return f"{kind}, seed {order.seed}, {pace}"


def _confirm(wishes: Wishes, program: Program, gun: str, *, is_named: bool) -> Notes:
    """Show what will happen, ask what has to be asked, and return what the record keeps of it."""
    look = overview(program, gun)
    warnings: list[str] = look.data["warnings"]
    if sys.stderr.isatty() or wishes.verbose:
        show(look.text, stderr=True)
    elif warnings:
        tell("\n".join([_("Unusual, confirmed by --yes:"), *warnings]))
    if not wishes.yes and not is_interactive():
        raise UsageError(
            "Nobody can be asked whether to start, because this is no terminal. Look at "
            f"`mesogun check {wishes.program}`, then confirm with --yes."
        )
    if wishes.asks:
        tell("")
        dialogue.lay_out(program.treatment)
        tell("")
    told: list[tuple[str, Mapping[str, Any]]] = [("checklist", _checklist(wishes, program))]
    if warnings:
        if wishes.asks and not confirmed(_("Deliver these unusual values?")):
            raise UsageError("Not started: the unusual values were not confirmed.")
        told.append(("unusual", {"values": warnings, "by": "person" if wishes.asks else "--yes"}))
    syringe: dict[str, Any] = {"syringe": program.syringe, "confirmed": False}
    if wishes.asks:
        # Who has just picked it from the list is not asked again.
        syringe = dialogue.confirm_syringe(program) if is_named else syringe | {"confirmed": True}
    told.append(("syringe", syringe))
    return tuple(told)


def _checklist(wishes: Wishes, program: Program) -> Mapping[str, Any]:
    """Ask the checklist; --yes leaves it out for a simulated gun alone, which treats nobody."""
    given = read_answers(wishes.answers)
    if wishes.is_simulated and wishes.yes and not given:
        return not_asked("simulated gun, --yes")
    return note(dialogue.checklist(program, given, is_interactive()))


@contextmanager
def _nothing_delivered(gun: Gun, store: Store, transport: Transport) -> Generator[None]:
    """Throw a virtual gun away that was refused before it moved, after its records are stored."""
    try:
        yield
    except (GunRefused, UsageError, KeyboardInterrupt):
        gun.stop()
        if isinstance(transport, VirtualTransport):
            sync_gun(gun, store)
            transport.forget()
        tell(_("Nothing was delivered."))
        raise


@dataclass(frozen=True)
class _Run:
    """A visit on one gun, followed by one person.

    Attributes:
        wishes: of the command.
        program: to be given.
        transport: to the gun.
        gun: which one it is, in words.
    """

    wishes: Wishes
    program: Program
    transport: Transport
    gun: str

    def make_ready(self, visit: Visit, *, keep: bool = False) -> None:
        """Have the syringe put in, the needle primed and the start confirmed.

        Raises:
            UsageError: the person does not want to start.
            GunRefused, LinkError, RecordError: as their texts say.
        """
        asks = self.wishes.asks
        notes: dict[str, dict[str, Any]] = {}
        if asks and not keep:
            if visit.results:
                notes["syringe"] = dialogue.confirm_syringe(self.program)
            dialogue.fit_syringe(self.program, visit)
        visit.begin(prime=asks, keep=keep, notes=notes)
        if asks:
            self._prime(visit)
            if not confirmed(_("Start?")):
                raise UsageError("Not started.")
        visit.arm()

    def give(self, visit: Visit) -> Result:
        """Give the program, syringe after syringe, until it is over or the person ends it."""
        while True:
            try:
                result = self._deliver(visit)
            except Interrupted as error:
                return error.result
            if not visit.can_go_on or not self._goes_on(visit, result):
                return result

    def _goes_on(self, visit: Visit, result: Result) -> bool:
        """Change what has to be changed and make the gun ready again; False to end here."""
        planned = result.ended is EndReason.COMPLETE
        if not is_interactive():
            # A virtual person changes an empty syringe, and mends nothing that went wrong.
            if not planned:
                return False
            self._change_virtual(keep=False)
            self.make_ready(visit)
            return True
        fault = (
            Fault[result.faults[-1].upper()] if result.ended is EndReason.FAULTED else Fault.NONE
        )
        while way := dialogue.ask_go_on(visit, fault):
            try:
                self._change_virtual(keep=way == "needle")
                self.make_ready(visit, keep=way == "needle")
            except (GunRefused, UsageError) as refusal:
                tell(str(refusal))
            else:
                return True
        return False

    def _change_virtual(self, *, keep: bool) -> None:
        """What the hands of a person do at a real gun."""
        if not isinstance(self.transport, Simulated):
            return
        self.transport.panel.interlock_closed = True
        self.transport.panel.trigger = False
        plant = self.transport.world.plant
        plant.occluded = False
        if not keep:
            plant.load_syringe()

    def _prime(self, visit: Visit) -> None:
        """Push liquid through the needle until it is seen (R29: each prime takes two actions)."""
        tell(
            _("Point the needle away from people. Each prime pushes out {volume}.").format(
                volume=volume(PRIME_NL)
            )
        )
        for _attempt in range(_PRIMES):
            if not confirmed(_("Prime the needle now?")):
                visit.note("primed", {"seen": None})
                return
            with self._followed() as observe:
                primed_nl = visit.prime(Careful(observe, goes_on=False))
            tell(_("{volume} primed.").format(volume=volume(primed_nl)))
            if yes_or_no(_("Did a drop leave the needle?")):
                visit.note("primed", {"seen": True})
                return
            visit.note("primed", {"seen": False})
        raise UsageError(
            _("Not started: no drop after {count} primes. Change the needle, look for air.").format(
                count=_PRIMES
            )
        )

    def _deliver(self, visit: Visit) -> Result:
        with _signals_interrupt():
            try:
                with self._followed() as observe:
                    return visit.run(Careful(observe, goes_on=self.wishes.yes))
            except Interrupted:
                raise
            except MesogunError as error:
                error.add_note("`mesogun sessions sync` stores what the gun has recorded.")
                raise

    @contextmanager
    def _followed(self) -> Generator[Observer]:
        """A live view on a terminal, lines where they are asked for."""
        transport = self.transport
        simulated = transport if isinstance(transport, Simulated) else None
        hands = Hands(
            simulated.panel if simulated else None,
            self.wishes.auto_trigger,
            time.monotonic,
            simulated.world.plant if simulated else None,
        )
        tty = sys.stderr.isatty()
        view = live_view(self.gun, hands) if tty else nullcontext(_in_lines(self.wishes.verbose))
        with view as observe:
            yield observe


def _in_lines(verbose: bool) -> Observer:
    def silent(_progress: Progress) -> None:
        return None

    return Lines() if verbose else silent


@contextmanager
def _signals_interrupt() -> Generator[None]:
    """Stop the gun also when this process is told to end, or its window is closed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        # Passed on, because whoever must not be interrupted just now blocks this one.
        signal.raise_signal(signal.SIGINT)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        # One that is ignored, as under nohup, stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
