"""What happens in the simulated world of one seed: all of it is drawn here, before anything runs.

A moment is counted by what the gun and its host do (the ninth flash operation, the fourth block of
motion, the thirtieth call of the host), so that mishaps meet the moments that matter, wherever they
lie in time.
"""

import random
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from mesogun.link import Faults
from mesogun.link.faults import CHANCES
from mesogun.program import FlowStep, Limits, PauseStep, PrimeStep, Program, ShotsStep, Step
from mesogun.treatment import Action
from mesogun_protocol.limits import JOURNAL_SECTORS

SMALL_SECTORS: Final = 4
"""Of the small journal: its ring turns within one seed."""

SYRINGES: Final = ("bd-plastipak-3", "bd-plastipak-5", "terumo-5", "bbraun-omnifix-10")
NEEDLES: Final = ("27g-13", "30g-4", "30g-13")

_FLOW_UL_PER_S: Final = (8.0, 40.0)
"""Below what any of these drives without a ramp, 4000 steps/s of 15 nl."""


class Anchor(StrEnum):
    """What a moment is counted by."""

    TIME = "ms"
    """Milliseconds since the world began."""
    FLASH = "flash operation"
    """Programs and erasings, from 1."""
    BLOCK = "block of motion"
    """Blocks that the firmware has queued, from 1."""
    REQUEST = "request"
    """Frames that the gun has taken, from 1."""


@dataclass(frozen=True)
class Moment:
    """The `number`-th of something, and how much later.

    Attributes:
        share: of the flash operation, 0 to 1; of half a second otherwise.
    """

    anchor: Anchor
    number: int
    share: float


class Trouble(StrEnum):
    """What goes wrong with gun, hands and surroundings."""

    POWER = "power cut"
    WATCHDOG = "watchdog reset"
    HANG = "firmware hangs until its watchdog resets it"
    INTERLOCK = "interlock opens"
    SYRINGE = "syringe is taken out"
    SUPPLY = "supply sags"
    OCCLUSION = "needle is occluded"
    BUBBLE = "bubble in the syringe"
    SENSOR = "force sensor sticks"
    TRIGGER = "trigger bounces"
    UNPLUGGED = "cable is pulled"
    REPLAY = "dose command is replayed"
    """The last ARM, START, RESUME or PRIME reaches the gun once more."""


_WEIGHTS: Final = {
    Trouble.POWER: 6,
    Trouble.WATCHDOG: 2,
    Trouble.HANG: 1,
    Trouble.INTERLOCK: 2,
    Trouble.SYRINGE: 1,
    Trouble.SUPPLY: 2,
    Trouble.OCCLUSION: 2,
    Trouble.BUBBLE: 1,
    Trouble.SENSOR: 1,
    Trouble.TRIGGER: 2,
    Trouble.UNPLUGGED: 2,
    Trouble.REPLAY: 3,
}


@dataclass(frozen=True)
class Mishap:
    """Something goes wrong at a moment and is right again `lasting_s` later."""

    trouble: Trouble
    moment: Moment
    lasting_s: float


class Deadly(StrEnum):
    """Where a host can end."""

    CALL = "call"
    """Before one of its reads and writes of the port."""
    STATEMENT = "statement"
    """Before one of its statements to the store, or its commit."""


@dataclass(frozen=True)
class Death:
    """The host's process is killed at its `number`-th chance, counted from its start.

    Attributes:
        restart_s: time until somebody has started the next one.
    """

    where: Deadly
    number: int
    restart_s: float


@dataclass(frozen=True)
class Absence:
    """The host's process stands still for `lasting_s` at its `number`-th call."""

    number: int
    lasting_s: float


class Deed(StrEnum):
    """What the person at the host does next."""

    TREAT = "treat"
    """As `mesogun run` does it: a whole session from checks to record."""
    DRIVE = "drive"
    """As a program does that uses `Gun` itself: it settles its doubts and goes on."""
    PRIME = "prime"
    EXCEED = "exceed"
    """Upload a program that is larger than the limits or the syringe; it must be refused."""
    ARM = "arm"
    """Arm and leave it at that."""
    CONFIGURE = "configure"
    SYNC = "sync"


@dataclass(frozen=True)
class Act:
    """One deed with its circumstances.

    Attributes:
        program: what is delivered.
        looks: what is asked for at which look at the gun, counted from 1.
        look_every_s: longest time between two looks.
        stops_on_error: the host sends a stop when something fails, as a `with` block does.
    """

    deed: Deed
    program: Program
    looks: dict[int, Action]
    look_every_s: float
    stops_on_error: bool


