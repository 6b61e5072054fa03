"""On which line of a TOML text each key stands.

`tomllib` gives values without places. So the text is cut into statements (a header, or a key with
its value), and `tomllib` itself reads each one alone to tell its keys. The scanner only has to know
where strings, comments and brackets end, which keeps it correct for every legal spelling of a key.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a document: `("step", 0, "dose_ul")`."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # two quotes may stand before the closing three
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>\n)"
    r"|[^\"'\#\[\]{}\n]+",
    re.DOTALL,
)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Line number and text of each statement; comments and blank lines come as empty ones."""
    line = first = 1
    depth = start = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth -= 1
        elif token["end"] and depth == 0:
            yield first, text[start : token.start()]
            start, first = token.end(), line + 1
        line += token[0].count("\n")
    yield first, text[start:]


def _paths(value: object, path: Path) -> Iterator[Path]:
    """The path of every table, list and value in a parsed value."""
    yield path
    if isinstance(value, Mapping):
        for key, each in cast(Mapping[str, Any], value).items():
            yield from _paths(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(cast(Sequence[Any], value)):
            yield from _paths(each, (*path, index))


def _header(statement: str) -> list[str]:
    """The keys of `[a.b]` or `[[a.b]]`."""
    table: Any = tomllib.loads(statement)
    keys: list[str] = []
    while table and table != [{}]:
        key, table = next(iter(table.items()))
        keys.append(key)
    return keys


def locate(text: str) -> dict[Path, int]:
    """The line of each key of a TOML text.

    Args:
        text: a text that `tomllib.loads` accepts.

    Returns:
        Line numbers from 1 by path. A value over several lines stands where its key stands; the top
        of the document, `()`, is line 1.
    """
    lines: dict[Path, int] = {(): 1}
    lengths: dict[Path, int] = {}
    table: Path = ()
    for line, raw in _statements(text):
        statement = raw.strip()
        if statement.startswith("["):
            keys = _header(statement)
            table = ()
            for position, key in enumerate(keys, 1):
                table = (*table, key)
                if statement.startswith("[[") and position == len(keys):
                    lengths[table] = lengths.get(table, 0) + 1
                    lines.setdefault(table, line)
                if table in lengths:
                    table = (*table, lengths[table] - 1)
                lines.setdefault(table, line)
        elif statement and not statement.startswith("#"):
            for path in _paths(tomllib.loads(statement), ()):
                lines.setdefault((*table, *path), line)
    return lines
