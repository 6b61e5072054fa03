"""A train on the real firmware keeps its plan to the tick, whatever the interpreter does."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.copies import in_copy
from mesogun.gun import Gun
from mesogun.ports import Simulation
from mesogun.virtual.gun import VirtualTransport
from mesogun.virtual.pulse_stream import Run
from mesogun_protocol.enums import TriggerMode
from mesogun_protocol.frame import Frame, encode_frame
from mesogun_protocol.messages import STATUS
from mesogun_protocol.pulse import TICK_NS
from tests.emulated.firmware_gun import MS, PL_PER_STEP, SHOT, FirmwareGun, Hook, starts_of

SHOTS = 20
#: 40 steps, ramped, in 20 ms, ten times a second: the fastest that a gun may be.
QUICK = replace(
    SHOT,
    trigger=TriggerMode.HOLD,
    count=SHOTS,
    dose_nl=1_000,
    inject_us=20_000,
    period_us=100_000,
    ramp_us=4_000,
)
PERIOD_NS = QUICK.period_us * 1000
QUICK_STEPS = 40


@pytest.fixture
def planned_ns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The edges of the train as arithmetic has them, in the virtual gun; the first one is at 0."""
    monkeypatch.setenv("MESOGUN_VIRTUAL_DIR", str(tmp_path))
    simulation = Simulation(get_syringe("bd-plastipak-5"), get_needle("30g-4"), speed=None)
    transport = VirtualTransport(simulation.settings())
    runs: list[Run] = []
    transport.world.scope = runs.append
    gun = Gun.open(transport)
    gun.load_syringe(PL_PER_STEP, 4_000_000, 800, 1, 164)
    gun.set_limits(4_000_000, 4_000_000, 1000)
    gun.arm(1, gun.upload([QUICK]).program_crc)
    gun.start(1)
    transport.panel.trigger = True
    transport.world.run_unheard(transport.world.now_ns + (SHOTS + 1) * PERIOD_NS)
    edges = [edge_ns for run in runs for edge_ns in run.edges()]
    transport.close()
    return [edge_ns - edges[0] for edge_ns in edges]


def begin(gun: FirmwareGun) -> None:
    gun.arm(QUICK)
    gun.gun.start(1)
    gun.world.panel.trigger = True


def flood(gun: FirmwareGun) -> None:
    """Send requests, each of which wants an answer, and rubbish, more than the gun can take."""
    newest = gun.gun._link._number
    rubbish = bytes(range(1, 256)) + b"\0"
    for _ in range((SHOTS + 1) * 20):
        newest += 1
        gun.world.send(rubbish + encode_frame(Frame(STATUS.id, (newest - 1) % 0xFFFF + 1, b"")))
        gun.run(PERIOD_NS / 20 / MS)


@pytest.mark.req("R17")
@pytest.mark.parametrize("load", ["idle", "collect", "write", "flood"])
def test_no_edge_of_a_train_is_off_its_plan(
    firmware_gun: FirmwareGun, planned_ns: list[int], load: str
) -> None:
    def work() -> list[int]:
        gun = firmware_gun
        begin(gun)
        if load == "collect":
            gun.pull(Hook.COLLECT)
        if load == "write":
            gun.pull(Hook.WRITE)
        if load == "flood":
            flood(gun)
        gun.run(SHOTS * PERIOD_NS / MS + 150)
        assert gun.world.backward_steps == 0
        return [step.ns for step in gun.world.steps]

    rising = in_copy(work)
    assert len(planned_ns) == SHOTS * QUICK_STEPS
    assert starts_of(rising) == [rising[0] + shot * PERIOD_NS for shot in range(SHOTS)]
    off = [abs(ns - rising[0] - plan) for ns, plan in zip(rising, planned_ns, strict=True)]
    assert max(off) <= TICK_NS


@pytest.mark.req("R43")
def test_there_is_memory_and_a_shot_takes_none(firmware_gun: FirmwareGun) -> None:
    def told(gun: FirmwareGun) -> tuple[int, list[int]]:
        gun.world.receive()
        gun.pull(Hook.TELL_HEAP)
        gun.run(1100)
        gun.let_go(Hook.TELL_HEAP)
        text = gun.world.receive().decode("ascii", "ignore")
        line = next(line for line in text.splitlines() if line.startswith("free ") and "]" in line)
        free, shots = line.removeprefix("free ").split(" ", 1)
        return int(free), [int(number) for number in shots.strip("[]").split(",")]

    def work() -> tuple[int, list[int]]:
        gun = firmware_gun
        at_boot, _ = told(gun)
        begin(gun)
        gun.run(SHOTS * PERIOD_NS / MS + 150)
        return at_boot, told(gun)[1][:SHOTS]

    at_boot, after_shots = in_copy(work)
    assert at_boot >= 100 * 1024
    falls = [before - after for before, after in itertools.pairwise(after_shots)]
    assert max(falls) == 0, (at_boot, falls)
