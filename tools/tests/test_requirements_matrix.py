"""The matrix finds every mark, and refuses what names no requirement."""

from pathlib import Path

import pytest

import requirements_matrix as matrix

ENTRY = """
[[requirement]]
id = "{id}"
text = "Holds."
bound = "0"
reason = "Else it would not."
control = "This."
level = {level}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with every requirement and no test."""
    write_requirements(tmp_path, "".join(entry(name) for name in matrix.IDS))
    return tmp_path


def entry(name: str, level: str = '["U"]') -> str:
    return ENTRY.format(id=name, level=level)


def write_requirements(root: Path, text: str) -> None:
    path = root / matrix.REQUIREMENTS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_test(root: Path, text: str) -> None:
    path = root / "host/tests/test_gun.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("import pytest\n" + text, encoding="utf-8")


def test_the_requirements_of_this_repository_are_complete() -> None:
    entries, problems = matrix.load_requirements(matrix.REPOSITORY / matrix.REQUIREMENTS)
    assert problems == []
    assert tuple(entry.id for entry in entries) == matrix.IDS


def test_marks_of_this_repository_name_requirements() -> None:
    assert list(matrix.mark_problems(matrix.collect_marks(matrix.REPOSITORY))) == []


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ('@pytest.mark.req("R07")\ndef test_a(): ...', "::test_a"),
        ('@pytest.mark.req("R01", "R07")\nasync def test_a(): ...', "::test_a"),
        ('@pytest.mark.req("R07")\nclass TestA:\n  def test_a(self): ...', "::TestA"),
        ('class TestA:\n  @pytest.mark.req("R07")\n  def test_a(self): ...', "::TestA::test_a"),
        ('pytestmark = [pytest.mark.req("R07")]', ""),
        (
            '@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.req("R07"))])\n'
            "def test_a(n): ...",
            "::test_a",
        ),
    ],
)
def test_finds_a_mark(repository: Path, text: str, test: str) -> None:
    write_test(repository, text)
    marks = matrix.collect_marks(repository)
    assert f"host/tests/test_gun.py{test}" in {m.test for m in marks if m.requirement == "R07"}


def test_prints_tests_below_their_requirement(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_test(repository, '@pytest.mark.req("R02")\ndef test_a(): ...')
    assert matrix.main([], repository) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["R02  [U]  0", "       host/tests/test_gun.py::test_a"]
    assert lines[-1].startswith("1 of 45 safety requirements have a test; none yet: R01 R03 R04")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('@pytest.mark.req("R46")\ndef test_a(): ...', "R46 is not in"),
        ('@pytest.mark.req("r07")\ndef test_a(): ...', "r07 is not in"),
        ("@pytest.mark.req(7)\ndef test_a(): ...", "plain texts"),
        ("@pytest.mark.req()\ndef test_a(): ...", "plain texts"),
        ("@pytest.mark.req\ndef test_a(): ...", "plain texts"),
        ("def test_a(", "test_gun.py:2: cannot be read"),
    ],
)
def test_refuses_a_mark_without_a_requirement(
    repository: Path, text: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_test(repository, text)
    assert matrix.main(["--check"], repository) == 1
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("first", "problem"),
    [
        ("", "R01 stands 0 times"),
        (entry("R01") * 2, "R01 stands 2 times"),
        (entry("R99"), "R99 is no id"),
        (entry("R01", "[]"), "requirement.0.level"),
        (entry("R01", '["X"]'), "requirement.0.level.0"),
        (entry("R01").replace('"Holds."', '" "'), "requirement.0.text"),
        (entry("R01").replace('bound = "0"\n', ""), "requirement.0.bound"),
        (entry("R01") + 'owner = "me"', "requirement.0.owner"),
    ],
)
def test_refuses_a_malformed_entry(
    repository: Path, first: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_requirements(repository, first + "".join(entry(name) for name in matrix.IDS[1:]))
    assert matrix.main(["--check"], repository) == 1
    assert problem in capsys.readouterr().err
