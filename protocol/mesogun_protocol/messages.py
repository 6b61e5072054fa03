"""Every message between host and gun: its fields, what each means, and the id it travels under.

A request has an id below 0x80; its reply has the same id with bit 7 set, or is REFUSED. EVENT comes
from the gun unasked. All integers are little-endian and unsigned. Each body is `fields.layout`, so
a wrong length, a value out of bounds or an unknown id is an error and never a guess.
"""

from mesogun_protocol import limits as lim
from mesogun_protocol.enums import (
    ConfigKey,
    ControllerState,
    ErrorCode,
    EventKind,
    Fault,
    Light,
    OnRelease,
    ResetCause,
    StepKind,
    TriggerMode,
)
from mesogun_protocol.fields import U8, U16, U32, Bounded, Id, Message, blob, flag, layout, tail

REPLY_BIT = 0x80
REFUSED_ID = 0xFF
EVENT_ID = 0xFE

WRONG_LENGTH_FIELD = 0xFF
"""`field` of a REFUSED that is about the length of the whole body."""


HELLO = Message(
    "hello",
    0x01,
    layout(
        "protocol_version" / U8 * "protocol version of the host",
        "schema_hash" / U32 * "`SCHEMA_HASH` of the host; motion is refused unless it is the gun's",
    ),
    "Opens a conversation. Always answered, whatever the versions, so that a mismatch can be "
    "named. Until a HELLO with the gun's own schema hash has come, every other request is refused.",
)
HELLO_REPLY = Message(
    "hello_reply",
    0x81,
    layout(
        "protocol_version" / U8 * "protocol version of the gun",
        "schema_hash" / U32 * "hash of the definition that the firmware was generated from",
        "firmware_major" / U8 * "firmware version",
        "firmware_minor" / U8 * "firmware version",
        "firmware_patch" / U8 * "firmware version",
        "build" / U32 * "first 32 bits of the git commit, 0 if unknown",
        "board_id" / blob(8) * "unique id of the board",
        "boot_id" / U16 * "number of this start of the device, never used twice",
        "clock_ms" / U32 * "device clock, ms since boot",
        "reset_cause" / Id(ResetCause) * "why the device started",
        "board_revision" / U16 * "revision of the board file in use",
        "tick_ns" / U16 * "resolution of the pulse engine, ns",
        "lead_nm" / U32 * "travel of the plunger a turn, nm",
        "steps_per_turn" / U32 * "driver steps a turn",
        "max_step_rate_hz" / U32 * "fastest step rate of the drive, 1/s",
        "journal_records" / U32 * "records that the journal holds when empty",
        "frame_body_max" / U16 * "longest body that the gun takes, bytes",
    ),
    "Who the gun is and what it can do.",
)

PING = Message(
    "ping",
    0x02,
    layout("token" / U32 * "comes back unchanged"),
    "Measures the link and maps the device clock to the host's. Feeds the heartbeat.",
)
PING_REPLY = Message(
    "ping_reply",
    0x82,
    layout(
        "token" / U32 * "from the request",
        "clock_ms" / U32 * "device clock when the request was handled, ms since boot",
    ),
    "Answer to PING.",
)

