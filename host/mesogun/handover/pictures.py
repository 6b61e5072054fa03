"""The shots of a session as pictures: doses, their errors, pressures, and volume over time.

Up to `SINGLE` shots each one is drawn by itself; of more, neighbours are put together and drawn as
the band from their smallest to their largest value with the mean in it, so that no outlier is lost.
"""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes

from mesogun.handover import plot
from mesogun.handover.document import Picture, Text
from mesogun.handover.plot import Point
from mesogun.records import SessionRecord, Shot
from mesogun.words import _, ngettext, number, pressure, volume
from mesogun_protocol.enums import ControllerState, EndReason

SINGLE = 400
"""Most shots that are drawn one by one: a bar is a point apart from the next then."""
_BINS = 220
_LABELLED = 12
_BAR = 0.72
_UL_NL, _ML_NL = 1000, 1_000_000

_DELIVERED = "#1f5f8b"
_BAND = "#a9c9df"
_PLANNED = "#111111"
_AMISS = "#b03020"
_WAITING = "#eeeae0"


def pictures(record: SessionRecord) -> list[Picture | Text]:
    """Return the pictures of a session; a sentence where there is nothing to draw."""
    shots = begun(record)
    if not shots:
        return [Text(_("No shot was begun, so there is nothing to draw."))]
    return [_doses(record, shots), _errors(shots), _pressures(shots), *_over_time(record)]


def begun(record: SessionRecord) -> list[Shot]:
    """Return the shots without those that were withdrawn from the queue before they began."""
    return [shot for shot in record.shots if shot.end_reason is not EndReason.CANCELLED]


def _doses(record: SessionRecord, shots: Sequence[Shot]) -> Picture:
    top_nl = max(max(shot.planned_nl or 0, shot.upper_bound_nl) for shot in shots) or 1
    unit_nl, title = _volume_axis(top_nl, _("dose, ul"), _("dose, ml"))
    axes = _shot_axes(shots, title)
    axes.set_ylim(0, 1.15 * top_nl / unit_nl)
    planned = [(n, s.planned_nl / unit_nl) for n, s in _numbered(shots) if s.planned_nl is not None]
    sure = [(n, s.delivered_nl / unit_nl) for n, s in _numbered(shots) if not s.uncertain]
    doubtful = [(n, s.upper_bound_nl / unit_nl) for n, s in _numbered(shots) if s.uncertain]
    amiss = [
        (n, s.delivered_nl / unit_nl)
        for n, s in _numbered(shots)
        if not s.is_complete and not s.uncertain
    ]
    if len(shots) <= SINGLE:
        plot.bars(axes, sure, _BAR, fill=True, color=_DELIVERED)
        axes.hlines(
            [y for _n, y in planned],
            [n - 0.45 for n, _y in planned],
            [n + 0.45 for n, _y in planned],
            color=_PLANNED,
            linewidth=1,
        )
        if len(shots) <= _LABELLED:
            for n, y in sure:
                axes.annotate(
                    number(y, 1 if unit_nl == _UL_NL else 3),
                    (n, y),
                    xytext=(0, 5),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                )
        parts = [_("Bar: delivered. Short line: planned.")]
    else:
        axes.plot(*zip(*_means(planned), strict=True), color=_PLANNED, linewidth=2.4)
        _draw_bands(axes, sure)
        parts = [
            _(
                "Band: smallest to largest dose of {count} shots side by side. Thin line: their "
                "mean. Thick line: planned."
            ).format(count=_bin_size(len(shots)))
        ]
    plot.bars(axes, doubtful, _BAR, color=_AMISS, linestyle="--", baseline=0)
    plot.marks(axes, amiss, "x", _AMISS)
    if amiss:
        parts.append(_("Cross: not carried out to its end."))
    if doubtful:
        parts.append(_("Dashed frame: no result, at most so much was delivered."))
    return Picture(
        _("Dose of each shot"),
        plot.to_svg(axes, "dose"),
        " ".join(parts),
        _("Doses of {count} shots, {volume} in all.").format(
            count=len(shots), volume=volume(record.volume_nl)
        ),
    )


