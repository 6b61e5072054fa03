"""Reads the tables of the package, each at its first use and once."""

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar

from mesogun.catalog.care import Care
from mesogun.catalog.figures import Entry, Source
from mesogun.catalog.models import (
    Layer,
    MeasuredTrain,
    Needle,
    NeedleTable,
    Syringe,
    Technique,
    Treatment,
)

E = TypeVar("E", bound=Entry)


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("mesogun.catalog").joinpath(name).read_text("utf-8"))


def _model(model: type[E], raw: dict[str, Any]) -> E:
    # Strict validation takes no list for a tuple, except from JSON, which has no tuples.
    return model.model_validate_json(json.dumps(raw))


def _entries(model: type[E], raw: list[dict[str, Any]]) -> Mapping[str, E]:
    return MappingProxyType({each["id"]: _model(model, each) for each in raw})


@cache
def sources() -> Mapping[str, Source]:
    """All sources by id."""
    rows = [{"id": key, **row} for key, row in _read("sources.toml").items()]
    return _entries(Source, rows)


@cache
def syringes() -> Mapping[str, Syringe]:
    """All syringes by id."""
    table = _read("syringes.toml")
    shared = {"stiffness_n_per_mm": table["stiffness_n_per_mm"]}
    return _entries(Syringe, [shared | row for row in table["syringe"]])


@cache
def measured_trains() -> Mapping[str, MeasuredTrain]:
    """All trains whose accuracy was measured, by id."""
    table = _read("accuracy.toml")
    rows = [{"source": table["source"], **row} for row in table["measured"]]
    return _entries(MeasuredTrain, rows)


@cache
def needles() -> Mapping[str, Needle]:
    """All needles by id."""
    table = _model(NeedleTable, _read("needles.toml"))
    made = [
        Needle(
            id=f"{gauge.id}-{length.value:g}",
            gauge=gauge.id,
            length_mm=length,
            bore_mm=gauge.bore_mm,
            bore_tolerance_mm=table.bore_tolerance_mm,
            outer_mm=gauge.outer_mm,
        )
        for gauge in table.gauge
        for length in table.lengths_mm
    ]
    return MappingProxyType({needle.id: needle for needle in made})


@cache
def layers() -> Mapping[str, Layer]:
    """All depth classes by id."""
    return _entries(Layer, _read("techniques.toml")["layer"])


@cache
def techniques() -> Mapping[str, Technique]:
    """All techniques by id."""
    return _entries(Technique, _read("techniques.toml")["technique"])


@cache
def treatments() -> Mapping[str, Treatment]:
    """All treatments by id."""
    return _entries(Treatment, _read("treatments.toml")["treatment"])


@cache
def care() -> Care:
    """Materials, questions and advice around a treatment."""
    return _model(Care, _read("care.toml"))
