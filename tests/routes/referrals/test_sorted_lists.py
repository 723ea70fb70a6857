"""Sorted lists: the worst first, or by a column, page by page."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from chalicelib.services.referrals import sorted_lists

BEGAN = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
NOW = BEGAN + timedelta(days=20)
# Stages after submission, the day of creation, and the urgency. On day 20, "waits" is 19 days late, and so on.
WHO = {
    "waits": ("Moreau", "Umber Tern", (), 0, "routine"),
    "asked": ("Keller", "Umber Crane", ("received", "info_requested"), 16, "routine"),
    "fresh": ("abbot", "Umber Quail", ("received", "accepted"), 19, "routine"),
    "urgent": ("Zimmer", "Umber Snipe", ("received", "accepted"), 18, "urgent"),
    "closed": ("Brandt", "Umber Grebe", ("received", "declined"), 5, "routine"),
}


@pytest.fixture(scope="module")
def referral_ids(shared_api):
    """The ids of five referrals by name."""
    made = {}
    for name, (family, alias, stages, day, urgency) in WHO.items():
        with time_machine.travel(BEGAN + timedelta(days=day)):
            made[name] = shared_api.refer(patient__family_name=family, patient__alias=alias, urgency=urgency)[
                "referral_id"
            ]
            shared_api.move_to(made[name], *stages)
    return made


@pytest.fixture
def read_list(shared_api, referral_ids):
    """Read a list on day 20 as a member, and return the names of its rows and the whole answer."""
    names = {referral_id: name for name, referral_id in referral_ids.items()}

    def read(query, site="practice"):
        with time_machine.travel(NOW):
            answer = getattr(shared_api, site).get(f"/v1/referrals?{query}")
        assert answer.status == 200, answer.text
        return [names[item["referral_id"]] for item in answer.json["items"]], answer.json

    return read


def test_the_worst_comes_first(read_list):
    """Late ones by how late they are; then urgent ones; an ending has nothing due."""
    names, answer = read_list("sort=worst_first")

    assert names == ["waits", "asked", "urgent", "fresh", "closed"]
    assert [row["due_group"] for row in answer["items"]] == ["late", "late", "later", "later", "later"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("patient", ["fresh", "closed", "asked", "waits", "urgent"]),
        ("-patient", ["urgent", "waits", "asked", "closed", "fresh"]),
        ("stage", ["waits", "asked", "urgent", "fresh", "closed"]),
        ("due", ["waits", "asked", "urgent", "fresh", "closed"]),
        ("next_action", ["asked", "waits", "urgent", "fresh", "closed"]),
    ],
)
def test_a_list_can_be_sorted_by_a_column(read_list, sort, expected):
    """Without regard to capital letters, and in either direction."""
    assert read_list(f"sort={sort}")[0] == expected


@pytest.mark.parametrize("sort", ["next_date", "coverage", "product", "center", "practice"])
def test_every_other_column_has_an_order_too(read_list, sort):
    """All rows have the same value here, so their ids decide, and no row is lost."""
    assert sorted(read_list(f"sort={sort}")[0]) == sorted(WHO)
    assert read_list(f"sort=-{sort}")[0] == read_list(f"sort={sort}")[0][::-1]


def test_what_needs_action_includes_late_steps_of_the_other_team(read_list, shared_api):
    """The practice may ask why. The center sees its own steps, and what the practice is late with."""
    assert read_list("sort=worst_first&worklist=needs_action")[0] == ["waits", "asked"]
    in_center = read_list("sort=worst_first&worklist=needs_action", "center")[0]
    assert in_center == ["waits", "asked", "urgent", "fresh"]


def test_filters_combine_with_an_order(read_list):
    """With a worklist, a search and a filter at the same time."""
    assert read_list("sort=patient&worklist=all_open&urgency=routine&q=umber")[0] == ["fresh", "asked", "waits"]


@pytest.mark.parametrize("sort", ["worst_first", "-patient"])
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_a_cursor_leads_through_a_sorted_list(read_list, sort, limit):
    """Every row comes once and in order, and each page knows how many there are."""
    whole, _ = read_list(f"sort={sort}")
    names, query = [], f"sort={sort}&limit={limit}"
    for _ in range(6):
        page, answer = read_list(query)
        names += page
        assert answer["total"] == 5
        if answer["next_cursor"] is None:
            break
        query = f"sort={sort}&limit={limit}&cursor={answer['next_cursor']}"

    assert names == whole


def test_a_page_has_a_number(read_list):
    """From 1; a page behind the end is empty."""
    assert read_list("sort=patient&limit=2&page=2")[0] == ["asked", "waits"]
    assert read_list("sort=patient&limit=2&page=4")[0] == []


@pytest.mark.parametrize("query", ["page=2", "page=0&sort=patient", "page=x&sort=patient", "sort=name"])
def test_a_page_that_is_not_possible_is_refused(shared_api, query):
    """The list by the latest change has no numbers."""
    answer = shared_api.practice.get(f"/v1/referrals?{query}")

    assert answer.status == 400
    assert answer.json["errors"]


def test_the_list_by_the_latest_change_is_not_counted(shared_api, referral_ids):
    """It stops reading when a page is full."""
    assert shared_api.practice.get("/v1/referrals?limit=1").json["total"] is None


def test_another_tenant_sees_none_of_it(read_list, shared_api):
    """Sorted lists are of the own tenant, as all lists."""
    assert read_list("sort=worst_first", "other_practice")[0] == []
    assert read_list("sort=worst_first", "other_center")[0] == []


def test_a_tenant_with_too_many_referrals_learns_what_to_do(shared_api, referral_ids, monkeypatch):
    """A list that leaves some out would look complete."""
    monkeypatch.setattr(sorted_lists, "MAX_READS", 2)
    monkeypatch.setattr(sorted_lists, "ROWS_PER_READ", 1)

    answer = shared_api.practice.get("/v1/referrals?sort=worst_first")

    assert (answer.status, answer.json["code"]) == (400, "too_many_to_sort")


def test_an_open_list_decrypts_no_referral_that_ended(shared_api, referral_ids, monkeypatch):
    """Most referrals of a large tenant have ended, and a worklist must not pay for them."""
    converted = []
    items = type(shared_api.stores.referrals.items)
    convert = items.row_to_summary

    def record(self, row):
        converted.append(row["phase"])
        return convert(self, row)

    monkeypatch.setattr(items, "row_to_summary", record)

    shared_api.practice.get("/v1/referrals?sort=worst_first&worklist=needs_action")

    assert converted
    assert "closed" not in converted


def test_counts_name_what_a_list_can_be_filtered_by(shared_api, referral_ids, read_list):
    """Each choice finds as many referrals as it says."""
    choices = shared_api.practice.get("/v1/referrals/counts").json["choices"]

    found = {
        (name, choice["value"]): read_list(f"sort=due&{name}={choice['value']}")[1]["total"]
        for name, values in choices.items()
        for choice in values
    }
    assert found == {(name, choice["value"]): choice["count"] for name, values in choices.items() for choice in values}
    assert {choice["label"] for choice in choices["center_id"]} == {"Harbor Cell Therapy"}
    assert {choice["label"] for choice in choices["provider_npi"]} == {"R. Provider"}
