"""Each bound, hard and soft, with what its message must say."""

import re
from copy import deepcopy
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesogun import catalog
from mesogun.catalog import get_syringe
from mesogun.program import Program, check, compile_steps, estimate, plan
from mesogun.program.checks import check_document
from mesogun.program.problems import Problem

from .program_documents import DOCUMENTS, NAPPAGE, changed


def problems(document: dict[str, Any]) -> list[Problem]:
    """All but what is known of the accuracy at the needle, which test_accuracy.py is about."""
    return [each for each in check_document(document)[1] if "to keep R06" not in each.text]


def only(document: dict[str, Any]) -> Problem:
    found = problems(document)
    assert len(found) == 1, found
    return found[0]


def test_the_document_that_the_others_spoil_is_right():
    program, found = check_document(NAPPAGE)

    assert program is not None
    assert found == []


@pytest.mark.parametrize("name", [*catalog.treatments(), *catalog.techniques()])
def test_what_is_built_in_passes_without_a_warning(name: str):
    assert check(plan(name)) == ()


@pytest.mark.parametrize("value", [0, 0.0, -5.0, 0.999, 100.1, 10**30, -(10**30)])
@pytest.mark.req("R01")
def test_a_dose_out_of_range_is_refused(value: float):
    found = only(changed(step={"dose_ul": value, "count": 1}))

    assert found.hard
    assert found.path == ("step", 0, "dose_ul")
    assert "nappage allows 1 to 100 ul, usually 10 to 40" in found.text
    assert ("Lower" if value > 0.999 else "Raise") + " dose_ul" in found.text


@pytest.mark.parametrize("value", [nan, inf, -inf, 10**400])
def test_a_dose_that_is_no_number_is_refused_once(value: float):
    found = only(changed(step={"dose_ul": value}))

    assert found.hard
    assert re.match(r"dose_ul = .*: must be a .*number.*Write dose_ul = 10.0", found.text)


@pytest.mark.parametrize("value", ["10", True, [10], {"a": 1}])
def test_a_dose_of_a_wrong_type_is_refused(value: object):
    found = only(changed(step={"dose_ul": value}))

    assert found.hard
    assert "must be a number" in found.text


@pytest.mark.req("R02")
def test_a_rate_above_the_technique_is_refused_and_an_unusual_one_needs_a_confirmation():
    hard, soft = (only(changed(step={"rate_hz": rate})) for rate in (12, 6))

    assert hard.hard
    assert hard.text == (
        "rate_hz = 12: nappage allows 0.1 to 9 shots/s, usually 2 to 4 (source: AFME, Outils "
        "d'aide à l'injection: mésothérapie; Mesotherapy: material and technique, overview text "
        "(clinical source text of this project)). Lower rate_hz, or use another technique."
    )
    assert not soft.hard
    assert soft.text.startswith("rate_hz = 6: nappage usually has 2 to 4 shots/s (source: Meso")
    assert soft.text.endswith("Confirm it, or change rate_hz.")


@pytest.mark.parametrize(
    ("pace", "hard"),
    [({"period_s": 0.11}, True), ({"interval_s": 0.01}, True), ({"period_s": 0.2}, False)],
)
def test_the_rate_counts_however_it_is_written(pace: dict[str, float], hard: bool):
    document = changed(step={"inject_s": 0.05, "ramp_ms": 5.0, **pace}, drop="rate_hz")

    found = only(document)

    assert found.hard is hard
    assert next(iter(pace)) in found.text


def test_interval_of_mesoperfusion_counts_however_it_is_written():
    document = plan("mesoperfusion").document()
    step = document["step"][0]
    del step["interval_s"]
    step["period_s"] = 4.0

    found = only(document)

    assert found.hard
    assert "period_s = 4.0 makes 2 s: mesoperfusion allows 5 to 110 s" in found.text


def test_a_train_that_is_unusually_short_needs_a_confirmation():
    document = plan("mesoperfusion").document()
    document["step"][0]["count"] = 14

    found = only(document)

    assert not found.hard
    assert "count = 14 makes 280 s: mesoperfusion usually has 300 to 2700 s" in found.text


