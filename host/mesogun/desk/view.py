"""The live view of a treatment: one picture from one `Progress`; 80 columns by 24 lines suffice.

It grows with the screen: what to do, and the shots, in letters as large as there is room for.
"""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel as Frame
from rich.table import Table
from rich.text import Text

from mesogun.desk.big import big, largest
from mesogun.desk.hands import Hands
from mesogun.treatment import Progress
from mesogun.words import N_, _, duration, pressure, volume
from mesogun.words.gun import fault_advice, fault_name, state, step
from mesogun_protocol.enums import ControllerState, Fault, StepKind, TriggerMode

_BAR = 24
"""Signs of a bar where 80 columns are all there is; it takes what a wider screen has more."""
_COLUMNS = 80
_FRAME_COLUMNS, _FRAME_LINES = 4, 2
_CURSOR_LINES = 1
"""Left free below the view, or a terminal would scroll."""

_STARTED_BY = {
    TriggerMode.AUTO: N_("by the gun itself"),
    TriggerMode.HOLD: N_("while the trigger is held"),
    TriggerMode.PRESS: N_("one for each press of the trigger"),
}
_TRIGGER_STEPS = (StepKind.SHOTS, StepKind.FLOW)


def picture(progress: Progress, gun: str, hands: Hands, has_keys: bool) -> RenderableType:
    """What the screen shows: what to do and the shots in letters for two metres, then the figures.

    Args:
        progress: the gun now.
        gun: which gun it is, in words.
        hands: what keys do.
        has_keys: keys can be pressed here.
    """
    return _Picture(progress, gun, hands, has_keys)


