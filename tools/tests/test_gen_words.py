"""The catalogues of words are whole, and what is missing in one is found."""

import ast
from pathlib import Path

from babel.messages.catalog import Catalog

import gen_words
import mesogun
from mesogun import words

HOST = Path(mesogun.__file__).parent


def test_every_language_is_complete_and_up_to_date():
    made = gen_words._catalogues()
    assert {f"{name}.po" for name in words.languages()} == {"en.po", *made}
    assert [problem for each in made.values() for problem in gen_words.problems(each)] == []


def test_a_gap_a_guess_and_a_lost_figure_are_found():
    made = Catalog(locale="fr")
    made.add("Start?", "")
    made.add("Shots", "Tirs", flags=["fuzzy"])
    made.add("{dose} given", "{volume} injectés")
    made.add("{count} shots", "injections")
    assert list(gen_words.problems(made)) == [
        "fr: 'Start?' has no translation",
        "fr: 'Shots' is marked as fuzzy",
        "fr: '{dose} given' has no placeholder of '{volume} injectés'",
        "fr: '{dose} given' is translated without {dose}",
        "fr: '{count} shots' is translated without {count}",
    ]


def test_every_text_that_is_looked_up_is_in_the_catalogues():
    known = {
        text
        for message in gen_words.template()
        for text in (message.id if isinstance(message.id, list | tuple) else [message.id])
    }
    missing = [
        f"{path.relative_to(HOST)}:{node.lineno}: {node.args[0].value}"
        for path in HOST.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in gen_words.KEYWORDS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value not in known
    ]
    assert missing == []
