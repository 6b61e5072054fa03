"""Writes a program as a program file that a person can read and change."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mesogun.catalog import get_needle, get_syringe, get_technique
from mesogun.program.estimate import estimate
from mesogun.program.model import STEPS, Area, Limits, Program, Table


def _value(value: Any) -> str:
    # What JSON escapes in a string, TOML reads; a program's texts hold nothing else (see `Text`).
    # Both write the same booleans.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else repr(value)


def _rows(table: Mapping[str, Any], model: type[Table]) -> Iterator[str]:
    """Lines `key = value  # meaning` of one table."""
    meanings = {
        field.alias or name: field.description for name, field in model.model_fields.items()
    }
    for key, value in table.items():
        meaning = meanings[key]
        row = f"{key} = {_value(value)}"
        yield f"{row:<28}  # {meaning}" if meaning else row


def dump_toml(program: Program) -> str:
    """The text of a program file.

    Args:
        program: a checked program.

    Returns:
        TOML with a comment at each key; reading it gives an equal program.
    """
    document = program.document()
    limits, steps = document.pop("limits"), document.pop("step")
    area = document.pop("area", None)
    figures = estimate(program)
    lines = [
        f"# {get_technique(program.technique).title}; {get_syringe(program.syringe).title}, "
        f"{get_needle(program.needle).title}.",
        f"# {figures.shots} shots, {figures.volume_nl / 1000:g} ul, {figures.duration_s:.0f} s; "
        f"draw up {figures.fill_nl / 1000:g} ul; at most {figures.peak_force_n:.0f} N.",
        "",
        *_rows(document, Program),
        *(["", "[area]", *_rows(area, Area)] if area else []),
        "",
        "[limits]",
        *_rows(limits, Limits),
    ]
    for step in steps:
        lines += ["", "[[step]]", *_rows(step, STEPS[step["kind"]])]
    return "\n".join(lines) + "\n"
