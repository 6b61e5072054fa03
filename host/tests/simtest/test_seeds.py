"""The simulated world: no rule breaks, much happens, and each run of a seed is the same run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesogun.link.cable import USB
from mesogun.link.faults import CHANCES
from mesogun.simtest import stage
from mesogun.simtest.draw import Deadly, Trouble, draw
from mesogun.simtest.rules import Rule
from mesogun.simtest.seeds import run_seeds

_SEEDS = 2000
_TRACED = (1, 4)
_TRACE = """
import sys
from pathlib import Path
from mesogun.simtest.seed import run_seed
from mesogun.simtest.seeds import workshop

with Path(sys.argv[2]).open("w") as file, workshop() as shared:
    run_seed(int(sys.argv[1]), shared, lambda now_ns, text: file.write(f"{now_ns} {text}\\n"))
"""


@pytest.mark.req("R16", "R17", "R19", "R22", "R30", "R32", "R33", "R40", "R41", "R42")
def test_no_rule_breaks_in_2000_worlds() -> None:
    report = run_seeds(0, _SEEDS, jobs=os.cpu_count() or 1)
    assert report.broken is None, f"seed {report.broken.seed}: {report.broken.broken}"
    assert report.seeds == _SEEDS
    # Worlds in which nothing happens prove nothing.
    happened = {name for name, count in report.counts.items() if count >= _SEEDS // 200}
    expected = {trouble.value for trouble in Trouble}
    expected |= {f"cable: {name}" for name in (*CHANCES, USB)}
    expected |= {f"host killed at a {where}" for where in Deadly}
    expected |= {
        "boots, power_on",
        "boots, watchdog",
        "pauses",
        "primes",
        "doubts",
        "records again",
    }
    assert expected <= happened, expected - happened
    assert report.counts["sessions"] > _SEEDS / 2
    assert report.counts["shots"] > _SEEDS


def _trace(seed: int, file: Path, hash_seed: str) -> bytes:
    subprocess.run(
        [sys.executable, "-c", _TRACE, str(seed), str(file)],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PYTHONHASHSEED": hash_seed,
        },
        check=True,
    )
    return file.read_bytes()


@pytest.mark.parametrize("seed", _TRACED)
def test_the_trace_of_a_seed_is_the_same_to_the_byte(seed: int, tmp_path: Path) -> None:
    first = _trace(seed, tmp_path / "first", "1")
    assert first == _trace(seed, tmp_path / "second", "2")
    assert first.count(b"\n") > 100


def test_each_seed_is_another_world() -> None:
    assert len({str(draw(seed).lines()) for seed in range(200)}) == 200
    assert draw(7).lines() == draw(7).lines()


def test_a_world_without_end_is_ended_by_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "LONGEST_S", 1)
    report = run_seeds(0, 1)
    assert report.broken is not None
    assert report.broken.broken is not None
    assert report.broken.broken.rule is Rule.ENDS
    assert report.broken.simulated_s < 10
