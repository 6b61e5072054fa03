"""What goes wrong on demand, what the driver sees of it, and the curve that is drawn of it."""

import math
import statistics
from dataclasses import replace

import pytest

from mesogun.errors import UsageError
from mesogun.virtual.plant import SG_RESULT_MAX, Faults, PlantError
from mesogun.virtual.plant_parameters import PlantParameters
from tests.plant_stand import EVEN, FREE, SECOND_NS, TEN_ML, Gun, dwell, pulses

# ---------------------------------------------------------------- occlusion


def test_a_slow_occlusion_closes_at_an_even_rate_whatever_the_slices():
    def closing(slice_ns: int | None) -> tuple[float, float]:
        gun = Gun(FREE)
        gun.run(pulses(1000, 1))
        gun.plant.faults.occlude(0.0, over_s=4.0)
        gun.run(pulses(2000, 2), slice_ns)
        gun.wait_ns(3_100_000_000 - gun.now_ns)
        assert gun.plant.faults.narrowing
        return gun.plant.faults.passage, gun.plant.pressure_kpa

    passage, pressure_kpa = closing(None)
    assert passage == pytest.approx(1 - 2.1 / 4, abs=1e-3)
    assert closing(2_500_000)[1] == pytest.approx(pressure_kpa, rel=2e-3)


def test_a_slow_occlusion_ends_closed_and_can_be_freed():
    gun = Gun(TEN_ML)
    gun.plant.faults.occlude(0.0, over_s=0.5)
    gun.wait_ns(SECOND_NS)
    assert gun.plant.occluded
    assert not gun.plant.faults.narrowing
    gun.run(pulses(500, 1))
    held_nl = gun.plant.needle_nl
    gun.plant.faults.occlude(1.0)
    gun.wait_ns(20 * SECOND_NS)
    assert gun.plant.needle_nl - held_nl > 400 * TEN_ML.nl_per_step


def test_a_partial_occlusion_lets_its_share_through():
    linear = replace(FREE, needle_loss_factor=0.0)
    gun = Gun(linear)
    gun.plant.faults.occlude(0.25)
    gun.run(pulses(2000, 40))
    open_kpa = 50 * linear.nl_per_step * linear.needle_resistance_kpa_s_per_nl
    assert gun.plant.pressure_kpa == pytest.approx(4 * open_kpa, rel=1e-3)


def test_an_occlusion_stores_what_comes_out_on_release():
    """The bolus on release: compliance times pressure."""
    gun = Gun(EVEN)
    gun.plant.occluded = True
    gun.run(pulses(1000, 1))
    held_kpa = gun.plant.pressure_kpa
    gun.plant.occluded = False
    gun.wait_ns(20 * SECOND_NS)
    stored_nl = held_kpa * EVEN.compliance_nl_per_kpa
    kept_nl = EVEN.drive_compliance_nl_per_kpa * EVEN.break_loose_extra_n / EVEN.area_mm2 * 1000
    assert stored_nl - kept_nl < gun.plant.needle_nl <= stored_nl + 1


# ---------------------------------------------------------------- air, leak, syringe, plunger


def test_a_bubble_that_comes_under_pressure_takes_some_of_it():
    gun = Gun(EVEN)
    gun.plant.occluded = True
    gun.run(pulses(1000, 1))
    before_kpa = gun.plant.pressure_kpa
    gun.plant.faults.trap_air(100.0)
    assert 0 < gun.plant.pressure_kpa < before_kpa
    gun.plant.faults.trap_air(0.0)
    assert gun.plant.pressure_kpa == pytest.approx(before_kpa)


def test_a_bubble_delays_a_shot():
    def shot_nl(air_ul: float) -> float:
        gun = Gun(TEN_ML)
        gun.plant.faults.trap_air(air_ul)
        gun.run(pulses(242, 0.1) + dwell(0.15))
        return gun.plant.needle_nl

    doses_nl = [shot_nl(air_ul) for air_ul in (0.0, 20.0, 50.0)]
    assert doses_nl == sorted(doses_nl, reverse=True)
    assert doses_nl[2] < 0.7 * doses_nl[0]


