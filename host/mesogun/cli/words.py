"""Figures with their units, and states and faults in words."""

from typing import Final

from mesogun_protocol.enums import ControllerState, EndReason, Fault


def volume(volume_nl: float) -> str:
    """A volume: microlitres below a millilitre, millilitres from there."""
    volume_ul = round(volume_nl / 1000, 1)
    if abs(volume_ul) < 1000:
        return f"{volume_ul:g} ul"
    return f"{volume_nl / 1_000_000:.3f} ml"


def duration(time_s: float) -> str:
    """A length of time."""
    if round(time_s, 1) < 60:
        return f"{time_s:.1f} s"
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s"


def count(number: int, what: str) -> str:
    """A number of things, in the singular if it is one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


STATES: Final = {
    ControllerState.UNLOADED: "no syringe declared",
    ControllerState.LOADED: "syringe declared, no program",
    ControllerState.READY: "ready, driver off",
    ControllerState.ARMED: "armed, driver on",
    ControllerState.RUNNING: "running",
    ControllerState.PAUSED: "paused",
    ControllerState.DONE: "done, driver off",
    ControllerState.FAULT: "fault, driver off",
}

ENDS: Final = {
    None: "not ended",
    EndReason.COMPLETE: "complete",
    EndReason.RELEASED: "ended by releasing the trigger",
    EndReason.STOPPED: "stopped",
    EndReason.FAULTED: "ended by a fault",
    EndReason.CANCELLED: "cancelled before it began",
    EndReason.DISARMED: "disarmed",
}

FAULTS: Final = {
    Fault.INTERLOCK_OPEN: "The interlock was opened. Look for the reason, close it, and start "
    "again with what is left.",
    Fault.SYRINGE_REMOVED: "The syringe came out of its seat. Put it in until it clicks; measure "
    "what is left in it before you start again.",
    Fault.HEARTBEAT_LOST: "The gun heard nothing from this computer for 2 s and stopped by itself. "
    "Check the cable and that the computer does not go to sleep.",
    Fault.STEP_COUNT_MISMATCH: "Planned and counted motor steps differ, so the last dose is not "
    "certain. Do not use the gun before it has been serviced.",
    Fault.BUDGET_EXHAUSTED: "The hardware cut the motor because more steps came than were allowed. "
    "Do not use the gun before it has been serviced.",
    Fault.UNDER_RUN: "Motion data came too late and the gun stopped within a shot. Start again "
    "with what is left; have the gun serviced if it comes back.",
    Fault.OCCLUSION: "The pressure rose above the limit of the syringe. Take the needle out, "
    "look whether it is blocked or pressed against something, and change it.",
    Fault.STALL: "The motor lost steps, so less was delivered than counted. Check needle and "
    "syringe; have the gun serviced if it comes back.",
    Fault.STUCK_TRIGGER: "The trigger was down for too long. Release it; have it repaired if it "
    "does not come up.",
    Fault.JOURNAL_WRITE: "A record could not be written, and nothing is delivered without one. "
    "Have the gun serviced.",
    Fault.SELF_TEST: "The self-test failed. Do not use the gun before it has been serviced.",
    Fault.INTERNAL: "The firmware met an error of its own and stopped. Switch the gun off and on; "
    "report it with the output of `mesogun sessions show`.",
    Fault.VOLUME_CAP: "The volume limit of the session would have been passed. Compare the record "
    "with the program before you go on.",
    Fault.SUPPLY: "The supply voltage was out of range. Check the power supply.",
}


def fault(name: Fault) -> str:
    """A fault with what to do, as one line."""
    return f"Fault {name.name.lower()}: {FAULTS[name]}"
