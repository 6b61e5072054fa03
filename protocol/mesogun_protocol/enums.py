"""The ids on the wire: states, faults, reasons and kinds. Standard library only.

A value is never used again for something else; a new meaning takes a new number. The device gets
these as plain constants (`tools/gen_wire.py`).
"""

from enum import IntEnum, IntFlag, unique


@unique
class ControllerState(IntEnum):
    """What the gun is doing; exactly one at a time."""

    UNLOADED = 0
    """No syringe is declared; nothing can be delivered."""
    LOADED = 1
    """A syringe is declared; no valid program is held."""
    READY = 2
    """A program is held that passed every check on the device."""
    ARMED = 3
    """Driver on, step budget set, waiting for START."""
    RUNNING = 4
    """A step of the program is being carried out."""
    PAUSED = 5
    """Between two steps, or stopped by the host between two shots; RESUME goes on."""
    DONE = 6
    """The program ended or was stopped; it can be armed again, or a new one loaded."""
    FAULT = 7
    """Driver off, latched; needs CLEAR_FAULT and a new arming."""


@unique
class Fault(IntEnum):
    """Why the gun went into FAULT. The first fault is kept until it is cleared."""

    NONE = 0
    INTERLOCK_OPEN = 1
    """The interlock opened while the driver was on."""
    SYRINGE_REMOVED = 2
    """The syringe-seated switch opened while armed or running."""
    HEARTBEAT_LOST = 3
    """No frame from the host for `HEARTBEAT_TIMEOUT_MS` in a host-paced (auto) step."""
    STEP_COUNT_MISMATCH = 4
    """Plan, remaining words and witness disagree after a shot."""
    BUDGET_EXHAUSTED = 5
    """More steps were made than the arming allowed; the hardware cut the driver."""
    UNDER_RUN = 6
    """A block of a running train came too late; motion stopped by itself."""
    OCCLUSION = 7
    """Plunger pressure above the limit, or rising as it does behind a closed needle."""
    STALL = 8
    """The stepper driver reports that the motor has lost steps, or has shut itself down."""
    STUCK_TRIGGER = 9
    """The trigger was held longer than a press can be."""
    JOURNAL_WRITE = 10
    """A record could not be written or read back."""
    SELF_TEST = 11
    """The self-test before arming failed; the detail names the test."""
    INTERNAL = 12
    """An exception in the firmware."""
    VOLUME_CAP = 13
    """The session's volume limit would have been passed."""
    SUPPLY = 14
    """Supply voltage out of range."""
    NO_PRESSURE = 15
    """Three shots hardly raised the pressure: motor or plunger slips, syringe or needle leaks."""
    FORCE_SENSOR = 16
    """The force sensor showed one and the same reading while shots moved."""


@unique
class StepKind(IntEnum):
    """What one step of a program does."""

    SHOTS = 1
    FLOW = 2
    PAUSE = 3
    PRIME = 4


@unique
class TriggerMode(IntEnum):
    """Who starts a shot."""

    AUTO = 0
    """The gun, at the program's period. Host-paced: needs the heartbeat."""
    HOLD = 1
    """The trigger: shots follow each other while it is held."""
    PRESS = 2
    """The trigger: one shot a press."""


@unique
class OnRelease(IntEnum):
    """What a released trigger does to the shot that is running (hold mode)."""

    FINISH = 0
    STOP = 1


@unique
class EndReason(IntEnum):
    """How a shot or a session ended."""

    COMPLETE = 0
    RELEASED = 1
    """Trigger released with `OnRelease.STOP`."""
    STOPPED = 2
    """STOP from the host."""
    FAULTED = 3
    CANCELLED = 4
    """Queued, but withdrawn before its first step."""
    DISARMED = 5
    """Armed and idle for too long, or disarmed by the host."""


@unique
class ResetCause(IntEnum):
    """Why the device last started."""

    POWER_ON = 1
    WATCHDOG = 3
    SOFT = 5


class Inputs(IntFlag):
    """The inputs of the gun as bits; set = active."""

    TRIGGER = 1
    INTERLOCK_CLOSED = 2
    SYRINGE_SEATED = 4
    SUPPLY_OK = 8
    STALLED = 16
    """The stepper driver reports a stall, or that it has shut itself down."""


