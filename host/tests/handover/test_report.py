"""The report of a session: whole, readable at any size, and never better than the record."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from pypdf import PageObject, PdfReader

from mesogun.errors import UsageError
from mesogun.handover.content import document
from mesogun.handover.document import Document, Notice, Picture
from mesogun.handover.joined import joined
from mesogun.handover.pictures import begun
from mesogun.handover.report import make_report
from mesogun.records import Gap, summarise
from mesogun.words import speak
from tests.handover.conftest import Clinic, Proven

MADE = datetime(2026, 6, 2, 8, 0, tzinfo=UTC)
POINTS = {"a4": (595, 842), "letter": (612, 792)}
MARGIN = 50


def pages(proven: Proven, paper: str = "a4") -> list[PageObject]:
    content = make_report([proven], number=1, form="pdf", paper=paper, made=MADE)
    return list(PdfReader(io.BytesIO(content)).pages)


def text_of(found: list[PageObject]) -> str:
    """What stands on the pages, with single spaces."""
    return " ".join(" ".join(page.extract_text() for page in found).split())


def html(proven: Proven) -> str:
    return make_report([proven], number=1, form="html", paper="a4", made=MADE).decode()


def notices(proven: Proven) -> list[Notice]:
    head = document([proven], 1, MADE).sections[0]
    return [part for part in head.parts if isinstance(part, Notice)]


def pictures(made: Document) -> list[Picture]:
    return [part for each in made.sections for part in each.parts if isinstance(part, Picture)]


@pytest.fixture(autouse=True)
def _in_english() -> object:
    with speak("en"):
        yield


@pytest.mark.parametrize("shots", [1, 200, 10_800])
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_a_pdf_has_whole_pages_of_its_paper(
    shots: int, paper: str, sized: Callable[[int], Proven]
) -> None:
    found = pages(sized(shots), paper)
    assert 2 <= len(found) <= 5
    for number, page in enumerate(found, start=1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == POINTS[paper]
        text = page.extract_text()
        assert f"page {number} of {len(found)}" in text
        assert len(text) > 200  # more than its head and foot
        assert_within(page)
    assert f"{shots} of {shots}" in text_of(found)


def assert_within(page: PageObject) -> None:
    """Every piece of text begins within the margins."""
    outside: list[str] = []
    width, height = float(page.mediabox.width), float(page.mediabox.height)

    def see(text: str, cm: list[float], tm: list[float], _font: object, _size: float) -> None:
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        if text.strip() and not (MARGIN <= x <= width - MARGIN and 20 <= y <= height - 20):
            outside.append(f"{text} at {x:.0f}, {y:.0f}")

    page.extract_text(visitor_text=see)
    assert outside == []


@pytest.mark.parametrize("shots", [1, 200, 10_800])
def test_pictures_show_every_shot_and_stay_light(
    shots: int, sized: Callable[[int], Proven]
) -> None:
    made = document([sized(shots)], 1, MADE)
    drawn = pictures(made)
    titles = [each.title for each in drawn]
    assert titles[0] == "Dose of each shot"
    assert titles[-1] == "Volume over time"
    assert ("Dose error of each shot" in titles) == (shots > 1)  # a single one was exact
    assert sum(len(path.attrib["d"]) for each in drawn for path in each.svg.iter("path")) < 80_000
    bars = max(path.attrib["d"].count("M") for path in drawn[0].svg.iter("path"))
    assert bars == (shots if shots <= 400 else 1)
    assert "Pressure of each shot" in titles


def test_the_smallest_and_the_largest_of_many_shots_are_drawn(clinic: Clinic) -> None:
    record, verified = clinic.complete(1000, errors=(0,) * 499 + (40,) + (0,) * 499 + (-25,))
    [errors] = [
        each
        for each in pictures(document([(record, verified)], 1, MADE))
        if each.title == "Dose error of each shot"
    ]
    assert errors.alternative == "The largest dose error is 8.25 %."
    band = max(errors.svg.iter("path"), key=lambda path: len(path.attrib["d"]))
    heights = [float(y) for _x, y in re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", band.attrib["d"])]
    assert len(set(heights)) == 3  # exact, the one above, the one below


def test_everything_that_the_record_knows_is_told(clinic: Clinic) -> None:
    record, verified = clinic.complete(200, errors=(0, 1))
    session, found = record.session, summarise(record)
    assert found is not None
    text = text_of(pages((record, verified)))
    for told in (
        "Facial rejuvenation",
        "Nappage, multi-pricking",
        "BD Plastipak 5 ml",
        "30G x 4 mm",
        "41.283 nl a step, calibration 00000007",
        "P-1952",
        "Dr. Pistor",
        "board e6614104037a5b2c",
        "0.1.0, build 005caffe",
        session.id,
        "200 shots of 10 ul in 0.1 s",
        "mean dose error 0.10 %",
        "1 step, shot 2",
        "COMPLETE AND VERIFIED",
    ):
        assert told in text
    assert record.record_hash in text.replace(" ", "")
    assert record.seal in text.replace(" ", "")


def test_a_pause_a_prime_and_a_released_shot_are_told(clinic: Clinic) -> None:
    proven = clinic.with_a_pause()
    text = text_of(pages(proven))
    assert "pause 9.0 s long" in text
    assert "prime complete, 49.5 ul of 49.5 ul delivered" in text
    assert "shot 3 ended by releasing the trigger, 8.3 ul of 20 ul delivered" in text
    assert "1 shot was taken back from the queue before it began" in text
    captions = [each.caption for each in pictures(document([proven], 1, MADE))]
    assert any("Cross: not carried out" in each for each in captions)
    assert any("Shaded: paused." in each for each in captions)


def test_a_visit_of_two_syringes_is_one_report(clinic: Clinic) -> None:
    sessions = clinic.visit()
    first, second = (record.session.id for record, _verified in sessions)
    assert [record.prime_nl for record, _verified in sessions] == [49_540, 49_540]
    content = make_report(sessions, number=1, form="pdf", paper="a4", made=MADE)
    text = text_of(list(PdfReader(io.BytesIO(content)).pages))
    for told in (
        f"Session {first}, {second}, patient P-7",
        "shots 300 of 300",
        "primed 99.1 ul",
        f"1 {first} 0.0 s 120 2.403 ml 49.5 ul stopped",
        f"2 {second} 16.4 s 180 3.604 ml 49.5 ul complete",
        f"Goes on from session {first} with what it left: 180 shots",
        "1 300 shots of 10 ul in 0.1 s, one every 0.333 s, while the trigger is held 300",
        "before the start prime complete, 49.5 ul of 49.5 ul delivered",
        f"Session {first}, hash of",
        f"Session {second}, hash of",
        f"mesogun sessions verify {first} {second}",
        "COMPLETE AND VERIFIED",
    ):
        assert told in text
    assert "ENDED EARLY" not in text
    for record, _verified in sessions:
        assert record.record_hash in text.replace(" ", "")


def test_the_shots_of_a_visit_are_counted_over_all_syringes(clinic: Clinic) -> None:
    record, verified = joined(clinic.visit())
    assert [shot.shot for shot in begun(record)] == list(range(300))
    assert record.complete
    assert verified.ok
    assert record.delivered_steps == 300 * 485


def test_a_visit_with_a_session_that_is_not_whole_is_not_whole(clinic: Clinic) -> None:
    sessions = clinic.visit()
    (record, verified) = sessions[0]
    for changed in (replace(record, end=None), replace(record, gaps=(Gap(7, 9),))):
        whole, _ = joined([(changed, verified), sessions[1]])
        assert not whole.complete
        assert document([(changed, verified), sessions[1]], 1, MADE).warning == "INCOMPLETE RECORD"


def test_another_needle_with_another_pressure_is_not_suspicious(clinic: Clinic) -> None:
    (first, verified), (second, _) = clinic.visit()
    softer = replace(second, shots=tuple(replace(s, pressure_kpa=30) for s in second.shots))
    sessions = [(first, verified), (softer, verified)]
    head = document(sessions, 1, MADE).sections[0]
    assert not [p for p in head.parts if isinstance(p, Notice) and "SUSPICIOUS" in p.title]


def test_any_session_of_a_visit_names_it_and_others_stand_alone(clinic: Clinic) -> None:
    first, second = (record.session.id for record, _verified in clinic.visit())
    alone = clinic.complete(2)[0].session.id

    def visit(name: str) -> list[str]:
        return [record.session.id for record, _verified in clinic.store.proven_visit(name)]

    assert visit(first) == visit(second) == [first, second]
    assert visit(alone) == [alone]


def test_a_visit_that_ended_at_a_change_of_the_syringe_ended_early(clinic: Clinic) -> None:
    [proven] = clinic.broken_off_at_a_change(primed=False)
    text = text_of(pages(proven))
    assert "ENDED EARLY: 120 of 300 shots, no further syringe was given." in text
    assert "end no further syringe was given" in text
    assert "NOT STARTED" not in text


def test_what_was_primed_for_a_session_that_never_started_is_in_the_report(clinic: Clinic) -> None:
    sessions = clinic.broken_off_at_a_change(primed=True)
    first, second = (record.session.id for record, _verified in sessions)
    for name in (first, second):
        assert [each.session.id for each, _ in clinic.store.proven_visit(name)] == [first, second]
    content = make_report(sessions, number=1, form="pdf", paper="a4", made=MADE)
    text = text_of(list(PdfReader(io.BytesIO(content)).pages))
    for told in (
        "ENDED EARLY: 120 of 300 shots, no further syringe was given.",
        f"NOT STARTED: session {second} was made ready to go on; there is no record of its start.",
        "• 49.5 ul primed.",
        "primed 49.5 ul",
        f"2 {second} not started 0 0 ul 49.5 ul not ended",
        "COMPLETE AND VERIFIED",
    ):
        assert told in text


def test_a_printed_html_has_its_head_on_every_page(clinic: Clinic) -> None:
    text = html(clinic.complete(1, patient_ref='"; } </style> \\ é'))
    assert text.partition("</head>")[0].count("</style>") == 1
    assert '\\22 \\3b \\20 \\7d \\20 \\3c \\2f style\\3e \\20 \\5c \\20 é"; }' in text
    torn = html(clinic.torn())
    assert '@top-right { content: "INCOMPLETE\\20 RECORD"; }' in torn


def test_a_pressure_that_fell_is_told_with_what_may_be_behind_it(clinic: Clinic) -> None:
    text = text_of(pages(clinic.leaking()))
    assert "SUSPICIOUS PRESSURE: equal shots took 70 kPa at first and 26 kPa at the end." in text
    assert "a pusher that slips" in text
    assert "SUSPICIOUS" not in text_of(pages(clinic.complete(20)))


def test_what_people_confirmed_is_told(clinic: Clinic) -> None:
    record, _ = clinic.complete(2)
    session = record.session.id
    assert "Told and confirmed" not in text_of(pages((record, _)))
    clinic.store.add_note(session, "syringe", {"syringe": "bd-plastipak-5", "confirmed": True})
    text = text_of(pages(clinic.store.proven_view(session)))
    assert "Told and confirmed • A person has read the syringe: BD Plastipak 5 ml." in text


@pytest.mark.parametrize(
    ("kind", "warning", "told"),
    [
        ("faulted", "", ["ALARM: OCCLUSION", "ENDED EARLY: 7 of 40 shots, ended by a fault."]),
        (
            "uncertain",
            "INCOMPLETE RECORD",
            [
                "The session broke off and was never ended.",
                "UNCERTAIN: the result of 1 dose is not known.",
                "At least 240.3 ul and at most 260.3 ul were delivered.",
            ],
        ),
        (
            "torn",
            "INCOMPLETE RECORD",
            ["3 records of the gun are missing.", "RECORD NOT VERIFIED", "Records are missing."],
        ),
        ("planned", "INCOMPLETE RECORD", ["The gun has no record of a start."]),
        (
            "tampered",
            "RECORD NOT VERIFIED",
            ["The description of the session or a seal was changed afterwards."],
        ),
    ],
)
def test_a_session_that_is_not_whole_says_so_first_and_on_every_page(
    kind: str, warning: str, told: list[str], clinic: Clinic
) -> None:
    proven = getattr(clinic, kind)()
    first = notices(proven)[0]
    assert first.tone == "bad"
    found = pages(proven)
    text = text_of(found)
    for each in told:
        assert each in text_of(found[:1])
    if warning:
        assert all(warning in page.extract_text() for page in found)
        assert "COMPLETE AND VERIFIED" not in text
        assert "every shot was carried out" not in text
        assert warning in html(proven)


def test_an_open_session_is_incomplete_and_says_where_the_rest_is(clinic: Clinic) -> None:
    session = clinic.begin(5)
    clinic.board.shots(2)
    text = text_of(pages(clinic.keep(session)))
    assert "INCOMPLETE RECORD" in text
    assert "the rest of its record is still in the gun" in text


def test_an_erased_patient_is_told_as_erased(clinic: Clinic) -> None:
    text = text_of(pages(clinic.erased()))
    assert "patient erased" in text
    assert "P-7" not in text


def test_a_virtual_gun_treats_nobody(clinic: Clinic) -> None:
    assert "VIRTUAL GUN: nobody was treated." in text_of(pages(clinic.complete(2)))
    real = clinic.complete(2, seed=None, gun_kind="board")
    assert "VIRTUAL GUN" not in text_of(pages(real))


def test_a_program_that_cannot_be_read_is_told_by_its_shots(clinic: Clinic) -> None:
    text = text_of(pages(clinic.complete(3, program_toml="schema = 9")))
    assert "1 not readable 3 60.1 ul" in text


class Outline(HTMLParser):
    """The tags of a file, and whatever it would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            f"{tag} {name}"
            for name, value in attrs
            # What begins with # stands in the same file.
            if name in {"src", "href", "data"} and not (value or "").startswith("#")
        ]
        self.loads += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("shots", [1, 200, 10_800])
