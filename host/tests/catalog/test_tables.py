"""The data of the catalog: complete, consistent, within the machine's bounds, sourced."""

from collections.abc import Iterator
from datetime import date
from math import isclose

import pytest
from pydantic import BaseModel, ValidationError

from mesogun import catalog
from mesogun.catalog.figures import Bounds, Figure, Range
from mesogun.errors import UsageError
from mesogun.words import speak
from mesogun_protocol import limits

TABLES = [
    catalog.syringes(),
    catalog.needles(),
    catalog.layers(),
    catalog.techniques(),
    catalog.treatments(),
    {"care": catalog.care()},
    catalog.measured_trains(),
]


def cited(model: BaseModel) -> Iterator[str]:
    """Every source id below a model."""
    for name, value in model:
        if name == "source":
            yield value
        inner = value.values() if isinstance(value, dict) else value
        for each in inner if isinstance(value, (tuple, dict)) else [value]:
            if isinstance(each, BaseModel):
                yield from cited(each)


def test_every_figure_names_a_known_source():
    used = {source for table in TABLES for entry in table.values() for source in cited(entry)}

    assert used <= set(catalog.sources())


def test_every_source_is_used():
    used = {source for table in TABLES for entry in table.values() for source in cited(entry)}

    assert set(catalog.sources()) == used


def test_a_source_that_was_seen_says_where_it_is():
    own = {
        "mesotherapy-technique-overview",
        "mesotherapy-indications-overview",
        "syringe-table",
        "bench-accuracy",
    }
    for source in catalog.sources().values():
        assert source.read in {"text", "table", "excerpt", "background", "none"}
        assert source.address or source.id in own or source.read in {"background", "none"}


@pytest.mark.parametrize("brand", ["bd-plastipak", "terumo", "bbraun-omnifix"])
@pytest.mark.parametrize("size_ml", [3, 5, 10])
def test_each_brand_comes_in_each_size(brand: str, size_ml: int):
    syringe = catalog.get_syringe(f"{brand}-{size_ml}")

    assert syringe.capacity_nl == size_ml * 1_000_000
    assert 0.97 < syringe.usable_nl / syringe.capacity_nl < 1
    assert limits.PL_PER_STEP_MIN < syringe.pl_per_step() < limits.PL_PER_STEP_MAX
    # A barrel that holds its volume in less than 20 mm or more than 80 mm is a typing error.
    assert 20 < syringe.capacity_nl / syringe.nl_per_mm < 80


def test_volume_of_a_step():
    syringe = catalog.get_syringe("bd-plastipak-10")

    assert syringe.pl_per_step() == 41_282
    assert syringe.pl_per_step(lead_nm=1_000_000, steps_per_turn=200) == 825_650
    assert isclose(syringe.nl_per_mm, 165_130, rel_tol=1e-5)


def test_where_tables_disagree_the_span_is_kept():
    syringe = catalog.get_syringe("bd-plastipak-10")

    assert syringe.inner_diameter_mm.span == (14.43, 14.50)
    assert catalog.get_syringe("terumo-10").inner_diameter_mm.span == (15.80, 15.80)
    dose = catalog.get_technique("ppp").shots
    assert dose is not None
    assert dose.dose_ul.usual.span == (10, 400)


def test_the_wrong_brand_would_be_a_dose_error_of_a_fifth():
    right, wrong = catalog.get_syringe("bd-plastipak-10"), catalog.get_syringe("bbraun-omnifix-10")

    assert isclose(wrong.area_mm2 / right.area_mm2, 1.2, abs_tol=0.005)


def test_needles_are_every_gauge_in_every_length():
    needles = catalog.needles()

    assert len(needles) == 7 * 3
    assert needles["30g-4"].bore_mm.value == 0.159
    assert needles["27g-13"].length_mm.value == 13
    assert needles["27g-13"].title == "27G x 13 mm"
    assert needles["32g-4"].bore_mm.source == "needle-chart-background"
    for needle in needles.values():
        assert needle.bore_mm.value + needle.bore_tolerance_mm.value < needle.outer_mm.value


