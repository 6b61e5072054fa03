"""The pipe between the virtual hardware layer of the firmware and the world that simulates the gun.

The firmware asks, the world answers; time moves only inside WAIT and inside flash operations. A
frame is length (u16, of what follows), kind (u8), body. The pipe is private to one process pair, so
it has no CRC.
"""

from mesogun_protocol.enums import Buzzer, Light, ResetCause
from mesogun_protocol.fields import U8, U16, U32, Id, Message, blob, flag, layout, tail

FOREVER_MS = 0xFFFFFFFF
BODY_MAX = 0xFFFF - 1
"""A frame's length counts the kind too."""

BOOT = Message("cosim_boot", 0x01, layout(), "First request of the firmware; answered by BOOTED.")
WAIT = Message(
    "cosim_wait",
    0x02,
    layout("deadline_ms" / U32 * "device clock at which to wake, FOREVER_MS for never"),
    "Sleep until the deadline, bytes from the host or a changed input; answered by WAKE.",
)
SEND = Message(
    "cosim_send", 0x03, layout("data" / tail() * "bytes for the host"), "Serial output. No answer."
)
PULSE_SUBMIT = Message(
    "cosim_pulse_submit",
    0x10,
    layout("words" / tail() * "pulse words, see `pulse`"),
    "Queue a block of motion. No answer.",
)
PULSE_READ = Message("cosim_pulse_read", 0x11, layout(), "Ask for the pulse engine; PULSE_STATE.")
PULSE_ABORT = Message("cosim_pulse_abort", 0x12, layout(), "Stop at once, drop all; PULSE_STATE.")
DRIVER = Message(
    "cosim_driver",
    0x13,
    layout(
        "enabled" / flag() * "1 = driver on",
        "budget_steps" / U32 * "forward steps until the hardware cuts the driver",
    ),
    "Switch the driver and set the step budget. No answer.",
)
FLASH_READ = Message(
    "cosim_flash_read",
    0x20,
    layout("offset" / U32 * "from the start of the journal", "length" / U16 * "bytes"),
    "Answered by FLASH_DATA.",
)
FLASH_PROGRAM = Message(
    "cosim_flash_program",
    0x21,
    layout("offset" / U32 * "from the start of the journal", "data" / tail() * "within one page"),
    "Clear bits within a page; takes its time; answered by FLASH_DATA without bytes.",
)
FLASH_ERASE = Message(
    "cosim_flash_erase",
    0x22,
    layout("offset" / U32 * "start of a sector"),
    "Set all bits of a sector; takes its time; answered by FLASH_DATA without bytes.",
)
PANEL = Message(
    "cosim_panel",
    0x30,
    layout("light" / Id(Light) * "what the light shows", "buzzer" / Id(Buzzer) * "what is played"),
    "Light and buzzer. No answer.",
)

_PULSE_FIELDS = (
    "forward_steps" / U32 * "rising edges with DIR forward since boot (the witness)",
    "backward_steps" / U32 * "rising edges with DIR backward since boot",
    "blocks" / U8 * "blocks that are running or queued",
    "interlock_latched" / flag() * "the stream was ended by the interlock",
    "budget_tripped" / flag() * "the hardware cut the driver",
)

BOOTED = Message(
    "cosim_booted",
    0x81,
    layout(
        "board_id" / blob(8) * "unique id",
        "reset_cause" / Id(ResetCause) * "why the device started",
    ),
    "Answer to BOOT.",
)
WAKE = Message(
    "cosim_wake",
    0x82,
    layout(
        "clock_ms" / U32 * "device clock",
        "inputs" / U8 * "bits of `Inputs`, as the pins are now; SUPPLY_OK is for the firmware",
        "force_raw" / U16 * "force sensor, 12 bits",
        "supply_mv" / U16 * "motor supply",
        *_PULSE_FIELDS,
        "data" / tail() * "bytes from the host",
    ),
    "Answer to WAIT.",
)
PULSE_STATE = Message(
    "cosim_pulse_state",
    0x90,
    layout("clock_ms" / U32 * "device clock", *_PULSE_FIELDS),
    "The pulse engine now.",
)
FLASH_DATA = Message(
    "cosim_flash_data",
    0xA0,
    layout("data" / tail() * "the bytes"),
    "Answer to the flash requests; the clock of the next WAKE tells the time they took.",
)

MESSAGES: dict[int, Message] = {
    m.id: m
    for m in (
        BOOT,
        WAIT,
        SEND,
        PULSE_SUBMIT,
        PULSE_READ,
        PULSE_ABORT,
        DRIVER,
        FLASH_READ,
        FLASH_PROGRAM,
        FLASH_ERASE,
        PANEL,
        BOOTED,
        WAKE,
        PULSE_STATE,
        FLASH_DATA,
    )
}
