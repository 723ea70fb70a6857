"""Mails as they are rendered: what they say, and all that they must not."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from string import Template

import pytest

from chalicelib import catalog, mail
from chalicelib.domain.eligibility.disclaimers import EMERGENCY_NOTE
from chalicelib.domain.notices.notice_rules import STAGE_RULES
from chalicelib.domain.notices.notice_schedule import NOTICE_SCHEDULE
from chalicelib.mail import (
    TemplateError,
    compose_critical_notice,
    compose_escalation,
    compose_notice_waiting,
    compose_notices_waiting,
    compose_weekly_digest,
    format_time,
)

GOLDEN = Path(__file__).parent / "golden"
LINK = "https://dashboard.example"
LEAVE = f"{LINK}/v1/unsubscribe/AbCdEf"
LATE = "November 2, 2026 at 07:00 EST"
TO = "coordinator@cedar.example"
TEMPLATES = sorted(folder.name for folder in (files(mail) / "templates").iterdir() if folder.is_dir())
PARTS = {"subject": "subject.txt", "text": "body.txt", "html": "body.html"}

RENDERED = {
    "critical_notice": compose_critical_notice(to=TO, alias="Blue Heron", sign_in_url=LINK, late_since_text=LATE),
    "escalation": compose_escalation(to=TO, alias="Blue Heron", sign_in_url=LINK),
    "notice_waiting": compose_notice_waiting(to=TO, alias="Blue Heron", count=2, sign_in_url=LINK, unsubscribe=LEAVE),
    "notices_waiting": compose_notices_waiting(
        to=TO,
        counts=[("Blue Heron", 2), ("Grey Owl", 9), ("Red Kite", 1)],
        sign_in_url=LINK,
        late_since_text=LATE,
        unsubscribe=LEAVE,
    ),
    "weekly_digest": compose_weekly_digest(
        to=TO, aliases=["Blue Heron", "Grey Owl", "Red Kite"], sign_in_url=LINK, unsubscribe=LEAVE
    ),
}
"""Every mail, as somebody gets it."""


class Page(HTMLParser):
    """The tags, the addresses and the visible text of a page."""

    LEADING_AWAY = frozenset({"action", "background", "cite", "data", "formaction", "href", "poster", "src", "srcset"})

    def __init__(self, html):
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.styles: list[str | None] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in self.LEADING_AWAY]
        self.styles += [value for name, value in attrs if name == "style"]

    def handle_data(self, data):
        self.words += data.split()


@pytest.fixture(params=list(RENDERED.values()), ids=list(RENDERED))
def message(request):
    """Each mail."""
    return request.param


def test_every_mail_is_tried_here():
    """A new folder of templates needs a function of its name, and a mail in this test."""
    assert list(RENDERED) == TEMPLATES
    assert all(callable(getattr(mail, f"compose_{name}")) for name in TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_mail_has_three_parts(name):
    """Subject, text and HTML, in files of the same names."""
    folder = files(mail) / "templates" / name

    assert {part.name for part in folder.iterdir()} == set(PARTS.values())


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", RENDERED)
def test_a_mail_is_what_was_reviewed(name, part):
    """Word for word as in `golden/`: a changed mail is read again before it is sent."""
    reviewed = (GOLDEN / name / PARTS[part]).read_text("utf-8")

    assert getattr(RENDERED[name], part) == reviewed.removesuffix("\n" if part == "subject" else "")


def test_a_mail_loads_nothing(message):
    """No image, no script, no style from elsewhere; it leads to the sign-in, or out of the like."""
    page = Page(message.html)
    addresses = [LINK, LEAVE] if message.unsubscribe else [LINK]

    assert page.tags <= {"html", "head", "meta", "title", "style", "body", "table", "tr", "td",
                         "a", "strong"}  # fmt: skip
    assert page.addresses == addresses
    for style in (*page.styles, message.html.partition("<style>")[2].partition("</style>")[0]):
        assert not re.search(r"url|import|expression", (style or "").replace("!important", ""))
    assert re.findall(r"https?:[^\s\"'<>]+", message.html) == addresses
    assert re.findall(r"https?:[^\s]+", message.text) == addresses


def test_a_mail_that_may_not_be_turned_off_shows_no_way_out():
    """What is critical comes whatever is chosen."""
    without = {name for name, message in RENDERED.items() if not message.unsubscribe}

    assert without == {"critical_notice", "escalation"}
    assert not [name for name in without if "Stop mails" in RENDERED[name].text]


@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_no_mail_says_what_happened(message, part):
    """Neither a stage, nor a product, nor a center: the words that it is made of are few."""
    said = getattr(message, part).lower()

    told = {rule.title.lower() for rule in STAGE_RULES.values()}
    told |= {entry.title.lower() for entry in NOTICE_SCHEDULE.values()}
    products = {brand.lower() for brand in catalog.load_products()}
    assert not [word for word in (*told, *products, "lymphoma", "infus") if word in said]


def test_a_mail_whose_template_lacks_something_is_no_mail(monkeypatch):
    """One error for whatever is wrong, without a word of what it was about."""
    monkeypatch.setattr(mail, "_load_template", lambda _path: Template("$nobody_says_this"))

    with pytest.raises(TemplateError, match=r"^critical_notice$"):
        compose_critical_notice(to=TO, alias="Blue Heron", sign_in_url=LINK)


def test_a_time_is_said_as_its_reader_says_it():
    """In the reader's own zone."""
    at = datetime(2026, 7, 4, 3, 5, tzinfo=UTC)

    assert format_time(at, "Pacific/Honolulu") == "July 3, 2026 at 17:05 HST"


