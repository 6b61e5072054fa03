"""A picture of a program: when it gives what, its shots from near, and where the points lie."""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mesogun.catalog import get_needle, get_syringe
from mesogun.errors import UsageError
from mesogun.program.estimate import estimate
from mesogun.program.loads import loads
from mesogun.program.model import Area, Program
from mesogun.program.planned import PlannedStep, planned_steps
from mesogun.words import _, duration, ngettext, number, volume
from mesogun_protocol.enums import StepKind

FORMS: Final = ("png", "svg", "pdf")
_INK, _PALE, _MARK = "#1f3a4d", "#9fb6c3", "#b3541e"
_NEAR_SHOTS: Final = 3
"""Shots that are shown from near: two pauses between them."""
_DOT_PT2: Final = 12.0

Point = tuple[float, float]


def save_picture(program: Program, path: Path) -> None:
    """Write a page with the timeline, a few shots and the grid of points.

    Args:
        program: a checked program.
        path: its ending tells the form: png, svg or pdf.

    Raises:
        UsageError: the ending is another one, or the file cannot be written.
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise UsageError(
            _(
                "{path}: a picture ends in .png, .svg or .pdf. Name one of these after --picture."
            ).format(path=path)
        )
    try:
        draw(program).savefig(path, format=form, dpi=150)
    except OSError as error:
        raise UsageError(
            _("{path}: {reason}. Name another file.").format(path=path, reason=error.strerror)
        ) from error


def draw(program: Program) -> Figure:
    """Return the page."""
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    steps = planned_steps(program)
    axes = figure.subplot_mosaic("tg;ng" if program.area else "t;n")
    _timeline(axes["t"], program, steps)
    _near(axes["n"], steps)
    if program.area:
        _grid(axes["g"], program.area)
    figure.suptitle(_title(program), fontsize=12, color=_INK)
    return figure


def _title(program: Program) -> str:
    figures = estimate(program)
    shots = ngettext("{count} shot", "{count} shots", figures.shots).format(count=figures.shots)
    what = f"{_(program.name)}: {shots}, {volume(figures.volume_nl)}"
    with_ = f"{get_syringe(program.syringe).title}, {get_needle(program.needle).title}"
    return f"{what}\n{with_}"


def _timeline(axes: Axes, program: Program, steps: Sequence[PlannedStep]) -> None:
    """Volume over time, with each change of syringe."""
    times, given = zip(*_given(steps), strict=True)
    axes.plot(times, given, color=_INK, linewidth=1.8)
    changes = loads(steps, get_syringe(program.syringe).usable_nl)
    for number_, (time_s, given_ml) in enumerate(_ends(changes[:-1]), 2):
        axes.axvline(time_s, color=_MARK, linestyle="--", linewidth=1)
        axes.annotate(
            _("syringe {number}").format(number=number_),
            (time_s, given_ml),
            xytext=(4, -12),
            textcoords="offset points",
            color=_MARK,
            fontsize=8,
        )
    axes.set_title(
        _("Given over time, the trigger held: {time}").format(time=duration(times[-1])), fontsize=10
    )
    axes.set_xlabel(_("time in s"))
    axes.set_ylabel(_("volume in ml"))
    _tidy(axes)


def _given(steps: Sequence[PlannedStep]) -> Iterator[Point]:
    """Corners of the line of the given volume: seconds and millilitres, primes left out."""
    time_us = given_nl = 0
    yield 0.0, 0.0
    for step in steps:
        if step.kind in (StepKind.SHOTS, StepKind.FLOW):
            given_nl += step.count * step.dose_nl + step.films_nl
        time_us += step.duration_us
        yield time_us / 1e6, given_nl / 1e6


def _ends(parts: Sequence[Sequence[PlannedStep]]) -> Iterator[Point]:
    time_s = given_ml = 0.0
    for part in parts:
        *_corners, (end_s, end_ml) = _given(part)
        time_s, given_ml = time_s + end_s, given_ml + end_ml
        yield time_s, given_ml


def _near(axes: Axes, steps: Sequence[PlannedStep]) -> None:
    """The flow of the first shots, as the motor is told; the liquid follows more smoothly."""
    step = next(each for each in steps if each.kind in (StepKind.SHOTS, StepKind.FLOW))
    shots = min(step.count, _NEAR_SHOTS)
    for shot in range(shots):
        start_us = shot * step.period_us
        times, flows = zip(*_pulse(step, start_us), strict=True)
        axes.fill_between(times, flows, color=_PALE, edgecolor=_INK, linewidth=1.2)
        if step.film_nl and (shot + 1) % step.film_every == 0:
            _film(axes, step, start_us)
    title = (
        _("A flow, seen from near") if step.kind is StepKind.FLOW else _("Shots, seen from near")
    )
    if step.film_nl:
        title += _("; dashed: film on the skin")
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(_("time in s"))
    axes.set_ylabel(_("flow in ul/s"))
    axes.set_ylim(bottom=0)
    _tidy(axes)


def _pulse(step: PlannedStep, start_us: int) -> list[Point]:
    """Corners of one shot's flow: ramp up, full flow, ramp down."""
    peak = step.dose_nl * 1000 / (step.inject_us - step.ramp_us)
    corners_us = (0, step.ramp_us, step.inject_us - step.ramp_us, step.inject_us)
    flows = (0.0, peak, peak, 0.0)
    return [((start_us + us) / 1e6, flow) for us, flow in zip(corners_us, flows, strict=True)]


