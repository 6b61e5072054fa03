"""What answers look like as text and as JSON, on a terminal and off it."""

import io
import json
import sys

import pytest

from mesogun.cli import catalog_tables
from mesogun.cli.exit_codes import DONE, FAILED
from mesogun.cli.printer import Answer, Printer, Table, show

WIDE = Table(
    [
        ("abcdefgh", "2030-01-02 03:04", "A title that is much longer than any other cell", ""),
        ("ijklmnop", "2030-01-02 03:05", "Short", ""),
    ],
    ("id", "made", "title", "operator"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch):
    """Shows on a terminal of some width, and returns the lines."""

    def shown(columns: int, *text: str | Table) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "dumb")
        stream = Terminal()
        monkeypatch.setattr(sys, "stdout", stream)
        show(text)
        return stream.getvalue().splitlines()

    return shown


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_table_fits_the_terminal_and_breaks_no_id(terminal, columns):
    lines = terminal(columns, WIDE)
    assert all(len(line) <= columns for line in lines)
    assert sum(line.startswith(("abcdefgh", "ijklmnop")) for line in lines) == 2


def test_long_cells_give_way_first_and_empty_columns_are_left_out(terminal):
    lines = terminal(60, WIDE)
    assert lines[0].split() == ["id", "made", "title"]
    assert lines[1].startswith("abcdefgh  2030-01-02 03:04  A title")


def test_a_date_is_not_broken_where_longer_cells_can_give_way(terminal):
    rows = [
        ("5d84dg2a", "2030-01-02 03:04", "Facial rejuvenation", "Dr. Pistor", "P-1952", ended)
        for ended in ("7/40, 144.3 ul, faulted", "12/40, 240.3 ul, interrupted, INCOMPLETE")
    ]
    headings = ("id", "made", "program", "operator", "patient", "record")
    lines = terminal(80, Table(rows, headings))
    assert lines[1].startswith(
        "5d84dg2a  2030-01-02 03:04  Facial         Dr. Pistor  P-1952   7/40"
    )
    assert max(map(len, lines)) <= 80


def test_a_table_that_would_tear_words_becomes_a_list(terminal):
    rows = [
        ("face", "rejuvenation", "mesoperfusion", "a longer text of several words"),
        ("hair", "alopecia", "nappage", ""),
    ]
    lines = terminal(38, Table(rows, ("id", "treatment", "technique", "what it is")))
    assert lines == [
        "face",
        "  treatment   rejuvenation",
        "  technique   mesoperfusion",
        "  what it is  a longer text of several",
        "              words",
        "",
        "hair",
        "  treatment   alopecia",
        "  technique   nappage",
    ]


@pytest.mark.parametrize("name", ["treatments", "techniques", "syringes", "needles", "layers"])
def test_the_catalog_tears_no_word_at_80_columns(terminal, mesogun, name):
    known = {word for cell in mesogun("catalog", name).out.split("\n") for word in cell.split()}
    answer = getattr(catalog_tables, name)()
    lines = terminal(80, *answer.text)
    assert {word for line in lines for word in line.split()} <= known
    assert all(len(line) <= 80 for line in lines if "http" not in line)


def test_a_long_line_is_broken_between_words(terminal):
    assert terminal(20, "one two three four five six") == ["one two three four", "five six"]


def test_off_a_terminal_nothing_is_broken_and_nothing_padded(capsys):
    show([WIDE, "x " * 200])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"{'abcdefgh  2030-01-02 03:04  '}{WIDE.rows[0][2]}"
    assert len(lines) == 4


def test_markup_in_a_cell_is_text(capsys):
    show([Table([("[bold]x[/]", ":smile:")])])
    assert capsys.readouterr().out == "[bold]x[/]  :smile:\n"


def test_an_answer_has_its_exit_code(capsys):
    printer = Printer()
    assert printer.write(Answer({"id": 1}, ["one"])) == DONE
    assert printer.write(Answer({"id": 1}, ["one"], FAILED)) == FAILED
    assert capsys.readouterr().out == "one\none\n"


def test_json_is_one_object_and_a_stream_one_object_a_line(capsys):
    printer = Printer()
    printer.as_json = True
    printer.write(Answer({"name": "é"}, []))
    assert json.loads(capsys.readouterr().out) == {"name": "é"}
    assert printer.write(iter([Answer({"n": 1}, []), Answer({"n": 2}, [], FAILED)])) == FAILED
    assert [json.loads(line)["n"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


def test_letters_that_an_encoding_lacks_are_spelled_out(mesogun, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    assert mesogun("catalog", "techniques").code == 0
    sys.stdout.flush()
    assert b"ponctuelle syst\\xe9matis\\xe9e" in raw.getvalue()
