"""Programs that must be refused: exit code 2 with the value, the bound and the next act."""

import os
from pathlib import Path

import pytest

from tests.cli.program_file import PAPULES

GOOD = PAPULES.replace('"press"', '"auto"')

WRONG = {
    "unknown key": ("count = 8", "count = 8\ncolour = 3", ["program.toml:18", "colour", "no key"]),
    "wrong type": ("dose_ul = 50", 'dose_ul = "50"', ["program.toml:14", "number without quotes"]),
    "missing unit": ("dose_ul = 50", "dose = 50", ["dose has no unit", "dose_ul = NUMBER"]),
    "rate above the technique's": (
        "period_s = 2",
        "rate_hz = 9",
        ["program.toml:16", "rate_hz = 9", "papule allows", "2 shots/s", "source:"],
    ),
    "dose zero": ("dose_ul = 50", "dose_ul = 0", ["dose_ul = 0", "Raise dose_ul"]),
    "dose negative": ("dose_ul = 50", "dose_ul = -5", ["dose_ul = -5", "Raise dose_ul"]),
    "dose not a number": ("dose_ul = 50", "dose_ul = nan", ["dose_ul = nan", "finite number"]),
    "total above the syringe": (
        "total_ul = 400",
        "total_ul = 9000",
        ["total_ul = 9000", "bd-plastipak-5 allows", "larger syringe"],
    ),
    "depth outside the class": (
        "depth_mm = 1.5",
        "depth_mm = 7",
        ["program.toml:5", "depth_mm = 7", "papule allows 1 to 2 mm", "Lower depth_mm"],
    ),
    "unknown syringe": (
        '"bd-plastipak-5"',
        '"bd-plastipack-5"',
        ["bd-plastipack-5", "did you mean bd-plastipak-5"],
    ),
    "no TOML": ("schema = 1", "schema", ["program.toml:1", "no TOML"]),
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_program_is_refused_with_value_bound_and_advice(mesogun, tmp_path, command, wrong):
    before, after, told = WRONG[wrong]
    assert before in GOOD
    path = _written(tmp_path, GOOD.replace(before, after))
    _refused(mesogun, command, path, told)


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_is_no_program_is_refused(mesogun, tmp_path, command):
    empty = _written(tmp_path, "")
    _refused(mesogun, command, empty, ["is empty", "mesogun plan"])
    (tmp_path / "binary.toml").write_bytes(b"schema = 1\n\xff\xfe\x00")
    _refused(mesogun, command, tmp_path / "binary.toml", ["binary.toml:2", "0xff", "UTF-8"])
    (tmp_path / "folder.toml").mkdir()
    _refused(mesogun, command, tmp_path / "folder.toml", ["is a directory"])
    _refused(mesogun, command, tmp_path / "missing.toml", ["no such file", "mesogun plan"])
    with (tmp_path / "huge.toml").open("wb") as huge:
        os.truncate(huge.fileno(), 100_000_000)
    _refused(mesogun, command, tmp_path / "huge.toml", ["1048576 bytes"])


def test_a_name_that_is_nothing_is_refused_with_the_near_ones(mesogun):
    _refused(mesogun, "check", "fase", ["'fase'", "did you mean face"])


def test_a_syringe_that_is_unknown_is_refused(mesogun):
    ran = mesogun("check", "face", "--syringe", "terumo-6")
    assert ran.code == 2
    assert "terumo-6" in ran.err
    assert "did you mean terumo-5" in ran.err


def test_a_good_program_is_told_in_figures(mesogun, tmp_path):
    ran = mesogun("check", _written(tmp_path, GOOD))
    assert (ran.code, ran.err) == (0, "")
    for told in ("8 shots of 50 ul in 0.5 s", "400 ul", "14.5 s", " N against ", " kPa", "420 ul"):
        assert told in ran.out


@pytest.mark.req("R02")
def test_an_unusual_value_is_a_warning_and_no_error(mesogun, tmp_path):
    path = _written(
        tmp_path, GOOD.replace("inject_s = 0.5", "inject_s = 5").replace("= 2\n", "= 9\n")
    )
    ran = mesogun("check", path, "--json")
    assert ran.code == 0
    assert any("inject_s = 5" in warning for warning in ran.data["warnings"])
    assert "Unusual" in mesogun("check", path).out


def _written(folder: Path, text: str) -> Path:
    path = folder / "program.toml"
    path.write_text(text)
    return path


def _refused(mesogun, command: str, program: object, told: list[str]) -> None:
    options = ["--port", "sim", "--yes", "--auto-trigger"] if command == "run" else []
    ran = mesogun(command, program, *options)
    assert ran.code == 2
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for each in told:
        assert each in ran.err