def test_a_leak_takes_its_share_of_a_linear_flow_and_is_counted_apart():
    linear = replace(FREE, needle_loss_factor=0.0)
    through = 1 / linear.needle_resistance_kpa_s_per_nl
    gun = Gun(linear)
    gun.plant.faults.leak(through / 3)
    gun.run(pulses(20_000, 40) + dwell(5))
    plant = gun.plant
    assert plant.leaked_nl == pytest.approx(plant.plunger_nl / 4, rel=1e-3)
    assert plant.needle_nl == pytest.approx(plant.plunger_nl * 3 / 4, rel=1e-3)
    assert abs(gun.imbalance_nl) <= 1e-9 * plant.plunger_nl


def test_a_leak_empties_an_occluded_syringe_with_its_own_time_constant():
    gun = Gun(FREE)
    gun.plant.occluded = True
    gun.run(pulses(1000, 1))
    start_kpa, compliance = gun.plant.pressure_kpa, FREE.compliance_nl_per_kpa
    gun.plant.faults.leak(compliance / 2.0)
    gun.wait_ns(2 * SECOND_NS)
    assert gun.plant.pressure_kpa == pytest.approx(start_kpa / math.e, rel=1e-3)
    assert gun.plant.needle_nl == pytest.approx(0, abs=1e-6)
    assert gun.plant.leaked_nl == pytest.approx(start_kpa * compliance * (1 - 1 / math.e), rel=1e-3)


def test_a_wrong_syringe_delivers_by_its_own_area():
    gun = Gun(EVEN)
    gun.plant.load_syringe(15.9)
    gun.run(pulses(2000, 4) + dwell(20))
    wrong = (15.9 / 14.5) ** 2
    assert gun.plant.plunger_nl == pytest.approx(2000 * EVEN.nl_per_step * wrong)
    assert gun.plant.needle_nl == pytest.approx(gun.plant.plunger_nl, rel=0.02)


def test_another_syringe_is_full_and_takes_no_pressure_over():
    gun = Gun(TEN_ML)
    gun.plant.occluded = True
    gun.plant.faults.trap_air(20.0)
    gun.run(pulses(1000, 1))
    gun.plant.load_syringe(8.66, 3.0)
    plant = gun.plant
    assert plant.pressure_kpa == plant.stored_nl == plant.trapped_air_ul == 0
    assert plant.remaining_nl == 3e6
    assert abs(gun.imbalance_nl) < 1e-6
    assert plant.force_n == pytest.approx(TEN_ML.glide_friction_n)


def test_a_syringe_of_no_size_is_refused():
    gun = Gun(TEN_ML)
    with pytest.raises(UsageError, match=r"inner_diameter_mm = 0\.0 is below"):
        gun.plant.load_syringe(0.0)
    assert gun.plant.parameters == TEN_ML


def test_an_empty_syringe_stalls_the_motor_and_gives_no_more():
    gun = Gun(EVEN)
    gun.plant.remaining_nl = 5000.0
    gun.run(pulses(1000, 1) + dwell(20))
    assert gun.plant.plunger_nl == pytest.approx(5000, abs=1e-3)
    assert gun.plant.full_step_slips > 0
    assert gun.plant.needle_nl < 5000 + 1


def test_a_slipping_plunger_loses_travel_above_the_force_that_it_holds():
    gun = Gun(EVEN)
    gun.plant.faults.slip_plunger(12.0)
    gun.plant.occluded = True
    gun.run(pulses(3000, 3))
    plant = gun.plant
    assert plant.force_n == pytest.approx(12.0, abs=0.2)
    assert plant.full_step_slips == 0
    stored_n = plant.pressure_kpa * EVEN.area_mm2 / 1000
    assert stored_n == pytest.approx(12.0 - EVEN.glide_friction_n, abs=0.2)
    assert plant.plunger_nl < 1000 * EVEN.nl_per_step


