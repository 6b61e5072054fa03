"""Is this a program at all? Its keys, their types, and which keys go together; no bound yet."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mesogun.catalog import near
from mesogun.program.locate import Path
from mesogun.program.model import STEPS, Area, Limits, Program
from mesogun.program.problems import Problem, show
from mesogun.words import N_, _
from mesogun_protocol import limits

_UNIT = re.compile(r"_(?:[umn]?l_per_s|m?pa_s|[munk]?l|[mun]?s|[mcun]?m|k?hz|min|ml)$")
_UNITS: Final = {
    "ul": N_("microlitres"),
    "ul_per_s": N_("microlitres a second"),
    "s": N_("seconds"),
    "ms": N_("milliseconds"),
    "hz": N_("shots a second"),
    "mm": N_("millimetres"),
    "mpa_s": N_("millipascal seconds"),
}
_MUST_BE: Final = {
    "float_type": N_("must be a number without quotes"),
    "int_type": N_("must be a whole number without quotes"),
    "int_from_float": N_("must be a whole number"),
    "string_type": N_("must be text in quotes"),
    "finite_number": N_("must be a finite number"),
    "tuple_type": N_("must be a list of tables: write [[step]] above each one"),
    "string_too_short": N_("must not be empty"),
    "string_too_long": N_("must not be longer than 200 characters"),
    "model_type": N_("must be a table"),
    "model_attributes_type": N_("must be a table: write [[step]] above each one"),
}
_MOST: Final = 100
"""Problems of keys and types that are told; a file of a megabyte can hold 200,000."""
PACING: Final = ("interval_s", "period_s", "rate_hz")
_ONE_OF: Final = {
    "shots": (PACING, ("count", "duration_s")),
    "flow": (("duration_s", "volume_ul"),),
}
"""Keys of which a step needs exactly one, by kind."""


def steps_of(document: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """The steps of a document that are tables, with their positions, as many as a gun takes."""
    steps: object = document.get("step")
    if not isinstance(steps, list | tuple):
        return []
    found = cast(Sequence[object], steps)[: limits.PROGRAM_STEPS_MAX]
    return [
        (index, cast(Mapping[str, Any], step))
        for index, step in enumerate(found)
        if isinstance(step, Mapping)
    ]


def kind_of(step: Mapping[str, Any]) -> str:
    """The kind of a step, empty if it is none that exists."""
    kind = step.get("kind")
    return kind if isinstance(kind, str) and kind in STEPS else ""


def _keys(model: type[BaseModel]) -> dict[str, str]:
    """Keys of a table as a file spells them, with what they mean."""
    return {
        field.alias or name: field.description or "" for name, field in model.model_fields.items()
    }


def _table_of(path: Path, document: Mapping[str, Any]) -> type[BaseModel]:
    """The model of the table that a path points into."""
    if len(path) > 2 and path[0] == "step":
        return STEPS[kind_of(document["step"][path[1]])]
    tables: dict[str | int, type[BaseModel]] = {"limits": Limits, "area": Area}
    return tables.get(path[0], Program) if len(path) > 1 else Program


def _unknown_key(key: str, model: type[BaseModel]) -> str:
    known = _keys(model)
    for each in known:
        unit = _UNIT.search(each)
        if not unit or each == key:
            continue
        words = _UNITS[unit[0][1:]]
        if each == key + unit[0]:
            return _("{key} has no unit. Write {each} = NUMBER in {words}.").format(
                key=key, each=each, words=_(words)
            )
        if _UNIT.search(key) and _UNIT.sub("", key) == each[: unit.start()]:
            return _(
                "{key} has another unit than this file takes. Write {each} = NUMBER in {words}."
            ).format(key=key, each=each, words=_(words))
    if model is not Program and key in _keys(Program):
        return _(
            "{key} is no key of this table. Move it above the first [table] of the file."
        ).format(key=key)
    candidates = near(key, known)
    advice = (
        _("Did you mean {candidates}?").format(candidates=_(" or ").join(candidates))
        if candidates
        else _("Remove it.")
    )
    return _("{key} is no key of this table. {advice}").format(key=show(key)[1:-1], advice=advice)


def _example(key: str, model: type[BaseModel]) -> str:
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            meaning = f" ({_(field.description)})" if field.description else ""
            return (
                _("{meaning}. Write {key} = {example}.").format(
                    meaning=meaning, key=key, example=show(field.examples[0])
                )
                if field.examples
                else "."
            )
    return "."


def _missing(key: str, path: Path, document: Mapping[str, Any]) -> str:
    if path == ("step",):
        return _("there is no step. Write [[step]] and its keys.")
    if path == ("limits",):
        return _("there are no limits. Write [limits] and total_ul = NUMBER in microlitres.")
    return _("{key} is missing{example}").format(
        key=key, example=_example(key, _table_of(path, document))
    )


def _explained(error: ErrorDetails, path: Path, document: Mapping[str, Any]) -> str:
    """One sentence for an error of pydantic, and what to do."""
    key = next(str(each) for each in reversed(path) if isinstance(each, str))
    wrong = f"{key} = {show(error['input'])}"
    match error["type"]:
        case "extra_forbidden":
            text = _unknown_key(key, _table_of(path, document))
        case "missing":
            text = _missing(key, path, document)
        case "union_tag_not_found":
            text = _('kind is missing. Write kind = "shots", or one of {known}.').format(
                known=", ".join(STEPS)
            )
        case "union_tag_invalid":
            kind = show(error["input"].get("kind"))
            text = _("kind = {kind}: must be one of {known}. Choose one.").format(
                kind=kind, known=", ".join(STEPS)
            )
        case "literal_error":
            choice = error.get("ctx", {})["expected"]
            text = _("{wrong}: must be {choice}. Choose one of these.").format(
                wrong=wrong, choice=choice
            )
        case other:
            must = _(_MUST_BE.get(other, error["msg"]))
            text = f"{wrong}: {must}{_example(key, _table_of(path, document))}"
    return text


def _path(location: tuple[str | int, ...]) -> Path:
    """A path of ours from one of pydantic, which names the kind of a step as a level of its own."""
    return location[:2] + location[3:] if location[0] == "step" else location


def _step_count(document: Mapping[str, Any]) -> list[Problem]:
    steps: object = document.get("step")
    if not isinstance(steps, list | tuple):
        return []
    count, most = len(cast(Sequence[object], steps)), limits.PROGRAM_STEPS_MAX
    if count == 0:
        return [Problem(("step",), _("there is no step. Write [[step]] and its keys."))]
    if count > most:
        text = _(
            "there are {count} steps: the gun takes {most} (source: limit of the gun's protocol)."
        ).format(count=count, most=most)
        return [
            Problem(("step", most), _("{text} Join steps, or split the program.").format(text=text))
        ]
    return []


def _one_of(document: Mapping[str, Any]) -> list[Problem]:
    """Steps that do not say exactly one thing about their pace or their end."""
    problems: list[Problem] = []
    for index, step in steps_of(document):
        for choice in _ONE_OF.get(kind_of(step), ()):
            given = [key for key in choice if key in step]
            if len(given) == 1:
                continue
            has = _(" and ").join(given) if given else _("none")
            text = _("{kind} need exactly one of {choice}; this step has {has}.").format(
                kind=step["kind"], choice=", ".join(choice), has=has
            )
            advice = _("Keep one of them.") if given else _("Add one of them.")
            path: Path = ("step", index, given[-1]) if given else ("step", index)
            problems.append(Problem(path, f"{text} {advice}"))
    return problems


def check_shape(document: Mapping[str, Any]) -> tuple[Program | None, list[Problem]]:
    """Reads a parsed program file as a program.

    Args:
        document: what `tomllib` made of the file.

    Returns:
        The program, None if it is none, and every problem of keys and types.
    """
    problems = [*_step_count(document), *_one_of(document)]
    ready = dict(document)
    if isinstance(ready.get("step"), list | tuple):
        ready["step"] = tuple(ready["step"][: limits.PROGRAM_STEPS_MAX])
    try:
        program = Program.model_validate(ready)
    except ValidationError as error:
        found = error.errors(include_url=False)
        for each in found[:_MOST]:
            path = _path(each["loc"])
            problems.append(Problem(path, _explained(each, path, document)))
        if len(found) > _MOST:
            text = _("there are {found} more problems. Correct these first.").format(
                found=len(found) - _MOST
            )
            problems.append(Problem((), text))
        return None, problems
    return (None if problems else program), problems
