"""The person at the host: does what was drawn, and after whatever happens begins again.

A host that was killed is started again, a cable that was pulled is plugged in, a fault is read and
cleared; the records are fetched before anything else is delivered.
"""

import random
from collections.abc import Callable
from typing import Final

from mesogun.catalog import get_syringe
from mesogun.errors import GunRefused, LinkError, PortError, RecordError
from mesogun.gun import Gun, Refused, Status
from mesogun.gun.doubt import GunRestarted
from mesogun.link import DoseUncertain
from mesogun.program import PlannedStep, compile_steps, volumes
from mesogun.program.alarm import closed_pa
from mesogun.records import Store
from mesogun.simtest.disk import Disk
from mesogun.simtest.draw import Act, Deed, Scenario
from mesogun.simtest.process import HostKilled, Process, SimulatedGun
from mesogun.simtest.rules import Broken, Rule
from mesogun.simtest.stage import Stage, Tell
from mesogun.sync import sync_gun
from mesogun.treatment import Action, Order, Progress, Result, Treatment
from mesogun_protocol.enums import ConfigKey, ControllerState
from mesogun_protocol.limits import SESSION_MAX_NL

_ATTEMPTS: Final = 300
"""To reach the gun; a cable is out for 3 s at most, a gun is deaf for 0.4 s."""
_BETWEEN_S: Final = 0.5
_PATIENCE_S: Final = 4.0
"""Time in which nothing happens after which a person stops."""
_PRESSURE_KPA: Final = 500
_OVER: Final = (
    ControllerState.DONE,
    ControllerState.FAULT,
    ControllerState.READY,
    ControllerState.LOADED,
    ControllerState.UNLOADED,
)


