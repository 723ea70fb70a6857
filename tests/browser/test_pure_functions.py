"""The pure functions of the dashboard, called in the browser."""

from typing import Any

import pytest

from chalicelib.domain.notices.planning import SkipReason
from chalicelib.store.notices.mail_status import MailStatus
from chalicelib.store.notices.mails import MailSkipReason


@pytest.mark.parametrize(
    ("local", "zone", "instant"),
    [
        ("2026-11-22T10:00", "America/New_York", "2026-11-22T10:00:00-05:00"),
        ("2026-07-01T10:00", "America/New_York", "2026-07-01T10:00:00-04:00"),
        ("2026-07-01T10:00", "America/Phoenix", "2026-07-01T10:00:00-07:00"),
        ("2026-01-05T00:30", "UTC", "2026-01-05T00:30:00+00:00"),
        # A time in the repeated hour means its first occurrence. A time in the skipped hour moves forward.
        ("2026-11-01T01:30", "America/Chicago", "2026-11-01T01:30:00-05:00"),
        ("2026-03-08T02:30", "America/Chicago", "2026-03-08T02:30:00-06:00"),
    ],
)
def test_a_wall_clock_time_becomes_a_timestamp_of_its_zone(call, local, zone, instant):
    """In standard time, in daylight saving time, and on the days of the change."""
    assert call("platform/timestamps", "toTimestamp", local, zone) == instant


def test_times_show_their_zone_and_dates_never_shift(call):
    """A date is the same in every time zone."""
    assert call("platform/time", "formatTime", "2026-11-22T15:00:00Z", "America/New_York").replace("\u202f", " ") == (
        "Nov 22, 2026, 10:00 AM EST"
    )
    assert call("platform/time", "formatDate", "2026-11-22") == "Nov 22, 2026"
    assert call("platform/time", "formatDate", None) == ""
    assert call("platform/time", "formatZoneName", "America/Chicago") == "Central Time"


@pytest.mark.parametrize(
    ("number", "text", "href"),
    [
        ("+17135550142", "(713) 555-0142", "tel:+17135550142"),
        ("1-888-805-4555", "(888) 805-4555", "tel:+18888054555"),
        ("1-800-FDA-1088", "1-800-FDA-1088", "tel:+18003321088"),
        ("+442079460018", "+442079460018", "tel:+442079460018"),
        ("+17135550142;ext=12", "(713) 555-0142 ext. 12", "tel:+17135550142;ext=12"),
        ("+442079460018;ext=3", "+442079460018 ext. 3", "tel:+442079460018;ext=3"),
    ],
)
def test_a_phone_number_has_one_format_and_a_link(call, number, text, href):
    """Letters of the keypad stay in the text and become digits in the link."""
    assert call("platform/labels", "formatPhone", number) == text
    assert call("platform/labels", "buildPhoneHref", number) == href


@pytest.mark.parametrize(
    ("pointer", "code", "message", "sentence"),
    [
        ("/patient/caregiver/name", "missing", "This field is required.", "Enter the caregiver's name."),
        ("/consent_to_share/on", "missing", "This field is required.", "Enter the date of consent."),
        ("/infusions/0/on", "missing", "This field is required.", "Enter the date."),
        ("/patient/zip", "value_error", "Enter a 5-digit ZIP code.", "Enter a 5-digit ZIP code."),
    ],
)
def test_a_field_error_is_a_sentence_for_the_reader(call, pointer, code, message, sentence):
    """The server sends full sentences; for a missing field the page adds which one it is."""
    error = {"pointer": pointer, "code": code, "message": message}

    assert call("platform/labels", "describeFieldError", error) == sentence


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
    """A year is added on the birthday, not before."""
    assert call("platform/time", "computeYears", born, today) == years


@pytest.mark.parametrize(
    ("born", "shown", "age"),
    [
        ("1961-04-02", "Apr 2, 1961", "65"),
        ("1961-04", "Apr 1961", "about 65"),
        ("1961", "1961", "about 65"),
    ],
)
def test_a_partial_date_of_birth_gives_an_approximate_age(call, born, shown, age):
    """What is not known is not made up."""
    assert call("platform/time", "formatBirthDate", born) == shown
    assert call("platform/time", "formatAge", born, "2026-11-22") == age


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("es-419", "Latin American Spanish"), ("zh-Hant", "Traditional Chinese"), ("haw", "Hawaiian"), ("", "")],
)
def test_a_language_is_shown_by_name(call, tag, shown):
    """Also one that the form does not list."""
    assert call("referrals/languages", "formatLanguage", tag) == shown


def test_a_language_outside_the_list_stays_an_option(call):
    """A draft that came through the API keeps its language in the form."""
    options = call("referrals/languages", "listLanguageOptions", "haw")

    assert options[:3] == [["", "Choose"], ["en", "English"], ["es", "Spanish"]]
    assert ["haw", "Hawaiian"] in options


@pytest.mark.parametrize(
    ("state", "at", "why", "label"),
    [
        ("planned", "2026-11-23T13:00:00Z", None, "email scheduled for 7:00 AM CST"),
        ("planned", "2026-11-24T13:00:00Z", None, "email scheduled for Nov 24, 2026, 7:00 AM CST"),
        ("planned", "2026-11-23T11:59:00Z", None, "sending email"),
        ("sent", "2026-11-23T11:58:00Z", None, "emailed 2 minutes ago"),
        ("delivered", "2026-11-23T11:59:30Z", None, "email delivered just now"),
        ("bounced", "2026-11-23T11:00:00Z", None, "email bounced"),
        ("skipped", "2026-11-23T11:00:00Z", "read", "not emailed: already opened in the dashboard"),
        ("not_wanted", None, None, "dashboard only"),
    ],
)
def test_the_status_of_an_email_is_a_short_label(call, state, at, why, label):
    """Times are in the reader's zone. The current time is noon UTC, 6:00 AM in Chicago."""
    noon = 1_795_435_200_000
    mail = {"state": state, "at": at, "why": why}

    text = call("notices/notice_labels", "describeEmail", mail, "America/Chicago", noon)

    assert text.replace("\u202f", " ") == label


