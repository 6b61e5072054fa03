"""From the disk to a program: every bad file is refused in words, with its line."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesogun.errors import ProgramError
from mesogun.program import InvalidProgram, check, dump_toml, load, plan

TEXT = """\
# nappage of a small area
schema = 1
name = "Test"
technique = "nappage"
delivery = "dry"
depth_mm = 1.0
syringe = "bd-plastipak-5"
needle = "30g-4"

[limits]
total_ul = 1000

[[step]]
kind = "shots"
dose_ul = 10
inject_s = 0.1
rate_hz = 3
count = 100
trigger = "hold"

[[step]]
kind = "pause"
message = "Change side"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "nappage.toml"


def refused(file: Path, content: str | bytes) -> str:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ProgramError) as error:
        load(file)
    return str(error.value)


def test_a_good_file(file: Path):
    file.write_text(TEXT)

    program = load(file)

    assert program.name == "Test"
    assert [step.kind for step in program.steps] == ["shots", "pause"]
    assert check(program) == ()


def test_a_byte_order_mark_and_other_line_ends_do_no_harm(file: Path):
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())

    assert load(file).name == "Test"


@pytest.mark.parametrize(
    ("right", "wrong", "line", "text"),
    [
        ("rate_hz = 3", "rate_hz = 12", 17, "rate_hz = 12: nappage allows 0.1 to 9 shots/s"),
        ("dose_ul = 10", "dose_ul = 0", 15, "dose_ul = 0: nappage allows 1 to 100 ul"),
        ("dose_ul = 10", "dose_ul = -1", 15, "dose_ul = -1: nappage allows"),
        ("dose_ul = 10", "dose_ul = nan", 15, "dose_ul = nan: must be a finite number"),
        ("dose_ul = 10", "dose_ul = inf", 15, "dose_ul = inf: must be a finite number"),
        ("dose_ul = 10", 'dose_ul = "10"', 15, "must be a number without quotes"),
        ("dose_ul = 10", "dose_ul = 1979-05-27", 15, "dose_ul = 1979-05-27: must be a number"),
        ("dose_ul = 10", "dose = 10", 15, "dose has no unit. Write dose_ul = NUMBER"),
        ("dose_ul = 10", "", 13, "dose_ul is missing"),
        ("dose_ul = 10", "dose_ul = 0x" + "f" * 9999, 15, "more than 18 digits: must be"),
        ("depth_mm = 1.0", "depth_mm = 3.0", 6, "depth_mm = 3.0: nappage allows 0.1 to 2 mm"),
        ("bd-plastipak-5", "bd-plastipak-7", 7, "no syringe has the id 'bd-plastipak-7'"),
        ("total_ul = 1000", "total_ul = 999", 11, "the steps deliver 1000 ul"),
        ("total_ul = 1000", "total_ul = 9000", 11, "bd-plastipak-5 allows 1 to 4925 ul"),
        ('message = "Change side"', "message = 5", 23, "message = 5: must be text in quotes"),
        ('trigger = "hold"', 'trigger = "hold"\ntriger = 1', 20, "Did you mean trigger?"),
        ("schema = 1", "", 1, "schema is missing"),
        ("[[step]]", "[step]", 21, "Cannot declare ('step',) twice"),
        ('name = "Test"', 'name = "Test', 3, "is no TOML: Illegal character"),
        ("total_ul = 1000", "total_ul = ", 11, "is no TOML: Invalid value"),
        ('"Change side"', '"""Change side', 24, "is no TOML: "),
    ],
)
def test_a_bad_line_is_named(file: Path, right: str, wrong: str, line: int, text: str):
    message = refused(file, TEXT.replace(right, wrong))

    told = [each for each in message.splitlines() if text in each]
    assert len(told) == 1, message
    assert told[0].startswith(f"{file}:{line}: ")


