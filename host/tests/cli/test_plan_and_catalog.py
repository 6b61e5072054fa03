"""Making programs and listing what is built in."""

import subprocess
import sys

import pytest

SYRINGE = ("--syringe", "bd-plastipak-5")
HEAVY = (
    "rich",
    "sqlalchemy",
    "pydantic",
    "babel",
    "matplotlib",
    "construct",
    "serial",
    "numpy",
    "mesogun.gun",
)


def test_a_planned_program_can_be_checked(mesogun, tmp_path):
    path = tmp_path / "face.toml"
    made = mesogun(
        "plan", "face", *SYRINGE, "-o", path, "--area", "12x8 cm", "--spacing-mm", 10, "--json"
    )
    assert made.code == 0
    assert (made.data["shots"], made.data["points"], made.data["syringes"]) == (96, 96, 1)
    assert 0.5 < made.data["pressure_margin"] < 0.6
    low, high = made.data["stops_kpa"]
    assert 0 < low <= high < made.data["limit_kpa"]
    assert made.data["file"] == str(path)
    assert mesogun("check", path, "--json").data["volume_nl"] == 960_000


def test_without_a_file_the_program_is_the_result(mesogun, tmp_path):
    path = tmp_path / "face.toml"
    path.write_text(mesogun("plan", "face", *SYRINGE).out)
    assert mesogun("check", path).code == 0


def test_the_figures_of_a_plan_are_told_beside_the_program(mesogun):
    ran = mesogun(
        "plan", "face", "--syringe", "bd-plastipak-3", "--area", "12x8 cm", "--spacing-mm", 5
    )
    for told in (
        "120 x 80 mm, 384 points 5 mm apart",
        "2 of BD Plastipak 3 ml, draw up 2.929 ml and 1.103 ml",
        "depth 0.5 mm (IED intra-epidermic)",
        "at most 26 N against 300 kPa of tissue; the drive pushes with 100 N",
        "there 363 kPa of 1000 kPa, margin 64 %",
        "the gun stops at 145 kPa, as if the needle were blocked",
        "Confirm 2 syringes, changed on the way",
    ):
        assert told in ran.err
    assert ran.out.startswith("# Nappage")


def test_no_syringe_is_ever_assumed(mesogun):
    ran = mesogun("plan", "face")
    assert (ran.code, ran.out) == (2, "")
    assert "No syringe was named, and none is assumed" in ran.err
    assert "bbraun-omnifix-10" in ran.err


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
@pytest.mark.parametrize("name", ["face", "chronic-pain", "me"])
def test_a_picture_is_drawn(mesogun, tmp_path, name, ending):
    path = tmp_path / f"plan.{ending}"
    area = ("--area", "12x8 cm") if name == "face" else ()
    ran = mesogun("plan", name, "--syringe", "bd-plastipak-10", *area, "--picture", path, "--json")
    assert ran.code == 0
    assert ran.data["picture"] == str(path)
    assert path.read_bytes()[:5].lstrip(b"\x89")[:3] in {b"PNG", b"<?x", b"%PD"}
    refused = mesogun("check", "face", "--picture", path)
    assert refused.code == 2
    assert "exists already" in refused.err


def test_a_picture_of_another_kind_is_refused(mesogun, tmp_path):
    ran = mesogun("check", "face", "--picture", tmp_path / "plan.bmp")
    assert ran.code == 2
    assert "a picture ends in .png, .svg or .pdf" in ran.err


def test_a_file_is_not_overwritten_unless_forced(mesogun, tmp_path):
    path = tmp_path / "face.toml"
    path.write_text("mine")
    refused = mesogun("plan", "face", *SYRINGE, "-o", path)
    assert refused.code == 2
    assert "exists already" in refused.err
    assert "--force" in refused.err
    assert path.read_text() == "mine"
    assert mesogun("plan", "face", *SYRINGE, "-o", path, "--force").code == 0
    assert "schema = 1" in path.read_text()


def test_a_file_that_cannot_be_written_is_told(mesogun, tmp_path):
    ran = mesogun("plan", "face", *SYRINGE, "-o", tmp_path / "none" / "face.toml")
    assert ran.code == 2
    assert "No such file or directory" in ran.err


@pytest.mark.parametrize(
    ("kind", "some_id"),
    [
        ("treatments", "face"),
        ("techniques", "nappage"),
        ("syringes", "terumo-10"),
        ("needles", "30g-4"),
        ("layers", "ied"),
        ("sources", "assumed"),
    ],
)
def test_a_list_is_an_array_of_objects_with_an_id(mesogun, kind, some_id):
    ids = [each["id"] for each in mesogun("catalog", kind, "--json").data]
    assert some_id in ids
    assert len(ids) == len(set(ids))
    text = mesogun("catalog", kind).out
    for each in ids:
        assert each in text


def test_where_sources_disagree_each_is_shown_with_its_own(mesogun):
    assert "30 to 100 (10 to 400)" in mesogun("catalog", "techniques").out
    line = next(each for each in mesogun("catalog", "techniques").out.splitlines() if "ppp" in each)
    for each in ("; 10 to 50 [", "; 100 to 200 [", "; 300 to 400 ["):
        assert each in line
    face = next(
        each for each in mesogun("catalog", "treatments").out.splitlines() if "face" in each
    )
    assert "10 sessions every 7 days [" in face
    assert "; 3 sessions every 14 days [" in face


def test_care_is_listed_by_when_it_is_needed(mesogun):
    data = mesogun("catalog", "care", "--json").data
    assert {each["group"] for each in data} == {"material", "question", "before", "expect", "after"}
    assert "No bath and no shower for 12 hours." in mesogun("catalog", "care").out


def test_every_source_number_of_a_table_is_explained(mesogun):
    text = mesogun("catalog", "syringes").out
    table, _, sources = text.partition("Sources:")
    used = {number for part in table.split("[")[1:] for number in part.split("]")[0].split(",")}
    assert used
    for number in used:
        assert f"[{number}] " in sources


def test_a_long_table_is_not_folded_where_no_terminal_is(mesogun):
    lines = mesogun("catalog", "treatments").out.splitlines()
    assert max(map(len, lines)) > 100
    assert all(line == line.rstrip() for line in lines)


def test_versions_are_told(mesogun):
    data = mesogun("version", "--json").data
    assert data["protocol_version"] == 1
    assert mesogun("--version").out == f"mesogun {data['mesogun']}\n"


def test_help_imports_nothing_heavy():
    script = (
        "import sys; from mesogun.cli import main; code = main(['--help']);"
        f"print([name for name in {HEAVY} if name in sys.modules], code)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert shown.stdout.splitlines()[-1] == "[] 0"


def test_without_arguments_the_help_is_shown(mesogun):
    ran = mesogun()
    assert ran.code == 0
    for command in ("run", "plan", "check", "catalog", "status", "stop", "devices", "sessions"):
        assert f"  {command} " in ran.out
