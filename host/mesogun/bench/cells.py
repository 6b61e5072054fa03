"""The grid: which syringe, needle, liquid and train are measured together."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from mesogun.catalog import get_needle, get_syringe
from mesogun.program import Program
from mesogun.program.hydraulics import needle_pressure_kpa, pressure_limit_kpa
from mesogun.program.model import Limits, ShotsStep

SYRINGES: Final = ("bd-plastipak-3", "bd-plastipak-5", "bd-plastipak-10", "bbraun-omnifix-10")
NEEDLES: Final = ("27g-13", "30g-4", "30g-13", "32g-4")
THICK_MPA_S: Final = 3.0
"""A liquid three times as viscous as water, measured through the needles that it passes."""


@dataclass(frozen=True)
class Train:
    """Shots of one kind, one after the other.

    Attributes:
        id: name in tables.
        technique: that gives such shots.
        dose_ul: of one shot.
        inject_s: time in which it is pushed.
        period_s: start of a shot to the start of the next.
        shots: how many are measured.
        ramp_ms: to full speed and from it.
        skipped: first shots that no bound is about.
        worst_percent: most that a single shot may be off, R06; for 10 ul, where R06 says nothing,
            what nappage is held to.
        spread_percent: most that the tolerance interval may reach, R07.
    """

    id: str
    technique: str
    dose_ul: float
    inject_s: float
    period_s: float
    shots: int
    ramp_ms: float
    skipped: int
    worst_percent: float
    spread_percent: float


NAPPAGE: Final = Train("nappage", "nappage", 10.0, 0.1, 0.25, 60, 10.0, 2, 10.0, 15.0)
POINT_30: Final = Train("point-30", "mps", 30.0, 0.3, 0.8, 60, 30.0, 0, 15.0, 15.0)
POINT_50: Final = Train("point-50", "mps", 50.0, 0.5, 1.5, 60, 50.0, 0, 10.0, 10.0)
"""R06 says nothing of 50 ul; it is held to what 100 ul are."""
POINT_100: Final = Train("point-100", "mps", 100.0, 1.0, 2.0, 60, 50.0, 0, 10.0, 10.0)
PERFUSION: Final = Train(
    "mesoperfusion", "mesoperfusion", 40.0, 2.0, 20.0, 135, 50.0, 0, 15.0, 15.0
)

TRAINS: Final = (NAPPAGE, POINT_30, POINT_50, POINT_100, PERFUSION)


@dataclass(frozen=True)
class Cell:
    """One place of the grid.

    Attributes:
        syringe: id.
        needle: id.
        viscosity_mpa_s: of the liquid.
        train: what is given.
        advance: with pressure advance.
        compliance_ul_per_kpa: that the gun is told, None for the catalog's.
    """

    syringe: str
    needle: str
    viscosity_mpa_s: float
    train: Train
    advance: bool = True
    compliance_ul_per_kpa: float | None = None

    @property
    def id(self) -> str:
        """Name in the catalog."""
        return f"{self.syringe} {self.needle} {self.viscosity_mpa_s:g} {self.train.id}"

    @property
    def flow_ul_per_s(self) -> float:
        """Mean flow of a dose."""
        return self.train.dose_ul / self.train.inject_s

    @property
    def pressure_kpa(self) -> float:
        """Pressure that the flow takes at a nominal needle in the air."""
        needle = get_needle(self.needle)
        return needle_pressure_kpa(self.flow_ul_per_s, needle, self.viscosity_mpa_s)

    def program(self) -> Program:
        """The program that gives this train, whatever the bounds of its technique."""
        train = self.train
        total_ul = train.dose_ul * train.shots
        step = ShotsStep(
            dose_ul=train.dose_ul,
            inject_s=train.inject_s,
            period_s=train.period_s,
            count=train.shots,
            trigger="auto",
            ramp_ms=train.ramp_ms,
        )
        return Program(
            schema=1,
            name=f"bench {train.id}",
            technique=train.technique,
            delivery="dry",
            depth_mm=1.0,
            syringe=self.syringe,
            needle=self.needle,
            viscosity_mpa_s=self.viscosity_mpa_s,
            pressure_advance=self.advance,
            compliance_ul_per_kpa=self.compliance_ul_per_kpa,
            limits=Limits(total_ul=total_ul),
            step=(step,),
        )

    def without_advance(self) -> "Cell":
        """The same train pushed plainly."""
        return replace(self, advance=False)


def grid() -> Iterator[Cell]:
    """Every cell that the drive can push at all, with pressure advance."""
    for syringe, needle, train in product(SYRINGES, NEEDLES, TRAINS):
        cell = Cell(syringe, needle, 1.0, train)
        if cell.pressure_kpa <= pressure_limit_kpa(get_syringe(syringe)):
            yield cell
    for syringe, needle, train in product(SYRINGES, NEEDLES[:2], (NAPPAGE, POINT_30)):
        yield Cell(syringe, needle, THICK_MPA_S, train)
