"""Watches one gun from outside and breaks off as soon as it does what it must not.

It sees the pins (steps, driver, inputs, light) and the serial port, never the firmware's insides. A
START that the gun carries out is a licence for the dose steps of the armed program, a PRIME one for
its own; whatever moves without licence is a dose that nobody asked for.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from mesogun.simtest.draw import Anchor
from mesogun.simtest.gate import Gate, Request
from mesogun.simtest.rules import Broken, Rule
from mesogun.simtest.upload import Uploaded, Uploads
from mesogun.virtual.pulse_stream import PulseStream, Run
from mesogun_protocol import cosim, messages
from mesogun_protocol.enums import ControllerState, EndReason, EventKind, Inputs, Light, ResetCause
from mesogun_protocol.limits import BUDGET_MARGIN_PERCENT, HEARTBEAT_TIMEOUT_MS
from mesogun_protocol.records import Record

_CLOSED: Final = Inputs.INTERLOCK_CLOSED | Inputs.SYRINGE_SEATED
_SUPPLY_BAD_MV: Final = 8_000
"""Far below what any gun may run from; where exactly it stops is the firmware's matter."""
_BAD_INPUT_NS: Final = 100_000_000
"""R15 and R42 ask for 5 and 50 ms from the detection; page programs lie between."""
_SILENCE_NS: Final = (HEARTBEAT_TIMEOUT_MS + 100) * 1_000_000
_STILL: Final = 100_000
"""Messages without any time between: the firmware runs in circles."""


@dataclass
class Boot:
    """One start of the gun as the pins show it.

    Attributes:
        cause: why it started.
        boot_id: its number in the records that it has written whole, None if there are none.
        forward_steps: rising edges with DIR forward.
        backward_steps: the same with DIR backward.
        started: sessions whose START was carried out.
    """

    cause: ResetCause
    boot_id: int | None = None
    forward_steps: int = 0
    backward_steps: int = 0
    started: set[int] = field(default_factory=set[int])


@dataclass
class _Licence:
    """What the gun may do at this moment, by what it was asked for.

    Attributes:
        armed: an ARM, the driver may be on.
        session_steps: dose steps left of a START, None if no session runs.
        prime_steps: dose steps left of a PRIME, None if none was asked for.
        pressed: the trigger was down since the PRIME.
    """

    armed: Uploaded | None = None
    session_steps: int | None = None
    prime_steps: int | None = None
    pressed: bool = False


