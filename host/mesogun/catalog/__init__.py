"""Syringes, needles, techniques and treatments as data, each figure with its source.

The tables are read at their first use. Every `get_...` raises `UnknownName` with the near ids.
"""

from mesogun.catalog.care import Advice, Care, Question
from mesogun.catalog.course import Appointment, days, next_session
from mesogun.catalog.figures import Bounds, Figure, Range, Source
from mesogun.catalog.lookup import UnknownName, find, near, unknown_text
from mesogun.catalog.models import (
    LEAD_NM,
    STEPS_PER_TURN,
    Delivery,
    Failing,
    Layer,
    MeasuredTrain,
    Needle,
    Setting,
    Syringe,
    Technique,
    Treatment,
    Trigger,
)
from mesogun.catalog.tables import (
    care,
    layers,
    measured_trains,
    needles,
    sources,
    syringes,
    techniques,
    treatments,
)


def get_source(source_id: str) -> Source:
    """The source with this id."""
    return find("source", sources(), source_id)


def get_syringe(syringe_id: str) -> Syringe:
    """The syringe with this id, such as `bd-plastipak-10`."""
    return find("syringe", syringes(), syringe_id)


def get_needle(needle_id: str) -> Needle:
    """The needle with this id, such as `30g-4`."""
    return find("needle", needles(), needle_id)


def get_technique(technique_id: str) -> Technique:
    """The technique with this id, such as `nappage`."""
    return find("technique", techniques(), technique_id)


def get_treatment(treatment_id: str) -> Treatment:
    """The treatment with this id, such as `face`."""
    return find("treatment", treatments(), treatment_id)


__all__ = [
    "LEAD_NM",
    "STEPS_PER_TURN",
    "Advice",
    "Appointment",
    "Bounds",
    "Care",
    "Delivery",
    "Failing",
    "Figure",
    "Layer",
    "MeasuredTrain",
    "Needle",
    "Question",
    "Range",
    "Setting",
    "Source",
    "Syringe",
    "Technique",
    "Treatment",
    "Trigger",
    "UnknownName",
    "care",
    "days",
    "find",
    "get_needle",
    "get_source",
    "get_syringe",
    "get_technique",
    "get_treatment",
    "layers",
    "measured_trains",
    "near",
    "needles",
    "next_session",
    "sources",
    "syringes",
    "techniques",
    "treatments",
    "unknown_text",
]
