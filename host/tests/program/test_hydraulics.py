"""Pressure and force against figures that were worked out apart from this code."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun.catalog import get_needle, get_syringe, needles, syringes
from mesogun.program import hydraulics

NEEDLES = st.sampled_from(sorted(needles())).map(get_needle)


@pytest.mark.parametrize(
    ("needle", "flow_ul_per_s", "kpa"),
    [
        ("27g-4", 50, 6),
        ("27g-4", 500, 271),
        ("27g-13", 200, 91),
        ("30g-4", 50, 20),
        ("30g-4", 100, 53),
        ("30g-4", 200, 163),
        ("30g-13", 500, 1112),
        ("32g-13", 200, 1303),
    ],
)
def test_pressure_of_water(needle: str, flow_ul_per_s: float, kpa: float):
    computed = hydraulics.needle_pressure_kpa(flow_ul_per_s, get_needle(needle))

    assert isclose(computed, kpa, rel_tol=0.02, abs_tol=0.5)


def test_only_the_laminar_part_grows_with_viscosity():
    thin, thick = (
        hydraulics.needle_pressure_kpa(100, get_needle("30g-4"), viscosity) for viscosity in (1, 10)
    )

    assert isclose(thick - thin, 9 * 25.5, rel_tol=0.01)


@pytest.mark.parametrize(
    ("syringe", "needle", "flow_ul_per_s", "newtons"),
    [
        ("bd-plastipak-3", "30g-4", 100, 26),
        ("bd-plastipak-5", "30g-4", 100, 45),
        ("bd-plastipak-10", "30g-4", 100, 63),
        ("bd-plastipak-10", "30g-13", 100, 73),
        ("bd-plastipak-10", "32g-13", 100, 140),
    ],
)
def test_force_against_tissue(syringe: str, needle: str, flow_ul_per_s: float, newtons: float):
    kpa = hydraulics.needle_pressure_kpa(flow_ul_per_s, get_needle(needle)) + 300

    assert isclose(
        hydraulics.plunger_force_n(kpa, get_syringe(syringe)), newtons, rel_tol=0.02, abs_tol=0.5
    )


@given(NEEDLES, st.floats(0.01, 1000), st.floats(0.3, 100))
def test_the_highest_flow_is_the_inverse(needle, flow_ul_per_s: float, viscosity_mpa_s: float):
    kpa = hydraulics.needle_pressure_kpa(flow_ul_per_s, needle, viscosity_mpa_s)

    back = hydraulics.highest_flow_ul_per_s(kpa, needle, viscosity_mpa_s)

    assert isclose(back, flow_ul_per_s, rel_tol=1e-6)


@pytest.mark.parametrize("syringe", syringes().values(), ids=lambda each: each.id)
@pytest.mark.req("R25")
def test_the_limit_is_a_pressure_for_each_syringe(syringe):
    limit = hydraulics.pressure_limit_kpa(syringe)

    assert hydraulics.plunger_force_n(limit, syringe) <= hydraulics.DRIVE_LIMIT_N + 1e-9
    assert hydraulics.TISSUE_KPA < limit <= hydraulics.PRESSURE_MAX_KPA
