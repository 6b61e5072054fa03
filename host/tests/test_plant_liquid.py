"""Liquid, needle and tissue of the plant against closed forms, another solver and conservation."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from mesogun.virtual.plant import FORCE_ADC_MAX
from mesogun.virtual.plant_parameters import PlantParameters
from mesogun_protocol.pulse import SEGMENT_TICKS, TICK_NS
from tests.plant_stand import (
    EVEN,
    FREE,
    LINEAR,
    SECOND_NS,
    TEN_ML,
    THREE_ML,
    Gun,
    dwell,
    pulses,
)

NAPPAGE = PlantParameters.for_syringe_and_needle(12.06, 5, 0.159, 4)
HARD = PlantParameters.for_syringe_and_needle(14.5, 10, 0.159, 13)
SHOT = pulses(242, 0.1) + dwell(0.15)

# ---------------------------------------------------------------- closed forms


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
        assert gun.plant.pressure_kpa == pytest.approx(swept_nl_s * resistance * rise, rel=1e-6)
        assert gun.plant.needle_nl == pytest.approx(swept_nl_s * (time_s - tau_s * rise), rel=1e-6)


@pytest.mark.parametrize("steps", [20, 1000])
def test_pressure_decays_with_resistance_times_compliance(steps: int):
    tau_s = LINEAR.needle_resistance_kpa_s_per_nl * LINEAR.compliance_nl_per_kpa
    gun = Gun(LINEAR)
    gun.run(pulses(steps, 0.4))
    plant = gun.plant
    start_kpa, start_nl, stored_nl = plant.pressure_kpa, plant.needle_nl, plant.stored_nl
    gun.wait_ns(round(tau_s * 1e9))
    assert plant.pressure_kpa == pytest.approx(start_kpa / math.e, rel=1e-6)
    gun.wait_ns(10 * SECOND_NS)
    dribble_nl = plant.needle_nl - start_nl
    assert dribble_nl == pytest.approx(stored_nl, rel=1e-3)
    assert dribble_nl == pytest.approx(steps / 0.4 * LINEAR.nl_per_step * tau_s, rel=0.01)


@pytest.mark.parametrize("viscosity_mpa_s", [1.0, 20.0])
@pytest.mark.parametrize("tubing_length_mm", [0.0, 150.0])
def test_a_steady_flow_has_the_pressure_of_hagen_and_poiseuille(
    viscosity_mpa_s: float, tubing_length_mm: float
):
    parameters = replace(LINEAR, viscosity_mpa_s=viscosity_mpa_s, tubing_length_mm=tubing_length_mm)
    gun = Gun(parameters)
    gun.run(pulses(3000, 60))
    flow_m3_s = 50 * parameters.nl_per_step * 1e-12
    shape_per_m3 = 0.013 / 0.00021**4 + tubing_length_mm / 1000 / 0.0012**4
    pressure_pa = 128 * viscosity_mpa_s / 1000 * flow_m3_s / math.pi * shape_per_m3
    assert gun.plant.pressure_kpa == pytest.approx(pressure_pa / 1000, rel=1e-3)


@pytest.mark.parametrize("parameters", [EVEN, FREE])
def test_a_steady_flow_has_the_pressure_of_the_needle(parameters: PlantParameters):
    gun = Gun(parameters)
    gun.run(pulses(20_000, 5))
    flow_nl_s = 4000 * parameters.nl_per_step
    assert gun.plant.pressure_kpa == pytest.approx(
        parameters.needle_pressure_kpa(flow_nl_s), rel=1e-4
    )
    assert gun.plant.flow_nl_s == pytest.approx(flow_nl_s, rel=1e-4)


def test_trapped_air_stores_by_boyle():
    gun = Gun(FREE)
    gun.plant.faults.trap_air(50.0)
    gun.plant.occluded = True
    gun.run(pulses(1000, 0.5))
    pressure_kpa = gun.plant.pressure_kpa
    in_air_nl = 50_000 * pressure_kpa / (101.325 + pressure_kpa)
    assert gun.plant.needle_nl == pytest.approx(0, abs=1e-6)
    assert 1000 * FREE.nl_per_step == pytest.approx(
        in_air_nl + pressure_kpa * FREE.compliance_nl_per_kpa
    )
    assert gun.plant.trapped_air_ul == 50.0


# ---------------------------------------------------------------- another solver


def reference(
    parameters: PlantParameters,
    phases: list[tuple[float, float]],
    *,
    air_ul: float = 0.0,
    leak_nl_per_s_kpa: float = 0.0,
    in_tissue: bool = False,
) -> np.ndarray[Any, Any]:
    """Pressure, tissue pressure, needle and leaked volume by Radau's method, all in SI units.

    Args:
        parameters: the specimen; friction, play and lead error are left out.
        phases: swept volume in m3/s and duration in s.
    """
    p = parameters
    viscosity, density = p.viscosity_mpa_s * 1e-3, p.density_kg_m3
    bore, length = p.needle_bore_mm * 1e-3, p.needle_length_mm * 1e-3
    area = math.pi / 4 * (p.inner_diameter_mm * 1e-3) ** 2
    softness = sum(
        1e-3 / stiffness
        for stiffness in (
            p.drive_stiffness_n_per_mm,
            p.stopper_stiffness_n_per_mm,
            p.barrel_stiffness_n_per_mm,
        )
    )
    line = math.pi / 4 * (p.tubing_bore_mm * 1e-3) ** 2 * p.tubing_length_mm * 1e-3
    spring = area**2 * softness + line * p.tubing_stretch_per_kpa * 1e-3
    laminar = 128 * viscosity / math.pi * length / bore**4
    laminar += (
        128 * viscosity / math.pi * p.tubing_length_mm * 1e-3 / (p.tubing_bore_mm * 1e-3) ** 4
    )
    end = p.needle_loss_factor * density / 2 / (math.pi / 4 * bore**2) ** 2
    tissue_store = p.tissue_compliance_nl_per_kpa * 1e-15
    tissue_drain = 1 / (p.tissue_resistance_kpa_s_per_nl * 1e15)
    leak = leak_nl_per_s_kpa * 1e-15

    def change(_time: float, state: np.ndarray[Any, Any], swept: float) -> list[float]:
        pressure, tissue = float(state[0]), float(state[1])
        drop = pressure - tissue - p.outlet_kpa * 1e3
        speed = (-laminar + math.sqrt(laminar**2 + 4 * end * abs(drop))) / (2 * end)
        through = math.copysign(speed, drop)
        lost = leak * max(pressure, 0.0)
        bubble = air_ul * 1e-9 * 101325 / (101325 + pressure) ** 2
        filling = (through - tissue * tissue_drain) / tissue_store if in_tissue else 0.0
        return [(swept - through - lost) / (spring + bubble), filling, through, lost]

    state = np.zeros(4)
    scale = [1.0, 1.0, 1e-15, 1e-15]
    for swept, duration_s in phases:
        solution = solve_ivp(
            change, (0, duration_s), state, "Radau", args=(swept,), rtol=1e-9, atol=scale
        )
        assert solution.success
        state = solution.y[:, -1]
    return state


@pytest.mark.parametrize("in_tissue", [False, True], ids=["air", "tissue"])
@pytest.mark.parametrize(
    ("air_ul", "leak_nl_per_s_kpa", "outlet_kpa"),
    [(0.0, 0.0, 0.0), (50.0, 0.0, 13.33), (0.0, 400.0, -13.33), (300.0, 50.0, 0.0)],
)
@pytest.mark.parametrize(
    "parameters",
    [
        THREE_ML,
        NAPPAGE,
        HARD,
        replace(HARD, tubing_length_mm=150.0),
        replace(HARD.in_tissue("hypodermal"), viscosity_mpa_s=20.0),
    ],
    ids=["3ml-27Gx4", "5ml-30Gx4", "10ml-30Gx13", "tubing", "viscous"],
)
def test_shots_agree_with_another_solver_and_other_equations(
    parameters: PlantParameters,
    air_ul: float,
    leak_nl_per_s_kpa: float,
    outlet_kpa: float,
    in_tissue: bool,
):
    free = replace(
        parameters,
        lead_error_mm=0.0,
        glide_friction_n=0.0,
        break_loose_extra_n=0.0,
        backlash_mm=0.0,
        outlet_kpa=outlet_kpa,
    )
    gun = Gun(free)
    gun.plant.faults.trap_air(air_ul)
    gun.plant.faults.leak(leak_nl_per_s_kpa)
    if in_tissue:
        gun.plant.new_point()
    phases: list[tuple[float, float]] = []
    for steps, duration_s in ((242, 0.1), (0, 0.15), (500, 0.3), (-60, 0.05), (0, 0.4)):
        begun_ns = gun.now_ns
        gun.run(pulses(steps, duration_s) if steps else dwell(duration_s))
        took_s = (gun.now_ns - begun_ns) / 1e9
        phases.append((steps * free.nl_per_step / took_s * 1e-12, took_s))
    pressure, tissue, needle, leaked = reference(
        free, phases, air_ul=air_ul, leak_nl_per_s_kpa=leak_nl_per_s_kpa, in_tissue=in_tissue
    )
    swept_nl = 742 * free.nl_per_step
    assert gun.plant.needle_nl == pytest.approx(needle * 1e12, abs=1e-3 * swept_nl)
    assert gun.plant.leaked_nl == pytest.approx(leaked * 1e12, abs=1e-3 * swept_nl)
    assert gun.plant.pressure_kpa == pytest.approx(pressure / 1e3, abs=0.2)
    assert gun.plant.tissue_kpa == pytest.approx(tissue / 1e3, abs=0.2)


@pytest.mark.parametrize("parameters", [THREE_ML, NAPPAGE, HARD], ids=["3ml", "5ml", "10ml"])
def test_a_stopper_with_friction_agrees_with_another_solver(parameters: PlantParameters):
    """The same as a Bingham body: it creeps with what exceeds the friction, through a thin film."""
    p = replace(parameters, lead_error_mm=0.0, break_loose_extra_n=0.0, backlash_mm=0.0)
    area, film = p.area_mm2, 1e-3  # N s/mm
    soft = area**2 * (1 / p.stopper_stiffness_n_per_mm + 1 / p.barrel_stiffness_n_per_mm)
    laminar, end = p.needle_resistance_kpa_s_per_nl, p.needle_loss_kpa_s2_per_nl2

    def change(_time: float, state: np.ndarray[Any, Any], speed_mm_s: float) -> list[float]:
        pressure_kpa, spring_mm = float(state[0]), float(state[1])
        net_n = spring_mm * p.drive_stiffness_n_per_mm - pressure_kpa * area / 1000
        creep = math.copysign(max(0.0, abs(net_n) - p.glide_friction_n), net_n) / film
        root = math.sqrt(laminar**2 + 4 * end * abs(pressure_kpa))
        flow = math.copysign(root - laminar, pressure_kpa) / (2 * end)
        return [(creep * area * 1000 - flow) / soft, speed_mm_s - creep, flow]

    gun = Gun(p)
    state = np.array([0.0, p.glide_friction_n / p.drive_stiffness_n_per_mm, 0.0])
    for steps, duration_s in ((242, 0.1), (0, 0.15), (-100, 0.05), (0, 0.2), (242, 0.1), (0, 0.3)):
        begun_ns = gun.now_ns
        gun.run(pulses(steps, duration_s) if steps else dwell(duration_s))
        took_s = (gun.now_ns - begun_ns) / 1e9
        solution = solve_ivp(
            change,
            (0, took_s),
            state,
            "Radau",
            args=(steps * p.mm_per_step / took_s,),
            rtol=1e-7,
            atol=[1e-3, 1e-7, 1e-2],
        )
        assert solution.success
        state = solution.y[:, -1]
        swept_nl = 242 * p.nl_per_step
        assert gun.plant.needle_nl == pytest.approx(state[2], abs=2e-3 * swept_nl)
        assert gun.plant.pressure_kpa == pytest.approx(state[0], abs=0.5)
        force_n = state[1] * p.drive_stiffness_n_per_mm
        assert gun.plant.force_n == pytest.approx(force_n, abs=0.1)


# ---------------------------------------------------------------- exactness


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
@pytest.mark.parametrize("in_tissue", [False, True])
@pytest.mark.parametrize(
    "parameters",
    [TEN_ML, THREE_ML, NAPPAGE, HARD, replace(HARD, tubing_length_mm=150.0)],
    ids=["10ml-27Gx13", "3ml-27Gx4", "5ml-30Gx4", "10ml-30Gx13", "tubing"],
)
def test_halving_the_step_does_not_change_a_shot(
    parameters: PlantParameters, in_tissue: bool, seed: int | None
):
    def shots_nl(fineness: int) -> list[float]:
        gun = Gun(parameters if seed is None else parameters.drawn(seed), fineness=fineness)
        doses_nl: list[float] = []
        for _ in range(2):
            if in_tissue:
                gun.plant.new_point()
            before_nl = gun.plant.needle_nl
            gun.run(SHOT)
            doses_nl.append(gun.plant.needle_nl - before_nl)
        return doses_nl

    usual_nl = shots_nl(1)
    assert usual_nl == pytest.approx(shots_nl(2), rel=1e-3)
    assert usual_nl == pytest.approx(shots_nl(16), rel=1e-3)


needles = st.tuples(st.sampled_from([0.26, 0.159, 0.108]), st.sampled_from([4.0, 13.0]))
syringes = st.sampled_from([(4.78, 1.0), (8.66, 3.0), (14.5, 10.0), (15.9, 10.0)])
events = st.sampled_from(
    ["", "occlude", "narrow", "free", "leak", "bubble", "slip", "sag", "point", "withdraw", "swap"]
)
moves = st.tuples(st.integers(-3000, 5000).filter(bool), st.floats(0.05, 2.0), events)


def happen(gun: Gun, event: str) -> None:
    plant = gun.plant
    acts = {
        "occlude": plant.faults.occlude,
        "narrow": lambda: plant.faults.occlude(0.1, over_s=0.3),
        "free": lambda: plant.faults.occlude(1.0),
        "leak": lambda: plant.faults.leak(300.0),
        "bubble": lambda: plant.faults.trap_air(100.0),
        "slip": lambda: plant.faults.slip_plunger(12.0),
        "sag": lambda: plant.faults.sag_supply(6.0),
        "point": plant.new_point,
        "withdraw": plant.withdraw,
        "swap": lambda: plant.load_syringe(12.06, 5.0),
    }
    if event:
        acts[event]()


@settings(max_examples=80)
@given(
    syringes,
    needles,
    st.sampled_from([1.0, 20.0, 200.0]),
    st.sampled_from([-13.33, 0.0, 13.33]),
    st.integers(0, 99),
    st.lists(moves, min_size=1, max_size=5),
    st.integers(10**7, 10**9),
)
def test_volume_is_conserved_whatever_happens(
    syringe: tuple[float, float],
    needle: tuple[float, float],
    viscosity_mpa_s: float,
    outlet_kpa: float,
    seed: int,
    acts: list[tuple[int, float, str]],
    slice_ns: int,
):
    nominal = PlantParameters.for_syringe_and_needle(*syringe, *needle, viscosity_mpa_s)
    gun = Gun(replace(nominal.drawn(seed), outlet_kpa=outlet_kpa))
    plant = gun.plant
    for steps, duration_s, event in acts:
        happen(gun, event)
        gun.run(pulses(steps, duration_s) + dwell(0.1), slice_ns)
        moved_nl = max(1000.0, abs(plant.plunger_nl), abs(plant.needle_nl))
        assert abs(gun.imbalance_nl) <= 1e-9 * moved_nl
        assert plant.pressure_kpa >= -101.325 - 1e-6
        assert plant.remaining_nl >= -1e-3
        assert plant.leaked_nl >= 0
        assert plant.full_step_slips % 4 == 0
        assert 0 <= plant.force_adc_raw() <= FORCE_ADC_MAX
    assert plant.integration_steps < 20_000


@settings(max_examples=30)
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


# ---------------------------------------------------------------- tissue, needle, vacuum


def test_tissue_pushes_back_while_it_fills_and_lets_go_afterwards():
    gun = Gun(FREE)
    gun.plant.new_point()
    gun.run(pulses(969, 2))
    filled_kpa = gun.plant.tissue_kpa
    assert 40 < filled_kpa < 80
    gun.wait_ns(2 * SECOND_NS)
    start_kpa = gun.plant.tissue_kpa
    gun.wait_ns(16 * SECOND_NS)
    together_nl_per_kpa = FREE.tissue_compliance_nl_per_kpa + FREE.compliance_nl_per_kpa
    tau_s = FREE.tissue_resistance_kpa_s_per_nl * together_nl_per_kpa
    assert gun.plant.tissue_kpa / start_kpa == pytest.approx(math.exp(-16 / tau_s), rel=0.05)
    gun.run(pulses(969, 2))
    assert gun.plant.tissue_kpa > filled_kpa
    gun.plant.new_point()
    assert gun.plant.tissue_kpa == 0
    gun.plant.withdraw()
    gun.run(pulses(969, 2))
    assert not gun.plant.in_tissue
    assert gun.plant.tissue_kpa == 0


def test_deeper_tissue_pushes_back_less():
    def filled_kpa(tissue: str) -> float:
        gun = Gun(TEN_ML.in_tissue(tissue))
        gun.plant.new_point()
        gun.run(pulses(969, 2))
        return gun.plant.tissue_kpa

    shallow, middle, deep = (filled_kpa(t) for t in ("intradermal", "deep dermal", "hypodermal"))
    assert shallow > 2 * middle > 4 * deep > 0


@pytest.mark.parametrize("outlet_kpa", [-13.33, 13.33])
def test_a_static_pressure_at_the_outlet_shifts_the_pressure_and_not_the_dose(outlet_kpa: float):
    guns = [Gun(replace(EVEN, outlet_kpa=kpa)) for kpa in (0.0, outlet_kpa)]
    doses_nl: list[float] = []
    for gun in guns:
        gun.run(pulses(500, 1) + dwell(20))
        before_nl = gun.plant.needle_nl
        for _ in range(5):
            gun.run(pulses(500, 1) + dwell(5))
        doses_nl.append(gun.plant.needle_nl - before_nl)
    assert guns[1].plant.pressure_kpa - guns[0].plant.pressure_kpa == pytest.approx(
        outlet_kpa, abs=0.01
    )
    assert doses_nl[1] == pytest.approx(doses_nl[0], rel=0.005)


def test_flow_leaves_under_pressure_and_not_through_an_occlusion():
    gun = Gun(TEN_ML)
    gun.run(pulses(1000, 0.5))
    across_kpa = gun.plant.pressure_kpa
    assert TEN_ML.needle_pressure_kpa(gun.plant.flow_nl_s) == pytest.approx(across_kpa)
    gun.plant.occluded = True
    assert gun.plant.occluded
    assert gun.plant.flow_nl_s == 0


@pytest.mark.parametrize("waits", [1, 200])
def test_a_hard_pull_makes_vacuum_and_then_draws_back_what_was_pulled(waits: int):
    gun = Gun(TEN_ML)
    gun.run(pulses(-2000, 0.05))
    assert gun.plant.pressure_kpa == pytest.approx(-101.325, abs=1e-6)
    for _ in range(waits):
        gun.wait_ns(20 * SECOND_NS // waits)
    assert gun.plant.pressure_kpa == pytest.approx(0, abs=2e-3)
    wound_nl = 2 * TEN_ML.drive_compliance_nl_per_kpa * 5.0 / TEN_ML.area_mm2 * 1000
    assert gun.plant.needle_nl == pytest.approx(gun.plant.plunger_nl + wound_nl, abs=30)
    assert gun.plant.needle_nl < 0