def test_a_count_may_not_outlast_the_session():
    document = plan("chronic-pain").document()
    document["step"][0] |= {"count": 136, "dose_ul": 20.0}

    found = problems(document)

    assert [each.path for each in found] == [("step", 0, "count")]
    assert "count = 136 makes 2720 s: mesoperfusion allows 5 to 2700 s" in found[0].text


@pytest.mark.parametrize(("depth_mm", "hard"), [(2.5, True), (0.05, True), (0.3, False)])
def test_depth_outside_the_class_of_the_technique(depth_mm: float, hard: bool):
    found = only(changed(depth_mm=depth_mm))

    assert found.hard is hard
    assert f"depth_mm = {depth_mm}: nappage" in found.text


def test_a_needle_must_reach_the_depth():
    document = plan("ppp").document() | {"depth_mm": 8.0}

    assert "the needle 30g-6 is 6 mm long" in only(document).text


def test_an_unusual_needle_needs_a_confirmation():
    found = only(changed(needle="30g-13"))

    assert not found.hard
    assert 'needle = "30g-13": nappage usually has needles of 4 mm' in found.text


@pytest.mark.parametrize(
    ("kind", "wrong", "near"),
    [
        ("syringe", "bd-plastipac-5", "bd-plastipak-5"),
        ("needle", "30g-5", "30g-4"),
        ("technique", "napage", "nappage"),
    ],
)
def test_an_unknown_id_names_near_ones_and_the_list(kind: str, wrong: str, near: str):
    found = only(changed() | {kind: wrong})

    assert found.hard
    assert f'{kind} = "{wrong}"' in found.text
    assert near in found.text
    assert f"mesogun catalog {kind}s" in found.text


@pytest.mark.req("R27")
def test_more_than_the_syringe_holds_takes_two_that_must_be_confirmed():
    document = changed(step={"count": 480}, limits={"total_ul": 4800.0})

    found = only(document)

    assert not found.hard
    assert found.path == ("syringe",)
    assert "needs 5040 ul" in found.text
    assert "gives 4925 ul" in found.text
    assert "Confirm 2 syringes" in found.text


@pytest.mark.req("R27")
def test_a_single_push_that_is_larger_than_the_syringe_is_refused():
    document = plan("me", syringe="bd-plastipak-10").document()
    document |= {"syringe": "bd-plastipak-3", "limits": {"total_ul": 5000.0}}
    document["step"][0]["volume_ul"] = 3_000.0

    (found,) = [each for each in problems(document) if each.path == ("syringe",)]

    assert found.hard
    assert "one flow needs 3150 ul with 5 % in reserve, the syringe gives 2930 ul" in found.text


@pytest.mark.req("R27")
def test_a_prime_counts_towards_the_syringe_but_not_towards_the_total():
    document = changed(step={"count": 460}, limits={"total_ul": 4600.0})
    assert problems(document) == []
    document["step"].append({"kind": "prime", "volume_ul": 200.0})

    found = only(document)

    assert found.path == ("syringe",)
    assert "primes 200" in found.text


def test_a_total_above_the_syringe_is_refused():
    found = only(changed(limits={"total_ul": 5000.0}))

    assert found.path == ("limits", "total_ul")
    assert "bd-plastipak-5 allows 1 to 4925 ul" in found.text


@pytest.mark.req("R04")
def test_steps_may_not_deliver_more_than_the_limits():
    found = problems(changed(limits={"total_ul": 999.0, "max_shots": 99}))

    assert [each.path[-1] for each in found] == ["total_ul", "max_shots"]
    assert "the steps deliver 1000 ul" in found[0].text
    assert "the steps make 100 shots" in found[1].text


@pytest.mark.parametrize(("volume_ul", "allowed"), [(1000.0, True), (1000.1, False), (0.5, False)])
@pytest.mark.req("R29")
def test_a_prime_has_at_most_a_millilitre(volume_ul: float, allowed: bool):
    document = deepcopy(NAPPAGE)
    document["step"].append({"kind": "prime", "volume_ul": volume_ul})

    assert (problems(document) == []) is allowed


