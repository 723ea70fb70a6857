"""The form offers the providers and payers that the practice has used, and those of no one else."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.domain.referrals.practice_directory import MAX_ENTRIES
from chalicelib.store.referrals.items import ReferralItems
from tests.support import factories, tokens
from tests.support.shared_clinic import open_shared_clinic

DIRECTORY = "/v1/practice-directory"
NPIS = ("1234567893", "2000000010", "2000000028", "2000000036")


@pytest.fixture
def clinic(tmp_path):
    """A clinic in which no one has referred a patient."""
    with open_shared_clinic(tmp_path) as opened:
        yield opened


def build_provider(**changed):
    return factories.build_referral_body()["referring_provider"] | changed


def read(site):
    answer = site.get(DIRECTORY)
    assert answer.status == 200, answer.text
    return answer.json


def list_providers(site):
    """The providers without their ids."""
    return [{n: v for n, v in each.items() if n not in {"entry_id", "is_own"}} for each in read(site)["providers"]]


def list_payers(site):
    return [payer["name"] for payer in read(site)["payers"]]


def change(site, referral, **changes):
    path = f"/v1/referrals/{referral['referral_id']}"
    answer = site.patch(path, changes, version=site.get(path).json["version"])
    assert answer.status == 200, answer.text
    return answer.json


def test_a_practice_that_has_referred_no_one_has_an_empty_directory(clinic):
    """As in a deployment of an earlier release."""
    assert read(clinic.practice) == {"providers": [], "payers": []}


def test_a_submission_adds_the_provider_and_the_payer(clinic):
    """With NPI, phone and email, as they are stored in the referral."""
    clinic.refer(referring_provider__phone="(713) 555-0100 x7")

    assert list_providers(clinic.practice) == [build_provider(phone="+17135550100;ext=7")]
    assert list_payers(clinic.practice) == ["Example Health"]


def test_a_draft_adds_nothing_until_it_is_submitted(clinic):
    """A draft is saved in the middle of a word."""
    draft = clinic.refer(submit=False)
    change(clinic.practice, draft, insurance={"payer": "Exam", "member_id": "1"})
    assert read(clinic.practice) == {"providers": [], "payers": []}

    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "submitted"}}
    assert clinic.practice.post(f"/v1/referrals/{draft['referral_id']}/events", event).status == 200

    assert list_payers(clinic.practice) == ["Exam"]


def test_a_correction_updates_the_provider(clinic):
    """The phone that was used last is offered."""
    referral = clinic.refer()

    change(clinic.practice, referral, referring_provider=build_provider(phone="+17135550177"))

    assert list_providers(clinic.practice) == [build_provider(phone="+17135550177")]


def test_a_corrected_name_replaces_the_typo(clinic):
    """The NPI says that it is the same provider."""
    referral = clinic.refer(referring_provider__name="R. Provder")

    change(clinic.practice, referral, referring_provider=build_provider())

    assert [each["name"] for each in list_providers(clinic.practice)] == ["R. Provider"]


def test_a_corrected_npi_replaces_the_wrong_one(clinic):
    """The provider is not offered twice."""
    referral = clinic.refer(referring_provider__npi=NPIS[1])

    change(clinic.practice, referral, referring_provider=build_provider(npi=NPIS[0]))

    assert [each["npi"] for each in list_providers(clinic.practice)] == [NPIS[0]]


def test_a_provider_who_was_entered_without_an_npi_gets_it(clinic):
    """One entry for each name."""
    clinic.refer(
        referring_provider__npi=None, none_because=[{"item": "/referring_provider/npi", "reason": "Not at hand."}]
    )

    clinic.refer()

    assert [each["npi"] for each in list_providers(clinic.practice)] == [NPIS[0]]


def test_two_providers_with_one_name_are_two_entries(clinic):
    """Their NPIs differ."""
    clinic.refer(referring_provider__npi=NPIS[0])
    clinic.refer(referring_provider__npi=NPIS[1])

    assert [each["npi"] for each in list_providers(clinic.practice)] == [NPIS[1], NPIS[0]]


def test_the_most_recently_used_comes_first(clinic):
    """Also if it was used before the others."""
    for payer in ("First Health", "Second Health", "first health"):
        clinic.refer(insurance__payer=payer)

    assert list_payers(clinic.practice) == ["first health", "Second Health"]


def test_an_uninsured_patient_adds_no_payer(clinic):
    """There is none."""
    clinic.refer(insurance={"plan_type": "uninsured"})

    assert list_payers(clinic.practice) == []


def test_a_forgotten_entry_is_not_offered_any_more(clinic):
    """For example a typo. The referral keeps what was entered."""
    referral = clinic.refer(insurance__payer="Exmple Health")
    [payer] = read(clinic.practice)["payers"]

    answer = clinic.practice.send("DELETE", f"{DIRECTORY}/{payer['entry_id']}")

    assert answer.status == 204
    assert list_payers(clinic.practice) == []
    stored = clinic.practice.get(f"/v1/referrals/{referral['referral_id']}").json
    assert stored["insurance"]["payer"] == "Exmple Health"
    assert clinic.practice.send("DELETE", f"{DIRECTORY}/{payer['entry_id']}").status == 404


def test_a_correction_of_something_else_does_not_bring_a_forgotten_entry_back(clinic):
    """Only what is corrected was used."""
    referral = clinic.refer(insurance__payer="Exmple Health")
    [payer] = read(clinic.practice)["payers"]
    clinic.practice.send("DELETE", f"{DIRECTORY}/{payer['entry_id']}")

    change(clinic.practice, referral, insurance={**referral["insurance"], "group": "43"})

    assert list_payers(clinic.practice) == []


def test_a_provider_who_signs_in_finds_the_own_entry_marked(clinic):
    """By name, with or without titles."""
    provider = clinic.get_client_for(clinic.members["provider"])
    clinic.refer(referring_provider__name=f"Dr. {clinic.members['provider'].name}, MD")
    clinic.refer(referring_provider__name="A. Colleague", referring_provider__npi=NPIS[1])

    assert [each["is_own"] for each in read(provider)["providers"]] == [False, True]
    assert [each["is_own"] for each in read(clinic.practice)["providers"]] == [False, False]


def test_no_entry_is_marked_if_two_have_the_name(clinic):
    """The product does not guess whose NPI it is."""
    name = clinic.members["provider"].name
    for npi in NPIS[:2]:
        clinic.refer(referring_provider__name=name, referring_provider__npi=npi)

    provider = clinic.get_client_for(clinic.members["provider"])

    assert [each["is_own"] for each in read(provider)["providers"]] == [False, False]


def test_another_practice_has_its_own_directory(clinic):
    """A provider's phone is personal."""
    clinic.refer()

    other = clinic.get_client_for(clinic.members["other_practice"])

    assert read(other) == {"providers": [], "payers": []}


