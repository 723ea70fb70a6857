"""The rendered emails: what they contain, and what they must not contain."""

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
    compose_invitation,
    compose_notice_waiting,
    compose_notices_waiting,
    compose_weekly_digest,
    format_time,
)

GOLDEN = Path(__file__).parent / "golden"
LINK = "https://dashboard.example"
UNSUBSCRIBE = f"{LINK}/v1/unsubscribe/AbCdEf"
LATE = "November 2, 2026 at 7:00 AM EST"
TO = "coordinator@cedar.example"
TEMPLATES = sorted(folder.name for folder in (files(mail) / "templates").iterdir() if folder.is_dir())
PARTS = {"subject": "subject.txt", "text": "body.txt", "html": "body.html"}

RENDERED = {
    "critical_notice": compose_critical_notice(to=TO, alias="Blue Heron", sign_in_url=LINK, late_since_text=LATE),
    "escalation": compose_escalation(to=TO, alias="Blue Heron", sign_in_url=LINK),
    "invitation": compose_invitation(
        to=TO, alias="Blue Heron", change="planned or moved", sign_in_url=LINK, unsubscribe=UNSUBSCRIBE
    ),
    "notice_waiting": compose_notice_waiting(
        to=TO, alias="Blue Heron", count=2, sign_in_url=LINK, unsubscribe=UNSUBSCRIBE
    ),
    "notices_waiting": compose_notices_waiting(
        to=TO,
        counts=[("Blue Heron", 2), ("Grey Owl", 9), ("Red Kite", 1)],
        sign_in_url=LINK,
        late_since_text=LATE,
        unsubscribe=UNSUBSCRIBE,
    ),
    "weekly_digest": compose_weekly_digest(
        to=TO, aliases=["Blue Heron", "Grey Owl", "Red Kite"], sign_in_url=LINK, unsubscribe=UNSUBSCRIBE
    ),
}
"""Every email, as a member receives it."""


class Page(HTMLParser):
    """The tags, addresses, styles and visible words of an HTML page."""

    ADDRESS_ATTRIBUTES = frozenset(
        {"action", "background", "cite", "data", "formaction", "href", "poster", "src", "srcset"}
    )

    def __init__(self, html):
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.styles: list[str | None] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in self.ADDRESS_ATTRIBUTES]
        self.styles += [value for name, value in attrs if name == "style"]

    def handle_data(self, data):
        self.words += data.split()


@pytest.fixture(params=list(RENDERED.values()), ids=list(RENDERED))
def message(request):
    """Each email in turn."""
    return request.param


def test_every_email_is_rendered_here():
    """A new folder of templates needs a function of the same name, and an email in `RENDERED`."""
    assert list(RENDERED) == TEMPLATES
    assert all(callable(getattr(mail, f"compose_{name}")) for name in TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_folder_has_exactly_three_parts(name):
    """Subject, text and HTML, in files with the same names in every folder."""
    folder = files(mail) / "templates" / name

    assert {part.name for part in folder.iterdir()} == set(PARTS.values())


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", RENDERED)
def test_a_rendered_email_equals_its_reviewed_file(name, part):
    """Word for word as in `golden/`, so that a person reads a changed email before it is sent."""
    reviewed = (GOLDEN / name / PARTS[part]).read_text("utf-8")

    assert getattr(RENDERED[name], part) == reviewed.removesuffix("\n" if part == "subject" else "")


def test_an_email_loads_nothing_and_links_only_to_sign_in_and_unsubscribe(message):
    """No image, no script, no external style: no one can track a reader."""
    page = Page(message.html)
    addresses = [LINK, UNSUBSCRIBE] if message.unsubscribe else [LINK]

    assert page.tags <= {"html", "head", "meta", "title", "style", "body", "table", "tr", "td",
                         "a", "strong"}  # fmt: skip
    assert page.addresses == addresses
    for style in (*page.styles, message.html.partition("<style>")[2].partition("</style>")[0]):
        assert not re.search(r"url|import|expression", (style or "").replace("!important", ""))
    assert re.findall(r"https?:[^\s\"'<>]+", message.html) == addresses
    assert re.findall(r"https?:[^\s]+", message.text) == addresses


def test_only_critical_emails_have_no_unsubscribe_link():
    """Critical emails are sent whatever the member chose."""
    without = {name for name, message in RENDERED.items() if not message.unsubscribe}

    assert without == {"critical_notice", "escalation"}
    assert not [name for name in without if "Stop emails" in RENDERED[name].text]


@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_no_email_has_a_status_product_or_diagnosis(message, part):
    """No title of a notice, no product, no disease: only the alias, counts and links."""
    text = getattr(message, part).lower()

    titles = {rule.title.lower() for rule in STAGE_RULES.values()}
    titles |= {notice.title.lower() for notice in NOTICE_SCHEDULE.values()}
    products = {brand.lower() for brand in catalog.load_products()}
    assert not [words for words in (*titles, *products, "lymphoma", "infus") if words in text]


def test_a_faulty_template_raises_an_error_without_patient_data(monkeypatch):
    """The error has only the name of the template."""
    monkeypatch.setattr(mail, "_load_template", lambda _path: Template("$unknown_placeholder"))

    with pytest.raises(TemplateError, match=r"^critical_notice$"):
        compose_critical_notice(to=TO, alias="Blue Heron", sign_in_url=LINK)


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        (datetime(2026, 7, 4, 3, 5, tzinfo=UTC), "Pacific/Honolulu", "July 3, 2026 at 5:05 PM HST"),
        (datetime(2026, 12, 2, 13, 0, tzinfo=UTC), "America/Chicago", "December 2, 2026 at 7:00 AM CST"),
        (datetime(2026, 12, 2, 5, 30, tzinfo=UTC), "America/New_York", "December 2, 2026 at 12:30 AM EST"),
    ],
)
def test_a_time_is_in_the_readers_zone_on_a_12_hour_clock(at, zone, text):
    """Midnight is 12 AM, never 00:00."""
    assert format_time(at, zone) == text


