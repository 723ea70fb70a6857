"""Search by name: by keyed marks in the list's index, without opening what is not found."""

import pytest

from chalicelib.services.referrals import search as lists
from chalicelib.services.referrals.read_and_amend import amend
from chalicelib.services.referrals.search import Filter, list_page
from chalicelib.store.referrals.name_index import mark
from tests.support import faults, shelves
from tests.support.desk import MINUTE
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, a_member

NAMES = [
    {"patient__family_name": "Abel", "patient__given_name": "Ines"},
    {"patient__family_name": "Çelik", "patient__given_name": "Ana"},
    {"patient__family_name": "Baker", "patient__given_name": "Anatol"},
    {"patient__family_name": "Bakerfield", "patient__given_name": "Zoë"},
]


@pytest.fixture
def listed(desk):
    """Four patients of one practice at one center, all with the same alias."""
    for n, name in enumerate(NAMES):
        desk.now += MINUTE
        desk.refer(f"ref_{n}", key=f"key-{n}", **name)
    return desk


def search(desk, q, *, member=None, limit=10, start=None):
    """The ids of a page, and where it goes on."""
    found, position = list_page(
        Filter(equal={}, q=q),
        limit=limit,
        start=start,
        member=member or a_member(PRACTICE),
        stores=desk.stores,
        now=desk.now,
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
def test_both_sides_find_a_patient_by_the_beginning_of_a_name(listed, q, ids):
    """Of family name, given name or alias; latest change first. One letter finds as well."""
    assert found(listed, q) == ids
    assert found(listed, q, member=a_member(CENTER)) == ids


def test_nobody_finds_what_is_not_theirs(listed):
    """Each tenant looks through its own index with its own key."""
    for stranger in (a_member(OTHER_PRACTICE), a_member(OTHER_CENTER)):
        assert found(listed, "baker", member=stranger) == []


def test_what_is_not_found_is_not_opened(listed, monkeypatch):
    """Of four patients one is decrypted; of a thousand it would be one too."""
    opened = []
    items = type(listed.stores.referrals.items)
    real = items.summary

    def counted(self, row):
        opened.append(row["referral_id"])
        return real(self, row)

    monkeypatch.setattr(items, "summary", counted)

    assert found(listed, "abel") == ["ref_0"]
    assert opened == ["ref_0"]


def test_a_search_is_one_query(listed):
    """However few of a thousand rows are found."""
    found(listed, "abel")

    with faults.injected(faults.never) as calls:
        found(listed, "abel")

    assert calls.operations.count("Query") == 1


def test_a_renamed_patient_is_found_by_the_new_name_alone(listed):
    """The marks change in the transaction of the change itself."""
    body = {"family_name": "Novak", "given_name": "Ines", "birth_date": "1961-04-02"}
    listed.refer("ref_draft", key="draft", submit=False, **NAMES[0])
    amend(
        "ref_draft",
        {"patient": body},
        version=1,
        member=a_member(PRACTICE),
        stores=listed.stores,
        now=listed.now,
    )

    assert found(listed, "nova") == ["ref_draft"]
    assert found(listed, "abel") == ["ref_0"]


def test_a_draft_is_found_by_its_practice_alone(listed):
    """The center cannot find what it was not sent, and there are no marks for it either."""
    listed.refer("ref_draft", key="draft", submit=False, patient__family_name="Quill")
    (row,) = [row for row in shelves.rows("referrals") if row["referral_id"] == "ref_draft"]

    assert found(listed, "quill") == ["ref_draft"]
    assert found(listed, "quill", member=a_member(CENTER)) == []
    assert "practice_names" in row
    assert "center_names" not in row


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_a_search_add_up(listed, monkeypatch, limit, rows):
    """None left out and none twice, wherever a page or a reading ends."""
    monkeypatch.setattr(lists, "ROWS_PER_SEARCH", rows)
    ids, position = search(listed, "heron", limit=limit)
    while position is not None:
        more, position = search(listed, "heron", limit=limit, start=position)
        ids += more

    assert ids == ["ref_3", "ref_2", "ref_1", "ref_0"]


def heads():
    return [row for row in shelves.rows("referrals") if row["item"] == "referral"]


def test_marks_tell_nothing_without_the_key(listed):
    """No letter of a name, and not the marks that another tenant has for the same name."""
    for row in heads():
        ours, theirs = row["practice_names"], row["center_names"]
        assert len(ours) == len(theirs)
        assert len(ours) % 4 == 0
        marks = [{names[i : i + 4] for i in range(0, len(names), 4)} for names in (ours, theirs)]
        assert not marks[0] & marks[1]


def test_a_guess_cannot_be_tried_out(listed):
    """The mark of a name under any other key is not there."""
    guessed = mark("baker", vault=listed.stores.vault, scope="prc_maple")
    right = mark("baker", vault=listed.stores.vault, scope="prc_cedar")

    assert [guessed in row["practice_names"] for row in heads()] == [False] * 4
    assert sum(right in row["practice_names"] for row in heads()) == 2
