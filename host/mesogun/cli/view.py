"""The live view of a treatment: one picture from one `Progress`; 80 columns by 24 lines suffice."""

from rich.console import Group, RenderableType
from rich.panel import Panel as Frame
from rich.table import Table
from rich.text import Text

from mesogun.cli.hands import Hands
from mesogun.cli.words import FAULTS, STATES, duration, volume
from mesogun.treatment import Progress
from mesogun_protocol.enums import ControllerState, Fault, StepKind, TriggerMode

_BAR = 30

_STARTED_BY = {
    TriggerMode.AUTO: "by the gun itself",
    TriggerMode.HOLD: "while the trigger is held",
    TriggerMode.PRESS: "one for each press of the trigger",
}
_TRIGGER_STEPS = (StepKind.SHOTS, StepKind.FLOW)


def picture(progress: Progress, gun: str, hands: Hands, has_keys: bool) -> RenderableType:
    """What the screen shows.

    Args:
        progress: the gun now.
        gun: which gun it is, in words.
        hands: what keys do.
        has_keys: keys can be pressed here.
    """
    figures = Table.grid(padding=(0, 2))
    for name, value in _figures(progress, hands):
        figures.add_row(Text(name, style="bold"), Text(value))
    doing = instruction(progress, hands, has_keys)
    parts: list[RenderableType] = [Text(f"> {doing}", style="bold"), Text(), figures]
    if progress.refusal is not None:
        parts += [Text(), Text(f"Not done: {progress.refusal}")]
    if has_keys:
        parts += [Text(), Text(_keys(progress, hands))]
    title = Text(f" {progress.program_name} ", style="bold", overflow="ellipsis")
    return Frame(Group(*parts), title=title, subtitle=Text(f" {gun} "), title_align="left")


def instruction(progress: Progress, hands: Hands, has_keys: bool) -> str:
    """What the person with the gun is to do now."""
    if progress.fault is not Fault.NONE:
        return f"FAULT. {FAULTS[progress.fault]}"
    match progress.state:
        case ControllerState.PAUSED:
            first = " Release the trigger first." if progress.trigger_pressed else ""
            go_on = " Press p to go on." if has_keys else ""
            return f"PAUSE: {(progress.message or 'nothing moves').rstrip('.')}.{first}{go_on}"
        case ControllerState.RUNNING if hands.operated and progress.wants_trigger:
            return "Waiting for the virtual operator at the trigger."
        case ControllerState.RUNNING:
            return _running(progress, has_keys and hands.works_trigger(progress))
        case ControllerState.ARMED:
            return "The gun is about to start."
        case _:
            return "The session is over."


def _running(progress: Progress, key: bool) -> str:
    if progress.step_kind is StepKind.PRIME:
        text = "PRIME: point the needle away from people and press the trigger"
        return f"{text} (space)." if key else f"{text}."
    match progress.trigger_mode:
        case TriggerMode.AUTO:
            return "The gun delivers by itself. Keep the needle in place."
        case TriggerMode.HOLD if progress.wants_trigger:
            return "HOLD THE TRIGGER" + (" (space takes hold of it)." if key else ".")
        case TriggerMode.HOLD:
            return "Delivering while the trigger is held" + (
                " (space releases it)." if key else "."
            )
        case TriggerMode.PRESS if not progress.wants_trigger:
            return "Delivering one shot."
        case TriggerMode.PRESS:
            return "PRESS THE TRIGGER for the next shot" + (" (space)." if key else ".")


def _figures(progress: Progress, hands: Hands) -> list[tuple[str, str]]:
    left = progress.shots_planned - progress.shots_done
    rest_nl = max(progress.planned_nl - progress.delivered_nl, 0)
    to_go = f", about {duration(progress.left_s)} left" if progress.left_s is not None else ""
    return [
        ("Step", f"{progress.step_index + 1} of {progress.step_count}: {_step(progress)}"),
        (
            "Shots",
            f"{_bar(progress.shots_done, progress.shots_planned)}  "
            f"{progress.shots_done} of {progress.shots_planned}, {left} left",
        ),
        (
            "Volume",
            f"{_bar(progress.delivered_nl, progress.planned_nl)}  "
            f"{volume(progress.delivered_nl)} given, {volume(rest_nl)} to go",
        ),
        (
            "Syringe",
            f"{_bar(progress.remaining_nl, progress.fill_nl)}  "
            f"{volume(progress.remaining_nl)} of {volume(progress.fill_nl)} left",
        ),
        ("Pressure", f"{progress.pressure_kpa:.0f} kPa"),
        ("Trigger", _trigger(progress, hands)),
        ("Gun", STATES[progress.state] + (", INTERLOCK OPEN" if hands.interlock_open else "")),
        ("Time", f"{duration(progress.elapsed_s)}{to_go}"),
    ]


def _step(progress: Progress) -> str:
    kind = progress.step_kind.name.lower()
    if progress.step_kind in _TRIGGER_STEPS:
        return f"{kind}, {_STARTED_BY[progress.trigger_mode]}"
    return kind


def _trigger(progress: Progress, hands: Hands) -> str:
    by = " by the virtual operator" if hands.operated else ""
    return f"pressed{by}" if progress.trigger_pressed else "released"


def _keys(progress: Progress, hands: Hands) -> str:
    keys: list[str] = []
    if hands.works_trigger(progress):
        held = progress.trigger_mode is TriggerMode.HOLD
        keys.append("space hold/release trigger" if held else "space press trigger")
    paused = progress.state is ControllerState.PAUSED
    keys += ["p go on" if paused else "p pause", "s stop"]
    if hands.panel is not None:
        keys.append(f"i {'close' if hands.interlock_open else 'open'} interlock")
    return "Keys:  " + "   ".join(keys)


def _bar(part: int, whole: int) -> str:
    """Signs of plain ASCII, so that it can be read without colour and in any font."""
    filled = int(_BAR * min(max(part / whole, 0), 1)) if whole else 0
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"
