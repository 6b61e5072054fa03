"""The course of a treatment: which session this was, and the days of those to come."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import vobject
from sqlalchemy import text as sql

from mesogun.catalog import treatments
from mesogun.errors import RecordError, UsageError
from mesogun.handover.aftercare import after_care
from mesogun.handover.calendar import to_calendar
from mesogun.handover.document import Points, Text
from mesogun.handover.origin import number_in_course, treatment_of
from mesogun.records import Session
from mesogun.words import speak
from tests.handover.conftest import Clinic

MADE = datetime(2026, 6, 2, 8, 0, tzinfo=UTC)
FIRST = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def _in_english() -> object:
    with speak("en"):
        yield


def on(clinic: Clinic, day: date, **changes: Any) -> Session:
    made = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat(timespec="milliseconds")
    return clinic.begin(3, created_at=made, **changes)


def events(session: Session, number: int = 1) -> list[Any]:
    return vobject.readOne(to_calendar(session, number, MADE)).vevent_list


def test_a_face_is_ten_sessions_at_seven_days(clinic: Clinic) -> None:
    found = events(on(clinic, FIRST))
    assert [each.dtstart.value for each in found] == [
        FIRST + timedelta(days=7 * week) for week in range(10)
    ]
    assert {each.summary.value for each in found} == {"Facial rejuvenation"}
    assert found[0].description.value == "Session 1 of 10."
    assert found[-1].description.value == "Session 10 of 10."
    assert all(each.dtend.value - each.dtstart.value == timedelta(days=1) for each in found)
    assert len({each.uid.value for each in found}) == 10
    assert not any(hasattr(each, "rrule") for each in found)


def test_hair_is_weekly_then_monthly_without_an_end(clinic: Clinic) -> None:
    *weekly, monthly = events(on(clinic, FIRST, treatment="hair"))
    assert [each.dtstart.value for each in weekly] == [
        FIRST + timedelta(days=7 * week) for week in range(4)
    ]
    first = FIRST + timedelta(days=21 + 30)
    assert monthly.dtstart.value == first
    days = [each.date() for each in monthly.getrruleset()[:4]]
    assert days == [first + timedelta(days=30 * month) for month in range(4)]
    assert "as long as they are needed" in monthly.description.value


def test_a_later_session_leaves_out_those_before_it(clinic: Clinic) -> None:
    found = events(on(clinic, FIRST), number=8)
    assert [each.description.value for each in found] == [
        "Session 8 of 10.",
        "Session 9 of 10.",
        "Session 10 of 10.",
    ]
    assert found[1].dtstart.value == FIRST + timedelta(days=7)


@pytest.mark.parametrize("treatment", sorted(treatments()))
def test_every_treatment_has_a_calendar(treatment: str, clinic: Clinic) -> None:
    found = events(on(clinic, FIRST, treatment=treatment))
    assert found[0].dtstart.value == FIRST
    assert len(found) > 1


def test_a_calendar_tells_nothing_of_whom(clinic: Clinic) -> None:
    session = on(clinic, FIRST, patient_ref="P-1952-quince", operator="Dr. Pistor")
    text = to_calendar(session, 1, MADE)
    for private in ("quince", "Pistor", session.board_id):
        assert private not in text


def test_a_calendar_speaks_french(clinic: Clinic) -> None:
    with speak("fr"):
        found = events(on(clinic, FIRST))
    assert found[2].summary.value == "Rajeunissement du visage"
    assert found[2].description.value == "Séance 3 sur 10."


def test_a_program_of_its_own_has_no_course(clinic: Clinic) -> None:
    session = on(clinic, FIRST, program_name="Mine", program_toml="schema = 1")
    assert treatment_of(session) is None
    with pytest.raises(UsageError, match="'Mine', which is no treatment and has no course"):
        to_calendar(session, 1, MADE)
    texts = [part.text for part in after_care(session, 1).parts if isinstance(part, Text)]
    assert not any("next session" in each for each in texts)


def given(clinic: Clinic, day: date, **changes: Any) -> Session:
    """A session in which something was delivered."""
    session = on(clinic, day, **changes)
    clinic.board.shots(1)
    return clinic.keep(session)[0].session


def test_the_sessions_of_a_course_are_the_days_on_which_something_was_given(
    clinic: Clinic,
) -> None:
    weeks = [FIRST + timedelta(days=7 * week) for week in range(4)]
    made = [given(clinic, day) for day in (weeks[0], weeks[1], weeks[1], weeks[3])]
    on(clinic, weeks[2])  # nothing was delivered
    given(clinic, weeks[0] - timedelta(days=1), patient_ref="P-2")
    given(clinic, weeks[0] - timedelta(days=1), treatment="hair")
    numbers = [number_in_course(clinic.store, each) for each in made]
    assert numbers == [1, 2, 2, 3]
    unknown = given(clinic, weeks[3], patient_ref=None)
    assert number_in_course(clinic.store, unknown) == 1


def test_a_session_that_cannot_be_read_counts(clinic: Clinic) -> None:
    damaged = given(clinic, FIRST)
    later = given(clinic, FIRST + timedelta(days=7))
    first = "(select min(boot_id) from records)"
    with clinic.store._database.write() as db:
        db.execute(
            sql(f"update records set raw = zeroblob(32) where kind = 5 and boot_id = {first}")
        )
    with pytest.raises(RecordError):
        clinic.store.session_view(damaged.id)
    assert number_in_course(clinic.store, later) == 2


def words(session: Session, number: int) -> str:
    parts = after_care(session, number).parts
    listed = [item for part in parts if isinstance(part, Points) for item in part.items]
    return " ".join([*listed, *(part.text for part in parts if isinstance(part, Text))])


def test_the_patient_is_told_what_to_expect_and_to_leave(clinic: Clinic) -> None:
    session = on(clinic, FIRST, patient_ref="P-1952-quince")
    text = words(session, 1)
    assert "Facial rejuvenation, June 1, 2026" in text
    assert "Redness and swelling should be gone after 30 minutes." in text
    assert "No bath and no shower for 12 hours." in text
    assert "electrical stimulation for 72 hours" in text
    assert "Your next session is due about June 8, 2026. Session 2 of 10." in text
    assert "bleed" not in text  # the scalp does
    assert "quince" not in text
    assert "This was the last session of the course." in words(session, 10)


def test_what_is_told_fits_the_treatment(clinic: Clinic) -> None:
    text = words(on(clinic, FIRST, treatment="hair"), 4)
    assert "The skin may bleed for a few minutes." in text
    assert "Session 5; they go on as long as they are needed." in text