STATUS = Message(
    "status", 0x03, layout(), "Asks for everything a display needs. Feeds the heartbeat."
)
STATUS_REPLY = Message(
    "status_reply",
    0x83,
    layout(
        "state" / Id(ControllerState) * "controller state",
        "fault" / Id(Fault) * "latched fault, NONE if there is none",
        "fault_detail" / U32 * "what the fault's description says",
        "inputs" / U8 * "bits of `Inputs`",
        "clock_ms" / U32 * "device clock, ms since boot",
        "session_id" / U32 * "session that is armed or was armed last, 0 if none since boot",
        "program_crc" / U32 * "CRC-32 of the program that is held, 0 if none",
        "step_index" / U8 * "step of the program, from 0",
        "step_kind" / U8 * "`StepKind` of that step, 0 if no program is held",
        "step_shots_done" / U32 * "shots of this step that are over",
        "step_shots" / U32 * "shots that this step asks for",
        "shots_done" / U32 * "complete shots of the session",
        "shots_planned" / U32 * "shots that the program asks for",
        "delivered_steps" / U32 * "witnessed dose steps of the session, primes not counted",
        "primed_steps" / U32 * "witnessed steps of primes since the syringe was declared",
        "total_forward_steps" / U32 * "witnessed forward steps since boot",
        "total_backward_steps" / U32 * "witnessed backward steps since boot",
        "pl_per_step" / U32 * "calibration of the loaded syringe, pl a step, 0 if none",
        "remaining_nl" / U32 * "left in the syringe, by steps, nl",
        "pressure_pa" / U32 * "pressure at the plunger, Pa, 0 if below",
        "presses" / U32 * "debounced presses of the trigger since boot",
        "journal_next" / U32 * "sequence number that the next record gets",
        "journal_acknowledged" / U32 * "records below this number are stored by a host",
        "journal_free" / U32 * "records that can still be written",
        "journal_hashed" / U32 * "records below this number are in the running hash",
        "journal_digest"
        / blob(lim.JOURNAL_DIGEST_BYTES)
        * "running hash of the journal, which ACKNOWLEDGED explains",
        "light" / Id(Light) * "what the light shows: what the person with the gun is to do now",
    ),
    "The gun now.",
)

LOAD_SYRINGE = Message(
    "load_syringe",
    0x10,
    layout(
        "pl_per_step"
        / Bounded(U32, lim.PL_PER_STEP_MIN, lim.PL_PER_STEP_MAX)
        * "volume of one step in this syringe, picolitres",
        "volume_nl" / Bounded(U32, 1, lim.SYRINGE_MAX_NL) * "liquid in the syringe, nl",
        "pressure_limit_kpa"
        / Bounded(U16, 1, lim.PRESSURE_LIMIT_MAX_KPA)
        * "occlusion alarm for this syringe, kPa",
        "calibration_id" / U32 * "names the calibration in the host's catalog",
        "closed_pa"
        / Bounded(U16, 1, lim.CLOSED_PA_MAX)
        * "pressure that one step adds at least behind a closed needle, Pa",
    ),
    "Declares the syringe that is fitted. Allowed in UNLOADED, LOADED, READY and DONE. "
    "Any program that was held is dropped; the volumes of the session start from zero.",
)
UNLOAD_SYRINGE = Message(
    "unload_syringe", 0x11, layout(), "Takes the syringe back; the gun can deliver nothing."
)
SET_LIMITS = Message(
    "set_limits",
    0x12,
    layout(
        "session_nl" / Bounded(U32, 0, lim.SESSION_MAX_NL) * "most that a session may deliver, nl",
        "shot_nl" / Bounded(U32, 0, lim.FLOW_MAX_NL) * "most that one shot or flow may deliver, nl",
        "shots"
        / Bounded(U32, 0, lim.SHOTS_MAX * lim.PROGRAM_STEPS_MAX)
        * "most shots of a session",
    ),
    "Sets what the host allows. Zero from the factory and after each boot: nothing can be "
    "delivered (R03).",
)
GET_LIMITS = Message("get_limits", 0x13, layout(), "Reads the limits back.")
LIMITS_REPLY = Message(
    "get_limits_reply",
    0x93,
    layout(
        "session_nl" / U32 * "most that a session may deliver, nl",
        "shot_nl" / U32 * "most that one shot or flow may deliver, nl",
        "shots" / U32 * "most shots of a session",
    ),
    "The limits in force.",
)

