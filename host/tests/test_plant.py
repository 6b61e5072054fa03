"""The plant against closed forms, conservation and the tables it was built from."""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesogun.errors import UsageError
from mesogun.virtual.plant import FORCE_ADC_MAX, STEP_ERROR_KPA, Plant, PlantError
from mesogun.virtual.plant_parameters import PlantParameters, constants
from mesogun.virtual.pulse_stream import PulseStream
from mesogun_protocol.pulse import (
    DWELL_TICKS,
    PULSE_TICKS,
    SEGMENT_TICKS,
    TICK_NS,
    encode_segment,
)

TICKS_PER_S = 5_000_000
SECOND_NS = 10**9
TEN_ML = PlantParameters.for_syringe_and_needle(14.5, 10, 0.21, 13)
THREE_ML = PlantParameters.for_syringe_and_needle(8.66, 3, 0.21, 4)
LINEAR = replace(TEN_ML, needle_loss_factor=0.0)


def pulses(steps: int, duration_s: float) -> list[int]:
    """Steps in a time, negative steps backward."""
    interval = round(duration_s * TICKS_PER_S / abs(steps)) - PULSE_TICKS
    return list(encode_segment(steps > 0, True, abs(steps), interval))


def dwell(duration_s: float) -> list[int]:
    items = max(1, round(duration_s * 100))
    return list(encode_segment(True, False, items, TICKS_PER_S // 100 - DWELL_TICKS))


class Gun:
    """A pulse stream with a plant on it."""

    def __init__(
        self, parameters: PlantParameters, seed: int = 1, step_error_kpa: float = STEP_ERROR_KPA
    ) -> None:
        self.plant = Plant(parameters, seed, step_error_kpa=step_error_kpa)
        self.stream = PulseStream()
        self.stream.set_budget(0, 10**9)
        self.stream.set_driver(0, True)
        self.now_ns = 0

    def run(self, words: list[int], slice_ns: int | None = None) -> None:
        self.stream.submit(self.now_ns, words)
        end_ns = self.stream.ends_ns
        assert end_ns is not None
        while self.now_ns < end_ns:
            self.wait_ns(end_ns - self.now_ns if slice_ns is None else slice_ns)

    def wait_ns(self, duration_ns: int) -> None:
        self.now_ns += duration_ns
        self.plant.advance(self.now_ns, self.stream.advance(self.now_ns))

    @property
    def imbalance_nl(self) -> float:
        return self.plant.plunger_nl - self.plant.needle_nl - self.plant.stored_nl


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


# ---------------------------------------------------------------- liquid


def test_constant_flow_follows_the_closed_form():
    """A linear needle is an R C filter: P = q R (1 - exp(-t / RC)), V = q (t - RC (1 - exp))."""
    resistance = LINEAR.needle_resistance_kpa_s_per_nl
    tau_s = resistance * LINEAR.compliance_nl_per_kpa
    for steps in (200, 600, 2000, 20000):
        gun = Gun(LINEAR)
        gun.run(pulses(steps, steps / 2500))
        time_s = steps / 2500 + SEGMENT_TICKS * TICK_NS / 1e9
        swept_nl_s = steps * LINEAR.nl_per_step / time_s
        rise = 1 - math.exp(-time_s / tau_s)
        assert gun.plant.pressure_kpa == pytest.approx(swept_nl_s * resistance * rise, rel=1e-3)
        assert gun.plant.needle_nl == pytest.approx(swept_nl_s * (time_s - tau_s * rise), rel=1e-3)


def test_pressure_decays_with_resistance_times_compliance():
    tau_s = LINEAR.needle_resistance_kpa_s_per_nl * LINEAR.compliance_nl_per_kpa
    gun = Gun(LINEAR)
    gun.run(pulses(1000, 0.4))
    start_kpa, start_nl, stored_nl = (
        gun.plant.pressure_kpa,
        gun.plant.needle_nl,
        gun.plant.stored_nl,
    )
    gun.wait_ns(round(tau_s * 1e9))
    assert gun.plant.pressure_kpa == pytest.approx(start_kpa / math.e, rel=3e-3)
    gun.wait_ns(10 * SECOND_NS)
    dribble_nl = gun.plant.needle_nl - start_nl
    assert dribble_nl == pytest.approx(stored_nl, rel=1e-3)
    assert dribble_nl == pytest.approx(1000 / 0.4 * LINEAR.nl_per_step * tau_s, rel=0.01)


def test_a_steady_flow_has_the_pressure_of_the_needle():
    gun = Gun(TEN_ML)
    gun.run(pulses(20_000, 5))
    assert gun.plant.pressure_kpa == pytest.approx(
        TEN_ML.needle_pressure_kpa(4000 * TEN_ML.nl_per_step), rel=1e-4
    )
    assert gun.plant.flow_nl_s == pytest.approx(4000 * TEN_ML.nl_per_step, rel=1e-4)


@pytest.mark.parametrize("parameters", [TEN_ML, THREE_ML])
@pytest.mark.parametrize("in_tissue", [False, True])
def test_halving_the_step_does_not_change_a_shot(parameters: PlantParameters, in_tissue: bool):
    def shot_nl(step_error_kpa: float) -> float:
        gun = Gun(parameters, step_error_kpa=step_error_kpa)
        if in_tissue:
            gun.plant.new_point()
        gun.run(pulses(242, 0.1) + dwell(0.15))
        return gun.plant.needle_nl

    assert shot_nl(STEP_ERROR_KPA) == pytest.approx(shot_nl(STEP_ERROR_KPA / 4), rel=1e-3)
    assert shot_nl(STEP_ERROR_KPA) == pytest.approx(shot_nl(STEP_ERROR_KPA / 1000), rel=1e-3)


needles = st.tuples(st.sampled_from([0.26, 0.159, 0.108]), st.sampled_from([4.0, 13.0]))
syringes = st.sampled_from([(4.78, 1.0), (8.66, 3.0), (14.5, 10.0), (15.9, 10.0)])
liquids = st.sampled_from([1.0, 20.0, 200.0])
moves = st.tuples(
    st.integers(-3000, 5000).filter(bool),
    st.floats(0.05, 2.0),
    st.sampled_from(["", "occlude", "free", "point", "withdraw"]),
)


@settings(max_examples=60, deadline=None)
@given(
    syringes,
    needles,
    liquids,
    st.integers(0, 99),
    st.sampled_from([0.0, 0.0, 10.0, 300.0]),
    st.lists(moves, min_size=1, max_size=5),
    st.integers(10**6, 10**9),
)
def test_volume_is_conserved_whatever_happens(
    syringe: tuple[float, float],
    needle: tuple[float, float],
    viscosity_mpa_s: float,
    seed: int,
    air_ul: float,
    acts: list[tuple[int, float, str]],
    slice_ns: int,
):
    nominal = PlantParameters.for_syringe_and_needle(*syringe, *needle, viscosity_mpa_s)
    gun = Gun(nominal.drawn(seed))
    gun.plant.trapped_air_ul = air_ul
    for steps, duration_s, event in acts:
        if event == "point":
            gun.plant.new_point()
        elif event == "withdraw":
            gun.plant.withdraw()
        elif event:
            gun.plant.occluded = event == "occlude"
        gun.run(pulses(steps, duration_s) + dwell(0.1), max(slice_ns, 10**7))
        moved_nl = max(1000.0, abs(gun.plant.plunger_nl), abs(gun.plant.needle_nl))
        assert abs(gun.imbalance_nl) <= 1e-9 * moved_nl
        assert gun.plant.pressure_kpa >= -101.325 - 1e-6
        assert gun.plant.remaining_nl >= -1e-3
        assert gun.plant.full_step_slips % 4 == 0
        assert 0 <= gun.plant.force_adc_raw() <= FORCE_ADC_MAX


@settings(max_examples=30, deadline=None)
@given(needles, st.booleans(), st.lists(st.integers(1, 4000), min_size=1, max_size=4))
def test_delivering_never_draws_back(
    needle: tuple[float, float], in_tissue: bool, shots: list[int]
):
    gun = Gun(PlantParameters.for_syringe_and_needle(14.5, 10, *needle))
    if in_tissue:
        gun.plant.new_point()
    last_nl = 0.0
    for steps in shots:
        gun.run(pulses(steps, 0.2))
        for _ in range(20):
            gun.wait_ns(10**7)
            assert gun.plant.needle_nl >= last_nl - 1e-6
            last_nl = gun.plant.needle_nl
    assert gun.plant.needle_nl <= gun.plant.plunger_nl


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


def test_tissue_pushes_back_while_it_fills_and_lets_go_afterwards():
    gun = Gun(TEN_ML)
    gun.plant.new_point()
    gun.run(pulses(969, 2))
    filled_kpa = gun.plant.tissue_kpa
    assert 40 < filled_kpa < 80
    gun.wait_ns(2 * SECOND_NS)
    start_kpa = gun.plant.tissue_kpa
    gun.wait_ns(16 * SECOND_NS)
    together_nl_per_kpa = TEN_ML.tissue_compliance_nl_per_kpa + TEN_ML.compliance_nl_per_kpa
    tau_s = TEN_ML.tissue_resistance_kpa_s_per_nl * together_nl_per_kpa
    assert gun.plant.tissue_kpa / start_kpa == pytest.approx(math.exp(-16 / tau_s), rel=0.05)
    gun.run(pulses(969, 2))
    assert gun.plant.tissue_kpa > filled_kpa
    gun.plant.new_point()
    assert gun.plant.tissue_kpa == 0
    gun.plant.withdraw()
    gun.run(pulses(969, 2))
    assert not gun.plant.in_tissue
    assert gun.plant.tissue_kpa == 0


def test_trapped_air_stores_by_boyle():
    gun = Gun(TEN_ML)
    gun.plant.trapped_air_ul = 50.0
    gun.plant.occluded = True
    gun.run(pulses(1000, 0.5))
    pressure_kpa = gun.plant.pressure_kpa
    in_air_nl = 50_000 * pressure_kpa / (101.325 + pressure_kpa)
    assert gun.plant.needle_nl == pytest.approx(0, abs=1e-6)
    assert 1000 * TEN_ML.nl_per_step == pytest.approx(
        in_air_nl + pressure_kpa * TEN_ML.compliance_nl_per_kpa
    )
    assert gun.plant.trapped_air_ul == 50.0


def test_flow_leaves_under_pressure_and_not_through_an_occlusion():
    gun = Gun(TEN_ML)
    gun.run(pulses(1000, 0.5))
    across_kpa = gun.plant.pressure_kpa
    assert TEN_ML.needle_pressure_kpa(gun.plant.flow_nl_s) == pytest.approx(across_kpa)
    gun.plant.occluded = True
    assert gun.plant.occluded
    assert gun.plant.flow_nl_s == 0


def test_a_hard_pull_makes_vacuum_and_then_draws_back_what_was_pulled():
    gun = Gun(TEN_ML)
    gun.run(pulses(-2000, 0.05))
    assert gun.plant.pressure_kpa == pytest.approx(-101.325, abs=1e-6)
    gun.wait_ns(20 * SECOND_NS)
    assert gun.plant.pressure_kpa == pytest.approx(0, abs=2e-3)
    assert gun.plant.needle_nl == pytest.approx(gun.plant.plunger_nl, abs=1)
    assert gun.plant.needle_nl < 0


# ---------------------------------------------------------------- drive


def test_an_occlusion_stalls_the_motor_in_slips_of_four_full_steps():
    gun = Gun(TEN_ML)
    gun.plant.occluded = True
    gun.run(pulses(20_000, 10))
    plant = gun.plant
    assert plant.needle_nl == pytest.approx(0, abs=1e-6)
    assert plant.full_step_slips > 0
    assert plant.full_step_slips % 4 == 0
    lost_steps = 20_000 - plant.plunger_nl / TEN_ML.nl_per_step
    pending_steps = lost_steps - plant.full_step_slips * TEN_ML.microsteps
    assert 0 <= pending_steps < TEN_ML.slip_steps
    assert plant.force_n == pytest.approx(TEN_ML.pullout_force_n(2000 / 3200 * 60), rel=0.01)
    plant.occluded = False
    gun.wait_ns(20 * SECOND_NS)
    assert plant.needle_nl == pytest.approx(plant.plunger_nl, rel=1e-3)


def test_the_plunger_stops_at_the_end_of_the_barrel():
    gun = Gun(TEN_ML)
    full_steps = int(10e6 / TEN_ML.nl_per_step)
    gun.run(pulses(full_steps - 100, 60))
    assert gun.plant.full_step_slips == 0
    gun.run(pulses(1000, 0.5))
    assert gun.plant.remaining_nl == pytest.approx(0, abs=1e-3)
    assert gun.plant.full_step_slips > 0
    assert gun.plant.force_n > 100
    gun.wait_ns(20 * SECOND_NS)
    assert gun.plant.needle_nl == pytest.approx(10e6, abs=1)


def test_play_is_lost_on_reversal_without_pressure():
    play_steps = TEN_ML.backlash_mm / TEN_ML.mm_per_step
    gun = Gun(TEN_ML)
    gun.run(pulses(1000, 1) + dwell(20))
    gun.run(pulses(-200, 1))
    assert gun.plant.plunger_nl == pytest.approx((800 + play_steps) * TEN_ML.nl_per_step)
    gun.run(pulses(50, 1))
    assert gun.plant.force_n == 0
    gun.run(pulses(150, 1))
    assert gun.plant.plunger_nl == pytest.approx(1000 * TEN_ML.nl_per_step)


def test_pressure_keeps_the_plunger_on_the_pusher():
    gun = Gun(TEN_ML)
    gun.plant.occluded = True
    gun.run(pulses(2000, 1) + pulses(-200, 0.1))
    assert gun.plant.plunger_nl == pytest.approx(1800 * TEN_ML.nl_per_step)


def test_a_stopper_that_rested_needs_more_force_to_break_loose():
    gun = Gun(TEN_ML)
    gun.run(pulses(1, 0.001))
    rested_n = gun.plant.force_n
    gun.run(pulses(2000, 20))
    assert rested_n == pytest.approx(9.0, abs=0.1)
    assert gun.plant.force_n == pytest.approx(
        5.0 + gun.plant.pressure_kpa * TEN_ML.area_mm2 / 1000, abs=0.01
    )


def test_going_back_in_the_middle_of_a_slip_brings_the_field_home_first():
    gun = Gun(TEN_ML)
    gun.plant.occluded = True
    gun.run(pulses(20_000, 10))
    at_stall_nl = gun.plant.plunger_nl
    lag_steps = 20_000 - at_stall_nl / TEN_ML.nl_per_step
    lag_steps -= gun.plant.full_step_slips * TEN_ML.microsteps
    slips = gun.plant.full_step_slips
    gun.run(pulses(-100, 0.1))
    assert gun.plant.full_step_slips == slips
    moved_back_steps = (at_stall_nl - gun.plant.plunger_nl) / TEN_ML.nl_per_step
    assert moved_back_steps == pytest.approx(100 - lag_steps)


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

    A step costs about 10 us, so 100 steps an injection are a session in a tenth of a second.
    """
    gun = Gun(TEN_ML)
    for _ in range(135):
        gun.plant.new_point()
        gun.run(pulses(969, 2) + dwell(18))
    assert gun.plant.integration_steps < 135 * 100
    assert gun.now_ns / SECOND_NS == pytest.approx(2700, rel=1e-3)
    assert gun.plant.needle_nl == pytest.approx(135 * 969 * TEN_ML.nl_per_step, rel=1e-3)


def test_nappage_is_cheap():
    """4 shots a second of 10 ul, each in 40 segments as a ramp makes them.

    A step costs about 10 us, so 100 steps a shot are 250 times faster than real time.
    """
    gun = Gun(TEN_ML)
    ramp = [word for part in range(40) for word in pulses(6, 0.002 + 0.00002 * part)]
    for _ in range(100):
        gun.plant.new_point()
        gun.run(ramp + dwell(0.15))
    assert gun.plant.integration_steps < 100 * 100
