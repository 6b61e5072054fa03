"""The program file as types: what a program says, not yet whether it is safe.

A `Program` that comes from `load`, `plan` or `resolve` has passed every hard check. One that is
built by hand has not: call `check`.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr
from pydantic_core import PydanticCustomError

from mesogun.catalog import Delivery, Trigger
from mesogun.program.problems import Origin
from mesogun.words import N_
from mesogun_protocol import limits

SCHEMA: Final = 1
RAMP_MAX_US: Final = 50_000
"""Longest ramp that is set where a program does not say."""
PRIME_UL_PER_S: Final = 50.0
"""Flow of a prime that is slow enough to see; a large prime is faster to end in `INJECT_MAX_US`."""
FILM_EVERY: Final = {"dry": 0, "wet": 1, "mixed": 2}
"""Shots from one film to the next, 0 for none."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "must be one line without control characters")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]


def nanolitres(volume_ul: float) -> int:
    """A volume as the wire counts it."""
    return round(volume_ul * 1000)


def microseconds(time_s: float) -> int:
    """A time as the wire counts it."""
    return round(time_s * 1_000_000)


class Table(BaseModel):
    """Base of every table of a program file: frozen, strict, no unknown keys, finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class ShotsStep(Table):
    """A train of shots.

    One of `interval_s` (end to start), `period_s` and `rate_hz` (start to start), and one of
    `count` and `duration_s` must be given.
    """

    kind: Literal["shots"] = "shots"
    dose_ul: float = Field(description=N_("dose of one shot, ul"), examples=[10.0])
    inject_s: float = Field(description=N_("time in which it is pushed, s"), examples=[0.1])
    interval_s: float | None = Field(default=None, description=N_("end of a shot to the next, s"))
    period_s: float | None = Field(default=None, description=N_("start of a shot to the next, s"))
    rate_hz: float | None = Field(default=None, description=N_("shots a second"))
    count: int | None = Field(default=None, description=N_("number of shots"))
    duration_s: float | None = Field(default=None, description=N_("length of the train, s"))
    trigger: Trigger = Field(description=N_("who starts a shot"), examples=["hold"])
    on_release: Literal["finish", "stop"] = Field(
        default="finish", description=N_("what a released trigger does to the shot that is running")
    )
    ramp_ms: float = Field(default=0.0, description=N_("time to full speed, and from it, ms"))
    retract_ul: float | None = Field(
        default=None,
        description=N_("pulled back after each shot, ul; without it, what pressure advance needs"),
    )
    film_ul: float | None = Field(
        default=None, description=N_("laid on the skin between shots, ul")
    )

    @property
    def dose_nl(self) -> int:
        """Dose of one shot."""
        return nanolitres(self.dose_ul)

    @property
    def inject_us(self) -> int:
        """Time of one shot."""
        return microseconds(self.inject_s)

    @property
    def period_us(self) -> int:
        """Start of a shot to the start of the next one."""
        if self.period_s is not None:
            return microseconds(self.period_s)
        if self.interval_s is not None:
            return self.inject_us + microseconds(self.interval_s)
        return microseconds(1 / self.rate_hz) if self.rate_hz else 0

    @property
    def shots(self) -> int:
        """Number of shots; a duration is filled to its end in every trigger mode."""
        if self.count is not None:
            return self.count
        return -(-microseconds(self.duration_s or 0) // max(self.period_us, 1))

    @property
    def film_nl(self) -> int:
        """One film."""
        return nanolitres(self.film_ul or 0)


class FlowStep(Table):
    """A steady flow; one of `duration_s` and `volume_ul` must be given."""

    kind: Literal["flow"] = "flow"
    rate_ul_per_s: float = Field(description=N_("flow, ul/s"), examples=[5.0])
    duration_s: float | None = Field(default=None, description=N_("length, s"))
    volume_ul: float | None = Field(default=None, description=N_("volume, ul"))
    trigger: Literal["auto", "hold"] = Field(description=N_("who starts it"), examples=["hold"])
    ramp_ms: float = Field(default=0.0, description=N_("time to full flow, and from it, ms"))

    @property
    def volume_nl(self) -> int:
        """Volume of the whole flow."""
        if self.volume_ul is not None:
            return nanolitres(self.volume_ul)
        return nanolitres(self.rate_ul_per_s * (self.duration_s or 0))

    @property
    def duration_us(self) -> int:
        """Length of the flow."""
        if self.duration_s is not None:
            return microseconds(self.duration_s)
        return microseconds((self.volume_ul or 0) / self.rate_ul_per_s) if self.rate_ul_per_s else 0


class PauseStep(Table):
    """A wait until the operator goes on."""

    kind: Literal["pause"] = "pause"
    message: Text = Field(description=N_("what the operator is told"), examples=["Change side"])


class PrimeStep(Table):
    """Liquid that is pushed out to fill the needle; counted apart from doses (R29)."""

    kind: Literal["prime"] = "prime"
    volume_ul: float = Field(description=N_("volume, ul"), examples=[100.0])

    @property
    def volume_nl(self) -> int:
        """Volume of the prime."""
        return nanolitres(self.volume_ul)

    @property
    def inject_us(self) -> int:
        """Time of the prime."""
        time_us = microseconds(self.volume_ul / PRIME_UL_PER_S)
        return min(max(time_us, limits.INJECT_MIN_US), limits.INJECT_MAX_US)

    @property
    def ramp_us(self) -> int:
        """Ramps of the prime."""
        return min(self.inject_us // 4, RAMP_MAX_US)


Step = ShotsStep | FlowStep | PauseStep | PrimeStep
STEPS: Final[dict[str, type[Table]]] = {
    "shots": ShotsStep,
    "flow": FlowStep,
    "pause": PauseStep,
    "prime": PrimeStep,
}


class Area(Table):
    """The skin that is treated, as a rectangle of points."""

    width_mm: float = Field(description=N_("width, mm"), examples=[120.0])
    height_mm: float = Field(description=N_("height, mm"), examples=[80.0])
    spacing_mm: float = Field(description=N_("distance of the points, mm"), examples=[5.0])

    @property
    def columns(self) -> int:
        """Points side by side."""
        return max(1, round(self.width_mm / self.spacing_mm))

    @property
    def rows(self) -> int:
        """Points one above the other."""
        return max(1, round(self.height_mm / self.spacing_mm))

    @property
    def points(self) -> int:
        """Number of points, each in the middle of its square."""
        return self.columns * self.rows


class Limits(Table):
    """What a session of this program never exceeds."""

    total_ul: float = Field(
        description=N_("most that is delivered, primes apart, ul"), examples=[3000]
    )
    max_shots: int | None = Field(default=None, description=N_("most shots"))


class Program(Table):
    """A program: one kind of syringe, one needle, one technique, up to 16 steps."""

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(
        alias="schema", description=N_("version of the format"), examples=[1]
    )
    name: Text = Field(description=N_("what records and reports call it"), examples=["Face"])
    treatment: str | None = Field(default=None, description=N_("what it treats; for its course"))
    technique: str = Field(description=N_("me, papule, nappage, ..."), examples=["nappage"])
    delivery: Delivery = Field(description=N_("dry, wet or mixed"), examples=["dry"])
    depth_mm: float = Field(description=N_("depth of the needle's tip, mm"), examples=[1.0])
    syringe: str = Field(description=N_("id of the syringe"), examples=["bd-plastipak-10"])
    needle: str = Field(description=N_("id of the needle"), examples=["30g-4"])
    viscosity_mpa_s: float = Field(default=1.0, description=N_("of the liquid, mPa s; water has 1"))
    pressure_advance: bool = Field(
        default=True, description=N_("whether a dose is pushed early by what its pressure stores")
    )
    compliance_ul_per_kpa: float | None = Field(
        default=None,
        description=N_("volume that a pressure stores in gun and syringe, as measured, ul/kPa"),
    )
    area: Area | None = Field(default=None, description=N_("table of the treated area"))
    limits: Limits = Field(description=N_("table of limits"))
    steps: tuple[Annotated[Step, Field(discriminator="kind")], ...] = Field(
        alias="step", description=N_("what is done")
    )

    _origin: Origin = PrivateAttr(default_factory=lambda: Origin(""))

    def __eq__(self, other: object) -> bool:
        # Where a text came from is no part of what it says.
        return isinstance(other, Program) and self.document() == other.document()

    def __hash__(self) -> int:
        return hash((self.name, self.technique, self.limits, self.steps))

    @property
    def origin(self) -> Origin:
        """Where it comes from, for messages."""
        return self._origin if self._origin.label else Origin(self.name)

    def placed_at(self, origin: Origin) -> "Program":
        """The same program, said to come from `origin`."""
        copy = self.model_copy()
        copy._origin = origin
        return copy

    def document(self) -> dict[str, Any]:
        """The program as a parsed program file would hold it."""
        document = self.model_dump(by_alias=True, exclude_none=True)
        return document | {"step": list(document["step"])}