def test_a_slipping_plunger_still_delivers_what_its_push_drives():
    gun = Gun(EVEN)
    gun.plant.faults.slip_plunger(12.0)
    gun.run(pulses(40_000, 10))
    held_kpa = (12.0 - EVEN.glide_friction_n) / EVEN.area_mm2 * 1000
    assert gun.plant.pressure_kpa == pytest.approx(held_kpa, rel=0.02)
    assert EVEN.needle_pressure_kpa(gun.plant.flow_nl_s) == pytest.approx(held_kpa, rel=0.02)
    gun.plant.faults.slip_plunger(math.inf)
    gun.run(pulses(40_000, 10))
    assert gun.plant.flow_nl_s == pytest.approx(4000 * EVEN.nl_per_step, rel=1e-3)


# ---------------------------------------------------------------- sensor and supply


def test_a_force_sensor_that_is_off_or_stuck_says_so_and_recovers():
    quiet = replace(TEN_ML, force_noise_n=0.0)
    gun = Gun(quiet)
    true_raw = gun.plant.force_adc_raw()
    gun.plant.faults.offset_force_sensor(12.0)
    assert gun.plant.force_adc_raw() - true_raw == pytest.approx(4095 / 10, abs=1)
    gun.plant.faults.offset_force_sensor(0.0)
    gun.plant.faults.stick_force_sensor(123)
    gun.plant.occluded = True
    gun.run(pulses(1000, 1))
    assert gun.plant.force_adc_raw() == 123
    gun.plant.faults.free_force_sensor()
    assert gun.plant.force_adc_raw() > true_raw + 400