@unique
class ErrorCode(IntEnum):
    """Why a request was refused. Nothing moved and nothing was changed."""

    UNKNOWN_MESSAGE = 1
    WRONG_LENGTH = 2
    OUT_OF_RANGE = 3
    """`field`, `value`, `minimum` and `maximum` say which and what."""
    WRONG_STATE = 4
    """`value` is the state that the gun is in."""
    SCHEMA_MISMATCH = 5
    """HELLO with the same schema hash must come first."""
    NO_SYRINGE = 6
    NO_LIMITS = 7
    """Limits are zero from the factory; SET_LIMITS first."""
    OVER_LIMIT = 8
    """More than the limits that the host has set; `value` and `maximum` are in nanolitres."""
    OVER_REMAINING = 9
    """More than the syringe still holds; `value` and `maximum` are in nanolitres."""
    PROGRAM_INCOMPLETE = 10
    PROGRAM_CRC = 11
    PROGRAM_MISMATCH = 12
    """ARM or START names another program or session than the gun holds."""
    INTERLOCK = 13
    NOT_SEATED = 14
    STUCK_TRIGGER = 15
    SELF_TEST = 16
    """`field` is the `SelfTest` that failed."""
    JOURNAL_FULL = 17
    """`value` records are free, `minimum` are needed; read and acknowledge records first."""
    JOURNAL_ERROR = 18
    FAULT_LATCHED = 19
    """`value` is the fault; CLEAR_FAULT first."""
    FAULT_CONDITION = 20
    """The cause of the fault is still there."""
    READ_ONLY = 21
    UNKNOWN_KEY = 22
    NOT_RELEASED = 23
    """The trigger must be released first."""
    TOO_FAST = 24
    """Steps or shots faster than the drive allows; `value` and `maximum` say how much."""


@unique
class SelfTest(IntEnum):
    """What is tested before the driver is switched on; the first that fails is named."""

    CONFIGURATION = 1
    """The flash no longer holds the numbers that are in use."""
    CLOCK = 2
    """The clock went back, or has run for eleven days."""
    PULSE_ENGINE = 3
    """It holds motion that nobody waits for."""
    JOURNAL = 4
    SUPPLY = 5
    """The motor supply is out of its range."""
    DRIVER_SILENT = 6
    """The stepper driver does not answer on its UART."""
    DRIVER_SETTINGS = 7
    """The stepper driver has not taken all settings that were written."""
    DRIVER_SUPPLY = 8
    """The stepper driver tells that its motor supply is too low."""
    DRIVER_FAULT = 9
    """The stepper driver tells that it is too hot, or an output is shorted."""


@unique
class RecordKind(IntEnum):
    """What a journal record is about."""

    SECTOR = 0
    """Head of a flash sector; bookkeeping of the journal, never sent to a host."""
    BOOT = 1
    SYRINGE = 2
    SESSION_START = 3
    SHOT_INTENT = 4
    SHOT_RESULT = 5
    STATE = 6
    FAULT = 7
    SESSION_END = 8
    LIMITS = 9
    ACKNOWLEDGED = 10
    """A host has stored everything up to a sequence number."""
    CONFIG = 11
    SHOT_PROGRESS = 12


@unique
class EventKind(IntEnum):
    """What an unsolicited EVENT frame tells."""

    STATE = 1
    """`a` = new state, `b` = previous state."""
    SHOT = 2
    """`a` = shot index in the session, `b` = end reason."""
    STEP = 3
    """`a` = step index that begins, `b` = step kind."""
    FAULT = 4
    """`a` = fault, `b` = its detail."""
    TRIGGER = 5
    """`a` = 1 pressed, 0 released; `b` = presses since boot."""
    LOW_VOLUME = 6
    """`a` = nanolitres left in the syringe."""
    ARMED_IDLE = 7
    """`a` = milliseconds until the gun disarms itself."""


@unique
class ConfigKey(IntEnum):
    """A number that is kept in the gun. Writing is refused while armed or running."""

    BOARD_REVISION = 1
    LEAD_NM = 2
    """Travel of the plunger for one turn of the screw, nanometres."""
    STEPS_PER_TURN = 3
    """Steps of the driver for one turn: full steps times microsteps."""
    MAX_STEP_RATE_HZ = 4
    MAX_STEP_RATE_START_HZ = 5
    """Fastest rate from standstill without a ramp."""
    DEBOUNCE_MS = 6
    PRESSURE_LIMIT_KPA = 7


@unique
class Light(IntEnum):
    """What the light on the gun shows; it tells the person with the gun what to do now."""

    OFF = 0
    LOADED = 1
    READY = 2
    ARMED = 3
    RUNNING = 4
    """The gun acts by itself, or a shot is being made."""
    HOLD = 5
    """Hold the trigger to go on."""
    PRESS = 6
    """Press the trigger once to go on."""
    PAUSED = 7
    DONE = 8
    ALERT = 9
    """Low priority: steady yellow."""
    ALARM = 10
    """High priority: flashing red (R31)."""


@unique
class Buzzer(IntEnum):
    """What the buzzer plays."""

    OFF = 0
    SHOT = 1
    """One click a shot."""
    ATTENTION = 2
    """Burst of three (R31)."""
    ALARM = 3
    """Burst of ten (R31)."""