READ_CONFIG = Message(
    "read_config",
    0x14,
    layout("key" / Id(ConfigKey) * "which number"),
    "Reads one number of the gun.",
)
READ_CONFIG_REPLY = Message(
    "read_config_reply",
    0x94,
    layout(
        "key" / Id(ConfigKey) * "which number",
        "value" / U32 * "its value",
        "minimum" / U32 * "smallest value that can be written",
        "maximum" / U32 * "largest value that can be written",
    ),
    "Answer to READ_CONFIG.",
)
WRITE_CONFIG = Message(
    "write_config",
    0x15,
    layout("key" / Id(ConfigKey) * "which number", "value" / U32 * "its new value"),
    "Writes one number and records it. Refused while armed or running. Kept over a reset.",
)

PRIME = Message(
    "prime",
    0x18,
    layout(
        "dose_nl" / Bounded(U32, lim.DOSE_MIN_NL, lim.PRIME_MAX_NL) * "volume to push out, nl",
        "inject_us" / Bounded(U32, lim.INJECT_MIN_US, lim.INJECT_MAX_US) * "time to do it in, us",
    ),
    "First of the two actions of a prime (R29): the second is a press of the trigger within "
    "PRIME_CONFIRM_MS. Allowed in LOADED, READY and DONE. Counted apart from doses.",
)

PROGRAM_HEADER = Message(
    "program_header",
    0x00,
    layout(
        "steps" / Bounded(U8, 1, lim.PROGRAM_STEPS_MAX) * "number of steps that follow",
        "total_nl" / Bounded(U32, 0, lim.SESSION_MAX_NL) * "dose of the whole program, nl",
    ),
    "Head of a program. Not a message of its own: travels inside PROGRAM_CHUNK.",
)
PROGRAM_STEP = Message(
    "program_step",
    0x00,
    layout(
        "kind" / Id(StepKind) * "what the step does",
        "trigger" / Id(TriggerMode) * "who starts its shots",
        "on_release" / Id(OnRelease) * "what a release does in hold mode",
        "count" / Bounded(U32, 1, lim.SHOTS_MAX) * "shots; 1 for flow, pause and prime",
        "dose_nl"
        / Bounded(U32, 0, lim.FLOW_MAX_NL)
        * "one shot, or the whole of a flow or a prime, nl; 0 for a pause",
        "inject_us"
        / Bounded(U32, 0, lim.FLOW_MAX_US)
        * "time in which the dose is pushed, us; 0 for a pause",
        "period_us"
        / Bounded(U32, 0, lim.PERIOD_MAX_US)
        * "start of a shot to the start of the next, us; 0 unless shots",
        "ramp_us"
        / Bounded(U32, 0, lim.RAMP_MAX_US)
        * "time to reach full speed and to leave it, us",
        "retract_nl"
        / Bounded(U32, 0, lim.RETRACT_MAX_NL)
        * "pulled back after each shot and taken up before the next, nl",
        "film_nl" / Bounded(U32, 0, lim.FILM_MAX_NL) * "delivered slowly between two shots, nl",
        "film_every" / Bounded(U8, 0, 2) * "0 none, 1 after each shot, 2 after every second one",
        "stored_nl"
        / Bounded(U32, 0, lim.RETRACT_MAX_NL)
        * "what the pressure of the dose stores: pushed before it and taken back after it, nl; "
        "with the retraction not more than the bound",
        "rise_kpa"
        / Bounded(U16, 0, lim.PRESSURE_LIMIT_MAX_KPA)
        * "most by which pressure rises in a shot beyond half of what closed_pa explains, kPa",
        "limit_kpa"
        / Bounded(U16, 0, lim.PRESSURE_LIMIT_MAX_KPA)
        * "occlusion alarm of this step if it is below that of the syringe, kPa",
    ),
    "One step of a program. Not a message of its own: travels inside PROGRAM_CHUNK.",
)

PROGRAM_BYTES_MIN = PROGRAM_HEADER.body.sizeof() + PROGRAM_STEP.body.sizeof()
PROGRAM_BYTES_MAX = (
    PROGRAM_HEADER.body.sizeof() + lim.PROGRAM_STEPS_MAX * PROGRAM_STEP.body.sizeof()
)