def test_a_center_and_an_administrator_get_403(clinic):
    """The directory is for those who refer."""
    for handle in ("center", "clinician", "practice_admin", "center_admin"):
        answer = clinic.get_client_for(clinic.members[handle]).get(DIRECTORY)

        assert (answer.status, answer.json["code"]) == (403, "practice_only")


def test_no_referral_is_read_to_fill_in_a_form(clinic, monkeypatch):
    """The phone of a provider needs no other patient's record."""
    clinic.refer()

    def refuse(*_arguments, **_how):
        raise AssertionError("a referral was read")

    for name in ("item_to_referral", "row_to_summary", "item_to_event"):
        monkeypatch.setattr(ReferralItems, name, refuse)

    assert list_payers(clinic.practice) == ["Example Health"]


def test_reading_and_forgetting_are_in_the_audit_trail(clinic):
    """Who, and when; not what."""
    clinic.refer()
    [payer] = read(clinic.practice)["payers"]
    clinic.practice.send("DELETE", f"{DIRECTORY}/{payer['entry_id']}")

    member = clinic.members["practice"]
    rows = list(clinic.stores.audit_log.list_chained_rows(f"directory#{member.tenant_id}/reads"))

    assert [(row["action"], row["actor_id"]) for row in rows] == [
        ("directory.read", member.member_id),
        ("directory.forget", member.member_id),
    ]
    assert "Example Health" not in str(rows)