def test_the_html_needs_no_other_file(shots: int, sized: Callable[[int], Proven]) -> None:
    text = html(sized(shots))
    outline = Outline()
    outline.feed(text)
    assert outline.loads == []
    assert "script" not in outline.tags
    assert "url(" not in text.replace("url(#", "")
    assert outline.tags.count("svg") == (3 if shots == 1 else 4)
    assert len(text) < 150_000
    assert f"{shots} of {shots}" in text


def test_what_people_typed_is_text_and_never_markup(clinic: Clinic) -> None:
    typed = '<script>alert("1")</script> & "Ω" #set $x$ \\'
    proven = clinic.complete(2, operator=typed, patient_ref="*P* _1_ <b>")
    outline = Outline()
    outline.feed(html(proven))
    assert "script" not in outline.tags
    assert "b" not in outline.tags
    text = text_of(pages(proven))
    assert "*P* _1_ <b>" in text
    assert '<script>alert("1")</script> & "Ω" #set $x$ \\' in text.replace("\u200b", "")


def test_a_long_word_is_folded_and_nothing_leaves_the_page(clinic: Clinic) -> None:
    found = pages(clinic.complete(2, patient_ref="Q" * 300, operator="R" * 300))
    for page in found:
        assert_within(page)
    assert text_of(found).replace(" ", "").replace("\u200b", "").count("R" * 300) == 1
    lines = [line for page in found for line in page.extract_text().splitlines()]
    assert max(map(len, lines)) < 130