PROGRAM_BEGIN = Message(
    "program_begin",
    0x20,
    layout(
        "size"
        / Bounded(U16, PROGRAM_BYTES_MIN, PROGRAM_BYTES_MAX)
        * "bytes of the program: PROGRAM_HEADER and its steps",
        "crc" / U32 * "CRC-32 of these bytes",
    ),
    "Starts an upload; what was held is dropped. Needs a syringe and limits.",
)
PROGRAM_CHUNK = Message(
    "program_chunk",
    0x21,
    layout(
        "offset" / U16 * "where the bytes belong",
        "data" / tail(lim.PROGRAM_CHUNK_BYTES) * "the bytes",
    ),
    "Carries a part of the program. Writing the same part twice does no harm.",
)
PROGRAM_COMMIT = Message(
    "program_commit",
    0x22,
    layout("crc" / U32 * "CRC-32 of the whole program, once more"),
    "Ends the upload. The gun checks size, CRC, every bound, the limits and the syringe's content; "
    "only then it is READY.",
)
PROGRAM_COMMIT_REPLY = Message(
    "program_commit_reply",
    0xA2,
    layout(
        "shots" / U32 * "shots that the gun will make",
        "volume_nl" / U32 * "dose that the gun will deliver, primes not counted, nl",
        "steps" / U32 * "dose steps that the gun will make",
        "duration_ms" / U32 * "time that it takes without waiting for a trigger, ms",
    ),
    "What the gun understood: the host compares it with its own plan before arming.",
)
PROGRAM_READ = Message(
    "program_read",
    0x23,
    layout(
        "offset" / U16 * "first byte",
        "length" / Bounded(U16, 1, lim.PROGRAM_CHUNK_BYTES) * "number of bytes",
    ),
    "Reads the program back (R36).",
)
PROGRAM_READ_REPLY = Message(
    "program_read_reply",
    0xA3,
    layout(
        "offset" / U16 * "first byte",
        "data" / tail(lim.PROGRAM_CHUNK_BYTES) * "the bytes",
    ),
    "Answer to PROGRAM_READ.",
)

ARM = Message(
    "arm",
    0x28,
    layout(
        "session_id" / Bounded(U32, 1, 0xFFFFFFFF) * "number that the host gives the session",
        "program_crc" / U32 * "CRC-32 of the program that is meant",
    ),
    "READY or DONE to ARMED: self-test, interlock, syringe, limits, remaining volume and journal "
    "space are checked, the step budget is set, the driver is switched on.",
)
DISARM = Message("disarm", 0x29, layout(), "ARMED to READY: driver off.")
START = Message(
    "start",
    0x2A,
    layout("session_id" / U32 * "the session that was armed"),
    "ARMED to RUNNING. Never sent again by itself: whether it was carried out is asked by STATUS.",
)
TRIGGER_STATE = Message("trigger_state", 0x2B, layout(), "Asks for the trigger.")
TRIGGER_STATE_REPLY = Message(
    "trigger_state_reply",
    0xAB,
    layout(
        "pressed" / flag() * "1 while held, debounced",
        "presses" / U32 * "debounced presses since boot",
        "held_ms" / U32 * "how long it has been held, 0 if released, ms",
    ),
    "The trigger, debounced.",
)
PAUSE = Message("pause", 0x2C, layout(), "RUNNING to PAUSED after the shot that is running.")
RESUME = Message(
    "resume",
    0x2D,
    layout("session_id" / U32 * "the session that is paused"),
    "PAUSED to RUNNING with the next shot or step. An interrupted shot is never resumed (R30).",
)
STOP = Message(
    "stop",
    0x2E,
    layout(),
    "Ends motion at once, driver off, session over. Allowed in every state, may be repeated "
    "freely.",
)
CLEAR_FAULT = Message(
    "clear_fault",
    0x2F,
    layout(
        "fault" / Id(Fault) * "the fault that was read; another one latched since is not cleared"
    ),
    "FAULT to UNLOADED, LOADED or READY if its cause is gone. Arming again is the second "
    "action (R16).",
)