@pytest.mark.parametrize(("retract_ul", "allowed"), [(50.0, True), (50.1, False), (-1.0, False)])
@pytest.mark.req("R12")
def test_a_retraction_is_bounded(retract_ul: float, allowed: bool):
    step = {"retract_ul": retract_ul, "dose_ul": 60.0, "inject_s": 1.0, "ramp_ms": 100.0}
    document = changed(step={**step, "rate_hz": 0.2, "count": 10})

    assert (not any(each.hard for each in problems(document))) is allowed


def test_a_flow_that_the_needle_cannot_pass_is_refused():
    document = changed(
        needle="32g-4", syringe="bd-plastipak-10", step={"dose_ul": 40.0, "inject_s": 0.1}
    )
    document["step"][0]["count"] = 10

    found = only(document)

    assert found.path == ("step", 0, "inject_s")
    assert "400 ul/s through 32g-4 into tissue" in found.text
    assert "the most is 100 N" in found.text
    advised = re.search(r"at most ([\d.]+) ul/s", found.text)
    assert advised is not None
    document["step"][0] |= {"inject_s": 0.28, "dose_ul": 0.27 * float(advised[1])}
    assert not any(each.hard for each in problems(document))


def test_a_small_barrel_is_bounded_by_pressure_not_by_force():
    document = changed(
        needle="32g-4",
        syringe="bd-plastipak-3",
        step={"dose_ul": 40.0, "inject_s": 0.1, "count": 10},
    )

    assert "the most is 1000 kPa" in only(document).text


@pytest.mark.req("R02")
def test_a_force_above_the_continuous_one_needs_a_confirmation():
    found = only(changed(syringe="bbraun-omnifix-10"))

    assert not found.hard
    assert "the drive is made for 70 N" in found.text


def test_a_ramp_makes_the_rest_of_the_shot_faster():
    steady = only(changed(syringe="bbraun-omnifix-10"))
    ramped = only(changed(syringe="bbraun-omnifix-10", step={"ramp_ms": 20.0}))

    assert "100 ul/s" in steady.text
    assert "125 ul/s" in ramped.text
    assert "a quarter of its push, here 25 ms" in only(changed(step={"ramp_ms": 25.1})).text


def test_a_thick_liquid_needs_more_force():
    assert only(changed(viscosity_mpa_s=30.0)).hard
    assert only(changed(viscosity_mpa_s=0.0)).path == ("viscosity_mpa_s",)


@pytest.mark.parametrize(
    ("step", "allowed"),
    [({"inject_s": 0.1, "period_s": 0.3}, True), ({"inject_s": 0.29, "period_s": 0.3}, False)],
)
def test_the_gun_needs_50_ms_between_shots(step: dict[str, float], allowed: bool):
    found = problems(changed(step=step, drop="rate_hz"))

    assert (not any(each.hard for each in found)) is allowed
    assert allowed or "needs 50 ms" in found[-1].text


@pytest.mark.req("R04")
def test_ten_shots_a_second_are_the_most():
    document = plan("mps").document()
    document["step"][0] |= {"rate_hz": 11.0, "inject_s": 0.1, "technique": "unknown"}
    document["technique"] = "unknown"
    document["step"][0].pop("technique")
    document["step"][0].pop("interval_s")

    texts = [each.text for each in problems(document)]

    assert any("the gun allows 0.00833333 to 10 shots/s" in text for text in texts)


def test_the_drive_needs_a_ramp_for_a_fast_start():
    abrupt = only(changed(syringe="bd-plastipak-3"))

    assert abrupt.path == ("step", 0, "inject_s")
    assert "would start at 6822 steps/s on bd-plastipak-3, it starts at 4000" in abrupt.text
    assert problems(changed(syringe="bd-plastipak-3", step={"ramp_ms": 10.0})) == []


