"""`mesogun simtest`: what it tells, and how a seed is replayed."""

from pathlib import Path

import pytest

from mesogun.records import verify
from tests.cli.conftest import Command


def test_it_adds_up_what_happened(mesogun: Command) -> None:
    ran = mesogun("simtest", "--seeds", 3, "--first", 10, "--jobs", 1, "--json")
    assert ran.code == 0
    assert (ran.data["first"], ran.data["seeds"], ran.data["broken"]) == (10, 3, None)
    assert ran.data["counts"]["boots, power_on"] >= 6


def test_it_names_the_first_broken_seed_and_its_replay(
    mesogun: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(verify, "seal_problems", lambda _material: iter(()))
    ran = mesogun("simtest", "--seeds", 200, "--jobs", 1, "--json")
    assert ran.code == 1
    broken = ran.data["broken"]
    assert broken["rule"] == "verify holds"
    trace = tmp_path / "trace.txt"
    assert broken["replay"] == f"mesogun simtest --seed {broken['seed']} --trace FILE"
    again = mesogun("simtest", "--seed", broken["seed"], "--trace", trace)
    assert again.code == 1
    assert broken["text"] in again.out
    assert trace.read_text().splitlines()[-1].endswith(broken["text"])


def test_a_trace_needs_one_seed_and_a_place(mesogun: Command, tmp_path: Path) -> None:
    assert mesogun("simtest", "--trace", "x").code == 2
    assert mesogun("simtest", "--seed", 1, "--trace", tmp_path).code == 2
