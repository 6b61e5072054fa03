"""A valid program as a document, to be spoilt in one place, and strategies for programs."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from mesogun import catalog

NAPPAGE: dict[str, Any] = {
    "schema": 1,
    "name": "Test",
    "technique": "nappage",
    "delivery": "dry",
    "depth_mm": 1.0,
    "syringe": "bd-plastipak-5",
    "needle": "30g-4",
    "limits": {"total_ul": 1000.0},
    "step": [
        {
            "kind": "shots",
            "dose_ul": 10.0,
            "inject_s": 0.1,
            "rate_hz": 3.0,
            "count": 100,
            "trigger": "hold",
        }
    ],
}


def changed(*, step: dict[str, Any] | None = None, drop: str = "", **top: Any) -> dict[str, Any]:
    """The nappage document with other keys; `drop` is taken out of its step."""
    document = deepcopy(NAPPAGE)
    document.update(top)
    document["step"][0].update(step or {})
    document["step"][0].pop(drop, None)
    return document


def _number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


_TEXT = st.text(min_size=1, max_size=30).filter(str.isprintable)
_SHOTS = st.builds(
    dict,
    st.fixed_dictionaries(
        {
            "kind": st.just("shots"),
            "dose_ul": _number(1, 1000),
            "inject_s": _number(0.01, 10),
            "trigger": st.sampled_from(["auto", "hold", "press"]),
        },
        optional={
            "on_release": st.sampled_from(["finish", "stop"]),
            "ramp_ms": _number(0, 5),
            "retract_ul": _number(0, 50),
            "film_ul": _number(1, 50),
        },
    ),
)
_PACE = st.one_of(
    st.fixed_dictionaries({"interval_s": _number(0.1, 100)}),
    st.fixed_dictionaries({"period_s": _number(0.1, 120)}),
    st.fixed_dictionaries({"rate_hz": _number(0.01, 10)}),
)
_END = st.one_of(
    st.fixed_dictionaries({"count": st.integers(1, 10_800)}),
    st.fixed_dictionaries({"duration_s": _number(0.1, 2700)}),
)
_FLOW = st.builds(
    lambda step, end: step | end,
    st.fixed_dictionaries(
        {
            "kind": st.just("flow"),
            "rate_ul_per_s": _number(0.1, 50),
            "trigger": st.sampled_from(["auto", "hold"]),
        }
    ),
    st.one_of(
        st.fixed_dictionaries({"duration_s": _number(1, 2700)}),
        st.fixed_dictionaries({"volume_ul": _number(1, 9000)}),
    ),
)
_STEP = st.one_of(
    st.builds(lambda step, pace, end: step | pace | end, _SHOTS, _PACE, _END),
    _FLOW,
    st.fixed_dictionaries({"kind": st.just("pause"), "message": _TEXT}),
    st.fixed_dictionaries({"kind": st.just("prime"), "volume_ul": _number(1, 1000)}),
)

DOCUMENTS = st.fixed_dictionaries(
    {
        "schema": st.just(1),
        "name": _TEXT,
        "technique": st.sampled_from(sorted(catalog.techniques())),
        "delivery": st.sampled_from(["dry", "wet", "mixed"]),
        "depth_mm": _number(0, 13),
        "syringe": st.sampled_from(sorted(catalog.syringes())),
        "needle": st.sampled_from(sorted(catalog.needles())),
        "limits": st.fixed_dictionaries(
            {"total_ul": _number(1, 10_000)}, optional={"max_shots": st.integers(1, 10_800)}
        ),
        "step": st.lists(_STEP, min_size=1, max_size=16),
    },
    optional={"viscosity_mpa_s": _number(0.5, 100)},
)
"""Documents of the right shape, within the machine's bounds or nearly so."""