def _errors(shots: Sequence[Shot]) -> Picture | Text:
    compared = [
        (n, 100 * (s.delivered_steps - s.dose_steps) / s.dose_steps)
        for n, s in _numbered(shots)
        if s.is_complete and s.dose_steps
    ]
    if not compared:
        return Text(_("No shot was carried out to its end, so there is no dose error to draw."))
    worst = max(abs(error) for _n, error in compared)
    if worst == 0:
        return Text(
            ngettext(
                "Dose error: the shot that was carried out made exactly its planned steps.",
                "Dose error: all {count} shots that were carried out made exactly their planned "
                "steps.",
                len(compared),
            ).format(count=len(compared))
        )
    span = 1.25 * max(worst, 0.5)
    axes = _shot_axes(shots, _("dose error, %"), height=110)
    axes.set_ylim(-span, span)
    caption = _draw(
        axes,
        compared,
        _("Witnessed against planned steps of each shot that was carried out."),
        _(
            "Witnessed against planned steps: smallest to largest error of {count} shots side by "
            "side, and their mean."
        ),
    )
    axes.axhline(0, color=_PLANNED, linewidth=0.8, linestyle="--")
    return Picture(
        _("Dose error of each shot"),
        plot.to_svg(axes, "error"),
        caption,
        _("The largest dose error is {number} %.").format(number=number(worst, 2, trim=True)),
    )


def _pressures(shots: Sequence[Shot]) -> Picture | Text:
    measured = [(n, s.pressure_kpa) for n, s in _numbered(shots) if s.pressure_kpa is not None]
    if not measured:
        return Text(_("No shot has a result, so there is no pressure to draw."))
    most_kpa = max(kpa for _n, kpa in measured)
    axes = _shot_axes(shots, _("highest pressure at the plunger, kPa"), height=110)
    axes.set_ylim(0, 1.15 * max(most_kpa, 10))
    caption = _draw(
        axes,
        measured,
        _("The highest pressure while the shot was given."),
        _(
            "The highest pressure of each shot: smallest to largest of {count} shots side by side, "
            "and their mean."
        ),
    )
    amiss = [
        (n, s.pressure_kpa)
        for n, s in _numbered(shots)
        if s.pressure_kpa is not None and not s.is_complete
    ]
    plot.marks(axes, amiss, "x", _AMISS)
    if amiss:
        caption = f"{caption} {_('Cross: not carried out to its end.')}"
    return Picture(
        _("Pressure of each shot"),
        plot.to_svg(axes, "pressure"),
        caption,
        _("The highest pressure is {pressure}.").format(pressure=pressure(most_kpa)),
    )


def _over_time(record: SessionRecord) -> list[Picture]:
    """Volume over time, with pauses and faults; none without a clock."""
    length_s = record.duration_s
    curve = _curve(record)
    if not length_s or len(curve) == 1:
        return []
    unit_s, title = (1, _("time, s")) if length_s < 120 else (60, _("time, min"))
    top_nl = max(record.session.volume_planned_nl, record.upper_bound_nl, 1)
    unit_nl, volume_title = _volume_axis(top_nl, _("volume, ul"), _("volume, ml"))
    axes = plot.new_axes(title, volume_title)
    axes.set_xlim(0, length_s / unit_s)
    axes.set_ylim(0, 1.1 * top_nl / unit_nl)
    waits = list(pauses(record))
    for begin_s, end_s in waits:
        axes.axvspan(begin_s / unit_s, end_s / unit_s, color=_WAITING, linewidth=0)
    axes.axhline(
        record.session.volume_planned_nl / unit_nl, color=_PLANNED, linewidth=0.8, linestyle="--"
    )
    times, volumes = zip(*[*curve, (length_s, curve[-1][1])], strict=True)
    axes.plot(
        [time_s / unit_s for time_s in times],
        [volume_nl / unit_nl for volume_nl in volumes],
        color=_DELIVERED,
        linewidth=1.2,
    )
    faults = [record.since_start_s(each.time_ms) / unit_s for each in record.faults]
    for at in faults:
        axes.axvline(at, color=_AMISS, linewidth=1, linestyle=":")
    plot.marks(axes, [(at, axes.get_ylim()[1]) for at in faults], "v", _AMISS)
    parts = [_("Line: delivered since the start. Dashed: planned in all.")]
    if waits:
        parts.append(_("Shaded: paused."))
    if faults:
        parts.append(_("Triangle: a fault."))
    return [
        Picture(
            _("Volume over time"),
            plot.to_svg(axes, "volume"),
            " ".join(parts),
            _("{volume} of {planned} planned.").format(
                volume=volume(record.volume_nl),
                planned=volume(record.session.volume_planned_nl),
            ),
        )
    ]


