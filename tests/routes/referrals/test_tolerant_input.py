"""What people really have to enter: text from other programs, phones with extensions, partial dates of birth."""

import pytest

from tests.support import factories

DRAFTS = "/v1/referrals"


def create(world, **changes):
    """Create a draft with some fields changed."""
    return world.practice.post(DRAFTS, factories.build_referral_body(submit=False, **changes))


def find_ids(world, typed):
    from urllib.parse import quote

    return [item["referral_id"] for item in world.practice.get(f"{DRAFTS}?q={quote(typed)}").json["items"]]


JOINED = "\u0645\u06cc\u0631\u0632\u0627\u200c\u062e\u0627\u0646\u06cc"
"""A Persian family name: two parts with a zero-width non-joiner between them."""


def test_a_joiner_between_letters_is_part_of_the_name(shared_api):
    """It is kept, and the name is found with and without it."""
    made = create(shared_api, patient__family_name=JOINED)

    assert made.status == 201
    assert made.json["patient"]["family_name"] == JOINED
    assert find_ids(shared_api, JOINED) == [made.json["referral_id"]]
    assert find_ids(shared_api, JOINED.replace("\u200c", "")) == [made.json["referral_id"]]


def test_a_joiner_after_a_vowel_sign_is_part_of_the_name(shared_api):
    """As in the scripts of India, where the sign before it belongs to the letter."""
    name = "\u0915\u094d\u200d\u0937"

    assert create(shared_api, patient__family_name=name).json["patient"]["family_name"] == name


@pytest.mark.parametrize("sent", ["\u200cAna", "Ana\u200d", "An\u200c\u200ca", "A\u200d na"])
def test_a_joiner_that_joins_nothing_is_dropped(shared_api, sent):
    """At an end, beside a space, or twice."""
    stored = create(shared_api, patient__given_name=sent).json["patient"]["given_name"]

    assert stored.strip("\u200c\u200d") == stored
    assert "\u200c\u200c" not in stored
    assert "\u200d " not in stored


INVISIBLE = {
    "soft hyphen": "\u00ad",
    "Arabic letter mark": "\u061c",
    "zero-width space": "\u200b",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "embedding": "\u202a",
    "end of embedding": "\u202c",
    "isolate": "\u2066",
}


@pytest.mark.parametrize("mark", INVISIBLE.values(), ids=INVISIBLE)
def test_a_harmless_invisible_character_is_dropped(shared_api, mark):
    """In names, notes and values with a format alike: no one can see it, so no one could remove it."""
    made = create(
        shared_api,
        patient__family_name=f"Exa{mark}mple",
        patient__phone=f"{mark}+17135550142{mark}",
        patient__zip=f"77030{mark}",
        patient__birth_date=f"{mark}1961-04-02",
        referring_provider__npi=f"{mark}1234567893",
        note=f"line one{mark}\nline two",
    )

    assert made.status == 201
    patient = made.json["patient"]
    assert (patient["family_name"], patient["phone"]) == ("Example", "+17135550142")
    assert (patient["zip"], patient["birth_date"]) == ("77030", "1961-04-02")
    assert made.json["referring_provider"]["npi"] == "1234567893"
    assert made.json["note"] == "line one\nline two"


def test_a_tab_in_a_name_becomes_a_space(shared_api):
    """One space, whatever stood around it."""
    assert create(shared_api, patient__family_name="dela \t\tCruz").json["patient"]["family_name"] == "dela Cruz"


def test_a_name_of_invisible_characters_is_empty(shared_api):
    """It counts as missing."""
    assert create(shared_api, patient__family_name="\u200b\u00ad").status == 400


