"""A short run of the device's fuzzing on the real MicroPython; `make fuzz` is the long one."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("device_fuzz.py")
INPUTS = 20_000

Run = Callable[[Path, Sequence[str], str], tuple[str, str]]


@pytest.mark.req("R34", "R35")
@pytest.mark.parametrize("target", ["frames", "requests", "programs"])
def test_no_input_is_too_strange(micropython: Run, target: str) -> None:
    output, errors = micropython(SCRIPT, [target, "1", str(INPUTS)], "")
    assert errors == ""
    told = json.loads(output)
    assert told["heap_after"] - told["heap_before"] <= 1024
    # The run is worth something only if parsers were reached, and refused.
    for name in {"accepted", "damaged", "answered", "running", "taken", "refused"} & told.keys():
        assert told[name] > (0 if name == "running" else INPUTS // 10)
