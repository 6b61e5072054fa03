"""Brings the catalogues of words (host/mesogun/words/*.po) up to the texts of code and catalog.

A translator fills in what is empty. --check fails on a catalogue that is stale, on a text without a
translation, and on one whose placeholders are not those of the English text.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, cast

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

import generated

HOST = generated.ROOT / "host/mesogun"
WORDS = "host/mesogun/words"
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "ngettext": (1, 2)}
TABLES = ("care", "techniques", "treatments")
"""Tables of the catalog with texts that people read."""
TEXT_KEYS = ("title", "text", "advice")
PLACEHOLDER = re.compile(r"\{[a-z_]*\}")
WIDTH = 98


def template() -> Catalog:
    """Return every text that the program can show, without translations."""
    found = Catalog(charset="utf-8")
    for path in sorted(HOST.rglob("*.py")):
        place = path.relative_to(generated.ROOT).as_posix()
        texts = extract_from_file("python", str(path), keywords=KEYWORDS)
        for _, text, comments, _ in texts:
            found.add(text, locations=[(place, 0)], auto_comments=comments)
    for name in TABLES:
        path = HOST / "catalog" / f"{name}.toml"
        if path.exists():
            place = path.relative_to(generated.ROOT).as_posix()
            for text in texts_of(tomllib.loads(path.read_text("utf-8"))):
                found.add(text, locations=[(place, 0)])
    return found


def texts_of(value: object, key: str = "") -> Iterator[str]:
    """Yield the texts for people of a parsed table."""
    if isinstance(value, dict):
        for name, inner in cast(dict[str, object], value).items():
            yield from texts_of(inner, name)
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            yield from texts_of(inner)
    elif isinstance(value, str) and key in TEXT_KEYS:
        yield value


def catalogue(path: Path, texts: Catalog) -> Catalog:
    """Return the catalogue at `path` with exactly the texts of `texts`; what is new is empty."""
    made = read_po(StringIO(path.read_text("utf-8")), locale=path.stem)
    made.update(texts, no_fuzzy_matching=True, update_header_comment=False)
    made.obsolete.clear()
    return made


def text_of(made: Catalog) -> str:
    """Return a catalogue as a file, without dates and line numbers that change with every line."""
    body = BytesIO()
    write_po(body, made, width=WIDTH, omit_header=True, sort_output=True, include_lineno=False)
    plural = get_plural(str(made.locale))
    head = (
        f"Language: {made.locale}\\n",
        "MIME-Version: 1.0\\n",
        "Content-Type: text/plain; charset=utf-8\\n",
        "Content-Transfer-Encoding: 8bit\\n",
        f"Plural-Forms: {plural.plural_forms}\\n",
    )
    lines = ['msgid ""', 'msgstr ""', *(f'"{line}"' for line in head)]
    return "\n".join(lines) + "\n\n" + body.getvalue().decode().strip("\n") + "\n"


def problems(made: Catalog) -> Iterator[str]:
    """Yield what a reader in this language would miss."""
    for message in made:
        if not message.id:
            continue
        if message.fuzzy:
            yield f"{made.locale}: {message.id!r} is marked as fuzzy"
        yield from (f"{made.locale}: {text}" for text in _wrong(message))


def _wrong(message: Message) -> Iterator[str]:
    ids = message.id if isinstance(message.id, (list, tuple)) else [message.id]
    texts = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    wanted = {place for text in ids for place in PLACEHOLDER.findall(text)}
    for text in texts:
        if not text:
            yield f"{ids[0]!r} has no translation"
        elif not set(PLACEHOLDER.findall(text)) <= wanted:
            yield f"{ids[0]!r} has no placeholder of {text!r}"
    used = {place for text in texts for place in PLACEHOLDER.findall(text or "")}
    if all(texts) and wanted - used:
        yield f"{ids[0]!r} is translated without {', '.join(sorted(wanted - used))}"


def _catalogues() -> dict[str, Catalog]:
    texts = template()
    paths = sorted((generated.ROOT / WORDS).glob("*.po"))
    return {path.name: catalogue(path, texts) for path in paths}


def outputs() -> dict[str, str]:
    """Return the text of each catalogue by its path."""
    return {f"{WORDS}/{name}": text_of(made) for name, made in _catalogues().items()}


def report(found: Iterable[str]) -> int:
    """Write problems to stderr; return 1 if there are some."""
    lines = list(found)
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    code = generated.run(__doc__, outputs())
    if "--check" in sys.argv:
        code |= report(each for made in _catalogues().values() for each in problems(made))
    sys.exit(code)
