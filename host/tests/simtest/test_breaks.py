"""Each rule of the simulated world is worth something: it finds a defect that was put in."""

import shutil
from pathlib import Path

import pytest

from mesogun.simtest.rules import Rule
from mesogun.simtest.seeds import Report, run_seeds
from mesogun.virtual.firmware import firmware_folder
from tests.simtest.breaks import IN_FIRMWARE, IN_HOST, FirmwareBreak, HostBreak

_SEEDS = 2000


def _assert_found(report: Report, rule: Rule) -> None:
    assert report.broken is not None, f"{report.seeds} seeds have not found it"
    assert report.broken.broken is not None
    assert report.broken.broken.rule is rule, report.broken.broken


@pytest.mark.parametrize("defect", IN_FIRMWARE, ids=lambda each: each.name)
def test_a_defect_of_the_firmware_is_found(defect: FirmwareBreak, tmp_path: Path) -> None:
    folder = tmp_path / "firmware"
    shutil.copytree(firmware_folder(), folder, ignore=shutil.ignore_patterns("tests"))
    for name, before, after in defect.edits:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{name} no longer holds {before!r} once"
        (folder / name).write_text(text.replace(before, after), encoding="utf-8")
    _assert_found(run_seeds(defect.first, _SEEDS, firmware=folder), defect.rule)


@pytest.mark.parametrize("defect", IN_HOST, ids=lambda each: each.name)
def test_a_defect_of_the_host_is_found(defect: HostBreak, monkeypatch: pytest.MonkeyPatch) -> None:
    defect.put_in(monkeypatch)
    _assert_found(run_seeds(defect.first, _SEEDS), defect.rule)


def test_there_is_a_defect_for_each_rule() -> None:
    assert {defect.rule for defect in (*IN_FIRMWARE, *IN_HOST)} == set(Rule)