def test_a_sagging_supply_weakens_a_fast_motor_and_stops_it_at_the_driver_s_limit():
    assert TEN_ML.pullout_force_n(0, 12) == TEN_ML.pullout_force_n(0)
    assert TEN_ML.pullout_force_n(300, 12) == pytest.approx(TEN_ML.pullout_force_n(600))
    gun = Gun(TEN_ML)
    gun.plant.faults.sag_supply(4.0)
    gun.run(pulses(1000, 1) + pulses(-100, 0.1))
    assert gun.plant.plunger_nl == gun.plant.needle_nl == 0
    assert gun.plant.full_step_slips > 0
    assert gun.plant.supply_v == 4.0
    gun.plant.faults.restore_supply()
    assert gun.plant.supply_v == TEN_ML.supply_v
    gun.run(pulses(1000, 1))
    assert gun.plant.plunger_nl > 900 * TEN_ML.nl_per_step


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda faults: faults.occlude(1.5), "passage = 1.5 is not between 0.0 and 1.0"),
        (lambda faults: faults.occlude(0.5, over_s=-1), "over_s = -1 is not"),
        (lambda faults: faults.trap_air(-1.0), "air_ul = -1.0 is not"),
        (lambda faults: faults.leak(math.nan), "nl_per_s_kpa = nan is not"),
        (lambda faults: faults.slip_plunger(-1.0), "holds_n = -1.0 is not"),
        (lambda faults: faults.stick_force_sensor(4096), "raw = 4096 is not between 0 and 4095"),
        (lambda faults: faults.sag_supply(-1.0), "volts = -1.0 is not"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(act, message: str):
    with pytest.raises(UsageError, match=message):
        act(Faults())


def test_there_is_no_tissue_of_an_unknown_name():
    with pytest.raises(UsageError, match="no tissue is called bone; there are intradermal"):
        TEN_ML.in_tissue("bone")


# ---------------------------------------------------------------- StallGuard


def results(gun: Gun, steps_per_s: int, seconds: float) -> list[int]:
    seen: list[int] = []
    for _ in range(60):
        gun.run(pulses(round(steps_per_s * seconds / 60), seconds / 60))
        seen.append(gun.plant.stallguard.result)
    return seen


def at_rpm(rpm: float) -> int:
    return round(rpm * 3200 / 60)


def test_stallguard_falls_with_the_load():
    free, loaded = Gun(EVEN), Gun(EVEN)
    loaded.plant.faults.occlude(0.1)
    free_results, loaded_results = (results(gun, at_rpm(40), 3)[30:] for gun in (free, loaded))
    load = loaded.plant.force_n / EVEN.pullout_force_n(40)
    assert 0.3 < load < 0.9
    assert statistics.mean(loaded_results) < statistics.mean(free_results) - 50
    everything = free_results + loaded_results
    assert all(0 <= result <= SG_RESULT_MAX and result % 2 == 0 for result in everything)
    assert not free.plant.stallguard.diag


def test_stallguard_reports_a_slip_above_10_rpm_and_not_below():
    for rpm, reports in ((40, True), (15, True), (8, False)):
        gun = Gun(EVEN)
        gun.plant.occluded = True
        seconds = 0.0
        while not gun.plant.full_step_slips:
            gun.run(pulses(at_rpm(rpm), 1))
            seconds += 1
            assert seconds < 60
        assert gun.plant.stallguard.diag is reports


def test_stallguard_says_nothing_at_low_speed():
    def spread(rpm: float) -> float:
        return statistics.stdev(results(Gun(EVEN), at_rpm(rpm), 600 / rpm)[10:])

    assert spread(2) > 5 * spread(40)


@pytest.mark.parametrize("seed", range(5))
def test_stallguard_is_silent_in_a_normal_shot(seed: int):
    nominal = PlantParameters.for_syringe_and_needle(12.06, 5, 0.159, 4)
    gun = Gun(nominal.drawn(seed), seed)
    for _ in range(20):
        gun.plant.new_point()
        gun.run(pulses(350, 0.1) + dwell(0.15))
    assert not gun.plant.stallguard.diag


# ---------------------------------------------------------------- curve


def test_a_curve_has_even_samples_from_its_begin_and_agrees_with_the_plant():
    gun = Gun(TEN_ML)
    gun.run(pulses(500, 0.5))
    begun_nl = gun.plant.needle_nl
    with gun.plant.recording(5_000_000, nl_per_step=40.0) as curve:
        begun_ns = gun.now_ns
        gun.run(pulses(400, 0.2) + pulses(-50, 0.1) + dwell(0.3), 7_777_777)
    gun.run(pulses(100, 1))
    assert curve.time_ns == [begun_ns + n * 5_000_000 for n in range(len(curve.time_ns))]
    assert len(curve.time_ns) >= 120
    assert len(curve.needle_nl) == len(curve.pressure_kpa) == len(curve.time_ns)
    assert curve.needle_nl[0] == begun_nl
    assert curve.commanded_nl[0] == pytest.approx(500 * 40)
    assert curve.commanded_nl[20] == pytest.approx((500 + 200) * 40, abs=40)
    assert curve.commanded_nl[-1] == pytest.approx((500 + 400 - 50) * 40)
    assert max(curve.pressure_kpa) == pytest.approx(curve.pressure_kpa[40], rel=0.05)


def test_a_curve_does_not_change_the_dose():
    plain, drawn = Gun(TEN_ML), Gun(TEN_ML)
    words = pulses(242, 0.1) + dwell(0.15)
    plain.run(words)
    with drawn.plant.recording(1_000_000) as curve:
        drawn.run(words)
    assert len(curve.time_ns) >= 250
    assert drawn.plant.needle_nl == pytest.approx(plain.plant.needle_nl, rel=1e-3)


def test_one_curve_at_a_time():
    gun = Gun(TEN_ML)
    with (
        gun.plant.recording(1_000_000),
        pytest.raises(PlantError, match="a recording every 1000000 ns is under way"),
        gun.plant.recording(5),
    ):
        pass
    with gun.plant.recording(5_000):
        gun.wait_ns(10_000)
