"""The shots of a session as pictures: doses, their errors, and volume over time.

Up to `SINGLE` shots each one is drawn by itself; of more, neighbours are put together and drawn as
the band from their smallest to their largest value with the mean in it, so that no outlier is lost.
"""

from collections.abc import Iterable, Sequence

from mesogun.handover.document import Picture, Text
from mesogun.handover.plot import Axis, Plot
from mesogun.records import SessionRecord, Shot
from mesogun.words import _, ngettext, number, volume
from mesogun_protocol.enums import ControllerState, EndReason

SINGLE = 400
"""Most shots that are drawn one by one: a bar is a point apart from the next then."""
_BINS = 220
_LABELLED = 12

_DELIVERED = "#1f5f8b"
_BAND = "#a9c9df"
_PLANNED = "#111111"
_AMISS = "#b03020"
_WAITING = "#eeeae0"

_Point = tuple[float, float]


def pictures(record: SessionRecord) -> list[Picture | Text]:
    """Return the pictures of a session; a sentence where there is nothing to draw."""
    shots = begun(record)
    if not shots:
        return [Text(_("No shot was begun, so there is nothing to draw."))]
    return [_doses(record, shots), _errors(shots), *_over_time(record)]


def begun(record: SessionRecord) -> list[Shot]:
    """Return the shots without those that were withdrawn from the queue before they began."""
    return [shot for shot in record.shots if shot.end_reason is not EndReason.CANCELLED]


def _doses(record: SessionRecord, shots: Sequence[Shot]) -> Picture:
    top_nl = max(max(shot.planned_nl or 0, shot.upper_bound_nl) for shot in shots) or 1
    unit_nl, title = _volume_axis(top_nl, _("dose, ul"), _("dose, ml"))
    plot = Plot(_shot_axis(shots), Axis(title, 0, 1.15 * top_nl / unit_nl, _say))
    planned = [(n, s.planned_nl / unit_nl) for n, s in _numbered(shots) if s.planned_nl is not None]
    sure = [(n, s.delivered_nl / unit_nl) for n, s in _numbered(shots) if not s.uncertain]
    doubtful = [(n, s.upper_bound_nl / unit_nl) for n, s in _numbered(shots) if s.uncertain]
    amiss = [
        (n, s.delivered_nl / unit_nl)
        for n, s in _numbered(shots)
        if not s.is_complete and not s.uncertain
    ]
    if len(shots) <= SINGLE:
        pitch = plot.width / len(shots)
        width = min(0.72 * pitch, 16)
        plot.stems(sure, _DELIVERED, width)
        plot.stems(doubtful, _AMISS, width, hollow=True)
        plot.levels(planned, _PLANNED, min(0.9 * pitch, 22))
        if len(shots) <= _LABELLED:
            plot.words((n, y, _say(y, 1 if unit_nl == 1000 else 3)) for n, y in sure)
        parts = [_("Bar: delivered. Short line: planned.")]
    else:
        plot.line(_means(planned), _PLANNED, 2.4)
        _draw_bands(plot, sure)
        plot.stems(doubtful, _AMISS, 1.5, hollow=True)
        parts = [
            _(
                "Band: smallest to largest dose of {count} shots side by side. Thin line: their "
                "mean. Thick line: planned."
            ).format(count=_bin_size(len(shots)))
        ]
    plot.crosses(amiss, _AMISS)
    if amiss:
        parts.append(_("Cross: not carried out to its end."))
    if doubtful:
        parts.append(_("Dashed frame: no result, at most so much was delivered."))
    return Picture(
        _("Dose of each shot"),
        plot.svg,
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
    plot = Plot(_shot_axis(shots), Axis(_("dose error, %"), -span, span, _say), height=110)
    if len(compared) <= SINGLE:
        plot.stems(compared, _DELIVERED, min(0.72 * plot.width / len(shots), 16))
        caption = _("Witnessed against planned steps of each shot that was carried out.")
    else:
        _draw_bands(plot, compared)
        caption = _(
            "Witnessed against planned steps: smallest to largest error of {count} shots side by "
            "side, and their mean."
        ).format(count=_bin_size(len(compared)))
    plot.level(0, _PLANNED)
    return Picture(
        _("Dose error of each shot"),
        plot.svg,
        caption,
        _("The largest dose error is {number} %.").format(number=number(worst, 2, trim=True)),
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
    plot = Plot(
        Axis(title, 0, length_s / unit_s * 1.001, _say),
        Axis(volume_title, 0, 1.1 * top_nl / unit_nl, _say),
    )
    waits = [(a / unit_s, b / unit_s) for a, b in pauses(record)]
    plot.spans(waits, _WAITING)
    drawn = [(x / unit_s, y / unit_nl) for x, y in [*curve, (length_s, curve[-1][1])]]
    plot.level(record.session.volume_planned_nl / unit_nl, _PLANNED)
    plot.line(_thinned(drawn), _DELIVERED)
    faults = [record.since_start_s(each.time_ms) / unit_s for each in record.faults]
    plot.moments(faults, _AMISS)
    parts = [_("Line: delivered since the start. Dashed: planned in all.")]
    if waits:
        parts.append(_("Shaded: paused."))
    if faults:
        parts.append(_("Triangle: a fault."))
    return [
        Picture(
            _("Volume over time"),
            plot.svg,
            " ".join(parts),
            _("{volume} of {planned} planned.").format(
                volume=volume(record.volume_nl),
                planned=volume(record.session.volume_planned_nl),
            ),
        )
    ]


def _curve(record: SessionRecord) -> list[_Point]:
    """Seconds of the session and volume delivered by then, nl: two points a shot."""
    points: list[_Point] = [(0.0, 0.0)]
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


def _binned(points: Sequence[_Point]) -> Iterable[Sequence[_Point]]:
    size = _bin_size(len(points))
    return (points[place : place + size] for place in range(0, len(points), size))


def _means(points: Sequence[_Point]) -> list[_Point]:
    return [
        (each[len(each) // 2][0], sum(y for _x, y in each) / len(each)) for each in _binned(points)
    ]


def _draw_bands(plot: Plot, points: Sequence[_Point]) -> None:
    bins = list(_binned(points))
    xs = [each[len(each) // 2][0] for each in bins]
    lows = [min(y for _x, y in each) for each in bins]
    highs = [max(y for _x, y in each) for each in bins]
    plot.band(xs, lows, highs, _BAND)
    plot.line(_means(points), _DELIVERED)


def _thinned(curve: Sequence[_Point]) -> Sequence[_Point]:
    """Leave out points that lie closer together than the eye can tell."""
    step = -(-len(curve) // (4 * SINGLE))
    return curve if step == 1 else [*curve[::step], curve[-1]]


def _shot_axis(shots: Sequence[Shot]) -> Axis:
    numbers = [n for n, _shot in _numbered(shots)]
    return Axis(_("shot"), min(numbers) - 0.5, max(numbers) + 0.5, _say, whole=True)


def _volume_axis(top_nl: float, small: str, large: str) -> tuple[int, str]:
    """The unit in which an axis is written, nl, and its title."""
    return (1000, small) if top_nl < 1_000_000 else (1_000_000, large)


def _say(value: float, digits: int) -> str:
    return number(value, digits)
