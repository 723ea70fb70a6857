"""The dashboard's pure functions, called in the browser that runs them."""

from typing import Any

import pytest

from chalicelib.domain.notices.planning import SkipReason
from chalicelib.store.notices.mail_status import MailStatus
from chalicelib.store.notices.mails import MailSkipReason

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def call(browser, local_site):
    """Call a function of a module with plain arguments."""
    page = browser.new_page()
    page.goto(local_site)

    def called(module, name, *arguments):
        return page.evaluate(
            """async ([module, name, given]) =>
                 (await import(new URL(`assets/${module}`, location.href)))[name](...given)""",
            [f"{module}.js", name, list(arguments)],
        )

    yield called
    page.close()


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        ("2026-11-22T10:00", "America/New_York", "2026-11-22T10:00:00-05:00"),
        ("2026-07-01T10:00", "America/New_York", "2026-07-01T10:00:00-04:00"),
        ("2026-07-01T10:00", "America/Phoenix", "2026-07-01T10:00:00-07:00"),
        ("2026-01-05T00:30", "UTC", "2026-01-05T00:30:00+00:00"),
        # The hour that comes twice means its first time; the one that is left out moves on.
        ("2026-11-01T01:30", "America/Chicago", "2026-11-01T01:30:00-05:00"),
        ("2026-03-08T02:30", "America/Chicago", "2026-03-08T02:30:00-06:00"),
    ],
)
def test_a_wall_clock_becomes_an_instant_of_its_zone(call, local, zone, instant):
    """Summer and winter, and on the days between."""
    assert call("platform/time", "toTimestamp", local, zone) == instant


def test_times_say_their_zone_and_dates_never_shift(call):
    """A date is the same wherever it is read."""
    assert call("platform/time", "formatTime", "2026-11-22T15:00:00Z", "America/New_York").replace("\u202f", " ") == (
        "Nov 22, 2026, 10:00 AM EST"
    )
    assert call("platform/time", "formatDate", "2026-11-22") == "Nov 22, 2026"
    assert call("platform/time", "formatDate", None) == ""


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        ("1961-04-02", "2026-04-01", 64),
        ("1961-04-02", "2026-04-02", 65),
        ("2000-02-29", "2026-02-28", 25),
        ("2000-02-29", "2026-03-01", 26),
    ],
)
def test_age_is_counted_in_whole_years(call, born, today, years):
    """On the birthday, not before it."""
    assert call("platform/time", "computeYears", born, today) == years


@pytest.mark.parametrize(
    ("state", "at", "why", "said"),
    [
        ("planned", "2026-11-23T13:00:00Z", None, "mail held for 7:00 AM"),
        ("planned", "2026-11-24T13:00:00Z", None, "mail held for Nov 24, 2026, 7:00 AM"),
        ("planned", "2026-11-23T11:59:00Z", None, "mail on its way"),
        ("sent", "2026-11-23T11:58:00Z", None, "mailed 2 minutes ago"),
        ("delivered", "2026-11-23T11:59:30Z", None, "mail arrived just now"),
        ("bounced", "2026-11-23T11:00:00Z", None, "mail came back"),
        ("skipped", "2026-11-23T11:00:00Z", "read", "not mailed: opened before the mail was due"),
        ("not_wanted", None, None, "in the dashboard only"),
    ],
)
def test_what_became_of_a_mail_is_said_in_a_few_words(call, state, at, why, said):
    """By the clock of the reader's zone; here it is noon in Greenwich, six in Chicago."""
    noon = 1_795_435_200_000
    mail = {"state": state, "at": at, "why": why}

    told = call("notices/notice_labels", "describeMail", mail, "America/Chicago", noon)

    assert told.replace("\u202f", " ") == said


def a_mail(state, why=None):
    """A mail as the API tells of it."""
    return {"state": state, "at": "2026-11-23T11:00:00Z", "why": why}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        *(("describeSkipReason", [why]) for why in SkipReason),
        # What is suppressed has a state of its own.
        *(
            ("describeMail", [a_mail("skipped", why), "UTC"])
            for why in MailSkipReason
            if why is not MailSkipReason.SUPPRESSED
        ),
        *(("describeMail", [a_mail(state, MailSkipReason.READ), "UTC"]) for state in MailStatus),
    ],
    ids=str,
)
def test_no_reason_and_no_state_is_without_words(call, function, arguments):
    """Whatever the server may say."""
    said = call("notices/notice_labels", function, *arguments)

    assert said
    assert "undefined" not in said


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("(713) 555-0142", "+17135550142"),
        ("1 713.555.0142", "+17135550142"),
        ("+44 20 7946 0018", "+442079460018"),
        ("555-0142", "5550142"),
    ],
)
def test_a_phone_is_spelled_as_the_api_wants_it(call, typed, sent):
    """US numbers as people write them; what is not one is left for the server to judge."""
    assert call("platform/json_document", "toPhoneNumber", typed) == sent


