"""Gun: everything that can be asked of a gun, typed, with units and errors."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from mesogun.errors import LinkError, PortError, UsageError
from mesogun.gun.doubt import Doubt, GunRestarted
from mesogun.gun.model import ConfigValue, GunInfo, Limits, Status, TriggerState
from mesogun.gun.upload import ProgramStep, UploadReceipt, upload
from mesogun.link import (
    DeviceClock,
    DoseUncertain,
    Event,
    Exchange,
    Link,
    Refused,
    Transport,
    handshake,
)
from mesogun.words import _
from mesogun_protocol import messages
from mesogun_protocol.enums import ConfigKey, ErrorCode, Fault
from mesogun_protocol.fields import Message
from mesogun_protocol.limits import RECORD_BYTES, RECORDS_PER_READ

HEARTBEAT_S: Final = 0.5
"""A quarter of the gun's patience (`HEARTBEAT_TIMEOUT_MS`): two pings may be lost."""

_FIRST_PINGS: Final = 4
"""Enough that one of them finds the gun idle, which is what the clock's map lives on."""


class Gun:
    """One gun, opened by `Gun.open`; use it in a `with` statement.

    Every call can raise `LinkError` when the gun stops answering and `Refused` when it refuses; a
    refusal moves and changes nothing. Calls are not for several threads. Between calls `wait` must
    be called at least every two seconds, or a host-paced program is stopped by the gun (R22).

    START, RESUME and PRIME have three outcomes: done (the call returns), certainly not done
    (`Refused`) and unknown (`DoseUncertain`). After the last, whatever could deliver or blur the
    evidence raises `DoseUncertain` until `resolve` has asked the gun (R33).

    Leaving the `with` block by an exception stops a gun that was armed, started or primed here.

    Attributes:
        info: who the gun is.
    """

    info: GunInfo

    def __init__(self, link: Link) -> None:
        """Take a new conversation; `open` is the usual way."""
        self._link = link
        self._tokens = 0
        self._beat_s = 0.0
        self._doubt: Doubt | None = None
        self._engaged = False
        self._greet()

    @classmethod
    def open(cls, transport: Transport) -> Self:
        """Ask who is there, compare versions, read its clock. Moves nothing.

        Owns `transport` from here on and closes it, also if this fails.

        Raises:
            PortError: if it is no mesogun.
            VersionMismatch: if its firmware was built from another protocol definition.
            LinkError: if it stopped answering.
        """
        try:
            return cls(Link(transport))
        except BaseException:
            transport.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is not None and self._engaged:
                self._stop_after(error)
        finally:
            self.close()

    def close(self) -> None:
        """Give the port back. Does not stop a gun: a trigger program goes on under its trigger."""
        self._link.close()

    def reconnect(self, transport: Transport | None = None) -> bool:
        """Open the conversation again, after a lost cable over a new `transport`; keeps any doubt.

        Returns:
            Whether the gun has restarted in between. Then it is unloaded, and its journal tells
            what it delivered.

        Raises:
            PortError: if another gun, or none, answers there.
            VersionMismatch: if its firmware was changed in between.
            LinkError: if it does not answer.
        """
        known = self.info
        if transport is not None:
            self._link.close()
            self._link = Link(transport)
        self._greet()
        if self.info.board_id != known.board_id:
            raise PortError(
                _(
                    "Board {board} is on {name}, not board {known}: connect the gun that "
                    "was in use, or open this one anew."
                ).format(
                    board=self.info.board_id,
                    name=self._link.transport.name,
                    known=known.board_id,
                )
            )
        return self.info.boot_id != known.boot_id

    # What the gun tells

    def ping(self) -> float:
        """Feed the heartbeat and the clock's map; return the round trip in seconds."""
        self._tokens = (self._tokens + 1) % (1 << 32)
        exchange, _ = self._beat(messages.PING, token=self._tokens)
        return exchange.received_s - exchange.sent_s

    def status(self) -> Status:
        """Return the gun as it is now. Feeds the heartbeat and the clock's map."""
        _, reply = self._beat(messages.STATUS)
        return Status.from_reply(reply)

    def trigger_state(self) -> TriggerState:
        """Return the trigger as the gun sees it, debounced."""
        reply = self._link.request(messages.TRIGGER_STATE)
        return TriggerState(bool(reply["pressed"]), reply["presses"], reply["held_ms"])

    def wait(self, timeout_s: float) -> list[Event]:
        """Let time pass, keep the heartbeat going, and return events as soon as there are some.

        Args:
            timeout_s: the longest wait in seconds; 0 takes what has come.

        Returns:
            The events in order, none if the time ran out. They are hints to look, may be lost, and
            are never the record.
        """
        link = self._link
        deadline_s = link.transport.monotonic_s() + timeout_s
        while True:
            if not link.left_s(self._beat_s + HEARTBEAT_S):
                self.ping()
            wake_s = min(deadline_s, self._beat_s + HEARTBEAT_S)
            events = link.listen(link.left_s(wake_s))
            if events or not link.left_s(deadline_s):
                return events

    def utc(self, clock_ms: int) -> datetime:
        """Return the wall-clock time, UTC, of a device clock (ms since boot) of this boot."""
        return self._clock.utc(clock_ms)

    # Syringe, limits, configuration

    def load_syringe(
        self,
        pl_per_step: int,
        volume_nl: int,
        pressure_limit_kpa: int,
        calibration_id: int,
        closed_pa: int,
    ) -> None:
        """Declare the syringe that is fitted; drops any program and counts volumes from zero.

        Args:
            pl_per_step: volume of one step in this syringe, pl.
            volume_nl: liquid in it, nl.
            pressure_limit_kpa: occlusion alarm, kPa.
            calibration_id: names the calibration in the host's catalog.
            closed_pa: what one step adds at least behind a closed needle, Pa.
        """
        self._require_settled()
        self._link.request(
            messages.LOAD_SYRINGE,
            pl_per_step=pl_per_step,
            volume_nl=volume_nl,
            pressure_limit_kpa=pressure_limit_kpa,
            calibration_id=calibration_id,
            closed_pa=closed_pa,
        )

    def unload_syringe(self) -> None:
        """Take the syringe back: the gun drops its program and can deliver nothing."""
        self._require_settled()
        self._link.request(messages.UNLOAD_SYRINGE)

    def set_limits(self, session_nl: int, shot_nl: int, shots: int) -> None:
        """Set what may be delivered in a session and in one shot, nl, and how many shots.

        They are zero after each boot, which allows nothing (R03). Drops any program.
        """
        self._link.request(messages.SET_LIMITS, session_nl=session_nl, shot_nl=shot_nl, shots=shots)

    def get_limits(self) -> Limits:
        """Return the limits in force."""
        return Limits(**self._link.request(messages.GET_LIMITS))

    def read_config(self, key: ConfigKey) -> ConfigValue:
        """Return one number that is kept in the gun, with its bounds."""
        return ConfigValue(**self._link.request(messages.READ_CONFIG, key=key))

    def write_config(self, key: ConfigKey, value: int) -> None:
        """Write one number, which the gun records and keeps over a reset."""
        self._link.request(messages.WRITE_CONFIG, key=key, value=value)

    # Program and session

    def upload(self, steps: Sequence[ProgramStep]) -> UploadReceipt:
        """Bring a program into the gun, read it back and compare it. Moves nothing.

        Raises:
            ProgramError: if a step breaks a bound of the wire; nothing was sent.
            Refused: if the gun found something wrong; it names step, field and bound.
            UploadMismatch: if the gun understood something else.
        """
        self._verified_crc = None
        receipt = upload(self._link, steps)
        self._verified_crc = receipt.program_crc
        return receipt

    def arm(self, session_id: int, program_crc: int) -> None:
        """Let the gun check itself, set its step budget and switch its driver on.

        Args:
            session_id: number of the session, at least 1 and never one that was used before.
            program_crc: the program that is meant, from the receipt of its upload.

        Raises:
            UsageError: if that program was not uploaded and read back here; nothing was sent.
            Refused: if a check failed; the driver stays off.
            DoseUncertain: if an earlier dose command is not settled; nothing was sent.
        """
        self._require_settled()
        if program_crc != self._verified_crc:
            raise UsageError(
                _(
                    "Program {program} was not read back from this gun since it was connected: "
                    "upload it, then arm with the CRC of its receipt."
                ).format(program=f"{program_crc:08x}")
            )
        self._engaged = True
        self._link.request(messages.ARM, session_id=session_id, program_crc=program_crc)

    def disarm(self) -> None:
        """Switch the driver off; the program is kept."""
        self._link.request(messages.DISARM)
        self._engaged = False

    def start(self, session_id: int) -> None:
        """Begin the session that was armed: the gun delivers from now on.

        Raises:
            Refused: if the gun refused it; nothing moved.
            DoseUncertain: if it got no answer, or an earlier dose command is not settled.
        """
        self._deliver(messages.START, session_id=session_id)

    def pause(self) -> None:
        """Rest after the shot that is running."""
        self._link.request(messages.PAUSE)

    def resume(self, session_id: int) -> None:
        """Go on with the next shot or step; an interrupted shot is never resumed (R30).

        Raises:
            Refused: if the gun refused it; nothing moved.
            DoseUncertain: if it got no answer, or an earlier dose command is not settled.
        """
        self._deliver(messages.RESUME, session_id=session_id)

    def prime(self, dose_nl: int, inject_us: int) -> None:
        """Ask for a prime: the gun pushes out `dose_nl` in `inject_us` when its trigger is pressed.

        The press must come within `PRIME_CONFIRM_MS` (R29). Primes are counted apart from doses.

        Raises:
            Refused: if the gun refused it; nothing moved.
            DoseUncertain: if it got no answer, or an earlier dose command is not settled.
        """
        self._deliver(messages.PRIME, dose_nl=dose_nl, inject_us=inject_us)

    def stop(self) -> None:
        """End motion at once, driver off, session over; returns when the gun has confirmed it.

        Allowed in every state, and in doubt.

        Raises:
            LinkError: if the gun did not confirm it within 2 s; it may still be moving.
        """
        self._ask(messages.STOP)
        self._engaged = False

    def clear_fault(self, fault: Fault) -> None:
        """Clear the fault that was read from `status`; refused while its cause is still there."""
        self._link.request(messages.CLEAR_FAULT, fault=fault)

    def resolve(self) -> bool:
        """Ask the gun what became of a dose command that got no answer, and settle it.

        An uncertain prime is withdrawn by a STOP first, as it may wait for its press.

        Returns:
            True if the command was, or must be taken as, carried out; False if it certainly was
            not.

        Raises:
            UsageError: if nothing is in doubt.
            GunRestarted: if the gun started anew; settled too, for it now holds no program.
            LinkError: if the gun does not answer; the doubt stays.
        """
        doubt = self._doubt
        if doubt is None:
            raise UsageError(_("No dose command is in doubt: there is nothing to resolve."))
        if doubt.message is messages.PRIME:
            self.stop()
        now = Status.from_reply(self._ask(messages.STATUS))
        self._doubt = None
        if self.info.boot_id != doubt.boot_id:
            raise GunRestarted(
                _(
                    "The gun has restarted (boot {boot}, now {now}) since it was sent "
                    "{name}. It is unloaded; its records tell what it gave."
                ).format(boot=doubt.boot_id, now=self.info.boot_id, name=doubt.message.name)
            )
        return doubt.carried_out(now)

    # Records

    def read_records(self, from_sequence: int) -> Iterator[bytes]:
        """Yield the journal's records, 32 bytes each, in order from `from_sequence` to the newest.

        Reading changes nothing. A record that the gun no longer holds is left out: compare the
        sequence numbers.

        Raises:
            LinkError: if the gun stopped answering, or its records are out of order.
        """
        sequence = from_sequence
        while True:
            reply = self._link.request(
                messages.READ_RECORDS, sequence=sequence, count=RECORDS_PER_READ
            )
            data: bytes = reply["data"]
            records = [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]
            for raw in records:
                number = int.from_bytes(raw[:4], "little")
                if len(raw) != RECORD_BYTES or not sequence <= number < reply["next"]:
                    raise LinkError(
                        _(
                            "The gun sent record {number} where one from {sequence} to {next} was "
                            "due. Its journal is damaged: have it serviced."
                        ).format(number=number, sequence=sequence, next=reply["next"] - 1)
                    )
                sequence = number + 1
                yield raw
            if not records or sequence >= reply["next"]:
                return

    def acknowledge(self, sequence: int) -> None:
        """Tell the gun that records below `sequence` are stored safely; it may use their space."""
        self._link.request(messages.ACKNOWLEDGE_RECORDS, sequence=sequence)

    # Inside

    def _greet(self) -> None:
        exchange = handshake(self._link)
        hello = exchange.fields()
        self.info = GunInfo.from_hello(hello)
        self._verified_crc: int | None = None
        transport = self._link.transport
        self._clock = DeviceClock(transport.monotonic_s(), transport.wall_clock())
        self._clock.add(exchange.sent_s, exchange.received_s, hello["clock_ms"])
        for _ping in range(_FIRST_PINGS):
            self.ping()

    def _beat(self, message: Message, **fields: Any) -> tuple[Exchange, dict[str, Any]]:
        """Make a request whose reply tells the device clock."""
        self._beat_s = self._link.transport.monotonic_s()
        exchange = self._link.exchange(message, **fields)
        reply = exchange.fields()
        self._clock.add(exchange.sent_s, exchange.received_s, reply["clock_ms"])
        return exchange, reply

    def _ask(self, message: Message) -> dict[str, Any]:
        """Make a harmless request; greet a gun that has restarted, and make it again."""
        try:
            return self._link.request(message)
        except Refused as refusal:
            if refusal.code is not ErrorCode.SCHEMA_MISMATCH:
                raise
        self.reconnect()
        return self._link.request(message)

    def _deliver(self, message: Message, **fields: Any) -> None:
        """Send a dose command; in doubt from before it is sent until it is answered."""
        self._require_settled()
        before = self.status()
        self._engaged = True
        self._doubt = Doubt(message, fields.get("session_id", 0), self.info.boot_id, before)
        try:
            self._link.request(message, **fields)
        except (Refused, UsageError):
            self._doubt = None
            raise
        self._doubt = None

    def _require_settled(self) -> None:
        if self._doubt is not None:
            raise DoseUncertain(self._doubt.message.name, _("it got no answer."))

    def _stop_after(self, error: BaseException) -> None:
        """Stop because of `error`, which stays the one that is seen if the link is what failed."""
        try:
            self.stop()
        except LinkError as failure:
            if not isinstance(error, LinkError):
                raise
            error.add_note(str(failure))