def test_a_mail_says_that_it_is_not_for_emergencies(message):
    """In the text and in the page, in the words that open the note on every screen."""
    opening = EMERGENCY_NOTE.partition(".")[0]

    for words in (message.text, " ".join(Page(message.html).words)):
        assert f"{opening}." in words
        assert "911" in words


def test_both_forms_of_a_mail_say_the_same(message):
    """Whoever reads text alone misses nothing."""
    text = set(re.findall(r"\w+", message.text.replace(LEAVE, "").replace(LINK, "")))
    html = set(re.findall(r"\w+", " ".join(Page(message.html).words)))

    assert text - html == set()


def test_a_subject_says_who_by_nickname_and_how_much():
    """And nothing of what happened: a subject is read on locked screens."""
    assert RENDERED["notice_waiting"].subject == ("Blue Heron: 2 new notices in the CAR T Referral Dashboard")


@pytest.mark.parametrize(("count", "are", "said"), [(1, "is", "1 new notice"), (2, "are", "2 new notices")])
def test_one_notice_is_not_two(count, are, said):
    """The count agrees with its noun and its verb, in all three parts."""
    one = compose_notice_waiting(to="x@y.example", alias="Blue Heron", count=count, sign_in_url=LINK)

    assert f": {said} in" in one.subject
    assert one.text.startswith(f"There {are} {said} about Blue Heron.")
    assert f"There {are} {said} about Blue Heron." in one.html


@pytest.mark.parametrize(
    "alias", ["<img src=x onerror=alert(1)>", "\"><a href='https://evil.example'>", "</title><script>x", "A & B"]
)
def test_a_nickname_is_text_in_a_page(alias):
    """Markup in an alias is shown, never obeyed."""
    page = Page(compose_notice_waiting(to="x@y.example", alias=alias, count=1, sign_in_url=LINK).html)

    assert page.addresses == [LINK]
    assert not page.tags & {"img", "script"}
    assert "".join(alias.split()) in "".join(page.words)


@pytest.mark.parametrize("alias", ["$link", "${link}", "$$", "$", "{link}", "%s"])
def test_a_nickname_is_no_template(alias):
    """What looks like a placeholder is a name all the same."""
    message = compose_notice_waiting(to="x@y.example", alias=alias, count=1, sign_in_url=LINK)

    assert message.subject.startswith(f"{alias}: ")
    assert message.text.startswith(f"There is 1 new notice about {alias}.")


def patients(count):
    """A mail about so many patients, with one notice each."""
    counts = [(f"Bird {n}", 1) for n in range(count)]
    return compose_notices_waiting(to="x@y.example", counts=counts, sign_in_url=LINK)


@pytest.mark.parametrize(("count", "more"), [(20, ""), (21, "and 1 more patient"), (43, "and 23 more patients")])
def test_a_mail_lists_twenty_patients_and_counts_the_others(count, more):
    """One a line; the first twenty of those who have waited longest."""
    message = patients(count)

    listed = [line[2:] for line in message.text.splitlines() if line.startswith("- ")]
    assert listed == [f"Bird {n}: 1 new notice" for n in range(20)] + ([more] if more else [])
    assert all(f">{line}<" in message.html for line in listed)
    assert f"{count} new notices about {count} patients" in message.subject


def test_a_subject_about_several_names_none():
    """There is no room for all, and one would be the only one that is read."""
    assert "Bird" not in patients(4).subject


def test_a_nickname_is_one_line_of_a_list_and_no_markup():
    """Neither a line break nor a tag in it makes another line."""
    told = compose_notices_waiting(
        to="x@y.example", counts=[("Blue\r\n- Heron <td>", 1), ("Grey Owl", 1)], sign_in_url=LINK
    )

    assert "- Blue - Heron <td>: 1 new notice\n- Grey Owl: 1 new notice\n\n" in told.text
    assert ">Blue - Heron &lt;td&gt;: 1 new notice<" in told.html


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_a_subject_is_one_line(break_):
    """A line break would begin a header of the sender's choice, such as another recipient."""
    alias = f"Blue Heron{break_}Bcc: evil@evil.example"

    subject = compose_notice_waiting(to="x@y.example", alias=alias, count=1, sign_in_url=LINK).subject

    assert len(subject.splitlines()) == 1