def test_the_drive_has_a_fastest_rate():
    document = plan("ppp", needle="26g-4", syringe="bd-plastipak-3", depth_mm=3.0).document()
    document["step"][0] |= {"dose_ul": 100.0, "inject_s": 0.12, "count": 1, "ramp_ms": 30.0}

    text = next(each.text for each in problems(document) if each.hard)

    assert "takes 75467 steps/s on bd-plastipak-3, the drive makes 40000" in text


def test_a_retraction_may_not_exceed_the_dose_and_needs_its_time():
    much = only(changed(step={"retract_ul": 10.1}))
    slow = only(changed(step={"dose_ul": 20.0, "count": 50, "inject_s": 0.27, "retract_ul": 20.0}))

    assert "more than the dose of 10 ul would draw fluid in" in much.text
    assert slow.path == ("step", 0, "rate_hz")
    assert "takes 0.3781 s, the pace leaves 0.333333 s" in slow.text


def test_a_technique_has_only_its_own_kinds_of_steps():
    document = changed()
    document["step"] = [
        {"kind": "flow", "rate_ul_per_s": 5.0, "duration_s": 10.0, "trigger": "hold"}
    ]

    assert 'kind = "flow": nappage has no flow' in only(document).text
    document = plan("me").document()
    document |= {"step": deepcopy(NAPPAGE["step"]), "limits": {"total_ul": 1500.0}}
    assert 'kind = "shots": me has no shots' in only(document).text


def test_delivery_and_film_belong_together():
    dry = only(changed(step={"film_ul": 2.0}))
    wet = only(changed(delivery="wet"))
    ppp = only(plan("ppp").document() | {"delivery": "wet"})

    assert "a dry delivery lays no film" in dry.text
    assert "film_ul is missing" in wet.text
    assert "ppp allows dry" in ppp.text
    document = changed(delivery="mixed", step={"film_ul": 2.0}, limits={"total_ul": 1100.0})
    assert problems(document) == []


def test_a_film_must_fit_between_the_shots():
    document = changed(
        delivery="wet",
        step={"film_ul": 2.0, "inject_s": 0.27, "period_s": 0.32},
        drop="rate_hz",
        limits={"total_ul": 1200.0},
    )

    assert any("no time is left" in each.text for each in problems(document))


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("dose", 10.0, "dose has no unit. Write dose_ul = NUMBER in microlitres."),
        ("dose_ml", 0.01, "dose_ml has another unit than this file takes. Write dose_ul"),
        ("rate", 3.0, "rate has no unit. Write rate_hz = NUMBER in shots a second."),
        ("interval_ms", 3.0, "Write interval_s = NUMBER in seconds."),
        ("triger", "hold", "triger is no key of this table. Did you mean trigger?"),
        ("needle", "30g-4", "needle is no key of this table. Move it above the first [table]"),
        ("qqqq", 1, "qqqq is no key of this table. Remove it."),
    ],
)
def test_an_unknown_key_is_explained(key: str, value: object, text: str):
    found = only(changed(step={key: value}))

    assert found.path == ("step", 0, key)
    assert text in found.text


def test_a_dose_without_unit_is_both_unknown_and_missing():
    document = changed(drop="dose_ul")
    document["step"][0]["dose"] = 10.0

    texts = [each.text for each in problems(document)]

    assert any(text.startswith("dose has no unit") for text in texts)
    assert any(text.startswith("dose_ul is missing (dose of one shot, ul)") for text in texts)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"rate_hz": 3.0, "period_s": 0.3}, "exactly one of interval_s, period_s, rate_hz"),
        ({"duration_s": 30.0}, "exactly one of count, duration_s; this step has count and dur"),
    ],
)
def test_two_ways_to_say_the_same_are_refused(given: dict[str, float], text: str):
    assert text in only(changed(step=given)).text


