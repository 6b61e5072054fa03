"""What the catalog knows: syringes, needles, techniques and treatments."""

from math import pi
from typing import Literal

from mesogun.catalog.figures import Bounds, Entry, Figure, Lengths, Range

LEAD_NM = 800_000
"""Travel of the plunger for one turn of the reference drive's screw."""
STEPS_PER_TURN = 200 * 16
"""Driver steps for one turn of the reference drive: full steps times microsteps."""

Delivery = Literal["dry", "wet", "mixed"]
Trigger = Literal["auto", "hold", "press"]


class Syringe(Entry):
    """A syringe of one brand and size.

    Attributes:
        id: what programs and commands call it.
        title: brand and size in words.
        capacity_ml: largest graduation.
        inner_diameter_mm: of the barrel, with the other values that tables give.
        dead_space_ul: what stays in the nozzle with the plunger fully home.
        stiffness_n_per_mm: of drive, stopper and barrel together, as travel of the pusher.
    """

    id: str
    title: str
    capacity_ml: Figure
    inner_diameter_mm: Figure
    dead_space_ul: Figure
    stiffness_n_per_mm: Figure

    @property
    def area_mm2(self) -> float:
        """Cross-section of the barrel."""
        return pi * self.inner_diameter_mm.value**2 / 4

    @property
    def nl_per_mm(self) -> float:
        """Volume for one millimetre of plunger travel."""
        return self.area_mm2 * 1000

    @property
    def compliance_ul_per_kpa(self) -> float:
        """What a pressure stores: area squared over stiffness, as of a piston on a spring."""
        return self.area_mm2**2 / self.stiffness_n_per_mm.value / 1000

    @property
    def capacity_nl(self) -> int:
        """Largest graduation in nanolitres."""
        return round(self.capacity_ml.value * 1_000_000)

    @property
    def usable_nl(self) -> int:
        """Capacity without the dead space, nanolitres."""
        return self.capacity_nl - round(self.dead_space_ul.value * 1000)

    def pl_per_step(self, lead_nm: int = LEAD_NM, steps_per_turn: int = STEPS_PER_TURN) -> int:
        """Volume of one driver step.

        Args:
            lead_nm: travel for one turn of the screw, nanometres.
            steps_per_turn: driver steps for one turn.

        Returns:
            Picolitres a step, to the nearest one.
        """
        return round(self.area_mm2 * lead_nm / steps_per_turn)


class Gauge(Entry):
    """Bore and outside of a needle gauge."""

    id: str
    bore_mm: Figure
    outer_mm: Figure


class NeedleTable(Entry):
    """Gauges and lengths; each gauge comes in each length."""

    bore_tolerance_mm: Figure
    lengths_mm: tuple[Figure, ...]
    gauge: tuple[Gauge, ...]


class Needle(Entry):
    """A regular-wall needle: `30g-4` is a 30G needle of 4 mm."""

    id: str
    gauge: str
    length_mm: Figure
    bore_mm: Figure
    bore_tolerance_mm: Figure
    outer_mm: Figure

    @property
    def title(self) -> str:
        """Gauge and length in words."""
        return f"{self.gauge.upper()} x {self.length_mm.value:g} mm"


class Layer(Entry):
    """A depth class of the skin, such as IED."""

    id: str
    title: str
    depth_mm: Range


class Setting(Entry):
    """The values from which a runnable program is built.

    Either `dose_ul` with `inject_s` and one of `rate_hz` and `interval_s` (a train of shots), or
    `rate_ul_per_s` (a flow). The number of shots is `volume_ul / dose_ul`. `film_ul` is laid after
    each prick of a wet delivery and every second one of a mixed one.
    """

    syringe: str
    needle: str
    delivery: Delivery
    depth_mm: float
    spacing_mm: float | None = None
    trigger: Trigger
    volume_ul: float
    dose_ul: float | None = None
    inject_s: float | None = None
    rate_hz: float | None = None
    interval_s: float | None = None
    rate_ul_per_s: float | None = None
    film_ul: float | None = None
    note: str


class ShotFigures(Entry):
    """Bounds of a technique that gives single shots; None means that no source limits it."""

    dose_ul: Bounds
    inject_s: Bounds
    rate_hz: Bounds | None = None
    interval_s: Bounds | None = None
    duration_s: Bounds | None = None
    film_ul: Bounds | None = None


class FlowFigures(Entry):
    """Bounds of a technique that gives a steady flow."""

    rate_ul_per_s: Bounds
    duration_s: Bounds


class Technique(Entry):
    """A way to inject.

    Attributes:
        id: what programs and commands call it.
        title: its name in words.
        layers: ids of the depth classes that it reaches.
        deliveries: dry, wet (a film before each prick), mixed (before every second one).
        trigger: who starts its shots unless a program says otherwise.
        needle_lengths_mm: lengths in use.
        depth_mm: depth of the needle's tip.
        angle_deg: of the needle to the skin, None if no source gives one.
        spacing_mm: distance of points or lines, None where points are fixed.
        shots: bounds of its shots, None if it has none.
        flow: bounds of its flow, None if it has none.
        setting: the default program.
        text: how it works and how it feels, None if no source tells.
        note: what a reader should know.
    """

    id: str
    title: str
    layers: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    trigger: Trigger
    needle_lengths_mm: Lengths
    depth_mm: Bounds
    angle_deg: Range | None = None
    spacing_mm: Range | None = None
    shots: ShotFigures | None = None
    flow: FlowFigures | None = None
    setting: Setting
    text: str | None = None
    note: str = ""


class Failing(Entry):
    """A requirement that a measured train does not keep.

    Attributes:
        requirement: R06 to R12.
        what: in English, as the bench calls it.
        value: the worst that was met.
        bound: what is allowed.
        unit: of both.
    """

    requirement: str
    what: str
    value: float
    bound: float
    unit: str


class MeasuredTrain(Entry):
    """A train whose accuracy at the needle was measured, with pressure advance.

    Attributes:
        id: of syringe, needle, liquid and train.
        syringe: id.
        needle: id.
        viscosity_mpa_s: of the liquid.
        dose_ul: of one shot.
        inject_s: time in which it is pushed.
        period_s: start of a shot to the start of the next.
        skips: first shots that no bound is about.
        draws: specimens of the gun, drawn within their tolerances.
        fails: which requirements it does not keep and by how much; empty if it keeps all.
        source: id of the bench.
    """

    id: str
    syringe: str
    needle: str
    viscosity_mpa_s: float
    dose_ul: float
    inject_s: float
    period_s: float
    skips: int
    draws: int
    fails: tuple[Failing, ...]
    source: str


class CoursePhase(Entry):
    """Sessions at one interval; `sessions` None means as long as it is needed.

    `others` are the courses that other sources give.
    """

    sessions: int | None = None
    interval_days: int
    source: str
    note: str = ""
    others: tuple["CoursePhase", ...] = ()


class Treatment(Entry):
    """A technique applied to a region.

    Attributes:
        id: what commands call it.
        title: its name in words.
        technique: id of the technique.
        text: the region, in words.
        depth_mm: what sources say of the depth.
        spacing_mm: what they say of the distance of points; None for a single point.
        volume_ul: volume of a session.
        points: number of injections of a session, None if no source names it.
        course: sessions and their interval.
        setting: the default program.
    """

    id: str
    title: str
    technique: str
    text: str
    depth_mm: Range
    spacing_mm: Range | None = None
    volume_ul: Range
    points: Range | None = None
    course: tuple[CoursePhase, ...]
    setting: Setting
