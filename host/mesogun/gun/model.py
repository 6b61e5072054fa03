"""What a gun tells about itself, as frozen values with units in their names."""

from dataclasses import dataclass
from typing import Any, Self

from mesogun_protocol.enums import (
    ConfigKey,
    ControllerState,
    Fault,
    Inputs,
    Light,
    ResetCause,
    StepKind,
)


@dataclass(frozen=True)
class GunInfo:
    """Who the gun is and what it can do; the same for a whole boot.

    Attributes:
        protocol_version: of the firmware, equal to the host's.
        schema_hash: definition that the firmware was generated from, equal to the host's.
        firmware: version, such as `0.1.0`.
        build: first 8 digits of the firmware's commit, `00000000` if unknown.
        board_id: unique id of the board, 16 hexadecimal digits.
        boot_id: number of this start of the board, never used twice.
        reset_cause: why it started.
        board_revision: revision of the board file in use.
        tick_ns: resolution of the pulse engine, ns.
        lead_nm: travel of the plunger for one turn of the screw, nm.
        steps_per_turn: driver steps a turn.
        max_step_rate_hz: fastest step rate of the drive, 1/s.
        journal_records: records that the journal holds when empty.
        frame_body_max: longest message body that the gun takes, bytes.
    """

    protocol_version: int
    schema_hash: int
    firmware: str
    build: str
    board_id: str
    boot_id: int
    reset_cause: ResetCause
    board_revision: int
    tick_ns: int
    lead_nm: int
    steps_per_turn: int
    max_step_rate_hz: int
    journal_records: int
    frame_body_max: int

    @classmethod
    def from_hello(cls, hello: dict[str, Any]) -> Self:
        """Take the fields of HELLO_REPLY."""
        fields = dict(hello)
        del fields["clock_ms"]
        version = [fields.pop(f"firmware_{part}") for part in ("major", "minor", "patch")]
        fields["firmware"] = ".".join(map(str, version))
        fields["build"] = f"{fields['build']:08x}"
        fields["board_id"] = fields["board_id"].hex()
        return cls(**fields)


@dataclass(frozen=True)
class Status:
    """The gun at one moment.

    Attributes:
        state: what the gun is doing.
        fault: the latched fault, `Fault.NONE` if there is none.
        fault_detail: what the fault's description says.
        inputs: switches, set = active.
        clock_ms: device clock, ms since boot.
        session_id: session that is armed or was armed last, 0 if none since boot.
        program_crc: CRC-32 of the program that is held, 0 if none.
        step_index: step of the program, from 0.
        step_kind: what that step does, None if no program is held.
        step_shots_done: shots of this step that are over.
        step_shots: shots that this step asks for.
        shots_done: complete shots of the session.
        shots_planned: shots that the program asks for.
        delivered_steps: witnessed dose steps of the session, primes not counted.
        primed_steps: witnessed steps of primes since the syringe was declared.
        total_forward_steps: witnessed forward steps since boot.
        total_backward_steps: witnessed backward steps since boot.
        pl_per_step: calibration of the loaded syringe, pl a step, 0 if none.
        remaining_nl: left in the syringe, by steps, nl.
        pressure_pa: pressure at the plunger, Pa, 0 if below.
        presses: debounced presses of the trigger since boot.
        journal_next: sequence number that the next record gets.
        journal_acknowledged: records below this number are stored by a host.
        journal_free: records that can still be written.
        journal_hashed: records below this number are in the running hash; the gun extends it to
            `journal_next` when it is idle.
        journal_digest: the journal's running hash, hexadecimal (`mesogun_protocol.records`).
        light: what the light on the gun shows.
    """

    state: ControllerState
    fault: Fault
    fault_detail: int
    inputs: Inputs
    clock_ms: int
    session_id: int
    program_crc: int
    step_index: int
    step_kind: StepKind | None
    step_shots_done: int
    step_shots: int
    shots_done: int
    shots_planned: int
    delivered_steps: int
    primed_steps: int
    total_forward_steps: int
    total_backward_steps: int
    pl_per_step: int
    remaining_nl: int
    pressure_pa: int
    presses: int
    journal_next: int
    journal_acknowledged: int
    journal_free: int
    journal_hashed: int
    journal_digest: str
    light: Light

    @classmethod
    def from_reply(cls, reply: dict[str, Any]) -> Self:
        """Take the fields of STATUS_REPLY."""
        fields = dict(reply)
        fields["inputs"] = Inputs(fields["inputs"])
        fields["journal_digest"] = fields["journal_digest"].hex()
        fields["step_kind"] = StepKind(fields["step_kind"]) if fields["step_kind"] else None
        return cls(**fields)

    @property
    def delivered_nl(self) -> int:
        """Witnessed dose of the session in nl, rounded to the nearest; primes not counted."""
        return _nanolitres(self.delivered_steps, self.pl_per_step)

    @property
    def primed_nl(self) -> int:
        """Witnessed volume of primes since the syringe was declared, nl."""
        return _nanolitres(self.primed_steps, self.pl_per_step)


@dataclass(frozen=True)
class Limits:
    """What the host allows; zero after each boot, which allows nothing.

    Attributes:
        session_nl: most that a session may deliver, nl.
        shot_nl: most that one shot, flow or prime may deliver, nl.
        shots: most shots of a session.
    """

    session_nl: int
    shot_nl: int
    shots: int


@dataclass(frozen=True)
class ConfigValue:
    """A number that is kept in the gun.

    Attributes:
        key: which number; its name tells the unit.
        value: what it is.
        minimum: smallest value that can be written.
        maximum: largest value that can be written.
    """

    key: ConfigKey
    value: int
    minimum: int
    maximum: int


@dataclass(frozen=True)
class TriggerState:
    """The trigger, debounced.

    Attributes:
        pressed: whether it is held.
        presses: presses since boot.
        held_ms: how long it has been held, ms, 0 if released.
    """

    pressed: bool
    presses: int
    held_ms: int


def _nanolitres(steps: int, pl_per_step: int) -> int:
    return (steps * pl_per_step + 500) // 1000
