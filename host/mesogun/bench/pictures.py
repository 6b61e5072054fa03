"""Pictures of the bench: doses shot by shot, flow at the needle over time, trumpet."""

# matplotlib leaves its keyword arguments untyped.
# pyright: reportUnknownMemberType=false

from itertools import pairwise
from pathlib import Path
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesogun.bench.cells import PERFUSION, Cell
from mesogun.bench.measure import seeds
from mesogun.bench.pairs import BEDS, HARD, USUAL
from mesogun.bench.replay import Bed, curve, deliver, delivery_curve, specimen
from mesogun.bench.trains import motion_of
from mesogun.catalog import get_needle, get_syringe
from mesogun.records.statistics import dose_errors_percent, shot_sample_s, trumpet
from mesogun.records.statistics.trumpet import SHOT_WINDOWS

_INK, _PALE, _MARK = "#1f3a4d", "#9fb6c3", "#b3541e"
_PAIRS: Final = (USUAL, HARD)
_SAMPLE_NS: Final = 1_000_000
_SHOWN_SHOTS: Final = 5
_DOSE_SHOTS: Final = 12


def _name(cell: Cell) -> str:
    return f"{get_syringe(cell.syringe).title}, {get_needle(cell.needle).title}"


def save_all(folder: Path, draws: int) -> list[Path]:
    """Write all pictures into a folder.

    Args:
        folder: that exists.
        draws: specimens behind the picture of doses.
    """
    made: list[Path] = []
    pictures = {"flow": flows(), "doses": doses(draws), "trumpet": trumpets()}
    for name, figure in pictures.items():
        made.append(folder / f"{name}.png")
        figure.savefig(made[-1], dpi=110)
    return made


def flows() -> Figure:
    """Flow out of a nominal needle, with and without pressure advance, the command behind it."""
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    places = figure.subplots(2, 2, sharex=True)
    for row, cell in zip(places, _PAIRS, strict=True):
        for axes, bed in zip(row, ("mounted directly", "in skin"), strict=True):
            _flow(axes, cell, BEDS[bed])
            axes.set_title(f"{_name(cell)}, {bed}", fontsize=10, color=_INK)
    places[0][0].legend(loc="upper right", fontsize=8)
    figure.suptitle(
        "Flow at the needle: 10 ul in 0.1 s, four a second, nominal gun", fontsize=12, color=_INK
    )
    return figure


def _flow(axes: Axes, cell: Cell, bed: Bed) -> None:
    train = cell.train
    until_s = _SHOWN_SHOTS * train.period_s
    for number in range(_SHOWN_SHOTS):
        begin_s = number * train.period_s
        axes.fill_between(
            [begin_s, begin_s + train.inject_s],
            cell.flow_ul_per_s,
            color=_PALE,
            alpha=0.6,
            lw=0,
            label="commanded" if number == 0 else None,
        )
    for each, colour, label in (
        (cell.without_advance(), _MARK, "without advance"),
        (cell, _INK, "with advance"),
    ):
        motion = motion_of(each)
        start_ns = motion.starts_ns[0]
        until_ns = start_ns + round(until_s * 1e9)
        seen = curve(motion, specimen(each, None, bed), None, until_ns, _SAMPLE_NS, bed)
        # The moves before the dose come first in a block: time counts from the first dose on.
        lead_s = motion.lead_ns / 1e9
        times = [(ns - start_ns) / 1e9 - lead_s for ns in seen.time_ns[1:]]
        flow = [(b - a) / (_SAMPLE_NS / 1e9) / 1000 for a, b in pairwise(seen.needle_nl)]
        axes.plot(times, flow, color=colour, lw=1.3, label=label)
    axes.set_xlim(-0.05, until_s - 0.05)
    axes.set_ylim(-12, 135)
    axes.set_xlabel("s")
    axes.set_ylabel("ul/s")
    axes.axhline(0, color=_INK, lw=0.5)
    axes.grid(alpha=0.25)


def doses(draws: int) -> Figure:
    """Error of each shot in its own period: nominal as a line, specimens as a band."""
    figure = Figure(figsize=(11, 9), layout="constrained")
    places = figure.subplots(len(BEDS), 2, sharex=True)
    for row, (bed_name, bed) in zip(places, BEDS.items(), strict=True):
        for axes, cell in zip(row, _PAIRS, strict=True):
            _dose(axes, cell, bed, draws)
            axes.set_title(f"{_name(cell)}, {bed_name}", fontsize=9, color=_INK)
    for axes in places[-1]:
        axes.set_xlabel("shot")
    places[0][0].legend(loc="lower right", fontsize=8)
    figure.suptitle(
        f"Dose in each shot's own period, nappage 10 ul, four a second; band: {draws} specimens",
        fontsize=12,
        color=_INK,
    )
    return figure


def _dose(axes: Axes, cell: Cell, bed: Bed, draws: int) -> None:
    numbers = range(1, _DOSE_SHOTS + 1)
    for each, colour, label in (
        (cell.without_advance(), _MARK, "without advance"),
        (cell, _INK, "with advance"),
    ):
        motion = motion_of(each).first(_DOSE_SHOTS)
        errors = {
            seed: dose_errors_percent(
                deliver(motion, specimen(each, seed, bed), seed, bed).doses_nl,
                [cell.train.dose_ul * 1000] * _DOSE_SHOTS,
            )
            for seed in (None, *seeds(draws))
        }
        drawn = list(zip(*errors.values(), strict=True))
        axes.fill_between(
            numbers, list(map(min, drawn)), list(map(max, drawn)), color=colour, alpha=0.18, lw=0
        )
        axes.plot(numbers, errors[None], color=colour, marker=".", lw=1.2, label=label)
    for bound in (-10, -5, 5, 10):
        axes.axhline(bound, color=_INK, lw=0.5, ls=":" if abs(bound) == 10 else "--")
    axes.set_ylabel("% off")
    axes.set_ylim(-60, 45)
    axes.grid(alpha=0.2)


def trumpets() -> Figure:
    """Trumpet curves of a mesoperfusion of 45 minutes, a nominal gun and 20 specimens."""
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    cell = Cell("bd-plastipak-10", "27g-13", 1.0, PERFUSION)
    motion = motion_of(cell)
    sample_s = shot_sample_s([ns / 1e9 for ns in motion.starts_ns])
    set_nl_s = cell.train.dose_ul * 1000 / cell.train.period_s
    for seed in (*seeds(20), None):
        end_ns = motion.starts_ns[-1] + motion.period_ns
        # Between two shots, where nothing flows: half a rest before the first one.
        seen = delivery_curve(curve(motion, specimen(cell, seed), seed, end_ns, 100_000_000))
        volumes = seen.sample(seen.start_s, sample_s)
        points = trumpet(volumes, sample_s, set_nl_s, SHOT_WINDOWS)
        windows = [point.window_s / 60 for point in points]
        colour, width = (_INK, 1.8) if seed is None else (_PALE, 0.7)
        for errors in (
            [point.max_percent for point in points],
            [point.min_percent for point in points],
        ):
            axes.plot(windows, errors, color=colour, lw=width, marker="." if seed is None else "")
    for bound in (-5, 5):
        axes.axhline(bound, color=_MARK, lw=0.8, ls="--")
    axes.set_xlabel("window, min")
    axes.set_ylabel("error of the flow, %")
    axes.grid(alpha=0.25)
    axes.set_title(
        f"Trumpet: mesoperfusion, 40 ul in 2 s every 20 s for 45 min, {_name(cell)}",
        fontsize=11,
        color=_INK,
    )
    return figure
