"""What a clinician or a patient reads: words of the catalogues, numbers and dates of the locale.

Texts stand in the code in English and are looked up by `_` and `ngettext`; every other language is
one gettext catalogue, `LANGUAGE.po` in this folder, and needs no code. `MESOGUN_LANG` chooses, else
the system's locale. What a program reads (`--json`, exports, the record) is never translated.
"""

from mesogun.words.figures import (
    date,
    date_time,
    duration,
    general,
    number,
    percent,
    pressure,
    volume,
)
from mesogun.words.language import N_, Language, _, current, languages, ngettext, speak, unheard
from mesogun.words.message import Message

__all__ = [
    "N_",
    "Language",
    "Message",
    "_",
    "current",
    "date",
    "date_time",
    "duration",
    "general",
    "languages",
    "ngettext",
    "number",
    "percent",
    "pressure",
    "speak",
    "unheard",
    "volume",
]
