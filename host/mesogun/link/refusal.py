"""A refusal by the gun in plain words: which field, which bound, what to do next."""

from typing import Any

from mesogun.errors import GunRefused
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault, SelfTest
from mesogun_protocol.fields import Message
from mesogun_protocol.messages import (
    MESSAGES,
    PROGRAM_COMMIT,
    PROGRAM_HEADER,
    PROGRAM_STEP,
)
from mesogun_protocol.rows import fields_of

_FLASH = "install matching firmware with `mesogun firmware flash`"

_REASONS: dict[ErrorCode, str] = {
    ErrorCode.UNKNOWN_MESSAGE: f"its firmware does not know this request; {_FLASH}",
    ErrorCode.WRONG_LENGTH: f"its firmware expects another length; {_FLASH}",
    ErrorCode.OUT_OF_RANGE: (
        "{field} = {value} is outside {minimum} to {maximum}; choose a value within these bounds"
    ),
    ErrorCode.WRONG_STATE: (
        "it is {state} and does not take this request then; `mesogun status` shows what it is doing"
    ),
    ErrorCode.SCHEMA_MISMATCH: (
        "it has restarted since this connection was opened; connect again and read its records"
    ),
    ErrorCode.NO_SYRINGE: "no syringe is declared; declare the one that is fitted",
    ErrorCode.NO_LIMITS: "no limits are set, and they are zero after every start; set them first",
    ErrorCode.OVER_LIMIT: (
        "{field} makes {value}, over the limit of {maximum}; shorten the program or raise the limit"
    ),
    ErrorCode.OVER_REMAINING: (
        "{value} nl is more than the {maximum} nl in the syringe; "
        "fit a full syringe or shorten the program"
    ),
    ErrorCode.PROGRAM_INCOMPLETE: "it does not hold a whole program; upload it again",
    ErrorCode.PROGRAM_CRC: "the program arrived damaged; upload it again",
    ErrorCode.PROGRAM_MISMATCH: (
        "it holds another program or session than the one named; upload and arm again"
    ),
    ErrorCode.INTERLOCK: "the interlock is open; close it",
    ErrorCode.NOT_SEATED: "the syringe is not seated; push it in until it clicks",
    ErrorCode.STUCK_TRIGGER: "the trigger seems stuck; release it, or have it repaired",
    ErrorCode.SELF_TEST: "self-test {number} failed: {test}",
    ErrorCode.JOURNAL_FULL: (
        "its journal has {value} free records and needs {minimum}; run `mesogun sessions sync`"
    ),
    ErrorCode.JOURNAL_ERROR: "its journal cannot be written; have the gun serviced",
    ErrorCode.FAULT_LATCHED: "fault {fault} is latched; remove its cause, then clear it",
    ErrorCode.FAULT_CONDITION: "the cause of the fault is still there; remove it, then clear again",
    ErrorCode.READ_ONLY: "this number cannot be written",
    ErrorCode.UNKNOWN_KEY: f"it has no such number; {_FLASH}",
    ErrorCode.NOT_RELEASED: "the trigger is held; release it first",
    ErrorCode.TOO_FAST: (
        "{field} makes {value} a second, its drive can {maximum}; take a smaller dose or more time"
    ),
}

_SERVICE = "have the gun serviced"

_SELF_TESTS: dict[int, str] = {
    SelfTest.CONFIGURATION: f"its flash no longer holds its configuration; {_SERVICE}",
    SelfTest.CLOCK: "its clock went back or has run for eleven days; switch it off and on again",
    SelfTest.PULSE_ENGINE: "its pulse engine is not empty; send a stop, then arm again",
    SelfTest.JOURNAL: f"its journal cannot be written; {_SERVICE}",
    SelfTest.SUPPLY: "the motor supply is out of its range; check the power supply",
    SelfTest.DRIVER_SILENT: (
        f"the stepper driver does not answer; check the power supply, else {_SERVICE}"
    ),
    SelfTest.DRIVER_SETTINGS: f"the stepper driver missed settings; try again, else {_SERVICE}",
    SelfTest.DRIVER_SUPPLY: "the stepper driver lacks motor supply; check the power supply",
    SelfTest.DRIVER_FAULT: f"the stepper driver is hot or shorted; let it cool, else {_SERVICE}",
}

_ABOUT_A_FIELD = (ErrorCode.OUT_OF_RANGE, ErrorCode.OVER_LIMIT, ErrorCode.TOO_FAST)

_PROGRAM_HEADER_FIELD = 14
"""In a refused program the numbers from here on, of step 0, are the header's fields."""


class Refused(GunRefused):
    """The gun checked a request, refused it, and neither moved nor changed anything.

    Attributes:
        request: name of the message that was refused.
        code: why.
        field: name of the field that broke a bound (`step 2 dose_nl` within a program), None if the
            refusal is not about a field.
        value: the value that was refused, in the unit that the field's name tells; see `ErrorCode`.
        minimum: smallest value allowed.
        maximum: largest value allowed.
    """

    def __init__(self, fields: dict[str, Any]) -> None:
        """Take the fields of a REFUSED message."""
        message = MESSAGES.get(fields["request"])
        self.request = message.name if message else f"message 0x{fields['request']:02x}"
        self.code: ErrorCode = fields["code"]
        self.value: int = fields["value"]
        self.minimum: int = fields["minimum"]
        self.maximum: int = fields["maximum"]
        self.field = (
            _field_name(message, fields["field"])
            if message and self.code in _ABOUT_A_FIELD
            else None
        )
        reason = _REASONS[self.code].format(
            field=self.field,
            number=fields["field"],
            test=_SELF_TESTS.get(fields["field"], "this version does not know it; update mesogun"),
            value=self.value,
            minimum=self.minimum,
            maximum=self.maximum,
            state=_name(ControllerState, self.value),
            fault=_name(Fault, self.value),
        )
        super().__init__(f"The gun refused {self.request}: {reason}.")


def _name(enum: type[ControllerState] | type[Fault], value: int) -> str:
    try:
        return enum(value).name
    except ValueError:
        return str(value)


def _field_name(message: Message, number: int) -> str:
    """Return the name of a field; in a program `number` is step times 16 plus field."""
    where, layout = "", message
    if message is PROGRAM_COMMIT:
        if number in (_PROGRAM_HEADER_FIELD, _PROGRAM_HEADER_FIELD + 1):
            where, layout, number = "program ", PROGRAM_HEADER, number - _PROGRAM_HEADER_FIELD
        else:
            where, layout, number = f"step {number // 16 + 1} ", PROGRAM_STEP, number % 16
    names = [field.name for field in fields_of(layout)]
    return where + (names[number] if number < len(names) else f"field {number}")
