"""Search by name with a blind index, without decrypting rows that do not match."""

import pytest

from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals.amend import amend_referral
from chalicelib.services.referrals.list_filters import ReferralFilter
from chalicelib.services.referrals.search import list_referrals
from chalicelib.store.referrals.name_index import compute_name_index
from tests.support import faults
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE
from tests.support.stores import list_rows

NAMES = [
    {"patient__family_name": "Abel", "patient__given_name": "Ines"},
    {"patient__family_name": "Çelik", "patient__given_name": "Ana"},
    {"patient__family_name": "Baker", "patient__given_name": "Anatol"},
    {"patient__family_name": "Bakerfield", "patient__given_name": "Zoë"},
]


@pytest.fixture
def services_with_four_patients(services):
    """Four patients of one practice at one center, whose aliases share a prefix."""
    for n, name in enumerate(NAMES):
        services.now += MINUTE
        services.refer(f"ref_{n}", key=f"key-{n}", patient__alias=f"Blue Heron {n}", **name)
    return services


def search(services, q, *, member=None, limit=10, start=None):
    """The ids on a page, and the position of the next page."""
    summaries, position = list_referrals(
        ReferralFilter(exact={}, search_text=q),
        limit=limit,
        start=start,
        member=member or build_member(PRACTICE),
        context=services.context,
    )
    return [summary.referral_id for summary in summaries], position


def search_ids(services, q, **how):
    return search(services, q, **how)[0]


@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("ab", ["ref_0"]),
        ("CEL", ["ref_1"]),
        ("ana", ["ref_2", "ref_1"]),
        ("anatol", ["ref_2"]),
        ("zoe bak", ["ref_3"]),
        ("bakerfie", ["ref_3"]),
        ("bakerfiel", ["ref_3"]),
        ("bakerfielding", []),
        ("aker", []),
        ("heron", ["ref_3", "ref_2", "ref_1", "ref_0"]),
        ("b", ["ref_3", "ref_2", "ref_1", "ref_0"]),
        ("z", ["ref_3"]),
        ("-", ["ref_3", "ref_2", "ref_1", "ref_0"]),
    ],
)
def test_a_patient_is_found_by_the_beginning_of_a_name(services_with_four_patients, q, ids):
    """By family name, given name or alias, latest change first, for practice and center. One letter is enough."""
    assert search_ids(services_with_four_patients, q) == ids
    assert search_ids(services_with_four_patients, q, member=build_member(CENTER)) == ids


def test_a_search_finds_no_patient_of_another_tenant(services_with_four_patients):
    """Each tenant searches its own index with its own key."""
    for member in (build_member(OTHER_PRACTICE), build_member(OTHER_CENTER)):
        assert search_ids(services_with_four_patients, "baker", member=member) == []


def test_rows_that_do_not_match_are_not_decrypted(services_with_four_patients, monkeypatch):
    """One of four patients is decrypted; with a thousand patients it would also be one."""
    decrypted = []
    items = type(services_with_four_patients.stores.referrals.items)
    row_to_summary = items.row_to_summary

    def record_decryption(self, row):
        decrypted.append(row["referral_id"])
        return row_to_summary(self, row)

    monkeypatch.setattr(items, "row_to_summary", record_decryption)

    assert search_ids(services_with_four_patients, "abel") == ["ref_0"]
    assert decrypted == ["ref_0"]


def test_a_search_is_one_query(services_with_four_patients):
    """However few of a thousand rows match."""
    search_ids(services_with_four_patients, "abel")

    with faults.inject_faults(faults.plan_never) as calls:
        search_ids(services_with_four_patients, "abel")

    assert calls.operations.count("Query") == 1


def test_a_renamed_patient_is_found_only_by_the_new_name(services_with_four_patients):
    """The blind index changes in the transaction of the edit."""
    patient = {"family_name": "Novak", "given_name": "Ines", "birth_date": "1961-04-02"}
    services_with_four_patients.refer("ref_draft", key="draft", submit=False, **NAMES[0])
    amend_referral(
        "ref_draft",
        {"patient": patient},
        version=1,
        member=build_member(PRACTICE),
        context=services_with_four_patients.context,
    )

    assert search_ids(services_with_four_patients, "nova") == ["ref_draft"]
    assert search_ids(services_with_four_patients, "abel") == ["ref_0"]


def test_a_draft_is_found_only_by_its_practice(services_with_four_patients):
    """The center cannot find a draft, and the draft has no blind index for the center."""
    services_with_four_patients.refer("ref_draft", key="draft", submit=False, patient__family_name="Quill")
    (row,) = [row for row in list_rows("referrals") if row["referral_id"] == "ref_draft"]

    assert search_ids(services_with_four_patients, "quill") == ["ref_draft"]
    assert search_ids(services_with_four_patients, "quill", member=build_member(CENTER)) == []
    assert "practice_names" in row
    assert "center_names" not in row


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_a_search_add_up(services_with_four_patients, monkeypatch, limit, rows):
    """No patient is missing or appears twice, wherever a page or a read ends."""
    monkeypatch.setattr(lists, "MAX_ROWS_PER_SEARCH", rows)
    ids, position = search(services_with_four_patients, "heron", limit=limit)
    while position is not None:
        more, position = search(services_with_four_patients, "heron", limit=limit, start=position)
        ids += more

    assert ids == ["ref_3", "ref_2", "ref_1", "ref_0"]


def list_referral_rows():
    return [row for row in list_rows("referrals") if row["item"] == "referral"]


def test_the_blind_index_reveals_nothing_without_the_key(services_with_four_patients):
    """No two tenants have the same token for the same name."""
    for row in list_referral_rows():
        practice_tokens, center_tokens = (
            [row[name][i : i + 4] for i in range(0, len(row[name]), 4)] for name in ("practice_names", "center_names")
        )
        assert len(practice_tokens) == len(center_tokens)
        assert all(len(token) == 4 for token in practice_tokens)
        assert not set(practice_tokens) & set(center_tokens)


def test_a_guessed_name_cannot_be_tested_with_another_key(services_with_four_patients):
    """Another tenant's token for the name is not in the index."""
    wrong_key = compute_name_index("baker", encryption=services_with_four_patients.stores.encryption, scope="prc_maple")
    right_key = compute_name_index("baker", encryption=services_with_four_patients.stores.encryption, scope="prc_cedar")

    assert [wrong_key in row["practice_names"] for row in list_referral_rows()] == [False] * 4
    assert sum(right_key in row["practice_names"] for row in list_referral_rows()) == 2