def test_techniques_are_the_six_of_the_overview():
    assert set(catalog.techniques()) == {"me", "papule", "nappage", "ppp", "mesoperfusion", "mps"}


@pytest.mark.parametrize("technique", catalog.techniques().values(), ids=lambda each: each.id)
def test_a_technique_stays_in_its_layers(technique: catalog.Technique):
    layers = [catalog.layers()[each].depth_mm for each in technique.layers]

    assert min(layer.low for layer in layers) <= technique.depth_mm.usual.low
    assert technique.depth_mm.usual.high <= max(layer.high for layer in layers)


@pytest.mark.parametrize("technique", catalog.techniques().values(), ids=lambda each: each.id)
@pytest.mark.req("R01")
def test_no_technique_asks_for_more_than_the_machine_does(technique: catalog.Technique):
    shots, flow = technique.shots, technique.flow
    assert (shots is None) != (flow is None)
    if shots:
        assert shots.dose_ul.hard.low * 1000 >= limits.DOSE_MIN_NL
        assert shots.dose_ul.hard.high * 1000 <= limits.DOSE_MAX_NL
        assert shots.inject_s.hard.low * 1e6 >= limits.INJECT_MIN_US
        assert shots.inject_s.hard.high * 1e6 <= limits.INJECT_MAX_US
        assert (shots.rate_hz is None) != (shots.interval_s is None)
        if shots.rate_hz:
            assert shots.rate_hz.hard.high * limits.PERIOD_MIN_US <= 1e6
            assert shots.rate_hz.hard.low * limits.PERIOD_MAX_US >= 1e6
        if shots.interval_s:
            longest_s = shots.interval_s.hard.high + shots.inject_s.hard.high
            assert longest_s * 1e6 <= limits.PERIOD_MAX_US
            assert shots.interval_s.hard.low * 1e6 >= limits.DWELL_MIN_US
        if shots.film_ul:
            assert shots.film_ul.hard.high * 1000 <= limits.FILM_MAX_NL
        assert (shots.film_ul is None) == (technique.deliveries == ("dry",))
    if flow:
        assert flow.duration_s.hard.high * 1e6 <= limits.FLOW_MAX_US


def test_figures_of_the_overview():
    nappage = catalog.get_technique("nappage")
    assert nappage.shots is not None
    assert nappage.shots.rate_hz is not None
    assert (nappage.shots.rate_hz.usual.low, nappage.shots.rate_hz.usual.high) == (2, 4)
    assert (nappage.depth_mm.usual.low, nappage.depth_mm.usual.high) == (0.5, 2)
    slow = catalog.get_technique("mesoperfusion").shots
    assert slow is not None
    assert slow.interval_s is not None
    assert slow.duration_s is not None
    assert (slow.inject_s.usual.low, slow.inject_s.usual.high) == (1, 5)
    assert (slow.interval_s.usual.low, slow.interval_s.usual.high) == (10, 50)
    assert (slow.duration_s.usual.low, slow.duration_s.usual.high) == (300, 2700)


@pytest.mark.parametrize("treatment", catalog.treatments().values(), ids=lambda each: each.id)
def test_a_treatment_keeps_to_its_own_figures(treatment: catalog.Treatment):
    setting = treatment.setting
    technique = catalog.get_technique(treatment.technique)

    assert setting.depth_mm in treatment.depth_mm
    assert setting.depth_mm in technique.depth_mm.usual
    assert setting.volume_ul in treatment.volume_ul
    assert setting.delivery in technique.deliveries
    if treatment.spacing_mm:
        assert setting.spacing_mm is not None
        assert setting.spacing_mm in treatment.spacing_mm
    if treatment.points:
        assert setting.dose_ul is not None
        assert setting.volume_ul / setting.dose_ul in treatment.points


