"""Gives a program, syringe after syringe, to whoever sits at the desk."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mesogun.desk import dialogue
from mesogun.desk.careful import Careful
from mesogun.desk.desk import Desk
from mesogun.desk.hands import Hands
from mesogun.desk.simulation import Simulated
from mesogun.errors import GunRefused, MesogunError, UsageError
from mesogun.link import Transport
from mesogun.program import Program
from mesogun.treatment import PRIME_NL, Interrupted, Observer, Result, Visit
from mesogun.words import _, volume
from mesogun_protocol.enums import EndReason, Fault

_PRIMES = 3
"""After so many primes without a drop something is wrong with syringe or needle."""


@dataclass(frozen=True)
class Delivery:
    """A visit on one gun, followed by one person.

    Attributes:
        desk: of the person.
        program: to be given.
        transport: to the gun.
        gun: which one it is, in words.
        yes: everything is confirmed in advance.
        operated: a virtual operator works the trigger.
    """

    desk: Desk
    program: Program
    transport: Transport
    gun: str
    yes: bool
    operated: bool

    def make_ready(self, visit: Visit, *, keep: bool = False) -> None:
        """Have the syringe put in, the needle primed and the start confirmed.

        Raises:
            UsageError: the person does not want to start.
            GunRefused, LinkError, RecordError: as their texts say.
        """
        desk = self.desk
        asks = desk.attended and not self.yes
        notes: dict[str, dict[str, Any]] = {}
        if asks and not keep:
            if visit.results:
                notes["syringe"] = dialogue.confirm_syringe(desk, self.program)
            dialogue.fit_syringe(desk, self.program, visit)
        visit.begin(prime=asks, keep=keep, notes=notes)
        if asks:
            self._prime(visit)
            if not desk.confirmed(_("Start?")):
                raise UsageError(_("Not started."))
        visit.arm()

    def give(self, visit: Visit) -> Result:
        """Give the program, syringe after syringe, until it is over or the person ends it."""
        while True:
            try:
                result = self._deliver(visit)
            except Interrupted as error:
                return error.result
            try:
                if not visit.can_go_on or not self._goes_on(visit, result):
                    return result
            except KeyboardInterrupt:
                visit.break_off()
                return result

    def _goes_on(self, visit: Visit, result: Result) -> bool:
        """Change what has to be changed and make the gun ready again; False to end here."""
        planned = result.ended is EndReason.COMPLETE
        if not self.desk.attended:
            # A virtual person changes an empty syringe, and mends nothing that went wrong.
            if not planned:
                return False
            self._change_virtual(keep=False)
            self.make_ready(visit)
            return True
        fault = (
            Fault[result.faults[-1].upper()] if result.ended is EndReason.FAULTED else Fault.NONE
        )
        while way := dialogue.ask_go_on(self.desk, visit, fault):
            try:
                self._change_virtual(keep=way == "needle")
                self.make_ready(visit, keep=way == "needle")
            except (GunRefused, UsageError) as refusal:
                self.desk.tell(str(refusal))
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
        desk = self.desk
        desk.tell(
            _("Point the needle away from people. Each prime pushes out {volume}.").format(
                volume=volume(PRIME_NL)
            )
        )
        for _attempt in range(_PRIMES):
            if not desk.confirmed(_("Prime the needle now?")):
                visit.note("primed", {"seen": None})
                return
            with self._followed() as observe:
                primed_nl = visit.prime(Careful(observe, goes_on=False))
            desk.tell(_("{volume} primed.").format(volume=volume(primed_nl)))
            if desk.yes_or_no(_("Did a drop leave the needle?")):
                visit.note("primed", {"seen": True})
                return
            visit.note("primed", {"seen": False})
        raise UsageError(
            _("Not started: no drop after {count} primes. Change the needle, look for air.").format(
                count=_PRIMES
            )
        )

    def _deliver(self, visit: Visit) -> Result:
        try:
            with self._followed() as observe:
                return visit.run(Careful(observe, goes_on=self.yes))
        except Interrupted:
            raise
        except MesogunError as error:
            error.add_note(_("`mesogun sessions sync` stores what the gun has recorded."))
            raise

    @contextmanager
    def _followed(self) -> Generator[Observer]:
        transport = self.transport
        simulated = transport if isinstance(transport, Simulated) else None
        hands = Hands(
            simulated.panel if simulated else None,
            self.operated,
            time.monotonic,
            simulated.world.plant if simulated else None,
        )
        with self.desk.follow(self.gun, hands) as observe:
            yield observe