def test_the_report_speaks_french(clinic: Clinic) -> None:
    with speak("fr"):
        made = document([clinic.with_a_pause()], 1, MADE)
        text = text_of(pages(clinic.complete(200, errors=(0, 1))))
    assert made.language == "fr"
    assert made.title == "Compte rendu de séance"
    assert "COMPLET ET VÉRIFIÉ" in text
    assert "erreur moyenne de dose 0,10 %" in text.replace("\u00a0", " ")
    for english in ("shots", "dose error", "Made ", "page 1 of", "Proof", "given"):
        assert english not in text


def test_the_same_session_gives_the_same_file(clinic: Clinic) -> None:
    proven = clinic.complete(3)
    made = [make_report([proven], number=1, form="pdf", paper="a4", made=MADE) for _ in range(2)]
    assert made[0] == made[1]


def test_a_format_or_paper_that_is_not_known_is_refused(clinic: Clinic) -> None:
    proven = clinic.complete(1)
    with pytest.raises(UsageError, match="'docx' is no report format; pdf and html are"):
        make_report([proven], number=1, form="docx", paper="a4", made=MADE)
    with pytest.raises(UsageError, match="'a5' is no paper; a4 and letter are"):
        make_report([proven], number=1, form="pdf", paper="a5", made=MADE)