def build_mail(state, why=None):
    """The email status of a notice, as the API returns it."""
    return {"state": state, "at": "2026-11-23T11:00:00Z", "why": why}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        *(("describeSkipReason", [why]) for why in SkipReason),
        *(("describeNoticeState", [{"state": "skipped", "why": why}]) for why in SkipReason),
        *(("describeNoticeState", [{"state": state, "why": None}]) for state in ("planned", "told", "parked")),
        # A suppressed email has its own state.
        *(
            ("describeEmail", [build_mail("skipped", why), "UTC"])
            for why in MailSkipReason
            if why is not MailSkipReason.SUPPRESSED
        ),
        *(("describeEmail", [build_mail(state, MailSkipReason.READ), "UTC"]) for state in MailStatus),
    ],
    ids=str,
)
def test_every_state_and_reason_of_a_notice_has_a_label(call, function, arguments):
    """For each value that the server can send."""
    label = call("notices/notice_labels", function, *arguments)

    assert label
    assert "undefined" not in label


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("(713) 555-0142", "+17135550142"),
        ("1 713.555.0142", "+17135550142"),
        ("+44 20 7946 0018", "+442079460018"),
        ("555-0142", "5550142"),
        ("(713) 555-0142 x12", "+17135550142;ext=12"),
        ("713-555-0142, ext. 12", "+17135550142;ext=12"),
        ("+17135550142;ext=12", "+17135550142;ext=12"),
        ("+44 20 7946 0018 #3", "+442079460018;ext=3"),
    ],
)
def test_a_typed_phone_number_gets_the_format_of_the_api(call, typed, sent):
    """US numbers get a country code. The server checks all other numbers."""
    assert call("platform/json_document", "toPhoneNumber", typed) == sent


def test_a_request_body_has_no_empty_fields_but_keeps_zero_and_false(call):
    """An empty line of therapy is left out, too."""
    values = {
        "patient": {"family_name": " Example ", "email": "", "caregiver": {"name": ""}},
        "clinical": {"ecog": 0, "hsct_eligible": False, "prior_lines": [{}, {"regimen": "R-CHOP"}]},
        "insurance": {"payer": ""},
    }

    assert call("referrals/referral_document", "toRequestBody", values) == {
        "patient": {"family_name": "Example"},
        "clinical": {"ecog": 0, "hsct_eligible": False, "prior_lines": [{"line": 1, "regimen": "R-CHOP"}]},
    }


def test_an_emptied_section_is_sent_as_null(call):
    """The server would not change a section that is absent."""
    before = {"insurance": {"payer": "Example Health"}, "note": "Old", "urgency": "routine"}
    after = {"insurance": {"payer": ""}, "note": "Old", "urgency": "urgent"}

    assert call("referrals/referral_document", "listChanges", after, before) == {
        "insurance": None,
        "urgency": "urgent",
    }


def test_merge_keeps_changes_of_only_one_version(call):
    """If both versions changed the same value, the server's value is kept."""
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
    ("address", "route"),
    [
        ("", {"view": "worklist", "list": None, "query": None}),
        ("#/worklist/late?sort=patient", {"view": "worklist", "list": "late", "query": "sort=patient"}),
        ("#/worklist/monitoring", {"view": "worklist", "list": "monitoring", "query": None}),
        ("#/referrals/ref_1", {"view": "referral", "id": "ref_1"}),
        ("#/referrals/ref_1/edit/center", {"view": "form", "id": "ref_1", "step": "center"}),
        ("#/new", {"view": "form", "step": "patient"}),
        ("#/screen/new", {"view": "eligibility_check", "id": "new"}),
        ("#/feed", {"view": "connect", "id": None}),
        ("#/audit", {"view": "audit", "id": None}),
        ("#/audit/ref_1", {"view": "audit", "id": "ref_1"}),
        ("#/notices/ntc_1", {"view": "notices", "id": "ntc_1"}),
        ("#/something", {"view": "not_found", "id": None}),
    ],
)
def test_an_address_has_one_view(call, address, route):
    """An unknown address has the view "not found"."""
    assert call("platform/route", "parseRoute", address) == route


@pytest.mark.parametrize(("reach", "miles"), [(30, [10, 20, 30]), (1080, [500, 1000]), (90, [25, 50, 75])])
def test_a_map_has_at_most_four_rings_of_round_miles(call, reach, miles):
    """On small and large maps."""
    assert call("centers/map_projection", "listDistanceRings", reach) == miles


def test_a_map_draws_the_states_around_its_middle(call):
    """A map of Texas has borders, and a map of the open ocean has none."""
    texas = call("centers/map_projection", "decodeBorders", {"latitude": 31.5, "longitude": -99}, 500)
    ocean = call("centers/map_projection", "decodeBorders", {"latitude": 0, "longitude": 0}, 500)

    assert texas.startswith("M")
    assert texas.count("L") > 200
    assert "L" not in ocean


def test_a_summary_gets_the_format_of_the_api(call):
    """Numbers are numbers, empty fields are left out, and an empty list means "none"."""
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
def test_a_subpage_of_a_referral_has_an_address(call, page):
    """The summary form and the emergency card."""
    assert call("platform/route", "parseRoute", f"#/referrals/ref_1/{page}") == {
        "view": page,
        "id": "ref_1",
    }