def test_a_webhook_note_is_cleaned_like_a_persons(shared_api):
    """The same rule for both."""
    referral_id = shared_api.refer()["referral_id"]

    answer = shared_api.deliver(referral_id, "received", note="co\u00adpied\u200b from \ufeffa record")

    event = shared_api.practice.get(f"/v1/referrals/{referral_id}/events").json["items"][0]
    assert answer.status == 200
    assert event["note"] == "copied from a record"


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("(713) 555-0142", "+17135550142"),
        ("713.555.0142", "+17135550142"),
        ("1 713 555 0142", "+17135550142"),
        ("+1 (713) 555-0142", "+17135550142"),
        ("713\u2011555\u20110142", "+17135550142"),
        ("(713) 555-0142 x12", "+17135550142;ext=12"),
        ("713-555-0142 ext. 12", "+17135550142;ext=12"),
        ("713-555-0142, Ext 0012", "+17135550142;ext=0012"),
        ("713-555-0142 extension 12", "+17135550142;ext=12"),
        ("713-555-0142 #12", "+17135550142;ext=12"),
        ("+17135550142;ext=12", "+17135550142;ext=12"),
        ("tel:+1-713-555-0142;ext=12", "+17135550142;ext=12"),
        ("+44 20 7946 0018 x3", "+442079460018;ext=3"),
        ("011 44 20 7946 0018", "+442079460018"),
    ],
)
def test_a_phone_number_is_read_as_people_write_it(shared_api, written, stored):
    """It is stored in one format: E.164, with the extension."""
    made = create(
        shared_api,
        referring_provider__phone=written,
        patient__phone=written,
        patient__caregiver={"name": "Luis Example", "phone": written},
    )

    assert made.status == 201
    assert made.json["referring_provider"]["phone"] == stored
    assert made.json["patient"]["phone"] == stored
    assert made.json["patient"]["caregiver"]["phone"] == stored


@pytest.mark.parametrize("tag", ["es-419", "zh-Hant", "pt-BR", "ase", "haw", "sr-Latn-RS", "sl-rozaj", "mis"])
def test_any_well_formed_language_is_accepted(shared_api, tag):
    """Also one that no list of ours has (BCP 47)."""
    assert create(shared_api, patient__language=tag).json["patient"]["language"] == tag


@pytest.mark.parametrize(("sent", "stored"), [("EN", "en"), ("zh-hant-tw", "zh-Hant-TW"), ("PT-br", "pt-BR")])
def test_a_language_is_stored_in_one_spelling(shared_api, sent, stored):
    """Tags are the same in either case."""
    assert create(shared_api, patient__language=sent).json["patient"]["language"] == stored


def test_other_is_a_sex(shared_api):
    """As in health records."""
    assert create(shared_api, patient__sex="other").json["patient"]["sex"] == "other"


@pytest.mark.parametrize("answer", [True, False])
def test_an_interpreter_may_be_needed(shared_api, answer):
    """The center reads it."""
    made = shared_api.refer(patient__interpreter_needed=answer, patient__language="es-419")

    read = shared_api.center.get(f"/v1/referrals/{made['referral_id']}").json

    assert read["patient"]["interpreter_needed"] is answer


@pytest.mark.parametrize("answer", ["yes", 1, []])
def test_an_answer_about_an_interpreter_is_yes_or_no(shared_api, answer):
    """A JSON boolean."""
    refused = create(shared_api, patient__interpreter_needed=answer)

    assert [error["pointer"] for error in refused.json["errors"]] == ["/patient/interpreter_needed"]


@pytest.mark.parametrize("known", ["1961", "1961-04"])
def test_a_partial_date_of_birth_is_accepted(shared_api, known):
    """What is known is stored and shown to both sides; the referral can be submitted with it."""
    made = shared_api.refer(patient__birth_date=known)

    read = shared_api.center.get(f"/v1/referrals/{made['referral_id']}").json
    listed = shared_api.center.get(DRAFTS).json["items"]

    assert (read["stage"], read["patient"]["birth_date"]) == ("submitted", known)
    assert known in {item["patient"]["birth_date"] for item in listed if item["referral_id"] == made["referral_id"]}
    assert find_ids(shared_api, "Example")


@pytest.mark.parametrize("wrong", ["2999", "2999-01", "1961-13", "1899", "196", "1961-02-30"])
def test_an_impossible_partial_date_of_birth_is_refused(shared_api, wrong):
    """By its pointer."""
    refused = create(shared_api, patient__birth_date=wrong)

    assert (refused.status, [error["pointer"] for error in refused.json["errors"]]) == (400, ["/patient/birth_date"])