class Person:
    """Works one gun with one host process after the other."""

    def __init__(self, scenario: Scenario, stage: Stage, disk: Disk, tell: Tell | None) -> None:
        """Come to the host; nothing is started yet."""
        self._disk = disk
        self._scenario = scenario
        self._stage = stage
        self._counts = stage.witness.counts
        self._tell = tell
        self._acts = list(enumerate(scenario.acts))
        self._deaths = list(scenario.deaths)
        self._absences = scenario.absences
        self._dice = random.Random(f"person {scenario.seed}")

    def work(self) -> None:
        """Do everything that was drawn."""
        while self._acts:
            death = self._deaths.pop(0) if self._deaths else None
            process = Process(self._stage, self._disk, death, self._absences)
            self._absences = ()
            try:
                with process.running() as store:
                    self._work_at(process, store)
            except HostKilled:
                self._say("the host is killed")
                self._stage.pass_time(death.restart_s if death else 0.0)

    def _work_at(self, process: Process, store: Store) -> None:
        gun: SimulatedGun | None = None
        while self._acts:
            try:
                if gun is None:
                    gun = self._reach(process)
                    self._sync(gun, store)
                self._recover(gun)
                number, act = self._acts.pop(0)
                if self._scenario.calm:
                    # The hand lets the trigger go when the light has changed.
                    gun.wait(_BETWEEN_S)
                self._say(f"{act.deed} {number}")
                self._do(gun, store, number, act)
            except (LinkError, PortError) as error:
                self._counts["connections lost"] += 1
                self._say(f"lost: {type(error).__name__}")
                gun = None
            except GunRefused as refusal:
                self._counts["requests refused"] += 1
                self._say(f"refused: {refusal}")
                self._require_allowed(refusal)
                # It may be that the gun has restarted.
                gun = None
                self._stage.pass_time(_BETWEEN_S)

    # Connection

    def _reach(self, process: Process) -> SimulatedGun:
        """Plug the cable in and greet the gun, as often as it takes."""
        for _ in range(_ATTEMPTS):
            try:
                self._stage.cable.reopen()
                return SimulatedGun(process, self._stage)
            except (LinkError, PortError):
                self._stage.pass_time(_BETWEEN_S)
        raise Broken(Rule.ENDS, f"the gun cannot be reached {_ATTEMPTS} times in a row")

    def _recover(self, gun: SimulatedGun) -> None:
        """Bring a gun to rest on which somebody else may have worked."""
        status = gun.status()
        if status.state not in _OVER and self._dice.random() < 0.5:
            status = self._follow(gun, {}, _BETWEEN_S)
        if status.state not in _OVER:
            gun.stop()
        for _ in range(3):
            status = gun.status()
            if status.state is not ControllerState.FAULT or not self._scenario.clears_faults:
                return
            self._counts[f"fault {status.fault.name.lower()}"] += 1
            try:
                gun.clear_fault(status.fault)
            except Refused:
                # Its cause is still there.
                gun.wait(2.0)

    def _sync(self, gun: Gun, store: Store) -> None:
        """Fetch the records; a store that refuses what the gun wrote ends the simulation."""
        try:
            report = sync_gun(gun, store)
        except RecordError as error:
            raise Broken(
                Rule.EXACTLY_ONCE, f"the store refuses the gun's records: {error}"
            ) from error
        self._counts["records"] += report.stored
        self._counts["records again"] += report.duplicates

    # Deeds

    def _do(self, gun: SimulatedGun, store: Store, number: int, act: Act) -> None:
        deeds: dict[Deed, Callable[[], None]] = {
            Deed.TREAT: lambda: self._treat(gun, store, number, act),
            Deed.DRIVE: lambda: self._drive(gun, number, act),
            Deed.PRIME: lambda: self._prime(gun, act),
            Deed.EXCEED: lambda: self._exceed(gun, act),
            Deed.ARM: lambda: self._arm(gun, number, act),
            Deed.CONFIGURE: lambda: gun.write_config(ConfigKey.DEBOUNCE_MS, 50 + number),
            Deed.SYNC: lambda: self._sync(gun, store),
        }
        try:
            deeds[act.deed]()
        except (LinkError, RecordError):
            if act.stops_on_error:
                gun.stop()
            raise

    def _treat(self, gun: Gun, store: Store, number: int, act: Act) -> None:
        order = Order(act.program, seed=self._scenario.seed * 100 + number)
        treatment = Treatment(gun, store, order)
        treatment.prepare()
        result = treatment.run(self._observer(act), act.look_every_s)
        self._counts["shots"] += result.shots_delivered
        self._counts["sessions complete"] += result.record_complete
        if self._scenario.calm:
            self._require_delivered(result)

    def _require_delivered(self, result: Result) -> None:
        delivered = result.shots_delivered == result.shots_planned
        if not (result.record_complete and delivered and not result.faults):
            raise Broken(Rule.DELIVERED, f"an undisturbed session came to {result}")

    def _observer(self, act: Act) -> Callable[[Progress], Action | None]:
        """Ask for what was drawn, go on after a pause, and stop where nothing happens any more."""
        looks = 0
        seen: tuple[object, ...] = ()
        since_s = 0.0

        def observe(progress: Progress) -> Action | None:
            nonlocal looks, seen, since_s
            looks += 1
            now = (progress.state, progress.step_index, progress.delivered_nl)
            if now != seen:
                seen, since_s = now, progress.elapsed_s
            still_s = progress.elapsed_s - since_s
            if looks in act.looks:
                return act.looks[looks]
            if still_s > _PATIENCE_S:
                return Action.STOP
            if progress.state is ControllerState.PAUSED and still_s > _BETWEEN_S:
                return Action.RESUME
            return None

        return observe

    def _load(self, gun: Gun, act: Act, limit_nl: int = SESSION_MAX_NL) -> list[PlannedStep]:
        syringe = get_syringe(act.program.syringe)
        steps = compile_steps(act.program, syringe)
        pl_per_step = syringe.pl_per_step()
        closed = closed_pa(syringe, pl_per_step)
        gun.load_syringe(pl_per_step, volumes(steps).fill_nl, _PRESSURE_KPA, 1, closed)
        gun.set_limits(limit_nl, limit_nl, 1000)
        return steps

    def _armed(self, gun: Gun, number: int, act: Act) -> int:
        """Make the gun ready and arm it; return the session's number."""
        steps = self._load(gun, act)
        session = self._scenario.seed * 100 + number + 1
        gun.arm(session, gun.upload(steps).program_crc)
        return session

    def _arm(self, gun: Gun, number: int, act: Act) -> None:
        self._armed(gun, number, act)
        gun.wait(_BETWEEN_S)
        gun.disarm()

    def _drive(self, gun: SimulatedGun, number: int, act: Act) -> None:
        session = self._armed(gun, number, act)
        if self._deliver(gun, lambda: gun.start(session)):
            looks = dict(act.looks)
            self._follow(gun, looks, act.look_every_s, session)
            self._counts["shots"] += gun.status().shots_done

    def _deliver(self, gun: SimulatedGun, command: Callable[[], None]) -> bool:
        """Give a dose command; settle it if it got no answer. Return whether it was carried out."""
        try:
            command()
            return True
        except DoseUncertain:
            self._counts["doubts"] += 1
        gun.require_blocked()
        for _ in range(_ATTEMPTS):
            try:
                self._stage.cable.reopen()
                gun.reconnect()
                return gun.resolve()
            except GunRestarted:
                return False
            except (LinkError, PortError):
                self._stage.pass_time(_BETWEEN_S)
        raise Broken(Rule.ENDS, f"a doubt could not be settled in {_ATTEMPTS} attempts")

    def _follow(
        self, gun: SimulatedGun, looks: dict[int, Action], every_s: float, session: int = 0
    ) -> Status:
        """Watch until the session is over or nothing happens; ask for what was drawn."""
        seen: tuple[object, ...] = ()
        since_ms = 0
        look = 0
        while True:
            look += 1
            status = gun.status()
            if status.state in _OVER:
                return status
            now = (status.state, status.step_index, status.delivered_steps)
            if now != seen:
                seen, since_ms = now, status.clock_ms
            still_s = (status.clock_ms - since_ms) / 1000
            action = looks.get(look)
            if action is None and still_s > _PATIENCE_S:
                action = Action.STOP
            elif action is None and still_s > _BETWEEN_S and session:
                action = Action.RESUME
            self._act(gun, action, status.state, session)
            gun.wait(every_s)

    def _act(
        self, gun: SimulatedGun, action: Action | None, state: ControllerState, session: int
    ) -> None:
        try:
            if action is Action.STOP:
                gun.stop()
            elif action is Action.PAUSE and state is ControllerState.RUNNING:
                gun.pause()
            elif action is Action.RESUME and state is ControllerState.PAUSED and session:
                self._deliver(gun, lambda: gun.resume(session))
        except Refused:
            # The state changed between the look and the request.
            self._counts["requests refused"] += 1

    def _prime(self, gun: SimulatedGun, act: Act) -> None:
        self._load(gun, act)
        done = self._deliver(gun, lambda: gun.prime(5_000, 100_000))
        for _ in range(4):
            gun.wait(_BETWEEN_S)
        if done and self._scenario.lazy:
            gun.stop()

    def _exceed(self, gun: Gun, act: Act) -> None:
        """Ask for a program of more than is allowed."""
        steps = self._load(gun, act, limit_nl=1_000)
        gun.upload(steps)
        raise Broken(Rule.WITHIN, "the gun accepts a program that exceeds its limits")

    # Surroundings

    def _require_allowed(self, refusal: GunRefused) -> None:
        if self._scenario.calm:
            raise Broken(Rule.DELIVERED, f"an undisturbed session was refused: {refusal}")

    def _say(self, text: str) -> None:
        if self._tell is not None:
            self._tell(self._stage.world.now_ns, f"person: {text}")
