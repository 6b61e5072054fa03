"""Which language is spoken, and the catalogue of its words."""

import gettext
import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO, StringIO
from typing import Final

from mesogun.errors import UsageError

_SOURCE: Final = "en"
"""The language of the texts in the code; it has no catalogue."""
_ENDING: Final = ".po"


@dataclass(frozen=True)
class Language:
    """A language that is spoken here.

    Attributes:
        code: of its catalogue, such as `fr`.
        locale: whose numbers and dates are written, such as `fr_CH`.
    """

    code: str
    locale: str


_spoken: ContextVar[Language | None] = ContextVar("spoken", default=None)


@cache
def languages() -> tuple[str, ...]:
    """Codes of all languages that have a catalogue, and English."""
    names = (each.name for each in files("mesogun.words").iterdir())
    found = [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)]
    return tuple(sorted([_SOURCE, *found]))


def current() -> Language:
    """The language that is spoken now: of `speak`, else of `MESOGUN_LANG`, else of the system."""
    spoken = _spoken.get()
    return spoken if spoken is not None else _environments(_wishes())


def unheard() -> str | None:
    """What `MESOGUN_LANG` says if there is no such language; English is spoken then."""
    wish = os.environ.get("MESOGUN_LANG")
    return wish if wish and _code(wish) not in languages() else None


@contextmanager
def speak(name: str) -> Generator[Language]:
    """Speak another language within a `with` block, as for a report to a patient.

    Args:
        name: a code of `languages`, or a locale of one of them, such as `fr` or `fr_CH`.

    Raises:
        UsageError: there is no such language.
    """
    language = _language(name)
    if language is None:
        raise UsageError(
            f"There is no language {name[:20]!r}. Choose one of {', '.join(languages())}."
        )
    token = _spoken.set(language)
    try:
        yield language
    finally:
        _spoken.reset(token)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name
    """Mark a text for the catalogues that `_` looks up later."""
    return text


def _(text: str) -> str:
    """The text in the language that is spoken; itself where a catalogue does not have it."""
    # The empty text would give the head of the catalogue.
    return _catalogue(current().code).gettext(text) if text else text


def ngettext(one: str, many: str, number: int) -> str:
    """The text for `number` things in the language that is spoken."""
    return _catalogue(current().code).ngettext(one, many, number)


def _wishes() -> tuple[str, ...]:
    """Locales that the environment names: ours, then the one that POSIX lets decide on texts."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    system = next((value for name in names if (value := os.environ.get(name))), "")
    return os.environ.get("MESOGUN_LANG", ""), system


@cache
def _environments(wishes: tuple[str, ...]) -> Language:
    # A wish that cannot be met never ends a treatment: `unheard` tells it.
    given, system = wishes
    return _language(given or system) or Language(_SOURCE, _SOURCE)


def _language(name: str) -> Language | None:
    """The language of a locale such as `fr_FR.UTF-8@euro`, None if there is no catalogue."""
    code = _code(name)
    if code not in languages():
        return None
    locale = name.split(".")[0].split("@")[0].replace("-", "_")
    return Language(code, next(_known_locales(locale, code)))


def _code(name: str) -> str:
    return re.split("[-_.@]", name)[0].lower()


def _known_locales(locale: str, code: str) -> Iterator[str]:
    """The locale if its numbers and dates are known, then its language alone."""
    from babel.core import Locale, UnknownLocaleError

    try:
        yield str(Locale.parse(locale))
    except (ValueError, UnknownLocaleError):
        yield code


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    """The words of a language, from its catalogue as a translator writes it."""
    if code == _SOURCE:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    text = files("mesogun.words").joinpath(code + _ENDING).read_text("utf-8")
    compiled = BytesIO()
    write_mo(compiled, read_po(StringIO(text), locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
