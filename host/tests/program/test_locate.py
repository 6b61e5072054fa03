"""Every key of every legal spelling is found on its line."""

import tomllib
from textwrap import dedent
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mesogun.program.locate import locate


def test_tables_lists_and_values():
    text = dedent('''\
        # a comment with [brackets] and "quotes
        schema = 1

        [limits]           # [[step]]
        total_ul = 5
        [[step]]
        kind = "pause"
        message = """
        [[step]]
        # not a comment
        """
        [[step]]
        "dose_ul" = [
          1, # ]
          2,
        ]
        rate.hz = 3
        [step.extra]
        a = { b = 1, c = [ { d = 2 } ] }
        [[step.extra.more]]
        x = \'\'\'it's\'\'\'
    ''')

    lines = locate(text)

    assert lines[()] == 1
    assert lines["schema",] == 2
    assert lines["limits",] == 4
    assert lines["limits", "total_ul"] == 5
    assert lines["step",] == 6
    assert lines["step", 0] == 6
    assert lines["step", 0, "message"] == 8
    assert lines["step", 1] == 12
    assert lines["step", 1, "dose_ul"] == 13
    assert lines["step", 1, "rate", "hz"] == 17
    assert lines["step", 1, "extra"] == 18
    assert lines["step", 1, "extra", "a", "c", 0, "d"] == 19
    assert lines["step", 1, "extra", "more", 0, "x"] == 21


def test_inline_lists_of_tables():
    lines = locate('step = [\n  { kind = "pause" },\n]\nname = "x"')

    assert lines["step", 0, "kind"] == 1
    assert lines["name",] == 4


def test_line_ends_of_other_systems():
    lines = locate('a = 1\r\nb = """x\r\ny"""\r\n[c]\r\nd = 2\r\n')

    assert (lines["a",], lines["b",], lines["c",], lines["c", "d"]) == (1, 2, 4, 5)


def test_quotes_beside_the_closing_ones():
    lines = locate('a = """two quotes: """""\nb = \'\'\'one: \'\'\'\'\nc = "\\\\"\nd = ""\ne = 1')

    assert [lines[key,] for key in "abcde"] == [1, 2, 3, 4, 5]


_KEY = st.sampled_from(["a", "b", "step", '"a b"', "'q#['", '"x\\"]"', "3"])
_PATH = st.lists(_KEY, min_size=1, max_size=3).map(".".join)
_DECOY = st.sampled_from(
    ["1", '"[["', "'#'", '"""\n[[step]]\n"\n"""', "'''\n]]\n'''", "[\n1, # ]\n[2]]", "{k = '}'}"]
)
_ENTRY = st.tuples(_PATH, _DECOY, st.sampled_from(["", "  # a = [", "\n", "\n# [x]\n"]))
_HEADER = st.tuples(st.booleans(), _PATH)
_BLOCKS = st.lists(st.tuples(_HEADER, st.lists(_ENTRY, max_size=3)), max_size=6)


def _write(head: list[Any], blocks: list[Any], end: str) -> str:
    """A legal text in which each value is a list that begins with the number of its own line.

    Statements that TOML refuses in their place, such as a second definition, are left out.
    """
    text = ""

    def add(statement: str) -> bool:
        nonlocal text
        try:
            tomllib.loads(text + statement)
        except tomllib.TOMLDecodeError:
            return False
        text += statement
        return True

    def add_entries(entries: list[Any]) -> None:
        for path, decoy, after in entries:
            line = text.count("\n") + 1
            add(f"{path} = [{line}, {decoy}]{after}\n")

    add_entries(head)
    for (is_list, path), entries in blocks:
        if add(f"[[{path}]]\n" if is_list else f" [ {path} ] # ]]\n"):
            add_entries(entries)
    return text.replace("\n", end)


@given(st.lists(_ENTRY, max_size=3), _BLOCKS, st.sampled_from(["\n", "\r\n"]))
def test_every_value_is_found_on_its_own_line(head: list[Any], blocks: list[Any], end: str):
    text = _write(head, blocks, end)
    lines = locate(text)

    def visit(value: Any, path: tuple[str | int, ...]) -> None:
        assert path in lines
        if isinstance(value, dict):
            for key, each in value.items():
                visit(each, (*path, key))
        elif isinstance(value, list) and isinstance(value[0], int):
            assert lines[path] == value[0]
        elif isinstance(value, list):
            for index, each in enumerate(value):
                visit(each, (*path, index))
                assert index == 0 or lines[*path, index - 1] < lines[*path, index]

    visit(tomllib.loads(text), ())