READ_RECORDS = Message(
    "read_records",
    0x30,
    layout(
        "sequence" / U32 * "first sequence number that is wanted",
        "count" / Bounded(U8, 1, lim.RECORDS_PER_READ) * "at most this many",
    ),
    "Reads journal records. Reading changes nothing.",
)
READ_RECORDS_REPLY = Message(
    "read_records_reply",
    0xB0,
    layout(
        "oldest" / U32 * "oldest sequence number that the gun still holds",
        "next" / U32 * "sequence number that the next record will get",
        "data"
        / tail(lim.RECORDS_PER_READ * lim.RECORD_BYTES)
        * "whole records in order, RECORD_BYTES each",
    ),
    "Records from the first one asked for that exists.",
)
ACKNOWLEDGE_RECORDS = Message(
    "acknowledge_records",
    0x31,
    layout("sequence" / U32 * "records below this number are stored safely by the host"),
    "Lets the gun use the space again, when idle. Never moves backward.",
)

EVENT = Message(
    "event",
    EVENT_ID,
    layout(
        "kind" / Id(EventKind) * "what happened",
        "clock_ms" / U32 * "device clock, ms since boot",
        "a" / U32 * "see `EventKind`",
        "b" / U32 * "see `EventKind`",
    ),
    "Sent by the gun unasked, request number 0, and not repeated: a hint to look, never the "
    "record.",
)
REFUSED = Message(
    "refused",
    REFUSED_ID,
    layout(
        "request" / U8 * "id of the message that was refused",
        "code" / Id(ErrorCode) * "why",
        "field"
        / U8
        * "number of the field from 0, in a program plus 16 times the step; 255: the length",
        "value" / U32 * "the value that was refused",
        "minimum" / U32 * "smallest allowed",
        "maximum" / U32 * "largest allowed",
    ),
    "A request that was not carried out. Nothing moved.",
)


def _acknowledgement(request: Message) -> Message:
    return Message(
        f"{request.name}_reply",
        request.id | REPLY_BIT,
        layout(),
        f"{request.name.upper()} was carried out.",
    )


_WITH_EMPTY_REPLY = (
    LOAD_SYRINGE,
    UNLOAD_SYRINGE,
    SET_LIMITS,
    WRITE_CONFIG,
    PRIME,
    PROGRAM_BEGIN,
    PROGRAM_CHUNK,
    ARM,
    DISARM,
    START,
    PAUSE,
    RESUME,
    STOP,
    CLEAR_FAULT,
    ACKNOWLEDGE_RECORDS,
)

REQUESTS: tuple[Message, ...] = (
    HELLO,
    PING,
    STATUS,
    LOAD_SYRINGE,
    UNLOAD_SYRINGE,
    SET_LIMITS,
    GET_LIMITS,
    READ_CONFIG,
    WRITE_CONFIG,
    PRIME,
    PROGRAM_BEGIN,
    PROGRAM_CHUNK,
    PROGRAM_COMMIT,
    PROGRAM_READ,
    ARM,
    DISARM,
    START,
    TRIGGER_STATE,
    PAUSE,
    RESUME,
    STOP,
    CLEAR_FAULT,
    READ_RECORDS,
    ACKNOWLEDGE_RECORDS,
)
REPLIES: tuple[Message, ...] = (
    HELLO_REPLY,
    PING_REPLY,
    STATUS_REPLY,
    LIMITS_REPLY,
    READ_CONFIG_REPLY,
    PROGRAM_COMMIT_REPLY,
    PROGRAM_READ_REPLY,
    TRIGGER_STATE_REPLY,
    READ_RECORDS_REPLY,
    *(_acknowledgement(request) for request in _WITH_EMPTY_REPLY),
)
PARTS: tuple[Message, ...] = (PROGRAM_HEADER, PROGRAM_STEP)

#: Every message that can stand in a frame, by id.
MESSAGES: dict[int, Message] = {m.id: m for m in (*REQUESTS, *REPLIES, EVENT, REFUSED)}
