"""Looks at a gun as a treatment would report them, for tests of what shows them."""

from dataclasses import replace
from typing import Any

from mesogun.treatment import Progress
from mesogun_protocol.enums import ControllerState, Fault, StepKind, TriggerMode

HOLDING = Progress(
    program_name="Facial rejuvenation",
    state=ControllerState.RUNNING,
    step_index=0,
    step_count=1,
    step_kind=StepKind.SHOTS,
    trigger_mode=TriggerMode.HOLD,
    message=None,
    shots_done=123,
    shots_planned=300,
    delivered_nl=1_230_000,
    planned_nl=3_000_000,
    remaining_nl=1_920_000,
    fill_nl=3_150_000,
    pressure_kpa=212.4,
    limit_kpa=453,
    trigger_pressed=False,
    wants_trigger=True,
    elapsed_s=41.0,
    left_s=59.0,
    fault=Fault.NONE,
)


def look(**changes: Any) -> Progress:
    """A hold program in its middle that waits for the trigger, with `changes`."""
    return replace(HOLDING, **changes)
