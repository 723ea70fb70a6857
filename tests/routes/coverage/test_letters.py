"""Letters of medical necessity: filled from the record, edited by a person, with versions."""

import pytest

from tests.support import stores as store_tools
from tests.support.coverage_driver import play
from tests.support.coverage_values import DENIED

SECRET = "Zebrafinch7 has no other option"


@pytest.fixture
def path(shared_api):
    """A submitted referral."""
    return f"/v1/referrals/{shared_api.refer()['referral_id']}"


def read(site, path):
    return site.get(f"{path}/coverage/letter").json


def save(site, path, text, *, version=0, final=False):
    return site.put(f"{path}/coverage/letter", {"text": text, "final": final}, version=version)


@pytest.mark.parametrize(
    "expected",
    [
        "Patient: Ana Example",
        "Date of birth: April 2, 1961",
        "Member ID: XEX0001",
        "ICD-10-CM C83.398",
        "- Line 1: R-CHOP, January 10, 2026 to May 20, 2026, response: relapsed (October 2, 2026)",
        "ECOG performance status: 1",
        "peer-to-peer call at +17135550100",
        "NPI 1234567893",
        "Harbor Cell Therapy",
        "The label of Breyanzi",
    ],
)
def test_a_draft_says_what_the_provider_entered(shared_api, path, expected):
    """And nothing else."""
    assert expected in read(shared_api.practice, path)["draft"]


@pytest.mark.parametrize("blank", ["your reasons", "references", "credentials", "case number"])
def test_what_is_not_in_the_record_is_a_visible_blank(shared_api, path, blank):
    """Reasons and literature are the writer's own."""
    letter = read(shared_api.practice, path)

    assert f"[… {blank}]" in letter["draft"]
    assert letter["blanks"]


def test_a_draft_never_says_that_the_patient_is_eligible(shared_api, path):
    """Only a center decides."""
    assert "eligible" not in read(shared_api.practice, path)["draft"].lower()


def test_a_letter_is_never_a_guarantee(shared_api, path):
    """Neither the draft nor a saved version."""
    for body in (read(shared_api.practice, path), save(shared_api.practice, path, "Text").json):
        assert body["disclaimer"] == "Not a guarantee of coverage."


def test_a_draft_takes_the_case_number_and_the_words_of_the_denial(shared_api, path):
    """From what was entered with the moves."""
    play(shared_api, path, *DENIED)

    draft = read(shared_api.practice, path)["draft"]

    assert "Case number: PA-773104" in draft
    assert "Two lines of therapy are not documented." in draft


def test_a_draft_to_a_new_plan_says_nothing_about_the_earlier_one(shared_api, path):
    """The new payer knows neither the case number nor the denial of another payer."""
    play(shared_api, path, *DENIED, "plan_changed")

    draft = read(shared_api.practice, path)["draft"]

    assert "PA-773104" not in draft
    assert "Two lines of therapy are not documented." not in draft


def test_a_draft_keeps_the_case_number_that_the_new_plan_confirmed(shared_api, path):
    """On January 1 the payer is often the same."""
    play(shared_api, path, *DENIED, "plan_changed", "authorization_confirmed")

    assert "Case number: PA-773104" in read(shared_api.practice, path)["draft"]


def test_a_letter_with_blanks_can_be_saved_and_not_marked_as_final(shared_api, path):
    """The error names the field, and nothing is saved."""
    draft = read(shared_api.practice, path)["draft"]

    refused = save(shared_api.practice, path, draft, final=True)

    assert (refused.status, refused.json["code"]) == (409, "letter_has_blanks")
    assert save(shared_api.practice, path, draft).json["version"] == 1


def test_a_saved_letter_is_what_both_sides_read(shared_api, path):
    """Until the next version."""
    save(shared_api.practice, path, "First text", final=True)
    save(shared_api.practice, path, "Second text", version=1)

    letter = read(shared_api.center, path)

    assert (letter["text"], letter["version"], letter["final"]) == ("Second text", 2, False)
    assert letter["saved_by"] == shared_api.members["practice"].name


def test_two_people_do_not_overwrite_each_other(shared_api, path):
    """The second one reads the first one's version."""
    save(shared_api.practice, path, "First text")

    assert save(shared_api.practice, path, "Other text").status == 412
    assert read(shared_api.practice, path)["text"] == "First text"


def test_only_the_practice_writes_the_letter(shared_api, path):
    """The center reads it."""
    assert save(shared_api.center, path, "Text").json["code"] == "practice_only"


def test_a_letter_is_stored_encrypted(shared_api, path):
    """It is health data."""
    save(shared_api.practice, path, SECRET)

    assert SECRET not in str(store_tools.dump_tables())


def test_the_letter_of_an_ended_referral_is_read_only(shared_api, path):
    """It stays readable."""
    shared_api.deliver(path.rpartition("/")[2], "declined", reason_code="capacity_full")

    assert save(shared_api.practice, path, "Text").json["code"] == "referral_closed"
    assert read(shared_api.practice, path)["draft"]


def read_from_documents(site, path):
    return site.get(f"{path}/documents").json["letter"]


def test_a_letter_that_no_one_saved_is_not_among_the_documents(shared_api, path):
    """The draft is not a document."""
    read(shared_api.practice, path)

    assert read_from_documents(shared_api.practice, path) is None


@pytest.mark.parametrize("side", ["practice", "center"])
def test_the_current_letter_is_among_the_documents_of_both_sides(shared_api, path, side):
    """Its newest version, who saved it and when, and whether it is final."""
    save(shared_api.practice, path, "First text")
    newest = save(shared_api.practice, path, "Second text", version=1, final=True).json

    shown = read_from_documents(getattr(shared_api, side), path)

    assert shown == {name: newest[name] for name in ("version", "final", "saved_at", "saved_by")}
    assert (shown["version"], shown["final"]) == (2, True)


def test_the_documents_do_not_have_the_text_of_the_letter(shared_api, path):
    """The text is read at its own place, with an audit row of its own."""
    save(shared_api.practice, path, SECRET)

    assert SECRET not in shared_api.practice.get(f"{path}/documents").text