def _film(axes: Axes, step: PlannedStep, start_us: int) -> None:
    """A film lies between two shots; it is drawn over the whole time that is left for it."""
    begin_s, end_s = (start_us + step.inject_us) / 1e6, (start_us + step.period_us) / 1e6
    flow = step.film_nl / 1000 / (end_s - begin_s)
    axes.plot([begin_s, begin_s, end_s, end_s], [0, flow, flow, 0], color=_MARK, linestyle="--")


def _grid(axes: Axes, area: Area) -> None:
    """The points to scale, row by row."""
    points = list(points_mm(area))
    axes.add_patch(
        Rectangle((0, 0), area.width_mm, area.height_mm, fill=False, edgecolor=_INK, linewidth=1.2)
    )
    axes.plot(*zip(*points, strict=True), color=_PALE, linewidth=0.7, zorder=1)
    axes.scatter(*zip(*points, strict=True), s=_dot(area), color=_INK, zorder=2, linewidths=0)
    axes.scatter(*points[0], s=45, color=_MARK, zorder=3)
    axes.annotate(
        _("begin"),
        (points[0][0], area.height_mm),
        xytext=(-4, 5),
        textcoords="offset points",
        color=_MARK,
        fontsize=8,
    )
    axes.set_title(
        ngettext(
            "{count} point, {columns} x {rows}, {spacing} mm apart",
            "{count} points, {columns} x {rows}, {spacing} mm apart",
            area.points,
        ).format(
            count=area.points,
            columns=area.columns,
            rows=area.rows,
            spacing=number(area.spacing_mm, 1, trim=True),
        ),
        fontsize=10,
    )
    axes.set_xlabel(_("width in mm"))
    axes.set_ylabel(_("height in mm"))
    axes.set_aspect("equal", anchor="N")
    axes.margins(0.08)
    _tidy(axes)


def points_mm(area: Area) -> Iterator[Point]:
    """The points in the order in which they are taken: there and back, row by row from the top."""
    step_x, step_y = area.width_mm / area.columns, area.height_mm / area.rows
    for row in range(area.rows):
        columns = range(area.columns) if row % 2 == 0 else range(area.columns - 1, -1, -1)
        for column in columns:
            yield (column + 0.5) * step_x, area.height_mm - (row + 0.5) * step_y


def _dot(area: Area) -> float:
    """Size of a dot, so that neighbours never touch."""
    crowd = max(area.columns, area.rows)
    return min(_DOT_PT2, max(1.0, (220 / crowd * 0.45) ** 2))


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    axes.title.set_color(_INK)