def test_all_problems_come_in_the_order_of_the_file(file: Path):
    text = TEXT.replace("rate_hz = 3", "rate_hz = 12").replace("depth_mm = 1.0", "depth_mm = 5")
    file.write_text(text.replace('kind = "pause"', 'kind = "pause"\nmesage = "x"'))

    with pytest.raises(InvalidProgram) as error:
        load(file)

    lines = str(error.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["6", "17", "23"]
    assert len(error.value.problems) == 3


def test_soft_problems_do_not_refuse_and_have_their_line(file: Path):
    file.write_text(TEXT.replace("rate_hz = 3", "rate_hz = 5"))

    accuracy, found = check(load(file))

    assert not found.hard
    assert str(accuracy).startswith(f"{file}:")
    assert "was not shown to keep R06 to R12" in accuracy.text
    assert not accuracy.hard
    assert str(found).startswith(f"{file}:17: rate_hz = 5.0: nappage usually has 2 to 4")


def test_what_the_command_gives_goes_before_the_file(file: Path):
    file.write_text(TEXT.replace("bd-plastipak-5", "unknown"))

    program = load(file, {"syringe": "terumo-5"})

    assert program.syringe == "terumo-5"
    with pytest.raises(InvalidProgram, match=r"nappage.toml: given with the command: needle = "):
        load(file, {"syringe": "terumo-5", "needle": "40g-1"})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ":1: the file is empty. `mesogun plan NAME -o FILE` makes one."),
        (" \n\n", ":1: the file is empty"),
        (b"\x7fELF\x02\x01\x00", ":1: is no TOML: "),
        (b"a = 1\nb = \xff\n", ":2: byte 0xff is no UTF-8 text"),
        (b"\xff\xfes\x00c\x00", ":1: byte 0xff is no UTF-8 text"),
        ("a = " + "[" * 5000 + "]" * 5000, ":1: cannot be read as TOML: "),
        ("a = " + "9" * 5000, ":1: cannot be read as TOML: "),
        ("a = 1\n\x00", ":2: is no TOML: "),
    ],
)
def test_what_is_no_text_is_refused(file: Path, content: str | bytes, text: str):
    assert refused(file, content).startswith(f"{file}{text}")


def test_a_large_file_is_refused_by_its_size_alone(file: Path):
    with file.open("wb") as sparse:
        sparse.truncate(100 << 20)

    with pytest.raises(ProgramError, match="has more than 1048576 bytes"):
        load(file)


def test_a_megabyte_of_comments_is_read(file: Path):
    file.write_text(TEXT + "#\n" * 500_000)

    assert load(file).name == "Test"


def test_places_that_hold_no_file(file: Path, tmp_path: Path):
    with pytest.raises(ProgramError, match=r"there is no such file. `mesogun plan"):
        load(file)
    with pytest.raises(ProgramError, match=r"is a directory. Name a program file"):
        load(tmp_path)
    with pytest.raises(ProgramError, match="is no regular file"):
        load("/dev/zero")
    with pytest.raises(ProgramError, match="cannot be read"):
        load("a\x00b.toml")
    with pytest.raises(ProgramError, match="cannot be read"):
        load("x" * 5000 + ".toml")


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch):
    file.write_text(TEXT)
    if os.geteuid() == 0:
        # Permissions do not bind root, so the refusal of the system is put in by hand.
        def refuse(*_args: object, **_more: object):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    else:
        file.chmod(0)

    with pytest.raises(ProgramError, match=r"may not be read. Change its permissions"):
        load(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(tmp_path: Path, content: bytes):
    message = refused(tmp_path / "any.toml", content)

    assert message.startswith(f"{tmp_path}/any.toml:")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(TEXT)), st.integers(0, 5), st.text(max_size=3))
def test_a_damaged_file_is_read_or_refused_in_words(
    tmp_path: Path, start: int, length: int, put: str
):
    file = tmp_path / "damaged.toml"
    file.write_bytes((TEXT[:start] + put + TEXT[start + length :]).encode("utf-8", "replace"))

    message = ""
    try:
        load(file)
    except ProgramError as error:
        message = str(error)

    assert all(line.startswith(f"{file}:") for line in message.splitlines())


def test_what_plan_writes_can_be_read(file: Path):
    file.write_text(dump_toml(plan("face")), encoding="utf-8")

    assert load(file) == plan("face")