@pytest.mark.parametrize(("drop", "text"), [("rate_hz", "has none. Add"), ("count", "has none")])
def test_no_way_to_say_it_is_refused(drop: str, text: str):
    assert text in only(changed(drop=drop)).text


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (changed(step={"kind": "shot"}), 'kind = "shot": must be one of shots, flow, pause, prime'),
        (changed(step={"trigger": "pull"}), "must be 'auto', 'hold' or 'press'"),
        (changed(step={"count": 2.5}), "must be a whole number"),
        (changed(step={"kind": ["shots"]}), "kind = a list: must be one of"),
        (changed(schema=2), "schema = 2: must be 1"),
        (changed(name=""), "must not be empty"),
        (changed(name="x" * 201), "must not be longer than 200"),
        (changed(name="a\x1b[31m"), "must be one line without control characters"),
        (changed(limits=5), "limits = 5: must be a table"),
        (changed() | {"step": 5}, "must be a list of tables: write [[step]]"),
        (changed() | {"step": {"kind": "pause"}}, "must be a list of tables: write [[step]]"),
        (changed() | {"step": [5]}, "step = 5: must be a table"),
        (changed() | {"step": []}, "there is no step"),
        (changed() | {"step": [{"message": "x"}]}, "kind is missing"),
        (changed() | {"step": [{"kind": "pause"}] * 17}, "there are 17 steps: the gun takes 16"),
        ({key: each for key, each in NAPPAGE.items() if key != "limits"}, "there are no limits"),
        ({key: each for key, each in NAPPAGE.items() if key != "step"}, "there is no step"),
        ({key: each for key, each in NAPPAGE.items() if key != "schema"}, "schema is missing"),
    ],
)
def test_what_is_no_program_is_told_so(document: dict[str, Any], text: str):
    program, found = check_document(document)

    assert program is None or any(each.hard for each in found)
    assert any(text in each.text for each in found), found


def test_all_problems_are_told_at_once():
    document = changed(depth_mm=9.0, syringe="x", step={"rate_hz": 12.0, "dose": 1.0})
    document["step"].append({"kind": "prime", "volume_ul": 2000.0})
    document["step"].append({"kind": "pause", "message": 5})

    paths = {each.path for each in problems(document)}

    assert {
        ("depth_mm",),
        ("syringe",),
        ("step", 0, "rate_hz"),
        ("step", 0, "dose"),
        ("step", 1, "volume_ul"),
        ("step", 2, "message"),
    } <= paths


def test_two_hundred_thousand_problems_are_cut():
    document = changed() | {f"key{number}": 1 for number in range(1000)}

    found = problems(document)

    assert len(found) == 101
    assert any("there are 900 more problems" in each.text for each in found)


_JUNK = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates()
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from([*NAPPAGE, *NAPPAGE["step"][0], "x"]), inner, max_size=4),
    ),
    max_leaves=8,
)


@given(st.data())
def test_any_junk_is_refused_in_words(data: st.DataObject):
    document = deepcopy(NAPPAGE)
    for _ in range(data.draw(st.integers(1, 3))):
        table = data.draw(st.sampled_from([document, document["step"][0]]))
        table[data.draw(st.sampled_from([*table, "x", "film_ul", "ramp_ms", "duration_s"]))] = (
            data.draw(_JUNK)
        )
        if not isinstance(document["step"], list) or document["step"][:1] != [table]:
            break

    program, found = check_document(document)

    assert program is not None or any(each.hard for each in found)
    for each in found:
        assert each.text.isprintable()
        assert each.text.endswith(".") or each.text.endswith("?"), each.text


@given(DOCUMENTS)
@pytest.mark.req("R27")
def test_whatever_passes_fits_the_syringe_the_limits_and_the_machine(document: dict[str, Any]):
    program, found = check_document(document)
    assert program is not None
    if any(each.hard for each in found):
        return
    figures = estimate(program)
    steps = compile_steps(program, get_syringe(program.syringe))

    assert figures.margin_nl >= 0
    assert figures.volume_nl <= program.limits.total_ul * 1000 + 1
    assert figures.peak_force_n <= 100 + 1e-6
    assert all(step.duration_us <= 2_700_000_000 for step in steps)


def test_a_program_that_was_built_by_hand_can_be_checked():
    program = Program.model_validate(
        changed(step={"dose_ul": 500.0}) | {"step": (changed(step={"dose_ul": 500.0})["step"][0],)}
    )

    (found,) = check(program)

    assert str(found).startswith("Test: step 1: dose_ul = 500.0: nappage allows")
