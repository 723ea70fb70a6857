"""Search by name: by keyed marks in the list's index, without opening what is not found."""

import pytest

from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals.read_and_amend import amend_referral
from chalicelib.services.referrals.search import ReferralFilter, list_referrals
from chalicelib.store.referrals.name_index import compute_name_index
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE

NAMES = [
    {"patient__family_name": "Abel", "patient__given_name": "Ines"},
    {"patient__family_name": "Çelik", "patient__given_name": "Ana"},
    {"patient__family_name": "Baker", "patient__given_name": "Anatol"},
    {"patient__family_name": "Bakerfield", "patient__given_name": "Zoë"},
]


@pytest.fixture
def services_with_four_patients(services):
    """Four patients of one practice at one center, all with the same alias."""
    for n, name in enumerate(NAMES):
        services.now += MINUTE
        services.refer(f"ref_{n}", key=f"key-{n}", **name)
    return services


def search(desk, q, *, member=None, limit=10, start=None):
    """The ids of a page, and where it goes on."""
    found, position = list_referrals(
        ReferralFilter(exact={}, search_text=q),
        limit=limit,
        start=start,
        member=member or build_member(PRACTICE),
        context=desk.context,
    )
    return [summary.referral_id for summary in found], position


def found(desk, q, **how):
    return search(desk, q, **how)[0]


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
def test_both_sides_find_a_patient_by_the_beginning_of_a_name(services_with_four_patients, q, ids):
    """Of family name, given name or alias; latest change first. One letter finds as well."""
    assert found(services_with_four_patients, q) == ids
    assert found(services_with_four_patients, q, member=build_member(CENTER)) == ids


def test_nobody_finds_what_is_not_theirs(services_with_four_patients):
    """Each tenant looks through its own index with its own key."""
    for stranger in (build_member(OTHER_PRACTICE), build_member(OTHER_CENTER)):
        assert found(services_with_four_patients, "baker", member=stranger) == []


def test_what_is_not_found_is_not_opened(services_with_four_patients, monkeypatch):
    """Of four patients one is decrypted; of a thousand it would be one too."""
    opened = []
    items = type(services_with_four_patients.stores.referrals.items)
    real = items.row_to_summary

    def counted(self, row):
        opened.append(row["referral_id"])
        return real(self, row)

    monkeypatch.setattr(items, "row_to_summary", counted)

    assert found(services_with_four_patients, "abel") == ["ref_0"]
    assert opened == ["ref_0"]


def test_a_search_is_one_query(services_with_four_patients):
    """However few of a thousand rows are found."""
    found(services_with_four_patients, "abel")

    with faults.inject_faults(faults.plan_never) as calls:
        found(services_with_four_patients, "abel")

    assert calls.operations.count("Query") == 1


def test_a_renamed_patient_is_found_by_the_new_name_alone(services_with_four_patients):
    """The marks change in the transaction of the change itself."""
    body = {"family_name": "Novak", "given_name": "Ines", "birth_date": "1961-04-02"}
    services_with_four_patients.refer("ref_draft", key="draft", submit=False, **NAMES[0])
    amend_referral(
        "ref_draft",
        {"patient": body},
        version=1,
        member=build_member(PRACTICE),
        context=services_with_four_patients.context,
    )

    assert found(services_with_four_patients, "nova") == ["ref_draft"]
    assert found(services_with_four_patients, "abel") == ["ref_0"]


def test_a_draft_is_found_by_its_practice_alone(services_with_four_patients):
    """The center cannot find what it was not sent, and there are no marks for it either."""
    services_with_four_patients.refer("ref_draft", key="draft", submit=False, patient__family_name="Quill")
    (row,) = [row for row in shelves.list_rows("referrals") if row["referral_id"] == "ref_draft"]

    assert found(services_with_four_patients, "quill") == ["ref_draft"]
    assert found(services_with_four_patients, "quill", member=build_member(CENTER)) == []
    assert "practice_names" in row
    assert "center_names" not in row


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_a_search_add_up(services_with_four_patients, monkeypatch, limit, rows):
    """None left out and none twice, wherever a page or a reading ends."""
    monkeypatch.setattr(lists, "MAX_ROWS_PER_SEARCH", rows)
    ids, position = search(services_with_four_patients, "heron", limit=limit)
    while position is not None:
        more, position = search(services_with_four_patients, "heron", limit=limit, start=position)
        ids += more

    assert ids == ["ref_3", "ref_2", "ref_1", "ref_0"]


def heads():
    return [row for row in shelves.list_rows("referrals") if row["item"] == "referral"]


def test_marks_tell_nothing_without_the_key(services_with_four_patients):
    """No letter of a name, and not the marks that another tenant has for the same name."""
    for row in heads():
        ours, theirs = row["practice_names"], row["center_names"]
        assert len(ours) == len(theirs)
        assert len(ours) % 4 == 0
        marks = [{names[i : i + 4] for i in range(0, len(names), 4)} for names in (ours, theirs)]
        assert not marks[0] & marks[1]


def test_a_guess_cannot_be_tried_out(services_with_four_patients):
    """The mark of a name under any other key is not there."""
    guessed = compute_name_index("baker", encryption=services_with_four_patients.stores.encryption, scope="prc_maple")
    right = compute_name_index("baker", encryption=services_with_four_patients.stores.encryption, scope="prc_cedar")

    assert [guessed in row["practice_names"] for row in heads()] == [False] * 4
    assert sum(right in row["practice_names"] for row in heads()) == 2