class Witness:
    """Sees every message between firmware and world and every run of steps.

    Args:
        tell: takes what is seen as lines of a trace, None if nobody wants it.

    Attributes:
        boots: every start of the gun so far.
        counts: how often things happened.
        light: what the gun shows.
        void: numbers of sessions whose start was settled as certainly not done.
        tally: called when there is one more block of motion or request.
    """

    def __init__(self, tell: Callable[[int, str], None] | None) -> None:
        """Watch a gun that is about to be switched on."""
        self.boots: list[Boot] = []
        self.counts: Counter[str] = Counter()
        self.light = Light.OFF
        self.void: set[int] = set()
        self.tally: Callable[[Anchor], None] = lambda _anchor: None
        self._tell = tell
        self._seen: tuple[int, int] = (0, 0)
        self._looks: dict[str, Callable[[int, dict[str, Any]], None]] = {
            cosim.BOOTED.name: self._booted,
            cosim.WAKE.name: self._woken,
            cosim.SEND.name: self._sent,
            cosim.DRIVER.name: self._driver,
            cosim.PANEL.name: self._panel,
            cosim.PULSE_SUBMIT.name: self._submitted,
        }
        self._acts: dict[int, Callable[[dict[str, Any]], None]] = {
            messages.LOAD_SYRINGE.id: self._loaded,
            messages.SET_LIMITS.id: self._limited,
            messages.ARM.id: self._armed,
            messages.START.id: self._started,
            messages.RESUME.id: self._resumed,
            messages.PRIME.id: self._primed,
            messages.STOP.id: self._stopped,
            messages.DISARM.id: self._stopped,
            messages.PROGRAM_BEGIN.id: self._begun,
            messages.PROGRAM_CHUNK.id: self._chunk,
            messages.PROGRAM_COMMIT.id: self._committed,
        }
        self._begin_boot(ResetCause.POWER_ON)

    @property
    def boot(self) -> Boot:
        """The present start of the gun."""
        return self.boots[-1]

    # What the world shows

    def message(self, now_ns: int, name: str, fields: dict[str, Any]) -> None:
        """Look at a message of the firmware or an answer to it."""
        at_ns, times = self._seen
        self._seen = (now_ns, times + 1 if at_ns == now_ns else 0)
        if times > _STILL:
            raise Broken(Rule.ENDS, f"the firmware asks without end at {now_ns} ns")
        look = self._looks.get(name)
        if look is not None:
            look(now_ns, fields)

    def note(self, record: Record) -> None:
        """Look at a record that the gun has written whole."""
        others = [boot.boot_id for boot in self.boots[:-1]]
        if record.boot_id in others or self.boot.boot_id not in (None, record.boot_id):
            raise Broken(
                Rule.EXACTLY_ONCE, f"two starts of the gun have the number {record.boot_id}"
            )
        self.boot.boot_id = record.boot_id
        self.counts[f"record {record.kind.name.lower()}"] += 1

    def run(self, run: Run) -> None:
        """Look at a piece of motion on the STEP pin."""
        if self._tell is not None:
            self._tell(run.end_ns, f"motion {run.steps:+d} driven={run.driven}")
        boot = self.boot
        if not run.forward:
            boot.backward_steps += run.pulses
            if run.driven:
                self._behind += run.pulses
                self._position -= run.pulses
            return
        boot.forward_steps += run.pulses
        if run.driven:
            self._take(run)

    def at_rest(self, now_ns: int, stream: PulseStream) -> None:
        """Look at the pins after the firmware has done all that it wants to do now."""
        self._arming = None
        if not stream.driver_on:
            return
        licence = self._licence
        if self.light is Light.ALARM:
            raise Broken(Rule.FAULT_OFF, f"the driver is on under the alarm light at {now_ns} ns")
        if licence.armed is None and licence.prime_steps is None:
            raise Broken(Rule.AT_REST, f"the driver is on and nothing is armed at {now_ns} ns")
        if self._bad_since_ns is not None and now_ns - self._bad_since_ns > _BAD_INPUT_NS:
            raise Broken(
                Rule.FAULT_OFF,
                f"the driver is on {(now_ns - self._bad_since_ns) // 1_000_000} ms after an input "
                "turned bad",
            )
        # A shot of the trigger shows the same light, and needs no host.
        silent_ns = now_ns - max(self._heard_ns, self._light_ns)
        if self.light is Light.RUNNING and silent_ns > _SILENCE_NS:
            raise Broken(
                Rule.FAULT_OFF,
                f"an automatic step goes on {silent_ns // 1_000_000} ms after the last word of the "
                "host",
            )

    # Motion

    def _take(self, run: Run) -> None:
        """Take the steps of a run from the licence."""
        taken_up = min(self._behind, run.pulses)
        self._behind -= taken_up
        self._position += run.pulses
        dose = run.pulses - taken_up
        licence = self._licence
        if self.light is Light.ALARM:
            raise Broken(Rule.FAULT_OFF, f"{run.pulses} steps under the alarm light")
        if self._paused:
            raise Broken(Rule.AT_REST, f"{run.pulses} steps in a pause")
        if licence.session_steps is not None:
            licence.session_steps -= dose
            left = licence.session_steps
            self._session_nl(dose)
        elif licence.prime_steps is not None and licence.pressed:
            licence.prime_steps -= dose
            left = licence.prime_steps
        else:
            left = -dose
        if left < 0:
            rule = Rule.ONE_DOSE if self._gate.repeated else Rule.ASKED
            raise Broken(rule, f"{-left} steps at {run.end_ns} ns that no request has asked for")
        held_pl = (self._content_nl + 1) * 1000 + (1 + self._early_steps) * self._pl_per_step
        if self._position * self._pl_per_step > held_pl:
            raise Broken(
                Rule.WITHIN,
                f"{self._position} steps of {self._pl_per_step} pl out of a syringe that holds "
                f"{self._content_nl} nl",
            )

    def _session_nl(self, dose: int) -> None:
        self._session_steps += dose
        armed = self._licence.armed
        assert armed is not None
        most_nl = self._limit_nl + armed.prime_nl
        steps = self._session_steps - self._lent_steps - 1
        if steps * self._pl_per_step > most_nl * 1000:
            raise Broken(
                Rule.WITHIN,
                f"{self._session_steps} steps of {self._pl_per_step} pl in a session of at most "
                f"{most_nl} nl",
            )

    # Messages

    def _begin_boot(self, cause: ResetCause) -> None:
        self.boots.append(Boot(cause))
        self._gate = Gate()
        self._uploads = Uploads()
        self._licence = _Licence()
        self._arming: Uploaded | None = None
        self._parts: list[int] = []
        self._paused = False
        self._behind = self._position = self._session_steps = 0
        self._early_steps = self._lent_steps = 0
        self._pl_per_step = self._content_nl = self._limit_nl = 0
        self._bad_since_ns: int | None = None
        self._heard_ns = self._light_ns = 0
        self.light = Light.OFF

    def _booted(self, now_ns: int, fields: dict[str, Any]) -> None:
        cause = ResetCause(fields["reset_cause"])
        if self._tell is not None:
            self._tell(now_ns, f"boot {cause.name}")
        if now_ns:
            self._begin_boot(cause)
        self.counts[f"boots, {cause.name.lower()}"] += 1
        self._heard_ns = now_ns

    def _woken(self, now_ns: int, fields: dict[str, Any]) -> None:
        inputs = fields["inputs"]
        self._licence.pressed |= bool(inputs & Inputs.TRIGGER)
        if inputs & _CLOSED == _CLOSED and fields["supply_mv"] > _SUPPLY_BAD_MV:
            self._bad_since_ns = None
        elif self._bad_since_ns is None:
            self._bad_since_ns = now_ns
        if not fields["data"]:
            return
        for request in self._gate.arrive(fields["data"]):
            self._heard_ns = now_ns
            if self._tell is not None:
                self._tell(now_ns, f"> {request.message.name} {request.number}")
            if request.message is messages.ARM and not request.repeated:
                # Its driver comes on before it is answered.
                self._arming = self._uploads.held(request.fields()["program_crc"])
            self.tally(Anchor.REQUEST)

    def _sent(self, now_ns: int, fields: dict[str, Any]) -> None:
        for found in self._gate.leave(fields["data"]):
            if isinstance(found, Request):
                if self._tell is not None:
                    self._tell(now_ns, f"< {found.message.name} {found.number}")
                self._carried_out(found)
            elif found["kind"] is EventKind.SHOT and found["b"] != EndReason.COMPLETE:
                self._lend()
            elif found["kind"] is EventKind.STATE:
                self._state(ControllerState(found["a"]))

    def _driver(self, now_ns: int, fields: dict[str, Any]) -> None:
        if self._tell is not None:
            self._tell(now_ns, f"driver {fields['enabled']} budget {fields['budget_steps']}")
        if not fields["enabled"]:
            self._licence = _Licence()
            return
        licence = self._licence
        if self._arming is not None:
            planned = self._arming.forward_steps(self._pl_per_step)
        elif licence.prime_steps is not None:
            planned = licence.prime_steps
        else:
            rule = Rule.ONE_DOSE if self._gate.repeated else Rule.AT_REST
            raise Broken(rule, f"the driver is switched on unasked at {now_ns} ns")
        planned += self._behind
        most = planned + planned * BUDGET_MARGIN_PERCENT // 100 + 1
        if fields["budget_steps"] > most:
            raise Broken(
                Rule.WITHIN,
                f"a budget of {fields['budget_steps']} steps, {most} are planned with their margin",
            )

    def _panel(self, now_ns: int, fields: dict[str, Any]) -> None:
        self.light = Light(fields["light"])
        self._light_ns = now_ns
        if self._tell is not None:
            self._tell(now_ns, f"light {self.light.name}")

    def _submitted(self, now_ns: int, fields: dict[str, Any]) -> None:
        self.counts["blocks of motion"] += 1
        if self._tell is not None:
            self._tell(now_ns, f"block of {len(fields['words']) // 8} segments")
        self.tally(Anchor.BLOCK)

    # What the gun has done

    def _state(self, state: ControllerState) -> None:
        if self._paused and state is ControllerState.RUNNING:
            # The state changes before the request is answered.
            if not self._gate.is_waiting(messages.RESUME):
                rule = Rule.ONE_DOSE if self._gate.repeated else Rule.AT_REST
                raise Broken(rule, "a pause ended without a RESUME of its own")
            self.counts["pauses"] += 1
        self._paused = state is ControllerState.PAUSED

    def _carried_out(self, request: Request) -> None:
        act = self._acts.get(request.message.id)
        if act is not None:
            act(request.fields())

    def _loaded(self, fields: dict[str, Any]) -> None:
        self._pl_per_step = fields["pl_per_step"]
        self._content_nl = fields["volume_nl"]
        self._behind = self._position = 0

    def _limited(self, fields: dict[str, Any]) -> None:
        self._limit_nl = fields["session_nl"]

    def _armed(self, _fields: dict[str, Any]) -> None:
        self._licence = _Licence(armed=self._arming)
        self._arming = None

    def _started(self, fields: dict[str, Any]) -> None:
        number = fields["session_id"]
        if number in self.void:
            raise Broken(Rule.SETTLED, f"session {number} was settled as not started, and started")
        armed = self._licence.armed
        if armed is None:
            raise Broken(Rule.ASKED, f"session {number} was started and never armed")
        self.boot.started.add(number)
        self.counts["sessions"] += 1
        self._session_steps = self._lent_steps = 0
        self._parts = armed.dose_steps(self._pl_per_step)
        self._licence.session_steps = self._parts.pop(0)
        self._early_steps = armed.early_nl * 1000 // self._pl_per_step
        self._lend()

    def _lend(self) -> None:
        """Allow for what one shot pushes early and takes back, unless it is interrupted."""
        if self._licence.session_steps is not None:
            self._licence.session_steps += self._early_steps
            self._lent_steps += self._early_steps

    def _resumed(self, _fields: dict[str, Any]) -> None:
        licence = self._licence
        if licence.session_steps is not None and self._parts:
            licence.session_steps += self._parts.pop(0)

    def _primed(self, fields: dict[str, Any]) -> None:
        self._licence.prime_steps = fields["dose_nl"] * 1000 // self._pl_per_step + 1
        self._licence.pressed = False
        self.counts["primes"] += 1

    def _stopped(self, _fields: dict[str, Any]) -> None:
        self._licence = _Licence()
        self._paused = False

    def _begun(self, fields: dict[str, Any]) -> None:
        self._uploads.begin(fields["size"])

    def _chunk(self, fields: dict[str, Any]) -> None:
        self._uploads.write(fields["offset"], fields["data"])

    def _committed(self, fields: dict[str, Any]) -> None:
        self._uploads.commit(fields["crc"])
