"""Free text: stored as it was meant, or refused, and never trusted."""

import unicodedata

import pytest

from tests.support import factories
from tests.support.attack_payloads import NAUGHTY, UNPRINTABLE

ONE_LINE = (
    "patient__family_name",
    "patient__given_name",
    "patient__mrn",
    "patient__caregiver__name",
    "patient__caregiver__relation",
    "clinical__prior_lines",
    "referring_provider__name",
    "insurance__payer",
    "insurance__member_id",
    "insurance__group",
)


def build_draft_with_text(text, alias=None):
    """Build a draft with the same text in every free text field, except the alias, which must not repeat a name."""
    result = {name: text for name in ONE_LINE if "prior_lines" not in name}
    line = {"line": 1, "regimen": text, "classes": []}
    return factories.build_referral_body(
        **result, clinical__prior_lines=[line], patient__alias=alias, note=text, submit=False
    )


def list_texts(result):
    """Return every free text of a referral, except the alias, which is shorter."""
    patient, insurance = result["patient"], result["insurance"]
    return {
        patient["family_name"],
        patient["given_name"],
        patient["mrn"],
        patient["caregiver"]["name"],
        patient["caregiver"]["relation"],
        result["clinical"]["prior_lines"][0]["regimen"],
        result["referring_provider"]["name"],
        insurance["payer"],
        insurance["member_id"],
        insurance["group"],
        result["note"],
    }


def kept(text):
    return unicodedata.normalize("NFC", text).strip()


@pytest.mark.parametrize("text", NAUGHTY, ids=lambda text: ascii(text)[:30])
def test_unusual_text_comes_back_as_it_was_sent(shared_api, text):
    """Quotes, markup, formulas and templates are text like any other: stored, shown, found."""
    made = shared_api.practice.post("/v1/referrals", build_draft_with_text(text))
    read = shared_api.practice.get(made.headers["location"])

    assert made.status == 201
    assert list_texts(read.json) == {kept(text)}


HARMLESS = [text for text in NAUGHTY if "example" not in text and not any(char.isdigit() for char in text)]
"""Texts without a number, which could be a date, and without the patient's name."""


@pytest.mark.parametrize("text", HARMLESS, ids=lambda text: ascii(text)[:30])
def test_an_unusual_alias_comes_back_as_it_was_sent(shared_api, text):
    """An alias is text like any other, unless it reveals something."""
    body = factories.build_referral_body(patient__alias=text[:40], submit=False)

    assert shared_api.practice.post("/v1/referrals", body).json["alias"] == kept(text[:40])


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_a_character_that_hides_or_reorders_is_refused_everywhere(shared_api, name):
    """No text may contain what a reader cannot see; each field is named."""
    answer = shared_api.practice.post(
        "/v1/referrals", build_draft_with_text(f"Ana{UNPRINTABLE[name]}x", alias=f"Owl{UNPRINTABLE[name]}x")
    )

    assert answer.status == 400
    assert {error["pointer"] for error in answer.json["errors"]} == {
        "/patient/family_name",
        "/patient/given_name",
        "/patient/mrn",
        "/patient/alias",
        "/patient/caregiver/name",
        "/patient/caregiver/relation",
        "/clinical/prior_lines/0/regimen",
        "/referring_provider/name",
        "/insurance/payer",
        "/insurance/member_id",
        "/insurance/group",
        "/note",
    }


@pytest.mark.parametrize("name", UNPRINTABLE)
def test_a_search_with_such_a_character_is_refused(shared_api, name):
    """A search follows the same rules as the texts that it searches."""
    from urllib.parse import quote

    assert shared_api.practice.get(f"/v1/referrals?q=a{quote(UNPRINTABLE[name])}b").status == 400


def test_two_unicode_spellings_of_a_letter_are_one(shared_api):
    """A name is stored in one normal form, so it is found however it is typed."""
    decomposed = factories.build_referral_body(patient__family_name="Ce\u0301sar-Unique", submit=False)

    made = shared_api.practice.post("/v1/referrals", decomposed).json
    found = shared_api.practice.get("/v1/referrals?q=C%C3%A9sar-unique").json["items"]

    assert made["patient"]["family_name"] == "C\u00e9sar-Unique"
    assert [item["referral_id"] for item in found] == [made["referral_id"]]


def test_a_note_may_have_lines_and_a_name_may_not(shared_api):
    """Line breaks are kept in notes, in one spelling, and refused where one line is meant."""
    note = factories.build_referral_body(note="one\r\ntwo\n\tthree", submit=False)
    name = factories.build_referral_body(patient__family_name="one\ntwo", submit=False)

    assert shared_api.practice.post("/v1/referrals", note).json["note"] == "one\ntwo\n\tthree"
    assert shared_api.practice.post("/v1/referrals", name).status == 400


def test_text_is_trimmed_and_must_not_be_empty(shared_api):
    """Spaces around a name are dropped; a name of spaces counts as missing."""
    padded = factories.build_referral_body(patient__family_name="  Example\u00a0", submit=False)
    blank = factories.build_referral_body(patient__family_name=" \u2003\t", submit=False)

    assert shared_api.practice.post("/v1/referrals", padded).json["patient"]["family_name"] == "Example"
    assert shared_api.practice.post("/v1/referrals", blank).status == 400