@dataclass(frozen=True)
class _Picture:
    """The view, which learns the size of its screen when it is drawn."""

    progress: Progress
    gun: str
    hands: Hands
    has_keys: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as large as the screen allows."""
        progress = self.progress
        columns = options.max_width - _FRAME_COLUMNS
        doing = Text(f"> {instruction(progress, self.hands, self.has_keys)}", style="bold")
        below = self._below(options.max_width)
        large = [_word(progress)]
        if progress.refusal is None and progress.fault is Fault.NONE:
            # Where there is more to read, the large count gives way: 24 lines are few.
            large.append(f"{progress.shots_done}/{progress.shots_planned}")
        inner = options.update(width=columns, height=None)
        taken = len(console.render_lines(Group(doing, *below), inner))
        rows = options.size.height - _CURSOR_LINES - _FRAME_LINES - taken
        word, *count = (_big(text, largest(large, columns, rows)) for text in large)
        title = Text(f" {_(progress.program_name)} ", style="bold", overflow="ellipsis")
        yield Frame(
            Group(word, doing, *count, *below),
            title=title,
            subtitle=Text(f" {self.gun} "),
            title_align="left",
        )

    def _below(self, width: int) -> list[RenderableType]:
        """What stands below the large letters."""
        progress = self.progress
        figures = Table.grid(padding=(0, 2))
        for name, value in _figures(progress, self.hands, _BAR + max(width - _COLUMNS, 0)):
            figures.add_row(Text(name, style="bold"), Text(value))
        parts: list[RenderableType] = [figures]
        if progress.refusal is not None:
            parts.insert(0, Text(_("Not done: {reason}").format(reason=progress.refusal)))
        if self.has_keys:
            parts.append(Text(_keys(progress, self.hands)))
        return parts


def _big(text: str, scale: int) -> Text:
    drawn = Text("\n".join(big(text, scale)), style="bold", no_wrap=True, overflow="crop")
    # A terminal that can makes them solid; the signs stay for one that cannot.
    drawn.highlight_regex("#+", "reverse")
    return drawn


def _word(progress: Progress) -> str:
    """What the person with the gun is to do now, or what the gun does, in one word."""
    if progress.fault is not Fault.NONE:
        return _("ALARM")
    match progress.state:
        case ControllerState.PAUSED:
            return _("PAUSE")
        case ControllerState.RUNNING:
            return _word_running(progress)
        case other:
            return _("READY") if other is ControllerState.ARMED else _("OVER")


def _word_running(progress: Progress) -> str:
    if progress.step_kind is StepKind.PRIME:
        return _("PRIME")
    if progress.wants_trigger:
        return _("HOLD") if progress.trigger_mode is TriggerMode.HOLD else _("PRESS")
    return _("GIVING")


def instruction(progress: Progress, hands: Hands, has_keys: bool) -> str:
    """What the person with the gun is to do now."""
    if progress.fault is not Fault.NONE:
        return _("{name}: {advice}").format(
            name=fault_name(progress.fault), advice=fault_advice(progress.fault)
        )
    match progress.state:
        case ControllerState.PAUSED:
            what = (progress.message or _("nothing moves")).rstrip(".")
            parts = [_("PAUSE: {message}.").format(message=what)]
            parts += [_("Release the trigger first.")] if progress.trigger_pressed else []
            parts += [_("Press p to go on.")] if has_keys else []
            return " ".join(parts)
        case ControllerState.RUNNING if hands.operated and progress.wants_trigger:
            return _("Waiting for the virtual operator at the trigger.")
        case ControllerState.RUNNING:
            return _running(progress, has_keys and hands.works_trigger(progress))
        case ControllerState.ARMED:
            return _("The gun is about to start.")
        case _:
            return _("The session is over.")


def _running(progress: Progress, key: bool) -> str:
    if progress.step_kind is StepKind.PRIME:
        return _("PRIME: point the needle away from people and press the trigger{key}.").format(
            key=_(" (space)") if key else ""
        )
    match progress.trigger_mode:
        case TriggerMode.AUTO:
            return _("The gun delivers by itself. Keep the needle in place.")
        case TriggerMode.HOLD if progress.wants_trigger:
            return _("HOLD THE TRIGGER{key}.").format(
                key=_(" (space takes hold of it)") if key else ""
            )
        case TriggerMode.HOLD:
            return _("Delivering while the trigger is held{key}.").format(
                key=_(" (space releases it)") if key else ""
            )
        case TriggerMode.PRESS if not progress.wants_trigger:
            return _("Delivering one shot.")
        case TriggerMode.PRESS:
            return _("PRESS THE TRIGGER for the next shot{key}.").format(
                key=_(" (space)") if key else ""
            )


def _figures(progress: Progress, hands: Hands, bar: int) -> list[tuple[str, str]]:
    """Names and values, with bars of `bar` signs."""
    rest_nl = max(progress.planned_nl - progress.delivered_nl, 0)
    given = _("{given} given, {rest} to go").format(
        given=volume(progress.delivered_nl), rest=volume(rest_nl)
    )
    left = _("{left} of {full} left").format(
        left=volume(progress.remaining_nl), full=volume(progress.fill_nl)
    )
    syringe = _("Syringe")
    if progress.syringe_count > 1:
        syringe = _("Syringe {number}/{count}").format(
            number=progress.syringe_number, count=progress.syringe_count
        )
    pressed = _("{pressure}, stops at {limit}").format(
        pressure=pressure(progress.pressure_kpa), limit=pressure(progress.limit_kpa)
    )
    gun = state(progress.state) + (_(", INTERLOCK OPEN") if hands.interlock_open else "")
    trigger = _("trigger {state}").format(state=_trigger(progress, hands))
    return [
        (
            _("Step"),
            _("{number} of {count}: {what}").format(
                number=progress.step_index + 1, count=progress.step_count, what=_step(progress)
            ),
        ),
        (
            _("Shots"),
            f"{_bar(progress.shots_done, progress.shots_planned, bar)}  {_shots(progress)}",
        ),
        (_("Volume"), f"{_bar(progress.delivered_nl, progress.planned_nl, bar)}  {given}"),
        (syringe, f"{_bar(progress.remaining_nl, progress.fill_nl, bar)}  {left}"),
        (_("Pressure"), f"{_bar(progress.pressure_kpa, progress.limit_kpa, bar)}  {pressed}"),
        (_("Gun"), _("{gun}; {trigger}").format(gun=gun, trigger=trigger)),
        (_("Time"), _time(progress)),
    ]


def _shots(progress: Progress) -> str:
    left = progress.shots_planned - progress.shots_done
    return _("{done} of {planned}, {left} left").format(
        done=progress.shots_done, planned=progress.shots_planned, left=left
    )


def _time(progress: Progress) -> str:
    if progress.left_s is None:
        return duration(progress.elapsed_s)
    return _("{elapsed}, about {left} left").format(
        elapsed=duration(progress.elapsed_s), left=duration(progress.left_s)
    )


def _step(progress: Progress) -> str:
    kind = step(progress.step_kind)
    if progress.step_kind in _TRIGGER_STEPS:
        return f"{kind}, {_(_STARTED_BY[progress.trigger_mode])}"
    return kind


def _trigger(progress: Progress, hands: Hands) -> str:
    if not progress.trigger_pressed:
        return _("released")
    return _("pressed by the virtual operator") if hands.operated else _("pressed")


def _keys(progress: Progress, hands: Hands) -> str:
    keys: list[str] = []
    if hands.works_trigger(progress):
        keys.append(_("space trigger"))
    keys += [_("p go on") if progress.state is ControllerState.PAUSED else _("p pause")]
    keys += [_("c new syringe"), _("s stop")]
    if hands.panel is not None:
        keys.append(_("i interlock"))
    if hands.plant is not None:
        keys.append(_("o needle"))
    return _("Keys:") + " " + "  ".join(keys)


def _bar(part: float, whole: float, length: int) -> str:
    """Signs of plain ASCII, so that it can be read without colour and in any font."""
    filled = int(length * min(max(part / whole, 0), 1)) if whole else 0
    return f"[{'#' * filled}{'.' * (length - filled)}]"
