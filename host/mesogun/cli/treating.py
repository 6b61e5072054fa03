"""One run of a program: checks, overview, confirmation, delivery, summary."""

import signal
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from types import FrameType

from mesogun.catalog import get_syringe
from mesogun.cli.connect import Simulated, simulation
from mesogun.cli.exit_codes import DONE, FAILED, INTERRUPTED
from mesogun.cli.following import Careful, Lines, live_view
from mesogun.cli.hands import Hands
from mesogun.cli.overview import overview
from mesogun.cli.printer import Answer, Table, show, tell
from mesogun.errors import GunRefused, MesogunError, UsageError
from mesogun.gun import Gun
from mesogun.link import Transport
from mesogun.ports import EMULATED, SIM, Simulation, open_port
from mesogun.program import Program, compile_steps, resolve
from mesogun.records import Store
from mesogun.sync import sync_gun
from mesogun.treatment import Interrupted, Observer, Order, Progress, Result, Treatment
from mesogun.virtual.gun import VirtualTransport
from mesogun.words import _, duration, volume
from mesogun.words.gun import end, fault
from mesogun_protocol.enums import EndReason, Fault, StepKind, TriggerMode

_NAME_LENGTH = 200


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
    yes: bool
    operator: str | None
    patient_ref: str | None
    verbose: bool

    @property
    def is_simulated(self) -> bool:
        """Whether the gun is a virtual or an emulated one."""
        return self.port in (SIM, EMULATED)


def treat(wishes: Wishes) -> Answer:
    """Carry out a run.

    Raises:
        UsageError: if the program or the options are wrong, or nobody confirmed; nothing moved.
        MesogunError: as the texts say.
    """
    program = resolve(wishes.program, syringe=wishes.syringe, needle=wishes.needle)
    _require_possible(wishes, program)
    simulated = _simulated(wishes, program)
    with Store.open() as store:
        transport = open_port(wishes.port, lambda: simulated)
        seed = simulated.seed if wishes.is_simulated else None
        order = Order(program, wishes.operator, wishes.patient_ref, transport.name, seed)
        with Gun.open(transport) as gun:
            treatment = Treatment(gun, store, order)
            with _nothing_delivered(gun, store, transport):
                if not wishes.is_simulated:
                    _require_virtual(wishes)
                _confirm(wishes, program, _gun_in_words(gun, order, simulated))
                treatment.prepare()
            result = _deliver(wishes, treatment, transport, _gun_in_words(gun, order, simulated))
    if isinstance(transport, VirtualTransport):
        transport.forget()
    if isinstance(transport, Simulated):
        result = replace(result, volume_needle_nl=round(transport.world.plant.needle_nl))
    return _summary(result)


def _require_possible(wishes: Wishes, program: Program) -> None:
    """Refuse what could only go wrong later, before a port is opened."""
    for option, name in (("--operator", wishes.operator), ("--patient-ref", wishes.patient_ref)):
        if name is not None and not (name.isprintable() and 0 < len(name.strip()) <= _NAME_LENGTH):
            raise UsageError(
                f"{option} {name[:40]!r} must be one line of 1 to {_NAME_LENGTH} printable "
                "characters. Change it."
            )
    has_hand = wishes.auto_trigger or _is_interactive()
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


def _is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


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
        new_point_each_shot=program.technique != "mesoperfusion",
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


def _confirm(wishes: Wishes, program: Program, gun: str) -> None:
    """Show what will happen and have it confirmed, what is unusual apart."""
    look = overview(program, gun)
    warnings: list[str] = look.data["warnings"]
    if sys.stderr.isatty() or wishes.verbose:
        show(look.text, stderr=True)
    elif warnings:
        tell("\n".join([_("Unusual, confirmed by --yes:"), *warnings]))
    if wishes.yes:
        return
    if not _is_interactive():
        raise UsageError(
            "Nobody can be asked whether to start, because this is no terminal. Look at "
            f"`mesogun check {wishes.program}`, then confirm with --yes."
        )
    if warnings and not _asked(_("Deliver these unusual values?")):
        raise UsageError("Not started: the unusual values were not confirmed.")
    if not _asked(_("Start?")):
        raise UsageError("Not started.")


def _asked(question: str) -> bool:
    """Ask on stderr, so that stdout holds the result alone."""
    sys.stderr.write(question + " " + _("[y/N]") + " ")
    sys.stderr.flush()
    # What yes is called stands in the catalogue too: `o` and `oui` in French.
    return sys.stdin.readline().strip().lower() in {"y", "yes", *_("y, yes").split(", ")}


@contextmanager
def _nothing_delivered(gun: Gun, store: Store, transport: Transport) -> Generator[None]:
    """Throw a virtual gun away that was refused before it moved, after its records are stored."""
    try:
        yield
    except (GunRefused, UsageError, KeyboardInterrupt):
        if isinstance(transport, VirtualTransport):
            sync_gun(gun, store)
            transport.forget()
        tell(_("Nothing was delivered."))
        raise


def _deliver(wishes: Wishes, treatment: Treatment, transport: Transport, gun: str) -> Result:
    panel = transport.panel if isinstance(transport, Simulated) else None
    hands = Hands(panel, wishes.auto_trigger, time.monotonic)
    view = live_view(gun, hands) if sys.stderr.isatty() else nullcontext(_in_lines(wishes.verbose))
    with _signals_interrupt():
        try:
            with view as observe:
                return treatment.run(Careful(observe, goes_on=wishes.yes))
        except Interrupted as error:
            return error.result
        except MesogunError as error:
            error.add_note("`mesogun sessions sync` stores what the gun has recorded.")
            raise


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


def _summary(result: Result) -> Answer:
    """The result of a session, and what was not as it should be on stderr."""
    for name in result.faults:
        tell(fault(Fault[name.upper()]))
    if not result.record_complete:
        tell(
            _("The record is not complete: `{command}` says why.").format(
                command=f"mesogun sessions verify {result.session}"
            )
        )
    rows = [
        (_("session"), f"{result.session}, {end(result.ended)}"),
        (_("program"), _(result.program)),
        (_("shots"), _of(str(result.shots_delivered), str(result.shots_planned))),
        (_("volume"), _volumes(result)),
        (_("time"), duration(result.duration_s)),
        (_("faults"), ", ".join(result.faults) or _("none")),
        (_("uncertain"), _("{number} shots").format(number=result.uncertain_shots)),
        (_("record"), _("complete") if result.record_complete else _("NOT COMPLETE")),
        (_("hash"), result.record_hash),
    ]
    if result.seed is not None:
        rows.append((_("seed"), _("{seed} (simulated)").format(seed=result.seed)))
    ended = result.ended.name.lower() if result.ended is not None else None
    data = asdict(result) | {"ended": ended, "faults": list(result.faults)}
    return Answer(data, [Table(rows)], _code(result))


def _of(part: str, whole: str) -> str:
    return _("{part} of {whole}").format(part=part, whole=whole)


def _volumes(result: Result) -> str:
    given = _of(volume(result.volume_delivered_nl), volume(result.volume_planned_nl))
    if result.volume_needle_nl is None:
        return given
    return _("{given}, {needle} out of the needle").format(
        given=given, needle=volume(result.volume_needle_nl)
    )


def _code(result: Result) -> int:
    if result.faults or not result.record_complete:
        return FAILED
    if result.ended is EndReason.STOPPED:
        return INTERRUPTED
    return DONE if result.ended is EndReason.COMPLETE else FAILED
