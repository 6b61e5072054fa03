"""Guns, their states, steps, ends and faults in words, each fault with what to do."""

from typing import Final

from mesogun.words.figures import pressure
from mesogun.words.language import N_, _
from mesogun_protocol.enums import ControllerState, EndReason, Fault, StepKind

_STATES: Final = {
    ControllerState.UNLOADED: N_("no syringe declared"),
    ControllerState.LOADED: N_("syringe declared, no program"),
    ControllerState.READY: N_("ready, driver off"),
    ControllerState.ARMED: N_("armed, driver on"),
    ControllerState.RUNNING: N_("running"),
    ControllerState.PAUSED: N_("paused"),
    ControllerState.DONE: N_("done, driver off"),
    ControllerState.FAULT: N_("fault, driver off"),
}

_ENDS: Final = {
    None: N_("not ended"),
    EndReason.COMPLETE: N_("complete"),
    EndReason.RELEASED: N_("ended by releasing the trigger"),
    EndReason.STOPPED: N_("stopped"),
    EndReason.FAULTED: N_("ended by a fault"),
    EndReason.CANCELLED: N_("cancelled before it began"),
    EndReason.DISARMED: N_("disarmed"),
}

_FAULT_NAMES: Final = {
    Fault.INTERLOCK_OPEN: N_("INTERLOCK OPEN"),
    Fault.SYRINGE_REMOVED: N_("SYRINGE REMOVED"),
    Fault.HEARTBEAT_LOST: N_("COMPUTER NOT HEARD"),
    Fault.STEP_COUNT_MISMATCH: N_("STEP COUNT DIFFERS"),
    Fault.BUDGET_EXHAUSTED: N_("MOTOR CUT OFF"),
    Fault.UNDER_RUN: N_("MOTION DATA LATE"),
    Fault.OCCLUSION: N_("OCCLUSION"),
    Fault.STALL: N_("MOTOR STALLED"),
    Fault.STUCK_TRIGGER: N_("TRIGGER STUCK"),
    Fault.JOURNAL_WRITE: N_("RECORD NOT WRITTEN"),
    Fault.SELF_TEST: N_("SELF-TEST FAILED"),
    Fault.INTERNAL: N_("FIRMWARE ERROR"),
    Fault.VOLUME_CAP: N_("VOLUME LIMIT"),
    Fault.SUPPLY: N_("SUPPLY VOLTAGE"),
    Fault.NO_PRESSURE: N_("NO PRESSURE"),
    Fault.FORCE_SENSOR: N_("FORCE SENSOR"),
}

_FAULTS: Final = {
    Fault.INTERLOCK_OPEN: N_(
        "The interlock was opened. Look for the reason, close it, and start again with what is "
        "left."
    ),
    Fault.SYRINGE_REMOVED: N_(
        "The syringe came out of its seat. Put it in until it clicks; measure what is left in it "
        "before you start again."
    ),
    Fault.HEARTBEAT_LOST: N_(
        "The gun heard nothing from this computer for 2 s and stopped by itself. Check the cable "
        "and that the computer does not go to sleep."
    ),
    Fault.STEP_COUNT_MISMATCH: N_(
        "Planned and counted motor steps differ, so the last dose is not certain. Do not use the "
        "gun before it has been serviced."
    ),
    Fault.BUDGET_EXHAUSTED: N_(
        "The hardware cut the motor because more steps came than were allowed. Do not use the gun "
        "before it has been serviced."
    ),
    Fault.UNDER_RUN: N_(
        "Motion data came too late and the gun stopped within a shot. Start again with what is "
        "left; have the gun serviced if it comes back."
    ),
    Fault.OCCLUSION: N_(
        "Liquid was pushed and did not leave. Take the needle out before you do anything else, "
        "look whether it is blocked or pressed against something, and change it."
    ),
    Fault.STALL: N_(
        "The motor lost steps, so less was delivered than counted. Check needle and syringe; have "
        "the gun serviced if it comes back."
    ),
    Fault.STUCK_TRIGGER: N_(
        "The trigger was down for too long. Release it; have it repaired if it does not come up."
    ),
    Fault.JOURNAL_WRITE: N_(
        "A record could not be written, and nothing is delivered without one. Have the gun "
        "serviced."
    ),
    Fault.SELF_TEST: N_("The self-test failed. Do not use the gun before it has been serviced."),
    Fault.INTERNAL: N_(
        "The firmware met an error of its own and stopped. Switch the gun off and on; report it "
        "with the output of `mesogun sessions show`."
    ),
    Fault.VOLUME_CAP: N_(
        "The volume limit of the session would have been passed. Compare the record with the "
        "program before you go on."
    ),
    Fault.SUPPLY: N_("The supply voltage was out of range. Check the power supply."),
    Fault.NO_PRESSURE: N_(
        "Three shots in a row hardly raised the pressure: less was delivered than counted. Look "
        "for a leak and whether needle, syringe and plunger sit firmly."
    ),
    Fault.FORCE_SENSOR: N_(
        "The force sensor did not follow the shots, so a blockage would not be found. Have the "
        "gun serviced."
    ),
}


_STEPS: Final = {
    StepKind.SHOTS: N_("shots"),
    StepKind.FLOW: N_("flow"),
    StepKind.PAUSE: N_("pause"),
    StepKind.PRIME: N_("prime"),
}

_GUNS: Final = {"sim": N_("virtual gun"), "rp2040": N_("emulated gun"), "board": N_("gun")}


def gun(kind: str) -> str:
    """What stands behind a port, by its name in the record."""
    return _(_GUNS.get(kind, kind))


def step(kind: StepKind) -> str:
    """What a step of a program does."""
    return _(_STEPS[kind])


def state(of: ControllerState) -> str:
    """A state of the gun."""
    return _(_STATES[of])


def end(reason: EndReason | None) -> str:
    """How a session, a shot or a prime ended, None if it has not."""
    return _(_ENDS[reason])


def fault_name(fault: Fault) -> str:
    """A fault in a word or two, large enough to be read from afar."""
    return _(_FAULT_NAMES[fault])


def fault_advice(fault: Fault) -> str:
    """What a fault means and what to do."""
    return _(_FAULTS[fault])


def fault(name: Fault) -> str:
    """A fault with what to do, as one line; its name is the one of records and `--json`."""
    return _("Fault {name}: {advice}").format(name=name.name.lower(), advice=fault_advice(name))


def moved_pressure(first_kpa: float, last_kpa: float) -> tuple[str, str]:
    """What equal shots of a session needed at first and at the end, and what may be behind it."""
    what = _("equal shots took {first} at first and {last} at the end").format(
        first=pressure(first_kpa), last=pressure(last_kpa)
    )
    if last_kpa < first_kpa:
        return what, _("Possible: a leak, air in the syringe, a pusher that slips, or softer skin.")
    return what, _("Possible: a needle that got narrow, or denser skin.")