def test_a_body_leaves_out_what_is_blank_and_keeps_what_is_an_answer(call):
    """No, zero and false are answers; an empty line of therapy is none."""
    values = {
        "patient": {"family_name": " Example ", "email": "", "caregiver": {"name": ""}},
        "clinical": {"ecog": 0, "hsct_eligible": False, "prior_lines": [{}, {"regimen": "R-CHOP"}]},
        "insurance": {"payer": ""},
    }

    assert call("referrals/referral_document", "toRequestBody", values) == {
        "patient": {"family_name": "Example"},
        "clinical": {"ecog": 0, "hsct_eligible": False, "prior_lines": [{"line": 1, "regimen": "R-CHOP"}]},
    }


def test_a_section_that_was_emptied_is_sent_as_null(call):
    """An absent section would stay as it is."""
    before = {"insurance": {"payer": "Example Health"}, "note": "Old", "urgency": "routine"}
    after = {"insurance": {"payer": ""}, "note": "Old", "urgency": "urgent"}

    assert call("referrals/referral_document", "listChanges", after, before) == {
        "insurance": None,
        "urgency": "urgent",
    }


def test_merging_keeps_what_only_one_side_changed(call):
    """Where both changed the same, the server's value stands."""
    base = {"phone": "1", "zip": "2", "name": "old", "lines": [1]}
    mine = {"phone": "9", "zip": "2", "name": "mine", "lines": [1]}
    theirs = {"phone": "1", "zip": "8", "name": "theirs", "lines": [1, 2], "mrn": "A"}

    assert call("platform/json_document", "merge", base, mine, theirs, []) == {
        "phone": "9",
        "zip": "8",
        "name": "theirs",
        "lines": [1, 2],
        "mrn": "A",
    }


@pytest.mark.parametrize(
    ("hash_", "route"),
    [
        ("", {"view": "worklist", "list": "all"}),
        ("#/worklist/monitoring", {"view": "worklist", "list": "monitoring"}),
        ("#/referrals/ref_1", {"view": "referral", "id": "ref_1"}),
        ("#/referrals/ref_1/edit/center", {"view": "form", "id": "ref_1", "step": "center"}),
        ("#/new", {"view": "form", "step": "patient"}),
        ("#/something", {"view": "not_found"}),
    ],
)
def test_an_address_names_a_view(call, hash_, route):
    """What is not known is nowhere."""
    assert call("platform/route", "parseRoute", hash_) == route


@pytest.mark.parametrize(("reach", "miles"), [(30, [10, 20, 30]), (1080, [500, 1000]), (90, [25, 50, 75])])
def test_a_map_has_at_most_four_rings_of_round_miles(call, reach, miles):
    """Near and far."""
    assert call("centers/map_projection", "listDistanceRings", reach) == miles


def test_a_map_draws_the_states_around_its_middle(call):
    """Of Texas some borders, of the open ocean none."""
    texas = call("centers/map_projection", "decodeBorders", {"latitude": 31.5, "longitude": -99}, 500)
    ocean = call("centers/map_projection", "decodeBorders", {"latitude": 0, "longitude": 0}, 500)

    assert texas.startswith("M")
    assert texas.count("L") > 200
    assert "L" not in ocean


def test_a_package_is_sent_as_the_api_takes_it(call):
    """Figures are numbers, blanks are left out, and an empty list says that there is none."""
    typed: dict[str, Any] = {
        "crs": {"worst_grade": "0", "treatment": " "},
        "counts": {"hemoglobin_g_dl": "9.8", "platelets_per_ul": ""},
        "center_phone": "(713) 555-0199",
        "prophylaxis": [],
        "care_points": None,
        "wallet_card_given": False,
    }

    assert call("handback/handback_document", "toPackage", typed) == {
        "crs": {"worst_grade": 0},
        "counts": {"hemoglobin_g_dl": 9.8},
        "center_phone": "+17135550199",
        "prophylaxis": [],
        "wallet_card_given": False,
    }


@pytest.mark.parametrize("page", ["handback", "card"])
def test_a_page_of_a_referral_has_an_address(call, page):
    """The package's form and the card."""
    assert call("platform/route", "parseRoute", f"#/referrals/ref_1/{page}") == {
        "view": page,
        "id": "ref_1",
    }
