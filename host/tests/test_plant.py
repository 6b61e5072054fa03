"""The plant as a whole: its constants, drive, stopper, force sensor and cost."""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.errors import UsageError
from mesogun.virtual.plant import FORCE_ADC_MAX, PlantError
from mesogun.virtual.plant_parameters import PlantParameters, constants
from tests.plant_stand import EVEN, FREE, SECOND_NS, TEN_ML, Gun, dwell, pulses

# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("bore_mm", "length_mm", "expected_kpa"),
    [
        (0.210, 4, {50: 6, 100: 18, 200: 53, 500: 271}),
        (0.210, 13, {50: 16, 100: 36, 200: 91, 500: 365}),
        (0.159, 4, {50: 20, 100: 53, 200: 163, 500: 825}),
        (0.159, 13, {50: 48, 100: 111, 200: 277, 500: 1112}),
        (0.108, 4, {50: 93, 100: 251, 200: 764}),
        (0.108, 13, {50: 227, 100: 520, 200: 1303}),
    ],
    ids=["27Gx4", "27Gx13", "30Gx4", "30Gx13", "32Gx4", "32Gx13"],
)
def test_needle_pressure_of_water(bore_mm: float, length_mm: float, expected_kpa: dict[int, float]):
    """Hagen-Poiseuille and 2.2 rho v^2 / 2, worked out by hand and rounded to 1 kPa."""
    p = PlantParameters.for_syringe_and_needle(14.5, 10, bore_mm, length_mm)
    p = replace(p, density_kg_m3=1000.0)
    for flow_ul_s, kpa in expected_kpa.items():
        assert p.needle_pressure_kpa(flow_ul_s * 1000) == pytest.approx(kpa, abs=0.501)
        assert p.needle_pressure_kpa(-flow_ul_s * 1000) == -p.needle_pressure_kpa(flow_ul_s * 1000)


@pytest.mark.parametrize(
    ("inner_diameter_mm", "ul_per_kpa"), [(8.66, 0.035), (12.06, 0.130), (14.5, 0.273)]
)
def test_compliance_of_a_syringe_on_100_n_per_mm(inner_diameter_mm: float, ul_per_kpa: float):
    p = PlantParameters.for_syringe_and_needle(inner_diameter_mm, 10, 0.21, 13)
    assert p.compliance_nl_per_kpa / 1000 == pytest.approx(ul_per_kpa, rel=0.01)


def test_volume_of_a_step():
    assert TEN_ML.nl_per_step == pytest.approx(41.2825, abs=5e-5)
    assert TEN_ML.slip_steps == 64


@given(st.integers(0, 2**32))
def test_a_seed_is_a_specimen_within_the_tolerances(seed: int):
    drawn = TEN_ML.drawn(seed)
    assert drawn == TEN_ML.drawn(seed)
    assert drawn != TEN_ML.drawn(seed + 1)
    for name, constant in constants().items():
        nominal = getattr(TEN_ML, name)
        width = constant.tolerance * (1 if constant.absolute else abs(nominal))
        assert abs(getattr(drawn, name) - nominal) <= width


def test_every_constant_names_its_source():
    assert set(constants()) == {field.name for field in fields(PlantParameters)}
    assert all(constant.source for constant in constants().values())


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan])
def test_a_constant_that_cannot_be_is_refused_by_name(wrong: float):
    with pytest.raises(UsageError, match=f"needle_bore_mm = {wrong} is below"):
        replace(TEN_ML, needle_bore_mm=wrong)


def test_the_motor_gets_weaker_with_speed():
    forces_n = [TEN_ML.pullout_force_n(rpm) for rpm in (0, 150, 600, 2400)]
    assert forces_n == sorted(forces_n, reverse=True)
    assert forces_n[2] == pytest.approx(forces_n[0] / math.sqrt(2))


# ---------------------------------------------------------------- the whole


def test_two_seeds_deliver_differently_and_one_seed_the_same():
    def dose_nl(seed: int) -> float:
        gun = Gun(TEN_ML.drawn(seed), seed)
        gun.plant.new_point()
        gun.run(pulses(242, 0.1) + dwell(0.15))
        return gun.plant.needle_nl

    assert dose_nl(1) == dose_nl(1)
    assert dose_nl(1) != dose_nl(2)


def test_a_settled_plant_stands_still():
    gun = Gun(TEN_ML)
    gun.plant.new_point()
    gun.run(pulses(969, 2))
    gun.wait_ns(600 * SECOND_NS)
    settled = (gun.plant.needle_nl, gun.plant.stored_nl, gun.plant.tissue_kpa)
    assert abs(gun.plant.pressure_kpa) < 2e-3
    steps = gun.plant.integration_steps
    for _ in range(1000):
        gun.wait_ns(SECOND_NS)
    assert gun.plant.integration_steps == steps
    assert settled == (gun.plant.needle_nl, gun.plant.stored_nl, gun.plant.tissue_kpa)


# ---------------------------------------------------------------- drive


