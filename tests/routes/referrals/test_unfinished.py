"""A draft keeps what was typed although its field refuses it. It is no fact, and no center sees it."""

import pytest

from chalicelib import wiring
from chalicelib.domain.referrals.unfinished import MAX_UNFINISHED, MAX_UNFINISHED_CHARS
from tests.routes.referrals.test_amend import path_of
from tests.support.factories import build_referral_body

PHONE = {"pointer": "/patient/phone", "value": "12"}


@pytest.fixture
def draft(shared_api):
    """A whole draft whose phone was typed only in part."""
    return create(shared_api, patient__phone=None, unfinished=[PHONE])


def create(shared_api, **changed):
    answer = shared_api.practice.post("/v1/referrals", build_referral_body(submit=False) | split(changed))
    assert answer.status == 201, answer.text
    return answer.json


def split(changed):
    """The sections of the body that these changes give."""
    body = build_referral_body(**{name: value for name, value in changed.items() if name != "unfinished"})
    unfinished = {"unfinished": changed["unfinished"]} if "unfinished" in changed else {}
    return {name: value for name, value in body.items() if name != "submit"} | unfinished


def change(site, referral, **changes):
    version = site.get(path_of(referral)).json["version"]
    return site.patch(path_of(referral), changes, version=version)


def submit(site, referral):
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "submitted"}}
    return site.post(f"{path_of(referral)}/events", event)


def test_a_refused_value_is_kept_as_it_was_typed(shared_api, draft):
    """Also for a colleague on another computer."""
    colleague = shared_api.get_client_for(shared_api.members["provider"])

    read = colleague.get(path_of(draft)).json

    assert read["unfinished"] == [PHONE]
    assert read["patient"]["phone"] is None


def test_the_field_itself_stays_as_strict_as_before(shared_api, draft):
    """Only the list of unfinished values takes it."""
    answer = change(shared_api.practice, draft, patient={**draft["patient"], "phone": "12"})

    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == ["/patient/phone"]


def test_a_value_may_be_a_list_or_a_section(shared_api):
    """A line of therapy without a regimen, or a consent without its answer."""
    values = [
        {"pointer": "/clinical/prior_lines", "value": [{"started_on": "2026-01-10", "classes": ["anti_cd20"]}]},
        {"pointer": "/consent_to_share", "value": {"basis": "treatment"}},
    ]

    assert create(shared_api, unfinished=values)["unfinished"] == values


def test_a_valid_value_settles_what_was_unfinished(shared_api, draft):
    """A client that does not list unfinished values keeps the others."""
    zip_code = {"pointer": "/patient/zip", "value": "1234"}
    change(shared_api.practice, draft, unfinished=[PHONE, zip_code])

    changed = change(shared_api.practice, draft, patient={**draft["patient"], "phone": "(806) 555-0142"}).json

    assert changed["unfinished"] == [zip_code]
    assert changed["patient"]["phone"] == "+18065550142"


def test_a_change_of_something_else_keeps_what_is_unfinished(shared_api, draft):
    """A colleague adds a note."""
    assert change(shared_api.practice, draft, note="Prefers mornings").json["unfinished"] == [PHONE]


@pytest.mark.parametrize("nothing", [[], None])
def test_an_empty_list_removes_them(shared_api, draft, nothing):
    """The person deleted what was typed."""
    assert change(shared_api.practice, draft, unfinished=nothing).json["unfinished"] == []


def test_a_draft_with_an_unfinished_required_value_cannot_be_submitted(shared_api, draft):
    """The field counts as missing, and its value is named."""
    answer = submit(shared_api.practice, draft)

    assert (answer.status, answer.json["code"]) == (409, "packet_incomplete")
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [
        ("/patient/phone", "missing"),
        ("/patient/phone", "unfinished"),
    ]


def test_a_draft_with_an_unfinished_optional_value_cannot_be_submitted(shared_api):
    """It would be lost without a word."""
    draft = create(shared_api, unfinished=[{"pointer": "/patient/email", "value": "ana@"}])

    answer = submit(shared_api.practice, draft)

    assert (answer.status, answer.json["code"]) == (409, "values_unfinished")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/patient/email"]


def test_a_new_referral_with_an_unfinished_value_cannot_be_submitted_at_once(shared_api):
    """The same rule as for a draft."""
    body = build_referral_body() | {"unfinished": [{"pointer": "/patient/email", "value": "ana@"}]}

    assert shared_api.practice.post("/v1/referrals", body).json["code"] == "values_unfinished"


def test_the_center_never_sees_what_was_unfinished(shared_api, draft):
    """Neither in the draft, nor after the submission."""
    assert shared_api.center.get(path_of(draft)).status == 404
    patient = {**draft["patient"], "phone": "(806) 555-0142"}
    assert change(shared_api.practice, draft, patient=patient).status == 200
    assert submit(shared_api.practice, draft).status == 200

    read = shared_api.center.get(path_of(draft)).json

    assert read["unfinished"] == []
    assert read["patient"]["phone"] == "+18065550142"


def test_a_submitted_referral_takes_no_unfinished_value(shared_api):
    """What the center can see is finished. An empty list changes nothing."""
    referral = shared_api.refer()

    refused = change(shared_api.practice, referral, unfinished=[PHONE])
    empty = change(shared_api.practice, referral, unfinished=[])

    assert (refused.status, refused.json["code"]) == (409, "draft_only")
    assert (empty.status, empty.json["version"]) == (200, referral["version"])


def test_the_center_cannot_send_one(shared_api):
    """Only the practice enters a referral."""
    referral = shared_api.refer()

    assert change(shared_api.center, referral, unfinished=[PHONE]).status == 403


def test_an_unfinished_value_is_encrypted_with_the_draft(shared_api):
    """Like everything that is entered about the patient."""
    draft = create(shared_api, unfinished=[{"pointer": "/patient/email", "value": "secretly@"}])

    row = shared_api.stores.referrals.table.get({"referral_id": draft["referral_id"], "item": "referral"})

    assert "secretly" not in str(row)


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ([{"pointer": "/patient/shoe_size", "value": "12"}], "/unfinished/0/pointer"),
        ([{"pointer": "/patient/__proto__", "value": "12"}], "/unfinished/0/pointer"),
        ([{"pointer": "/center_contact/phone", "value": "12"}], "/unfinished/0/pointer"),
        ([{"pointer": "/unfinished", "value": "12"}], "/unfinished/0/pointer"),
        ([{"pointer": "/clinical/prior_lines/0/regimen", "value": "12"}], "/unfinished/0/pointer"),
        ([{"pointer": "patient", "value": "12"}], "/unfinished/0/pointer"),
        ([PHONE, PHONE], "/unfinished"),
        ([PHONE, {"pointer": "/patient", "value": {"phone": "12"}}], "/unfinished"),
        ([{"pointer": "/patient/phone", "value": None}], "/unfinished"),
        ([{"pointer": "/patient/phone", "value": ""}], "/unfinished"),
        ([{"pointer": "/note", "value": "x" * (MAX_UNFINISHED_CHARS + 1)}], "/unfinished"),
        ([PHONE] * (MAX_UNFINISHED + 1), "/unfinished"),
        ([PHONE | {"message": "x"}], "/unfinished/0/…"),
    ],
)
def test_the_list_is_bounded_and_names_fields_of_the_referral(shared_api, draft, values, pointer):
    """The error names the entry."""
    answer = change(shared_api.practice, draft, unfinished=values)

    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
