"""A refusal by the gun in plain words: which field, which bound, what to do next."""

from typing import Any

from mesogun.errors import GunRefused
from mesogun.words import N_, _
from mesogun_protocol.enums import ControllerState, ErrorCode, Fault, SelfTest
from mesogun_protocol.fields import Message
from mesogun_protocol.messages import (
    MESSAGES,
    PROGRAM_COMMIT,
    PROGRAM_HEADER,
    PROGRAM_STEP,
)
from mesogun_protocol.rows import fields_of

_REASONS: dict[ErrorCode, str] = {
    ErrorCode.UNKNOWN_MESSAGE: N_(
        "its firmware does not know this request; install matching firmware with `mesogun "
        "firmware flash`"
    ),
    ErrorCode.WRONG_LENGTH: N_(
        "its firmware expects another length; install matching firmware with `mesogun "
        "firmware flash`"
    ),
    ErrorCode.OUT_OF_RANGE: (
        N_(
            "{field} = {value} is outside {minimum} to {maximum}; choose a value within these "
            "bounds"
        )
    ),
    ErrorCode.WRONG_STATE: (
        N_(
            "it is {state} and does not take this request then; `mesogun status` shows what it "
            "is doing"
        )
    ),
    ErrorCode.SCHEMA_MISMATCH: (
        N_("it has restarted since this connection was opened; connect again and read its records")
    ),
    ErrorCode.NO_SYRINGE: N_("no syringe is declared; declare the one that is fitted"),
    ErrorCode.NO_LIMITS: N_(
        "no limits are set, and they are zero after every start; set them first"
    ),
    ErrorCode.OVER_LIMIT: (
        N_(
            "{field} makes {value}, over the limit of {maximum}; shorten the program or raise "
            "the limit"
        )
    ),
    ErrorCode.OVER_REMAINING: (
        N_(
            "{value} nl is more than the {maximum} nl in the syringe; fit a full syringe or "
            "shorten the program"
        )
    ),
    ErrorCode.PROGRAM_INCOMPLETE: N_("it does not hold a whole program; upload it again"),
    ErrorCode.PROGRAM_CRC: N_("the program arrived damaged; upload it again"),
    ErrorCode.PROGRAM_MISMATCH: (
        N_("it holds another program or session than the one named; upload and arm again")
    ),
    ErrorCode.INTERLOCK: N_("the interlock is open; close it"),
    ErrorCode.NOT_SEATED: N_("the syringe is not seated; push it in until it clicks"),
    ErrorCode.STUCK_TRIGGER: N_("the trigger seems stuck; release it, or have it repaired"),
    ErrorCode.SELF_TEST: N_("self-test {number} failed: {test}"),
    ErrorCode.JOURNAL_FULL: (
        N_("its journal has {value} free records and needs {minimum}; run `mesogun sessions sync`")
    ),
    ErrorCode.JOURNAL_ERROR: N_("its journal cannot be written; have the gun serviced"),
    ErrorCode.FAULT_LATCHED: N_("fault {fault} is latched; remove its cause, then clear it"),
    ErrorCode.FAULT_CONDITION: N_(
        "the cause of the fault is still there; remove it, then clear again"
    ),
    ErrorCode.READ_ONLY: N_("this number cannot be written"),
    ErrorCode.UNKNOWN_KEY: N_(
        "it has no such number; install matching firmware with `mesogun firmware flash`"
    ),
    ErrorCode.NOT_RELEASED: N_("the trigger is held; release it first"),
    ErrorCode.TOO_FAST: (
        N_(
            "{field} makes {value} a second, its drive can {maximum}; take a smaller dose or "
            "more time"
        )
    ),
}

_SELF_TESTS: dict[int, str] = {
    SelfTest.CONFIGURATION: N_(
        "its flash no longer holds its configuration; have the gun serviced"
    ),
    SelfTest.CLOCK: N_(
        "its clock went back or has run for eleven days; switch it off and on again"
    ),
    SelfTest.PULSE_ENGINE: N_("its pulse engine is not empty; send a stop, then arm again"),
    SelfTest.JOURNAL: N_("its journal cannot be written; have the gun serviced"),
    SelfTest.SUPPLY: N_("the motor supply is out of its range; check the power supply"),
    SelfTest.DRIVER_SILENT: (
        N_("the stepper driver does not answer; check the power supply, else have the gun serviced")
    ),
    SelfTest.DRIVER_SETTINGS: N_(
        "the stepper driver missed settings; try again, else have the gun serviced"
    ),
    SelfTest.DRIVER_SUPPLY: N_("the stepper driver lacks motor supply; check the power supply"),
    SelfTest.DRIVER_FAULT: N_(
        "the stepper driver is hot or shorted; let it cool, else have the gun serviced"
    ),
}

_UNKNOWN_TEST = N_("this version does not know it; update mesogun")

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
        reason = _(_REASONS[self.code]).format(
            field=self.field,
            number=fields["field"],
            test=_(_SELF_TESTS.get(fields["field"], _UNKNOWN_TEST)),
            value=self.value,
            minimum=self.minimum,
            maximum=self.maximum,
            state=_name(ControllerState, self.value),
            fault=_name(Fault, self.value),
        )
        super().__init__(
            _("The gun refused {request}: {reason}.").format(request=self.request, reason=reason)
        )


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
            where, layout, number = _("program "), PROGRAM_HEADER, number - _PROGRAM_HEADER_FIELD
        else:
            where, layout, number = (
                _("step {number} ").format(number=number // 16 + 1),
                PROGRAM_STEP,
                number % 16,
            )
    names = [field.name for field in fields_of(layout)]
    return where + (
        names[number] if number < len(names) else _("field {number}").format(number=number)
    )
