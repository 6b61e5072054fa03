"""Names, overrides, areas, and program files that are written and read back."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from mesogun import catalog
from mesogun.errors import UsageError
from mesogun.program import (
    InvalidProgram,
    ShotsStep,
    check,
    compile_steps,
    dump_toml,
    estimate,
    loads,
    plan,
    resolve,
)
from mesogun.program.checks import check_document
from mesogun.program.planned import volumes

from .program_documents import DOCUMENTS


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def only_step(name: str, **options: Any) -> ShotsStep:
    (step,) = plan(name, **options).steps
    assert isinstance(step, ShotsStep)
    return step


@pytest.mark.parametrize(
    ("name", "trigger"),
    [
        ("face", "hold"),
        ("nappage", "hold"),
        ("papule", "press"),
        ("ppp", "press"),
        ("mps", "press"),
        ("mesoperfusion", "auto"),
        ("chronic-pain", "auto"),
    ],
)
def test_who_starts_the_shots(name: str, trigger: str):
    assert only_step(name).trigger == trigger


@pytest.mark.parametrize(
    ("name", "shots", "volume_ul"),
    [
        ("face", 300, 3000),
        ("hair", 500, 5000),
        ("cellulite-thighs", 50, 5000),
        ("cellulite-stomach", 50, 5000),
        ("chronic-pain", 135, 5400),
        ("me", 1, 1500),
    ],
)
def test_shots_and_volume(name: str, shots: int, volume_ul: int):
    figures = estimate(plan(name))

    assert (figures.shots, figures.volume_nl) == (shots, volume_ul * 1000)


def test_an_area_and_a_spacing_make_the_number_of_shots():
    assert only_step("face", area="12x8 cm").count == 96
    assert only_step("face", area="96 cm2").count == 96
    assert only_step("face", area="120 x 80 mm", spacing_mm=8.0).count == 150
    assert only_step("cellulite-thighs", area="200 cm2").count == 50
    program = plan("face", area="1 cm2")
    assert program.limits.total_ul == 10
    assert program.limits.max_shots == 1


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("12x8 cm", (120, 80)),
        ("12 x 8cm", (120, 80)),
        ("120x80 mm", (120, 80)),
        ("1,5x2 cm", (15, 20)),
        ("100 cm²", (100, 100)),
        ("96 cm2", (120, 80)),
        ("9700 mm2", (120, 80)),
    ],
)
def test_areas(text: str, sides: tuple[float, float]):
    area = plan("face", area=text).area
    assert area is not None
    assert (area.width_mm, area.height_mm) == sides


@pytest.mark.parametrize(
    "text", ["", "12", "12 cm", "12x8", "12x8 cm2", "0x8 cm", "0 cm2", "-1 cm2", "x"]
)
def test_what_is_no_area(text: str):
    with pytest.raises(UsageError, match=r"is no area. Write for example 12x8 cm"):
        plan("face", area=text)


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("chronic-pain", {"area": "12x8 cm"}, "treats single points, not an area"),
        ("me", {"area": "12x8 cm"}, "treats single points, not an area"),
        ("face", {"spacing_mm": 5.0}, "needs an area"),
        ("face", {"area": "12x8 cm", "spacing_mm": 0.0}, r"allows 0\.5 to 100 mm .*Raise"),
        ("face", {"area": "12x8 cm", "spacing_mm": float("nan")}, "spacing_mm = nan"),
        ("face", {"area": "300x8 cm"}, "allows 1 to 2000 mm .*Lower width_mm"),
    ],
)
def test_options_that_do_not_fit(name: str, options: dict[str, Any], text: str):
    with pytest.raises(UsageError, match=text):
        plan(name, **options)


@pytest.mark.req("R27")
def test_an_area_that_needs_more_than_the_syringe_takes_several_that_are_confirmed():
    program = plan("face", area="30x20 cm")
    syringe = catalog.get_syringe(program.syringe)
    parts = loads(compile_steps(program, syringe), syringe.usable_nl)

    assert estimate(program).syringes == len(parts) == 2
    assert all(volumes(part).fill_nl <= syringe.usable_nl for part in parts)
    found = [str(each) for each in check(program)]
    assert any("Confirm 2 syringes, changed on the way" in each for each in found)
    assert any("face usually has 2000 to 4000 ul" in each for each in found)
    with pytest.raises(InvalidProgram, match="the gun allows 1 to 10000 ul"):
        plan("face", area="40x30 cm")


def test_an_area_is_part_of_the_program_and_its_file():
    program = plan("face", area="12x8 cm", spacing_mm=5.0)

    assert program.area is not None
    assert (program.area.columns, program.area.rows, program.area.points) == (24, 16, 384)
    assert program.treatment == "face"
    assert plan("nappage").treatment is None
    document = tomllib.loads(dump_toml(program))
    assert document["area"] == {"width_mm": 120.0, "height_mm": 80.0, "spacing_mm": 5.0}


@pytest.mark.parametrize("name", ["face", "hair", "nappage", "mps"])
def test_each_delivery_is_planned_by_its_name(name: str):
    dry, wet, mixed = (plan(name, delivery=each) for each in ("dry", "wet", "mixed"))

    assert all(not any(problem.hard for problem in check(each)) for each in (dry, wet, mixed))
    films = [estimate(each).film_nl for each in (dry, wet, mixed)]
    shots = estimate(dry).shots
    assert films == [0, shots * 3000, shots // 2 * 3000]
    with pytest.raises(InvalidProgram, match=r"papule allows dry"):
        plan("papule", delivery="wet")


def test_a_file_says_its_own_delivery(tmp_path: Path):
    (tmp_path / "mine.toml").write_text(dump_toml(plan("nappage")))

    assert resolve("nappage", delivery="wet") == plan("nappage", delivery="wet")
    with pytest.raises(UsageError, match=r"says its own delivery. Change `delivery` and `film_ul`"):
        resolve("mine.toml", delivery="wet")


def test_syringe_needle_and_depth_can_be_chosen():
    program = plan("face", syringe="terumo-10", needle="27g-4", depth_mm=0.6)

    assert (program.syringe, program.needle, program.depth_mm) == ("terumo-10", "27g-4", 0.6)
    with pytest.raises(InvalidProgram, match="bd-plastipak-10"):
        plan("face", syringe="bd-plastipak-11")
    with pytest.raises(InvalidProgram, match=r"nappage allows 0.1 to 2 mm"):
        plan("face", depth_mm=5.0)


def test_a_superficial_face_needs_a_confirmation():
    (found,) = check(plan("face", depth_mm=0.3))

    assert not found.hard
    assert str(found).startswith("face: depth_mm = 0.3: nappage usually has 0.5 to 2 mm")


@pytest.mark.parametrize(
    ("name", "near"), [("fase", "face"), ("cellulite", "cellulite-thighs"), ("Nappage", "nappage")]
)
def test_an_unknown_name_tells_near_ones(name: str, near: str):
    with pytest.raises(UsageError, match=f"did you mean .*{near}"):
        resolve(name)


def test_nothing_near():
    with pytest.raises(UsageError, match=r"catalog treatments.*a program file ends in .toml"):
        resolve("qqqqqq")
    with pytest.raises(UsageError, match="is no treatment"):
        resolve("")


def test_a_file_by_its_name(tmp_path: Path):
    (tmp_path / "mine").write_text(dump_toml(plan("ppp")))
    (tmp_path / "mine.toml").write_text(dump_toml(plan("ppp")))

    assert resolve("mine") == resolve(tmp_path / "mine.toml") == plan("ppp")
    assert resolve("mine.toml", syringe="terumo-5").syringe == "terumo-5"
    with pytest.raises(UsageError, match="there is no such file"):
        resolve("other.toml")
    with pytest.raises(UsageError, match="there is no such file"):
        resolve("./face")


def test_a_name_that_is_both_is_refused_with_both_ways_out(tmp_path: Path):
    (tmp_path / "face").write_text(dump_toml(plan("ppp")))

    with pytest.raises(UsageError, match=f"both .* Write {tmp_path}/face for the file, or change"):
        resolve("face")
    assert resolve("./face") == plan("ppp")


@pytest.mark.parametrize("name", [*catalog.treatments(), *catalog.techniques()])
def test_what_is_written_tells_what_it_is(name: str):
    text = dump_toml(plan(name))

    assert check_document(tomllib.loads(text)) == (plan(name), [])
    assert text.startswith("# ")
    assert all("#" in line for line in text.splitlines() if " = " in line and "kind" not in line)


@given(DOCUMENTS)
def test_any_program_survives_being_written(document: dict[str, Any]):
    program, _ = check_document(document)
    assert program is not None

    again, _ = check_document(tomllib.loads(dump_toml(program)))

    assert again == program