def test_a_provider_and_a_payer_are_encrypted_in_the_table(clinic):
    """The row has an id and a time."""
    clinic.refer()
    rows = clinic.stores.practice_directories.table.query(
        "referral_id = :id", {"id": f"directory#{clinic.members['practice'].tenant_id}"}
    ).items

    assert [sorted(row) for row in rows] == [["content", "item", "referral_id", "used_at"]] * 2
    for secret in (b"Provider", b"Example Health", b"7135550100", b"1234567893"):
        assert all(secret not in row["content"] for row in rows)
        assert secret.decode() not in str([row["item"] for row in rows])


def test_the_directory_keeps_the_entries_that_were_used_last(clinic):
    """It does not grow without end."""
    for n in range(MAX_ENTRIES + 2):
        clinic.refer(insurance__payer=f"Payer {n}")

    assert list_payers(clinic.practice) == [f"Payer {n}" for n in reversed(range(2, MAX_ENTRIES + 2))]
    assert len(clinic.stores.practice_directories.list_entries(clinic.members["practice"].tenant_id)) == MAX_ENTRIES + 1


def test_referrals_that_are_submitted_at_the_same_moment_all_leave_their_entries(clinic):
    """No one waits, and no entry is lost."""
    keys = count()
    token = tokens.create_token(clinic.members["practice"].subject)
    payers = [f"Payer {next(keys) % 3}" for _ in range(6)]

    def submit(payer):
        site = clinic.anyone.with_token(token)
        return site.post("/v1/referrals", factories.build_referral_body(insurance__payer=payer)).status

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(submit, payers)) == [201] * 6

    assert sorted(list_payers(clinic.practice)) == ["Payer 0", "Payer 1", "Payer 2"]
    assert len(list_providers(clinic.practice)) == 1


def test_a_use_at_the_same_moment_is_decided_again(clinic, monkeypatch):
    """A submission that read the directory before another one wrote it does not fail, and the later use stays."""
    directories = type(clinic.stores.practice_directories)
    original, reads = directories.list_entries, list[object]()

    def list_before_another_submission(self, practice_id):
        known = original(self, practice_id)
        if not reads:
            reads.append(known)
            monkeypatch.setattr(directories, "list_entries", original)
            clinic.refer(referring_provider__phone="+17135550188")
        return known

    monkeypatch.setattr(directories, "list_entries", list_before_another_submission)
    first = clinic.refer(referring_provider__phone="+17135550177")

    assert first["stage"] == "submitted"
    assert [each["phone"] for each in list_providers(clinic.practice)] == ["+17135550188"]


def test_a_correction_at_the_same_moment_as_a_submission_is_not_refused(clinic, monkeypatch):
    """The version of the referral did not change, so there is nothing to merge."""
    referral = clinic.refer()
    directories = type(clinic.stores.practice_directories)
    original, reads = directories.list_entries, list[object]()

    def list_before_a_submission(self, practice_id):
        known = original(self, practice_id)
        if not reads:
            reads.append(known)
            monkeypatch.setattr(directories, "list_entries", original)
            clinic.refer(referring_provider__phone="+17135550188")
        return known

    monkeypatch.setattr(directories, "list_entries", list_before_a_submission)

    corrected = change(clinic.practice, referral, referring_provider=build_provider(phone="+17135550177"))

    assert corrected["referring_provider"]["phone"] == "+17135550177"


def test_a_provider_with_two_roles_is_recognized(clinic):
    """A provider who is also the administrator."""
    member = factories.build_member(n=31, roles=frozenset({Role.PROVIDER, Role.ADMIN}), name="Two Roles")
    clinic.stores.members.add(member)
    clinic.refer(referring_provider__name="Two Roles")

    assert [each["is_own"] for each in read(clinic.get_client_for(member))["providers"]] == [True]
