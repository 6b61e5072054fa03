"""Forty mistakes of people: each answer names the mistake, the bound and the next act."""

import re
from pathlib import Path

import pytest

from tests.cli.program_file import PAPULES

SYRINGE = ("--syringe", "bd-plastipak-5")
RUN = ("--port", "sim", "--speed", "max", "--yes", "--auto-trigger")

TYPED = [
    (("plan", "face"), "No syringe was named", "24 %", "Write --syringe ID"),
    (("plan", "fase", *SYRINGE), "'fase'", "no treatment", "did you mean face"),
    (("plan", "face", "--syringe", "bd-10"), "bd-10", "no syringe", "mesogun catalog syringes"),
    (("plan", "face", *SYRINGE, "--needle", "30g"), '"30g"', "no needle", "30g-4"),
    (("plan", "face", *SYRINGE, "--area", "12"), "'12'", "no area", "12x8 cm"),
    (("plan", "face", *SYRINGE, "--area", "-1 cm2"), "-1 cm2", "no area", "Write"),
    (("plan", "face", *SYRINGE, "--area", "400x8 cm"), "width_mm = 4000", "2000 mm", "Lower"),
    (("plan", "face", *SYRINGE, "--area", "60x60 cm"), "total_ul", "10000 ul", "Lower"),
    (("plan", "face", *SYRINGE, "--spacing-mm", "5"), "spacing_mm = 5", "needs an area", "Give"),
    (
        ("plan", "face", *SYRINGE, "--area", "4x4 cm", "--spacing-mm", "0.1"),
        "spacing_mm = 0.1",
        "0.5 to 100 mm",
        "Raise",
    ),
    (("plan", "chronic-pain", *SYRINGE, "--area", "4x4 cm"), "chronic-pain", "single", "Leave"),
    (("plan", "face", *SYRINGE, "--delivery", "damp"), "'damp'", "dry, wet or mixed", "choose"),
    (("plan", "ppp", *SYRINGE, "--delivery", "wet"), "wet", "ppp allows dry", "Change"),
    (("plan", "face", *SYRINGE, "--picture", "a.bmp"), "a.bmp", ".png, .svg or .pdf", "Name"),
    (("plan", "face", *SYRINGE, "-o", "none/a.toml"), "none/a.toml", "cannot be", "Name"),
    (("check", "none.toml"), "none.toml", "no such file", "mesogun plan NAME -o FILE"),
    (("run", "face", *RUN, "--answer", "allergy"), "'allergy'", "ID=yes or ID=no", "write"),
    (("run", "face", *RUN, "--answer", "fear=no"), "'fear=no'", "ID=yes or ID=no", "catalog care"),
    (
        ("run", "face", *RUN, "--answer", "skin=no", "--answer", "skin=yes"),
        "skin",
        "as yes and as no",
        "Leave one out",
    ),
    (("run", "face", *RUN, "--answer", "allergy=yes"), "allergic", "Yes.", "Choose another"),
    (("run", "face", *RUN, "--answer", "allergy=no"), "skin disease", "asked", "--answer skin="),
    (("run", "face", *RUN, "--speed", "fast"), "--speed fast", "0.01 to 10000", "give"),
    (("run", "face", *RUN, "--operator", " "), "--operator", "1 to 200", "Change"),
    (("run", "face", *RUN, "--patient-ref", "a\nb"), "--patient-ref", "one line", "Change"),
    (("run", "face", *RUN[:2], "--auto-trigger"), "be asked", "no terminal", "with --yes"),
    (("run", "face", "--port", "sim", "--yes"), "trigger", "without a terminal", "--auto-trigger"),
    (("run", "face", "--port", "auto", "--yes"), "No syringe was named", "dose", "--syringe ID"),
]

WRITTEN = [
    ("dose_ul = 50", "dose_ul = 500", "dose_ul = 500", "1 to 100 ul", "Lower dose_ul"),
    ("dose_ul = 50", "dose = 50", "dose has no unit", "microlitres", "Write dose_ul"),
    ("dose_ul = 50", 'dose_ul = "50"', 'dose_ul = "50"', "without quotes", "Write"),
    ("depth_mm = 1.5", "depth_mm = 15", "depth_mm = 15", "1 to 2 mm", "Lower depth_mm"),
    ('"papule"', '"papul"', '"papul"', "no technique", "papule"),
    ('"bd-plastipak-5"', '"bd-plastipak-6"', "bd-plastipak-6", "no syringe", "bd-plastipak-5"),
    ("total_ul = 400", "total_ul = 300", "total_ul = 300", "deliver 400 ul", "Raise total_ul"),
    ("total_ul = 400", "total_ul = 9000", "9000", "1 to 4925 ul", "larger syringe"),
    ("count = 8", "", "exactly one of count", "has none", "Add one"),
    ("count = 8", "count = 8\nduration_s = 9", "exactly one", "count and duration_s", "Keep one"),
    ("inject_s = 0.5", "inject_s = 3", "shot of 3 s", "period_s = 2", "Shorten inject_s"),
    ('kind = "shots"', 'kind = "shoot"', '"shoot"', "shots, flow, pause, prime", "Choose"),
    ('"press"', '"squeeze"', '"squeeze"', "'auto', 'hold' or 'press'", "Choose"),
]


def test_there_are_forty():
    assert len(TYPED) + len(WRITTEN) == 40


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(ran) -> str:
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert "defect" not in ran.err
    return re.sub(r"\s+", " ", ran.err)


@pytest.mark.parametrize(("typed", "mistake", "bound", "act"), TYPED)
def test_what_is_typed_wrong_is_answered(mesogun, typed, mistake, bound, act):
    text = said(mesogun(*typed))
    for told in (mistake, bound, act):
        assert told in text


@pytest.mark.parametrize(("right", "wrong", "mistake", "bound", "act"), WRITTEN)
def test_what_is_written_wrong_is_answered(mesogun, folder, right, wrong, mistake, bound, act):
    assert right in PAPULES
    (folder / "mine.toml").write_text(PAPULES.replace(right, wrong))
    text = said(mesogun("check", "mine.toml"))
    for told in (mistake, bound, act, "mine.toml:"):
        assert told in text
