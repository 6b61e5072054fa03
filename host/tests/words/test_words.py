"""Languages, catalogues and figures: what people read is whole in every language."""

from datetime import UTC, datetime

import pytest

from mesogun import words
from mesogun.errors import UsageError
from mesogun.words import gun
from mesogun_protocol.enums import ControllerState, EndReason, Fault


@pytest.fixture(autouse=True)
def no_language(monkeypatch):
    for name in ("MESOGUN_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "code", "locale"),
    [
        ({}, "en", "en"),
        ({"LANG": "C.UTF-8"}, "en", "en"),
        ({"LANG": "fr_CH.UTF-8"}, "fr", "fr_CH"),
        ({"LANG": "fr_FR@euro"}, "fr", "fr_FR"),
        ({"LANG": "fr_FR", "LC_ALL": "en_GB.UTF-8"}, "en", "en_GB"),
        ({"LANG": "fr_FR", "LC_MESSAGES": "C"}, "en", "en"),
        ({"LANG": "tlh_XX.UTF-8"}, "en", "en"),
        ({"LANG": "fr_XX"}, "fr", "fr"),
        ({"LANG": "en_GB", "MESOGUN_LANG": "fr"}, "fr", "fr"),
        ({"LANG": "fr_FR", "MESOGUN_LANG": "en-US"}, "en", "en_US"),
        ({"LANG": "fr_FR", "MESOGUN_LANG": "xx"}, "en", "en"),
    ],
)
def test_the_environment_chooses(monkeypatch, environment, code, locale):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert words.current() == words.Language(code, locale)
    assert words.unheard() == ("xx" if environment.get("MESOGUN_LANG") == "xx" else None)


def test_a_language_is_spoken_for_a_while():
    with words.speak("fr"):
        assert words._("Shots") == "Injections"
        with words.speak("en"):
            assert words._("Shots") == "Shots"
        assert words.number(1.5, 1) == "1,5"
    assert words._("Shots") == "Shots"
    with (
        pytest.raises(UsageError, match=r"no language 'xx'\. Choose one of en, fr"),
        words.speak("xx"),
    ):
        pass


def test_nothing_and_the_unknown_stay_what_they_are():
    with words.speak("fr"):
        assert words._("") == ""
        assert words._("A clinic's own program") == "A clinic's own program"


@pytest.mark.parametrize("language", words.languages())
def test_every_state_end_and_fault_has_words(language):
    with words.speak(language):
        assert all(gun.state(each) for each in ControllerState)
        assert all(gun.end(each) for each in [None, *EndReason])
        for fault in set(Fault) - {Fault.NONE}:
            assert 0 < len(gun.fault_name(fault)) <= 20
            assert fault.name.lower() in gun.fault(fault)
            assert gun.fault_advice(fault).endswith((".", "`."))


@pytest.mark.parametrize(
    ("nanolitres", "english", "french"),
    [
        (0, "0 ul", "0 µl"),
        (999, "1 ul", "1 µl"),
        (12_345, "12.3 ul", "12,3 µl"),
        (999_900, "999.9 ul", "999,9 µl"),
        (999_990, "1.000 ml", "1,000 ml"),
        (12_345_678, "12.346 ml", "12,346 ml"),
    ],
)
def test_volumes_are_told_with_their_unit(nanolitres, english, french):
    assert words.volume(nanolitres) == english
    with words.speak("fr"):
        assert words.volume(nanolitres) == french


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (100, "1 min 40 s"),
        (3660, "1 h 1 min"),
    ],
)
def test_times_are_told_with_their_unit(seconds, text):
    assert words.duration(seconds) == text


def test_numbers_have_one_sign_and_no_groups():
    assert words.number(10_800) == "10800"
    assert words.number(-0.01, 1) == "0.0"
    assert words.number(2.50, 2, trim=True) == "2.5"
    assert (words.pressure(212.4), words.percent(0.125)) == ("212 kPa", "12 %")
    with words.speak("fr_CH"):
        assert words.number(10_800.25, 2) == "10800,25"


def test_a_day_cannot_be_read_as_another():
    moment = datetime(2026, 3, 4, 15, 7, tzinfo=UTC)
    with words.speak("en_GB"):
        assert words.date_time(moment, UTC) == "4 March 2026, 15:07"
    with words.speak("en_US"):
        assert words.date(moment, UTC) == "March 4, 2026"
    with words.speak("fr"):
        assert words.date_time(moment, UTC) == "4 mars 2026 à 15:07"