@dataclass(frozen=True)
class Wear:
    """What the flash no longer does.

    Attributes:
        pages: pages that keep a bit whatever is programmed.
        sectors: sectors that keep a cleared bit whatever is erased.
    """

    pages: tuple[int, ...] = ()
    sectors: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Everything that is drawn from one seed.

    Attributes:
        calm: nothing goes wrong, so that everything must be delivered.
        journal_sectors: of the gun's journal.
        used_slots: records that the journal holds at the beginning in a sector before the last.
        lazy: the operator does not follow the light.
        clears_faults: the host clears faults and goes on.
        tampering: chooses what is done to the store at the end.
    """

    seed: int
    calm: bool
    syringe: str
    needle: str
    one_point: bool
    lazy: bool
    journal_sectors: int
    used_slots: int
    wear: Wear
    cable: Faults
    acts: tuple[Act, ...]
    mishaps: tuple[Mishap, ...]
    deaths: tuple[Death, ...]
    absences: tuple[Absence, ...]
    clears_faults: bool
    tampering: int

    def lines(self) -> list[str]:
        """Tell it line by line."""
        plain = [field.name for field in fields(self) if field.name not in _LISTED]
        lines = [f"{name}: {getattr(self, name)}" for name in plain]
        for name in _LISTED:
            lines += [f"{name}: {each}" for each in getattr(self, name)]
        return lines


_LISTED: Final = ("acts", "mishaps", "deaths", "absences")


def draw(seed: int) -> Scenario:
    """Return what happens in the world of `seed`."""
    dice = random.Random(f"simtest {seed}")
    calm = dice.random() < 0.06
    syringe = dice.choice(SYRINGES)
    needle = dice.choice(NEEDLES)
    small = dice.random() < 0.8
    sectors = SMALL_SECTORS if small else JOURNAL_SECTORS
    lazy = not calm and dice.random() < 0.1
    acts = tuple(
        _act(dice, number, syringe, needle, calm) for number in range(dice.choice((1, 1, 2, 2, 3)))
    )
    return Scenario(
        seed=seed,
        calm=calm,
        syringe=syringe,
        needle=needle,
        one_point=dice.random() < 0.3 and not calm,
        lazy=lazy,
        journal_sectors=sectors,
        used_slots=dice.choice((0, 60, 100, 115, 120, 125)) if small else 0,
        wear=Wear() if calm or not small else _wear(dice),
        cable=Faults() if calm else _cable(dice),
        acts=acts,
        mishaps=() if calm else _mishaps(dice),
        deaths=() if calm else _deaths(dice),
        absences=() if calm else _absences(dice),
        clears_faults=dice.random() < 0.8,
        tampering=dice.getrandbits(32),
    )


def _act(dice: random.Random, number: int, syringe: str, needle: str, calm: bool) -> Act:
    deeds = (Deed.TREAT,) if calm else tuple(Deed)
    weights = (1,) if calm else (6, 5, 1.5, 0.5, 0.5, 0.5, 0.5)
    looks: dict[int, Action] = {}
    if not calm and dice.random() < 0.4:
        at = dice.randint(1, 8)
        looks[at] = dice.choice((Action.STOP, Action.PAUSE))
        looks[at + dice.randint(1, 6)] = dice.choice((Action.RESUME, Action.STOP))
    return Act(
        deed=dice.choices(deeds, weights)[0],
        program=_program(dice, number, syringe, needle),
        looks=looks,
        look_every_s=dice.choice((0.1, 0.2, 0.5, 0.5)),
        stops_on_error=dice.random() < 0.5,
    )


def _program(dice: random.Random, number: int, syringe: str, needle: str) -> Program:
    delivery = dice.choice(("dry", "dry", "wet", "mixed"))
    kinds = [dice.choice(("shots", "shots", "flow"))]
    kinds += dice.choices(("shots", "flow", "pause", "prime"), k=dice.choice((0, 0, 1, 1, 2, 3)))
    dice.shuffle(kinds)
    steps = tuple(_step(dice, kind, delivery) for kind in kinds)
    return Program(
        schema=1,
        name=f"Simulated {number}",
        technique="nappage",
        delivery=delivery,
        depth_mm=1.0,
        syringe=syringe,
        needle=needle,
        limits=Limits(total_ul=dice.choice((600.0, 1500.0))),
        step=steps,
    )


def _step(dice: random.Random, kind: str, delivery: str) -> Step:
    if kind == "pause":
        return PauseStep(message="Change side")
    if kind == "prime":
        return PrimeStep(volume_ul=float(dice.randint(2, 12)))
    if kind == "flow":
        return FlowStep(
            rate_ul_per_s=round(dice.uniform(5, 25), 2),
            duration_s=round(dice.uniform(0.2, 1.5), 2),
            trigger=dice.choice(("auto", "hold")),
            ramp_ms=dice.choice((0.0, 20.0)),
        )
    dose_ul = round(dice.uniform(1.5, 12), 2)
    inject_s = round(max(dose_ul / dice.uniform(*_FLOW_UL_PER_S), 0.03), 3)
    retract_ul = dice.choice((0.0, 0.0, round(min(dose_ul, dice.uniform(0.5, 3)), 2)))
    film_ul = None if delivery == "dry" else round(dice.uniform(0.5, 2), 2)
    moves = retract_ul > 0 or film_ul is not None
    return ShotsStep(
        dose_ul=dose_ul,
        inject_s=inject_s,
        interval_s=round(dice.uniform(0.3, 0.6) if moves else dice.uniform(0.07, 0.4), 3),
        count=dice.choice((1, 2, 3, 4, 6, 8)),
        trigger=dice.choice(("auto", "auto", "hold", "press")),
        on_release=dice.choice(("finish", "stop")),
        ramp_ms=dice.choice((0.0, round(inject_s * 200, 1))),
        retract_ul=retract_ul,
        film_ul=film_ul,
    )


def _cable(dice: random.Random) -> Faults:
    if dice.random() < 0.4:
        return Faults()
    strength = dice.choice((0.01, 0.03, 0.08))
    chances = {name: strength for name in CHANCES if dice.random() < 0.5}
    if "unplug" in chances:
        chances["unplug"] = strength / 8
    return Faults(
        seed=dice.getrandbits(32),
        delay_s=dice.choice((0.0, 0.0, 0.02)),
        stall_s=dice.choice((0.3, 1.0, 1.5)),
        replug_s=dice.choice((0.5, 3.0)),
        usb_buffer=dice.choice((0, 256)),
        **chances,
    )


def _mishaps(dice: random.Random) -> tuple[Mishap, ...]:
    troubles = dice.choices(
        tuple(_WEIGHTS), tuple(_WEIGHTS.values()), k=dice.choice((0, 1, 2, 2, 3))
    )
    return tuple(Mishap(trouble, _moment(dice), _lasting_s(dice, trouble)) for trouble in troubles)


def _moment(dice: random.Random) -> Moment:
    anchor = dice.choice((Anchor.FLASH, Anchor.FLASH, Anchor.BLOCK, Anchor.BLOCK, *Anchor))
    number = {
        Anchor.TIME: lambda: dice.randint(100, 6_000),
        # The first two belong to the first boot.
        Anchor.FLASH: lambda: dice.randint(3, 50),
        Anchor.BLOCK: lambda: dice.randint(1, 6),
        Anchor.REQUEST: lambda: dice.randint(1, 80),
    }[anchor]()
    return Moment(anchor, number, dice.random())


def _lasting_s(dice: random.Random, trouble: Trouble) -> float:
    if trouble is Trouble.HANG:
        return dice.uniform(0.5, 2.0)
    if trouble is Trouble.TRIGGER:
        return dice.uniform(0.001, 0.5)
    return dice.choice((0.02, 0.3, 2.0))


def _deaths(dice: random.Random) -> tuple[Death, ...]:
    count = dice.choice((0, 0, 0, 1, 1, 2))
    return tuple(_death(dice) for _ in range(count))


def _death(dice: random.Random) -> Death:
    restart_s = dice.choice((0.0, 0.5, 4.0))
    if dice.random() < 0.6:
        return Death(Deadly.CALL, dice.randint(1, 200), restart_s)
    return Death(Deadly.STATEMENT, dice.randint(1, 60), restart_s)


def _absences(dice: random.Random) -> tuple[Absence, ...]:
    if dice.random() < 0.85:
        return ()
    return (Absence(dice.randint(1, 200), dice.choice((0.4, 1.5, 4.0))),)


def _wear(dice: random.Random) -> Wear:
    if dice.random() < 0.85:
        return Wear()
    pages = SMALL_SECTORS * 16
    return Wear(
        tuple(dice.sample(range(pages), dice.choice((0, 1, 2)))),
        tuple(dice.sample(range(SMALL_SECTORS), dice.choice((0, 0, 1)))),
    )
