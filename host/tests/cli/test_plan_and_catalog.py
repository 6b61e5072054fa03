"""Making programs and listing what is built in."""

import subprocess
import sys

import pytest

HEAVY = ("rich", "sqlalchemy", "pydantic", "construct", "serial", "numpy", "mesogun.gun")


def test_a_planned_program_can_be_checked(mesogun, tmp_path):
    path = tmp_path / "face.toml"
    made = mesogun("plan", "face", "-o", path, "--area", "12x8 cm", "--spacing-mm", 10, "--json")
    assert made.code == 0
    assert made.data["shots"] == 96
    assert made.data["file"] == str(path)
    assert mesogun("check", path, "--json").data["volume_nl"] == 960_000


def test_without_a_file_the_program_is_the_result(mesogun, tmp_path):
    path = tmp_path / "face.toml"
    path.write_text(mesogun("plan", "face").out)
    assert mesogun("check", path).code == 0


def test_a_file_is_not_overwritten_unless_forced(mesogun, tmp_path):
    path = tmp_path / "face.toml"
    path.write_text("mine")
    refused = mesogun("plan", "face", "-o", path)
    assert refused.code == 2
    assert "exists already" in refused.err
    assert "--force" in refused.err
    assert path.read_text() == "mine"
    assert mesogun("plan", "face", "-o", path, "--force").code == 0
    assert "schema = 1" in path.read_text()


def test_a_file_that_cannot_be_written_is_told(mesogun, tmp_path):
    ran = mesogun("plan", "face", "-o", tmp_path / "none" / "face.toml")
    assert ran.code == 2
    assert "No such file or directory" in ran.err


@pytest.mark.parametrize(
    ("kind", "some_id"),
    [
        ("treatments", "face"),
        ("techniques", "nappage"),
        ("syringes", "terumo-10"),
        ("needles", "30g-4"),
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