def test_courses():
    face, hair, thighs = (
        catalog.get_treatment(each).course for each in ("face", "hair", "cellulite-thighs")
    )

    assert [(phase.sessions, phase.interval_days) for phase in face] == [(10, 7)]
    assert [(phase.sessions, phase.interval_days) for phase in hair] == [(4, 7), (None, 30)]
    assert [(phase.sessions, phase.interval_days) for phase in thighs] == [(4, 7), (None, 14)]


def test_the_next_session_of_a_course_keeps_the_interval_of_its_phase():
    first = date(2026, 1, 1)
    face, hair = catalog.get_treatment("face"), catalog.get_treatment("hair")

    assert [(each.day - first).days for each in catalog.days(face, first, 99)] == [
        7 * number for number in range(10)
    ]
    assert catalog.next_session(face, 10, first) is None
    due = catalog.next_session(hair, 4, first)
    assert due is not None
    assert (due.number, due.planned, due.day) == (5, None, date(2026, 1, 31))


def test_the_overviews_figures_around_a_treatment():
    care = catalog.care()
    hours = {
        (each.id, figure.value)
        for each in (*care.question, *care.before, *care.after)
        for figure in each.figures.values()
    }

    assert hours == {("thinners", 48), ("bath", 12), ("electricity", 72)}
    assert {each.id for each in care.question if each.hard} == {
        "allergy",
        "skin",
        "asepsis",
        "product",
    }


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_text_of_care_has_its_figures_in_every_language(language: str):
    care = catalog.care()
    every = [*care.material, *care.question, *care.before, *care.expect, *care.after]
    with speak(language):
        for each in every:
            for figure in each.figures.values():
                assert f"{figure.value:g}" in each.words
            assert "{" not in each.words
            assert set(each.treatments) <= set(catalog.treatments())


def test_hips_and_thighs_share_ten_millilitres():
    volumes = [
        catalog.get_treatment(f"cellulite-{each}").setting.volume_ul for each in ("thighs", "hips")
    ]

    assert sum(volumes) == 10_000
    assert catalog.get_treatment("cellulite-stomach").setting.volume_ul == 5_000


@pytest.mark.parametrize(
    ("getter", "wrong", "near", "command"),
    [
        (catalog.get_syringe, "bd-plastipack-10", "bd-plastipak-10", "mesogun catalog syringes"),
        (catalog.get_needle, "30g", "30g-4", "mesogun catalog needles"),
        (catalog.get_technique, "napage", "nappage", "mesogun catalog techniques"),
        (catalog.get_treatment, "cellulite", "cellulite-thighs", "mesogun catalog treatments"),
        (catalog.get_treatment, "Face", "face", "mesogun catalog treatments"),
    ],
)
def test_an_unknown_id_names_the_near_ones(getter, wrong, near, command):
    with pytest.raises(UsageError) as refused:
        getter(wrong)

    assert repr(wrong) in str(refused.value)
    assert near in str(refused.value)
    assert command in str(refused.value)


def test_an_id_of_a_megabyte_is_cut():
    with pytest.raises(catalog.UnknownName) as refused:
        catalog.get_syringe("x" * 1_000_000)

    assert len(str(refused.value)) < 300


def test_entries_are_frozen_and_strict():
    figure = Figure(value=1.0, source="assumed")
    with pytest.raises(ValidationError):
        figure.value = 2.0
    with pytest.raises(ValidationError):
        Figure.model_validate({"value": "1.0", "source": "assumed"})
    with pytest.raises(ValidationError):
        Figure.model_validate({"value": 1.0, "source": "assumed", "unit": "mm"})
    with pytest.raises(ValidationError, match="source"):
        Figure.model_validate({"value": 1.0})


def test_ranges_must_make_sense():
    with pytest.raises(ValidationError, match="upside down"):
        Range(low=2.0, high=1.0, source="assumed")
    wide, narrow = (Range(low=0.0, high=high, source="assumed") for high in (9.0, 1.0))
    with pytest.raises(ValidationError, match="beyond the hard"):
        Bounds(usual=wide, hard=narrow)