def test_an_occlusion_stalls_the_motor_in_slips_of_four_full_steps():
    gun = Gun(FREE)
    gun.plant.occluded = True
    gun.run(pulses(20_000, 10))
    plant = gun.plant
    assert plant.needle_nl == pytest.approx(0, abs=1e-6)
    assert plant.full_step_slips > 0
    assert plant.full_step_slips % 4 == 0
    lost_steps = 20_000 - plant.plunger_nl / FREE.nl_per_step
    pending_steps = lost_steps - plant.full_step_slips * FREE.microsteps
    assert 0 <= pending_steps < FREE.slip_steps
    assert plant.force_n == pytest.approx(FREE.pullout_force_n(2000 / 3200 * 60), rel=0.01)
    plant.occluded = False
    gun.wait_ns(20 * SECOND_NS)
    assert plant.needle_nl == pytest.approx(plant.plunger_nl, rel=1e-3)


def test_the_plunger_stops_at_the_end_of_the_barrel():
    gun = Gun(FREE)
    full_steps = int(10e6 / FREE.nl_per_step)
    gun.run(pulses(full_steps - 100, 60))
    assert gun.plant.full_step_slips == 0
    gun.run(pulses(1000, 0.5))
    assert gun.plant.remaining_nl == pytest.approx(0, abs=1e-3)
    assert gun.plant.full_step_slips > 0
    assert gun.plant.force_n > 100
    gun.wait_ns(20 * SECOND_NS)
    assert gun.plant.needle_nl == pytest.approx(10e6, abs=1)


def test_a_turn_of_the_screw_has_its_error_and_takes_it_back():
    gun = Gun(TEN_ML)
    for quarter, error_mm in enumerate((0.002, 0.0, -0.002, 0.0), start=1):
        gun.run(pulses(800, 2))
        off_mm = (gun.plant.plunger_nl - quarter * 800 * TEN_ML.nl_per_step) / TEN_ML.area_mm2
        assert off_mm / 1000 == pytest.approx(error_mm, abs=1e-9)


def test_play_is_lost_on_reversal_without_pressure():
    play_steps = EVEN.backlash_mm / EVEN.mm_per_step
    gun = Gun(EVEN)
    gun.run(pulses(1000, 1) + dwell(20))
    gun.run(pulses(-200, 1))
    assert gun.plant.plunger_nl == pytest.approx((800 + play_steps) * EVEN.nl_per_step)
    gun.run(pulses(50, 1))
    assert gun.plant.force_n == 0
    gun.run(pulses(150, 1))
    assert gun.plant.plunger_nl == pytest.approx(1000 * EVEN.nl_per_step)


def test_pressure_keeps_the_plunger_on_the_pusher():
    gun = Gun(EVEN)
    gun.plant.occluded = True
    gun.run(pulses(2000, 1) + pulses(-200, 0.1))
    assert gun.plant.plunger_nl == pytest.approx(1800 * EVEN.nl_per_step)


def test_going_back_in_the_middle_of_a_slip_brings_the_field_home_first():
    gun = Gun(EVEN)
    gun.plant.occluded = True
    gun.run(pulses(20_000, 10))
    at_stall_nl = gun.plant.plunger_nl
    lag_steps = 20_000 - at_stall_nl / EVEN.nl_per_step
    lag_steps -= gun.plant.full_step_slips * EVEN.microsteps
    slips = gun.plant.full_step_slips
    gun.run(pulses(-100, 0.1))
    assert gun.plant.full_step_slips == slips
    moved_back_steps = (at_stall_nl - gun.plant.plunger_nl) / EVEN.nl_per_step
    assert moved_back_steps == pytest.approx(100 - lag_steps)


# ---------------------------------------------------------------- stopper


def forces_n(gun: Gun, steps: int, duration_s: float) -> list[float]:
    """Force after each of `steps` pulses."""
    forces: list[float] = []
    for _ in range(steps):
        gun.run(pulses(1, duration_s / steps))
        forces.append(gun.plant.force_n)
    return forces


def test_a_rested_stopper_is_wound_up_until_it_breaks_loose():
    """From 5 N to 9 N on 250 N/mm are 16 um, 64 pulses; then the force falls at once."""
    forces = forces_n(Gun(EVEN), 100, 0.5)
    assert forces[31] == pytest.approx(7.0, abs=0.1)
    assert max(forces) == pytest.approx(9.0, abs=0.1)
    assert forces.index(max(forces)) in (62, 63, 64)
    after = forces.index(max(forces)) + 1
    assert forces[after] < 8.3


def test_a_gliding_stopper_has_the_friction_and_the_pressure_behind_it():
    gun = Gun(EVEN)
    gun.run(pulses(2000, 2))
    pressure_n = gun.plant.pressure_kpa * EVEN.area_mm2 / 1000
    assert gun.plant.force_n == pytest.approx(5.0 + pressure_n, abs=1e-6)