def test_an_email_says_that_it_is_not_for_emergencies(message):
    """In the text and in the HTML, with the words that open the note on every page."""
    opening = EMERGENCY_NOTE.partition(".")[0]

    for text in (message.text, " ".join(Page(message.html).words)):
        assert f"{opening}." in text
        assert "911" in text


def test_the_text_has_no_word_that_the_html_lacks(message):
    """Both forms of an email have the same content."""
    text = set(re.findall(r"\w+", message.text.replace(UNSUBSCRIBE, "").replace(LINK, "")))
    html = set(re.findall(r"\w+", " ".join(Page(message.html).words)))

    assert text - html == set()


@pytest.mark.parametrize(("count", "notices"), [(1, "1 new notice"), (2, "2 new notices")])
def test_the_notice_count_agrees_with_its_noun_in_all_parts(count, notices):
    """The subject has the alias and the count, and nothing of the content: locked screens show subjects."""
    message = compose_notice_waiting(to="x@y.example", alias="Blue Heron", count=count, sign_in_url=LINK)

    assert message.subject == f"Blue Heron: {notices} in the CAR T Referral Dashboard"
    assert message.text.startswith(f"You have {notices} about Blue Heron.")
    assert f"You have {notices} about Blue Heron." in message.html


@pytest.mark.parametrize(
    "alias", ["<img src=x onerror=alert(1)>", "\"><a href='https://evil.example'>", "</title><script>x", "A & B"]
)
def test_html_in_an_alias_is_escaped(alias):
    """Markup in an alias is shown as text."""
    page = Page(compose_notice_waiting(to="x@y.example", alias=alias, count=1, sign_in_url=LINK).html)

    assert page.addresses == [LINK]
    assert not page.tags & {"img", "script"}
    assert "".join(alias.split()) in "".join(page.words)


@pytest.mark.parametrize("alias", ["$link", "${link}", "$$", "$", "{link}", "%s"])
def test_placeholder_syntax_in_an_alias_is_plain_text(alias):
    """A value that looks like a placeholder is not substituted."""
    message = compose_notice_waiting(to="x@y.example", alias=alias, count=1, sign_in_url=LINK)

    assert message.subject.startswith(f"{alias}: ")
    assert message.text.startswith(f"You have 1 new notice about {alias}.")


def compose_for_patients(count):
    """Compose an email about `count` patients, with one notice each."""
    counts = [(f"Bird {n}", 1) for n in range(count)]
    return compose_notices_waiting(to="x@y.example", counts=counts, sign_in_url=LINK)


@pytest.mark.parametrize(("count", "more"), [(20, ""), (21, "and 1 more patient"), (43, "and 23 more patients")])
def test_an_email_lists_20_patients_and_counts_the_others(count, more):
    """One line per patient, for the first 20 in the given order."""
    message = compose_for_patients(count)

    listed = [line[2:] for line in message.text.splitlines() if line.startswith("- ")]
    assert listed == [f"Bird {n}: 1 new notice" for n in range(20)] + ([more] if more else [])
    assert all(f">{line}<" in message.html for line in listed)
    assert f"{count} new notices about {count} patients" in message.subject


def test_a_subject_about_several_patients_has_no_alias():
    """A subject has no space for all aliases, and one alone would mislead."""
    assert "Bird" not in compose_for_patients(4).subject


def test_an_alias_in_a_list_stays_one_line_without_markup():
    """Neither a line break nor a tag in an alias makes another line."""
    message = compose_notices_waiting(
        to="x@y.example", counts=[("Blue\r\n- Heron <td>", 1), ("Grey Owl", 1)], sign_in_url=LINK
    )

    assert "- Blue - Heron <td>: 1 new notice\n- Grey Owl: 1 new notice\n\n" in message.text
    assert ">Blue - Heron &lt;td&gt;: 1 new notice<" in message.html


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_a_subject_is_always_one_line(line_break):
    """A line break would start another header, such as a second recipient."""
    alias = f"Blue Heron{line_break}Bcc: evil@evil.example"

    subject = compose_notice_waiting(to="x@y.example", alias=alias, count=1, sign_in_url=LINK).subject

    assert len(subject.splitlines()) == 1