def _curve(record: SessionRecord) -> list[Point]:
    """Seconds of the session and volume delivered by then, nl: two points a shot."""
    points: list[Point] = [(0.0, 0.0)]
    for shot in record.shots:
        if shot.start_ms is not None:
            begin_s = record.since_start_s(shot.start_ms)
            so_far_nl = points[-1][1]
            points.append((begin_s, so_far_nl))
            end_s = begin_s + (shot.motion_ms or 0) / 1000
            points.append((end_s, so_far_nl + shot.delivered_nl))
    return points


def pauses(record: SessionRecord) -> Iterable[tuple[float, float]]:
    """Yield start and end of each pause, seconds of the session."""
    since_s: float | None = None
    for change in record.states:
        if change.state is ControllerState.PAUSED:
            since_s = record.since_start_s(change.time_ms)
        elif since_s is not None:
            yield since_s, record.since_start_s(change.time_ms)
            since_s = None
    if since_s is not None and record.duration_s is not None:
        yield since_s, record.duration_s


def _numbered(shots: Sequence[Shot]) -> Iterable[tuple[int, Shot]]:
    """Number shots as people do, from 1; several numbers may be missing in a torn record."""
    return ((shot.shot + 1, shot) for shot in shots)


def _bin_size(count: int) -> int:
    return -(-count // _BINS)


def _binned(points: Sequence[Point]) -> Iterable[Sequence[Point]]:
    size = _bin_size(len(points))
    return (points[place : place + size] for place in range(0, len(points), size))


def _means(points: Sequence[Point]) -> list[Point]:
    return [
        (each[len(each) // 2][0], sum(y for _x, y in each) / len(each)) for each in _binned(points)
    ]


def _draw(axes: Axes, points: Sequence[Point], of_each: str, of_many: str) -> str:
    """Draw a figure of every shot; return the caption that tells how it was drawn."""
    if len(points) <= SINGLE:
        plot.bars(axes, points, _BAR, fill=True, color=_DELIVERED)
        return of_each
    _draw_bands(axes, points)
    return of_many.format(count=_bin_size(len(points)))


def _draw_bands(axes: Axes, points: Sequence[Point]) -> None:
    bins = list(_binned(points))
    xs = [each[len(each) // 2][0] for each in bins]
    lows = [min(y for _x, y in each) for each in bins]
    highs = [max(y for _x, y in each) for each in bins]
    axes.fill_between(xs, lows, highs, color=_BAND, linewidth=0)
    axes.plot(*zip(*_means(points), strict=True), color=_DELIVERED, linewidth=1.2)


def _shot_axes(shots: Sequence[Shot], title: str, height: float = 130) -> Axes:
    axes = plot.new_axes(_("shot"), title, height)
    numbers = [n for n, _shot in _numbered(shots)]
    # Few shots are drawn as narrow as many, from the left on.
    axes.set_xlim(min(numbers) - 0.5, max(*numbers, min(numbers) + _LABELLED) + 0.5)
    if len(shots) <= _LABELLED:
        axes.set_xticks(numbers)
    else:
        axes.locator_params("x", integer=True)
    return axes


def _volume_axis(top_nl: float, small: str, large: str) -> tuple[int, str]:
    """The unit in which an axis is written, nl, and its title."""
    return (_UL_NL, small) if top_nl < _ML_NL else (_ML_NL, large)
