"""What the README shows works as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mesogun.program import check, load

README = Path(__file__).parents[2] / "README.md"


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1, f"{len(found)} blocks of {language} in the README"
    return found[0]


def test_the_program_file_has_no_problem(tmp_path: Path):
    """It should load without a soft problem either."""
    path = tmp_path / "lumbar.toml"
    path.write_text(block("toml"), encoding="utf-8")
    assert check(load(path)) == ()


def test_the_library_example_runs(tmp_path: Path):
    """It should deliver what it plans."""
    pytest.importorskip("fcntl", reason="the virtual gun runs on Linux and macOS")
    env = {
        **os.environ,
        "MESOGUN_DB": f"sqlite:///{tmp_path}/store.db",
        "MESOGUN_VIRTUAL_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block("python")],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "shots_planned=100, shots_delivered=100" in done.stdout
    assert "record_complete=True" in done.stdout
