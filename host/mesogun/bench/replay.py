"""The steps of a train played to one plant, and what left its needle."""

from dataclasses import dataclass, replace

from mesogun.bench.cells import Cell
from mesogun.bench.trains import BARREL_NL, Motion
from mesogun.catalog import get_needle, get_syringe
from mesogun.ports import Simulation
from mesogun.records.statistics.curve import SETTLING_S, DeliveryCurve
from mesogun.virtual.plant import Curve, Plant
from mesogun.virtual.plant_parameters import PlantParameters

_SETTLED_NS = 20_000_000_000
"""After a stop the plant is followed for so long; the slowest that is measured is over by then."""


@dataclass(frozen=True)
class Bed:
    """What the needle is in, and what else is different from a gun as it should be.

    Attributes:
        tissue: a name of `TISSUES`, each shot into a fresh point; None for the air.
        outlet_kpa: steady back-pressure.
        tubing_mm: length of an extension line.
        air_ul: a bubble in the syringe.
    """

    tissue: str | None = None
    outlet_kpa: float = 0.0
    tubing_mm: float = 0.0
    air_ul: float = 0.0


AIR = Bed()


def specimen(cell: Cell, seed: int | None, bed: Bed = AIR) -> PlantParameters:
    """The plant of a cell, drawn within its tolerances by a seed; nominal without one."""
    simulation = Simulation(
        get_syringe(cell.syringe), get_needle(cell.needle), viscosity_mpa_s=cell.viscosity_mpa_s
    )
    nominal = simulation.settings().plant
    drawn = nominal if seed is None else nominal.drawn(seed)
    drawn = replace(drawn, outlet_kpa=bed.outlet_kpa, tubing_length_mm=bed.tubing_mm)
    return drawn if bed.tissue is None else _in_tissue(drawn, bed.tissue, seed)


def _in_tissue(plant: PlantParameters, tissue: str, seed: int | None) -> PlantParameters:
    there = plant.in_tissue(tissue)
    return (
        there
        if seed is None
        else replace(
            plant,
            tissue_compliance_nl_per_kpa=there.drawn(seed).tissue_compliance_nl_per_kpa,
            tissue_resistance_kpa_s_per_nl=there.drawn(seed).tissue_resistance_kpa_s_per_nl,
        )
    )


def _plant(parameters: PlantParameters, seed: int | None, bed: Bed) -> Plant:
    plant = Plant(parameters, seed or 0)
    plant.remaining_nl = BARREL_NL
    plant.faults.trap_air(bed.air_ul)
    return plant


@dataclass(frozen=True)
class Delivered:
    """What left the needle of one specimen.

    Attributes:
        doses_nl: in each shot's own period.
        total_nl: until nothing left any more.
        dribble_nl: later than half a second after the last step.
        lowest_kpa: pressure in the syringe at the end of each shot's motion, the lowest.
    """

    doses_nl: tuple[float, ...]
    total_nl: float
    dribble_nl: float
    lowest_kpa: float


def deliver(
    motion: Motion, parameters: PlantParameters, seed: int | None, bed: Bed = AIR
) -> Delivered:
    """Play a whole train."""
    plant = _plant(parameters, seed, bed)
    runs = iter(motion.runs)
    run = next(runs, None)
    doses: list[float] = []
    lowest = 0.0
    for start_ns in motion.starts_ns:
        plant.advance(start_ns)
        if bed.tissue is not None:
            plant.new_point()
        before_nl = plant.needle_nl
        end_ns = start_ns + motion.period_ns
        while run is not None and run.start_ns < end_ns:
            plant.advance(run.end_ns, (run,))
            run = next(runs, None)
        lowest = min(lowest, plant.pressure_kpa)
        if run is not None or len(doses) + 1 < len(motion.starts_ns):
            plant.advance(end_ns)
        else:
            # The last period may end later than the dribble begins.
            settled_ns = motion.end_ns + round(SETTLING_S * 1e9)
            plant.advance(min(end_ns, settled_ns))
            return _ended(plant, motion, doses, before_nl, end_ns, settled_ns, lowest)
        doses.append(plant.needle_nl - before_nl)
    raise AssertionError("a train has a last shot")


def _ended(
    plant: Plant,
    motion: Motion,
    doses: list[float],
    before_nl: float,
    end_ns: int,
    settled_ns: int,
    lowest: float,
) -> Delivered:
    marks = dict.fromkeys((end_ns, settled_ns), 0.0)
    for mark_ns in sorted(marks):
        plant.advance(mark_ns)
        marks[mark_ns] = plant.needle_nl
    doses.append(marks[end_ns] - before_nl)
    plant.advance(motion.end_ns + _SETTLED_NS)
    total_nl = plant.needle_nl
    return Delivered(tuple(doses), total_nl, total_nl - marks[settled_ns], lowest)


def stopped_dribble_nl(motion: Motion, parameters: PlantParameters, seed: int | None) -> float:
    """What leaves the needle later than half a second after a stop at the worst moment.

    That is before the plunger turns round in the third shot: all that was pushed early is still in
    the syringe, and the stop switches the driver off.
    """
    third_ns = motion.starts_ns[2]
    turned = [run for run in motion.runs if run.start_ns >= third_ns and not run.forward]
    period_end_ns = third_ns + motion.period_ns
    forward = [r for r in motion.runs if third_ns <= r.start_ns < period_end_ns and r.forward]
    stop_ns = turned[0].start_ns if turned else forward[-1].end_ns
    runs = motion.until(stop_ns)
    plant = _plant(parameters, seed, AIR)
    plant.advance(stop_ns, runs)
    last_ns = runs[-1].end_ns
    plant.advance(max(stop_ns, last_ns + round(SETTLING_S * 1e9)))
    settled_nl = plant.needle_nl
    plant.advance(last_ns + _SETTLED_NS)
    return plant.needle_nl - settled_nl


def curve(
    motion: Motion,
    parameters: PlantParameters,
    seed: int | None,
    until_ns: int,
    sample_ns: int,
    bed: Bed = AIR,
) -> Curve:
    """What leaves the needle over time, sampled evenly from the first step on."""
    plant = _plant(parameters, seed, bed)
    starts = iter(motion.starts_ns)
    runs = iter(motion.runs)
    run = next(runs, None)
    plant.advance(motion.starts_ns[0])
    with plant.recording(sample_ns, motion.pl_per_step / 1000) as recorded:
        for start_ns in starts:
            if start_ns >= until_ns:
                break
            plant.advance(start_ns)
            if bed.tissue is not None:
                plant.new_point()
            while run is not None and run.start_ns < min(start_ns + motion.period_ns, until_ns):
                plant.advance(run.end_ns, (run,))
                run = next(runs, None)
        plant.advance(max(until_ns, plant.now_ns))
    return recorded


def delivery_curve(recorded: Curve) -> DeliveryCurve:
    """The same as the statistics take it."""
    return DeliveryCurve([ns / 1e9 for ns in recorded.time_ns], recorded.needle_nl)
