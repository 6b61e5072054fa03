"""The gauge tells a blocked needle, a slipping plunger and a stuck sensor from a gun that works."""

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun_protocol.enums import Fault, StepKind

gauge_module: Any = import_module("gun.gauge")

AREA_MM2_X100 = 11_423
CLOSED_PA = 164
SHOT_STEPS = 350
LIMIT_KPA = 200
RISE_KPA = 80
CLOSED_RISE_PA = CLOSED_PA * SHOT_STEPS


class Step:
    def __init__(self, kind: StepKind = StepKind.SHOTS) -> None:
        self.kind = kind
        self.rise_kpa = RISE_KPA
        self.limit_kpa = LIMIT_KPA


class Machine:
    def __init__(self) -> None:
        self.force_raw = 0


class Pump:
    """A gauge whose pressure is set; `shot` makes one of five looks."""

    def __init__(self, limit_kpa: int = 500, step: Step | None = None) -> None:
        self.machine = Machine()
        self.gauge = gauge_module.Gauge(self.machine)
        self.gauge.fit(AREA_MM2_X100, limit_kpa, CLOSED_PA)
        self.gauge.expect(step)
        self.position = 0

    def read(self, pressure_pa: float) -> None:
        force_mn = pressure_pa * AREA_MM2_X100 / 100_000 + 5_000
        self.machine.force_raw = min(max(round(force_mn * 4095 / 120_000), 0), 4095)
        self.gauge.update()

    def begin(self, pressure_pa: float) -> Fault:
        self.read(pressure_pa)
        return Fault(self.gauge.begin(self.position))

    def look(self, pressure_pa: float, steps: int = 0) -> Fault:
        self.position += steps
        self.read(pressure_pa)
        return Fault(self.gauge.look(self.position))

    def shot(self, rest_pa: float, peak_pa: float) -> list[Fault]:
        found = [self.begin(rest_pa)]
        rise_pa = peak_pa - rest_pa
        found += [self.look(rest_pa + rise_pa * n / 5, SHOT_STEPS // 5) for n in range(1, 6)]
        return [*found, Fault(self.gauge.end())]


def open_train(shots: int, pump: Pump, rise_pa: float = 60_000) -> list[Fault]:
    return [fault for _ in range(shots) for fault in pump.shot(20_000, 20_000 + rise_pa)]


@pytest.mark.req("R25")
@pytest.mark.parametrize(
    ("limit_kpa", "step", "in_force_kpa"),
    [(500, Step(StepKind.FLOW), LIMIT_KPA), (150, Step(StepKind.FLOW), 150), (500, None, 500)],
    ids=["the step's", "the syringe's", "of a prime"],
)
def test_the_lower_limit_is_in_force(limit_kpa: int, step: Step | None, in_force_kpa: int):
    pump = Pump(limit_kpa, step)
    pump.begin(0)
    for _ in range(10):
        assert pump.look(in_force_kpa * 1000 - 2_000) is Fault.NONE
        assert pump.look(in_force_kpa * 1000 - 4_000) is Fault.NONE
    assert pump.look(in_force_kpa * 1000 + 2_000) is Fault.NONE, "one noisy look is no occlusion"
    assert pump.look(in_force_kpa * 1000 + 4_000) is Fault.OCCLUSION


@pytest.mark.req("R24")
def test_a_rise_that_only_a_closed_needle_explains():
    pump = Pump(step=Step(StepKind.FLOW))
    assert pump.begin(0) is Fault.NONE
    steps = pressure_pa = 0
    while (fault := pump.look(pressure_pa, 50)) is Fault.NONE:
        steps += 50
        pressure_pa += CLOSED_PA * 50
        assert pressure_pa < LIMIT_KPA * 1000
    assert fault is Fault.OCCLUSION
    assert pressure_pa == pytest.approx(2 * RISE_KPA * 1000, rel=0.1)


@pytest.mark.req("R24")
def test_the_pressure_of_a_long_flow_may_rise_slowly():
    pump = Pump(step=Step(StepKind.FLOW))
    pump.begin(0)
    for look in range(1, 1000):
        assert pump.look(look * 180 + look % 2 * 2_000, 50) is Fault.NONE


@pytest.mark.req("R24")
def test_what_was_pulled_back_and_is_pushed_again_is_no_rise():
    """A retraction turns friction round; the push that follows turns it back, here by 12 N."""
    pump = Pump(step=Step())
    pump.shot(20_000, 90_000)
    pump.look(-35_000, -40)
    for _ in range(5):
        assert pump.begin(-35_000) is Fault.NONE
        assert pump.look(90_000, 40) is Fault.NONE
        for look in range(10):
            assert pump.look(90_000 + look * 2_000, 35) is Fault.NONE
        assert pump.look(-35_000, -40) is Fault.NONE


@pytest.mark.req("R24")
def test_a_needle_that_blocks_behind_a_retraction_is_found_by_the_rise_beyond_it():
    pump = Pump(step=Step())
    pump.shot(0, 20_000)
    pump.look(-35_000, -40)
    pump.begin(-35_000)
    steps, pressure_pa = 0, 20_000
    assert pump.look(pressure_pa, 40) is Fault.NONE
    while (fault := pump.look(pressure_pa, 50)) is Fault.NONE:
        steps += 50
        pressure_pa += CLOSED_PA * 50
        assert pressure_pa < LIMIT_KPA * 1000
    assert fault is Fault.OCCLUSION


@pytest.mark.req("R24")
def test_pressure_that_stays_from_shot_to_shot_is_an_occlusion():
    pump = Pump(step=Step())
    assert set(open_train(5, pump)) == {Fault.NONE}
    assert set(pump.shot(20_000, 80_000)) == {Fault.NONE}
    assert pump.begin(20_000 + CLOSED_RISE_PA) is Fault.OCCLUSION


@pytest.mark.req("R24")
@given(
    rests_pa=st.lists(st.integers(-20_000, 20_000), min_size=3, max_size=40),
    blocked_at=st.integers(2, 39),
    stiffness=st.floats(1.0, 2.0),
)
def test_blocked_trains_are_found_in_two_shots_and_open_ones_never(
    rests_pa: list[int], blocked_at: int, stiffness: float
):
    """Rests vary by 4.5 N as friction does; a closed needle adds 6.6 N a shot or more."""
    pump = Pump(step=Step())
    rest_pa = 0.0
    for shot, vary_pa in enumerate(rests_pa[:blocked_at]):
        rest_pa = 30_000 + vary_pa / 2
        assert pump.begin(rest_pa) is Fault.NONE, shot
        assert pump.look(rest_pa, SHOT_STEPS) is Fault.NONE
    assert pump.begin(rest_pa) is Fault.NONE
    for _ in range(2):
        rest_pa += CLOSED_RISE_PA * stiffness
        pump.position += SHOT_STEPS
        if pump.begin(rest_pa) is Fault.OCCLUSION:
            return
    raise AssertionError("two shots into a closed needle raised no alarm")


@pytest.mark.req("R24")
def test_small_shots_that_only_load_the_friction_of_a_stopper_raise_no_alarm():
    """The first microlitres do not move a stopper that sticks: force stays, and adds up."""
    pump = Pump(step=Step())
    force_mn = 0
    while force_mn < 11_500:
        assert pump.begin((force_mn - 5_000) * 100_000 / AREA_MM2_X100) is Fault.NONE
        pump.position += 35
        force_mn += 650
    for _ in range(2):
        force_mn += 6_600
        pump.position += SHOT_STEPS
        if pump.begin((force_mn - 5_000) * 100_000 / AREA_MM2_X100) is Fault.OCCLUSION:
            return
    raise AssertionError("more than friction can hold raised no alarm")


@pytest.mark.req("R24")
def test_shots_into_the_play_of_a_screw_that_was_pulled_back_are_no_sliding():
    """What was pulled back is pushed again: first play, which adds nothing, then friction turns."""
    pump = Pump(step=Step())
    pump.shot(20_000, 50_000)
    pump.gauge.expect(Step())
    pump.position -= SHOT_STEPS
    for rest_pa in (-38_000, -38_000, -2_000, 34_000):
        assert pump.begin(rest_pa) is Fault.NONE
        assert pump.look(rest_pa, SHOT_STEPS // 4) is Fault.NONE


@pytest.mark.req("R24")
def test_rests_behind_a_film_are_not_compared_with_rests_behind_a_retraction():
    """In mixed delivery they take turns: one pushes the stopper, one pulls it."""
    pump = Pump(step=Step())
    for rise_pa in (0, 0, 0, 0, 30_000):
        pump.position += 10
        assert pump.begin(25_000 + rise_pa) is Fault.NONE
        assert pump.look(40_000, 100) is Fault.NONE
        pump.position -= 50
        assert pump.begin(-60_000 + rise_pa) is Fault.NONE
        assert pump.look(40_000, 100) is Fault.NONE
    pump.position += 10
    assert pump.begin(25_000 + 60_000) is Fault.OCCLUSION


@pytest.mark.req("R26")
def test_three_shots_without_pressure_mean_that_something_slips():
    pump = Pump(step=Step())
    assert set(open_train(6, pump)) == {Fault.NONE}
    assert set(pump.shot(20_000, 22_000) + pump.shot(20_000, 20_000)) == {Fault.NONE}
    assert set(pump.shot(20_000, 60_000)) == {Fault.NONE}
    assert set(pump.shot(20_000, 22_000) + pump.shot(20_000, 20_000)) == {Fault.NONE}
    assert pump.shot(20_000, 24_000)[-1] is Fault.NO_PRESSURE


@pytest.mark.req("R26")
def test_what_turns_friction_round_is_no_pressure_of_the_liquid():
    pump = Pump(step=Step())
    for _ in range(6):
        assert set(pump.shot(-35_000, 60_000)) == {Fault.NONE}
    assert set(pump.shot(-35_000, 2_000) + pump.shot(-35_000, 0)) == {Fault.NONE}
    assert pump.shot(-35_000, 1_000)[-1] is Fault.NO_PRESSURE


def test_shots_that_never_raised_the_pressure_much_prove_nothing():
    pump = Pump(step=Step())
    assert set(open_train(6, pump, rise_pa=14_000)) == {Fault.NONE}
    for _ in range(9):
        assert set(pump.shot(20_000, 20_500)) == {Fault.NONE}


def test_another_step_begins_to_learn_anew():
    pump = Pump(step=Step())
    open_train(6, pump)
    pump.gauge.expect(Step())
    for _ in range(9):
        assert set(pump.shot(20_000, 21_000)) == {Fault.NONE}


def test_a_sensor_that_shows_one_reading_is_stuck():
    pump = Pump(step=Step())
    pump.begin(20_000)
    looks = 1
    while (fault := pump.look(20_000, 5)) is Fault.NONE:
        looks += 1
        assert looks < 100
    assert fault is Fault.FORCE_SENSOR
    assert looks == 17


def test_a_plunger_that_is_not_yet_pushed_back_shows_the_lowest_reading_for_as_long_as_it_takes():
    pump = Pump(step=Step())
    pump.begin(20_000)
    pump.look(20_000, 400)
    pump.look(-60_000, -400)
    pump.begin(-60_000)
    for _ in range(70):
        assert pump.look(-60_000, 5) is Fault.NONE
    assert pump.machine.force_raw == 0


@pytest.mark.req("R10")
def test_the_highest_pressure_is_that_of_the_shot():
    pump = Pump(step=Step())
    pump.shot(20_000, 80_000)
    assert pump.gauge.peak_kpa == pytest.approx(80, abs=1)
    pump.shot(20_000, 60_000)
    assert pump.gauge.peak_kpa == pytest.approx(60, abs=1)
    pump.begin(-20_000)
    assert pump.gauge.peak_kpa == 0
    assert pump.gauge.pressure_pa == 0


def test_without_a_syringe_there_is_no_pressure():
    pump = Pump()
    pump.gauge.fit(0, 0, 0)
    pump.machine.force_raw = 4095
    pump.gauge.update()
    assert pump.gauge.pressure_pa == 0