@pytest.mark.parametrize(("steps_per_s", "stutters"), [(4, True), (15, True), (60, False)])
def test_the_stopper_stutters_below_half_its_critical_speed(steps_per_s: int, stutters: bool):
    """4 N / (2 x 250 N/mm x 1 s) = 8 um/s, 32 pulses a second."""
    gun = Gun(EVEN)
    gun.run(pulses(200, 0.5) + dwell(0.01))
    forces = forces_n(gun, 240, 240 / steps_per_s)[80:]
    assert (max(forces) - min(forces) > 1.5) is stutters
    delivered_nl = gun.plant.needle_nl
    assert delivered_nl == pytest.approx(gun.plant.plunger_nl, abs=EVEN.nl_per_step * 80)


def test_friction_keeps_a_part_of_the_pressure_from_leaving():
    gun = Gun(EVEN)
    gun.run(pulses(2000, 1) + dwell(20))
    kept_nl = gun.plant.stored_nl
    highest_nl = EVEN.drive_compliance_nl_per_kpa * EVEN.break_loose_extra_n / EVEN.area_mm2 * 1e3
    assert 10 < kept_nl < highest_nl
    assert gun.plant.force_n == pytest.approx(
        5.0 + kept_nl / EVEN.area_mm2 / 1000 * EVEN.drive_stiffness_n_per_mm, abs=0.01
    )


def test_pulses_with_the_driver_off_move_nothing():
    gun = Gun(TEN_ML)
    gun.stream.set_driver(0, False)
    gun.run(pulses(1000, 1))
    assert gun.stream.forward_steps == 1000
    assert gun.plant.plunger_nl == gun.plant.needle_nl == 0


def test_slicing_time_does_not_change_the_dose():
    def dose_nl(slice_ns: int | None) -> float:
        gun = Gun(TEN_ML)
        gun.plant.new_point()
        gun.run(pulses(242, 0.1) + dwell(2), slice_ns)
        return gun.plant.needle_nl

    assert dose_nl(1_000_000) == pytest.approx(dose_nl(None), rel=1e-3)
    assert dose_nl(137_000) == pytest.approx(dose_nl(None), rel=1e-3)


def test_time_does_not_go_back():
    gun = Gun(TEN_ML)
    gun.wait_ns(100)
    with pytest.raises(PlantError, match="99 ns lies before 100 ns"):
        gun.plant.advance(99)


# ---------------------------------------------------------------- force sensor


def test_the_force_sensor_reads_force_with_seeded_noise():
    def readings(seed: int) -> list[int]:
        gun = Gun(TEN_ML, seed)
        gun.run(pulses(20_000, 5))
        return [gun.plant.force_adc_raw() for _ in range(400)]

    assert readings(1) == readings(1)
    assert readings(1) != readings(2)
    gun = Gun(TEN_ML)
    gun.run(pulses(20_000, 5))
    counts_per_n = FORCE_ADC_MAX / TEN_ML.force_full_scale_n
    raws = readings(1)
    mean = sum(raws) / len(raws)
    spread = math.sqrt(sum((raw - mean) ** 2 for raw in raws) / len(raws))
    assert mean == pytest.approx(gun.plant.force_n * counts_per_n, abs=1)
    assert spread == pytest.approx(TEN_ML.force_noise_n * counts_per_n, rel=0.2)


def test_the_force_sensor_ends_at_its_full_scale():
    gun = Gun(TEN_ML)
    gun.plant.occluded = True
    gun.run(pulses(20_000, 10))
    assert gun.plant.force_adc_raw() == FORCE_ADC_MAX
    gun = Gun(TEN_ML)
    gun.run(pulses(-500, 0.1))
    assert gun.plant.force_n < 0
    assert gun.plant.force_adc_raw() == 0


# ---------------------------------------------------------------- cost


def test_a_session_of_mesoperfusion_is_cheap():
    """45 min: 135 injections of 40 ul in 2 s, one every 20 s.

    A step costs 5 to 10 us, so 90 steps an injection are a session in less than a tenth of a
    second.
    """
    gun = Gun(TEN_ML)
    for _ in range(135):
        gun.plant.new_point()
        gun.run(pulses(969, 2) + dwell(18))
    assert gun.plant.integration_steps < 135 * 90
    assert gun.now_ns / SECOND_NS == pytest.approx(2700, rel=1e-3)
    assert gun.plant.needle_nl == pytest.approx(135 * 969 * TEN_ML.nl_per_step, rel=2e-3)


def test_nappage_is_cheap():
    """4 shots a second of 10 ul, each in 40 segments as a ramp makes them.

    A step costs 5 to 10 us, so 100 steps a shot are 250 times faster than real time.
    """
    gun = Gun(TEN_ML)
    ramp = [word for part in range(40) for word in pulses(6, 0.002 + 0.00002 * part)]
    for _ in range(100):
        gun.plant.new_point()
        gun.run(ramp + dwell(0.15))
    assert gun.plant.integration_steps < 100 * 100
