"""Lists: the tenant's referrals, filtered, sorted, page by page to the end."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from chalicelib.domain.referrals.worklists import Worklist
from chalicelib.routes.platform.query_params import ReferralQuery
from tests.support.api_driver import STAGES_TO_INFUSED

WHO = {
    "draft": ("Adler", "Ina", "Rosy Robin", ()),
    "submitted": ("Bauer", "Jo", "Umber Jay", ()),
    "accepted": ("Clark", "Kim", "Calm Gull", ("accepted",)),
    "questioned": ("Dietrich", "Lou", "Calm Kite", ("received", "info_requested")),
    "declined": ("Evans", "Mo", "Rosy Wren", ("received", "declined")),
    "infused": ("Adleman", "Nic", "Calm Swan", STAGES_TO_INFUSED),
}
BEGAN = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def referral_ids(shared_api):
    """The ids of six referrals by their progress, each created a day after the one before."""
    made = {}
    for day, (name, (family, given, alias, stages)) in enumerate(WHO.items()):
        with time_machine.travel(BEGAN + timedelta(days=day)):
            made[name] = shared_api.refer(
                submit=name != "draft",
                patient__family_name=family,
                patient__given_name=given,
                patient__alias=alias,
                urgency="urgent" if name == "accepted" else "routine",
            )["referral_id"]
            shared_api.move_to(made[name], *stages)
    return made


@pytest.fixture
def list_names(shared_api, referral_ids):
    """List as a member, by the names in `ids`."""
    names = {referral_id: name for name, referral_id in referral_ids.items()}

    def names_of(query, site=None):
        answer = (site or shared_api.practice).get(f"/v1/referrals?{query}")
        assert answer.status == 200, answer.text
        return [names[item["referral_id"]] for item in answer.json["items"]]

    return names_of


def test_a_list_shows_the_latest_change_first(list_names):
    """What happened last is on top."""
    assert list_names("") == ["infused", "declined", "questioned", "accepted", "submitted", "draft"]


def test_a_center_lists_the_referrals_submitted_to_it(shared_api, list_names):
    """The center's list is the practice's without the draft; another center's is empty."""
    assert list_names("", shared_api.center) == ["infused", "declined", "questioned", "accepted", "submitted"]
    assert list_names("", shared_api.other_center) == []


def test_a_row_contains_enough_to_find_a_referral(shared_api, referral_ids):
    """Who, how far, since when, who acts next: and only the name of the disease."""
    row = shared_api.practice.get("/v1/referrals?stage=accepted").json["items"][0]

    detail = shared_api.practice.get(f"/v1/referrals/{referral_ids['accepted']}").json
    result = ("referral_id", "alias", "stage", "stage_label", "phase", "stage_since", "product_id",
            "urgency", "practice", "center", "updated_at", "version",
            "referred_on", "changed_since_seen", "requested_items", "unread_messages")  # fmt: skip
    assert {name: row[name] for name in result} == {name: detail[name] for name in result}
    assert row["owner"] == detail["clock"]["owner"] == "center"
    assert row["disease"] == detail["clinical"]["disease"]
    names = {"family_name": "Clark", "given_name": "Kim", "birth_date": "1961-04-02"}
    assert row["patient"] == {**names, "mrn": detail["patient"]["mrn"]}
    assert row["provider_name"] == detail["referring_provider"]["name"]
    assert row["due_on"] == detail["clock"]["amber_on"]
    assert row["expected_by"] == detail["clock"]["expected_by"]
    assert row["clock_level"] == detail["clock"]["level"]
    assert row["coverage"].items() <= detail["coverage"].items()
    more = {"coverage", "clock_level", "expected_by", "window_ends_on", "missing_updates", "next_plan", "routing_hints"}
    more |= {
        "owner",
        "disease",
        "patient",
        "next_action",
        "next_action_by",
        "due_on",
        "late",
        "due_group",
        "provider_name",
    }
    assert set(row) == {*result, *more}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("stage=declined", ["declined"]),
        ("stage=monitoring", []),
        ("phase=referral", ["questioned", "accepted", "submitted"]),
        ("phase=eligibility", ["draft"]),
        ("phase=closed", ["declined"]),
        ("worklist=needs_my_action", ["questioned", "draft"]),
        ("worklist=needs_my_action&phase=referral", ["questioned"]),
        ("center_id=ctr_harbor&stage=infused", ["infused"]),
        ("center_id=ctr_mesa", []),
        ("practice_id=prc_cedar&stage=declined", ["declined"]),
        ("practice_id=prc_maple", []),
        ("stage=declined&stage=draft", ["declined", "draft"]),
        ("stage=draft&stage=draft", ["draft"]),
        ("stage=draft&stage=accepted&stage=declined&urgency=routine", ["declined", "draft"]),
        ("stage=accepted&stage=infused&center_id=ctr_mesa&center_id=ctr_harbor", ["infused", "accepted"]),
        ("product_id=none&product_id=breyanzi&stage=draft", ["draft"]),
        ("coverage=cleared&coverage=not_started&phase=referral", ["questioned", "accepted", "submitted"]),
        ("next_date=within_7_days&next_date=not_set&phase=closed", ["declined"]),
        ("provider_npi=1234567893&provider_npi=1003000126&stage=draft", ["draft"]),
        ("urgency=urgent", ["accepted"]),
        ("urgency=routine&phase=referral", ["questioned", "submitted"]),
        ("product_id=breyanzi&stage=draft", ["draft"]),
        ("product_id=none", []),
        ("provider_npi=1234567893&phase=closed", ["declined"]),
        ("provider_npi=1003000126", []),
        ("next_date=not_set&phase=closed", ["declined"]),
        ("next_date=within_7_days", []),
        ("coverage=not_started&urgency=urgent&worklist=all_open", ["accepted"]),
        ("q=adle", ["infused", "draft"]),
        ("q=ADLER", ["draft"]),
        ("q=kim", ["accepted"]),
        ("q=umber%20j", ["submitted"]),
        ("q=nobody", []),
        ("q=", ["infused", "declined", "questioned", "accepted", "submitted", "draft"]),
        ("updated_since=2026-09-05T00:00:00Z", ["infused", "declined"]),
        ("updated_since=2026-09-04T20:00:00-04:00&phase=closed", ["declined"]),
        ("sort=-updated_at&q=bau", ["submitted"]),
    ],
)
def test_a_list_can_be_filtered(list_names, query, expected):
    """Each filter alone and with others; the order stays that of the latest change."""
    assert list_names(query) == expected


@pytest.mark.parametrize(
    ("query", "code", "pointers"),
    [
        ("late=true&late=true", "parameter_twice", None),
        ("worklist=late&worklist=all_open", "parameter_twice", None),
        ("phase=referral&phase=closed", "parameter_twice", None),
        ("stage=draft&stage=", "malformed", ["/stage"]),
        ("stage=draft&stage=sent&urgency=soon", "malformed", ["/stage", "/urgency"]),
        ("stage=draft,declined", "malformed", ["/stage"]),
        ("&".join(f"center_id=ctr_{n}" for n in range(51)), "malformed", ["/center_id"]),
    ],
)
def test_several_values_that_are_not_possible_are_refused(shared_api, query, code, pointers):
    """One view at a time; and an error names the parameter."""
    answer = shared_api.practice.get(f"/v1/referrals?{query}")

    assert (answer.status, answer.json["code"]) == (400, code)
    assert pointers is None or [each["pointer"] for each in answer.json["errors"]] == pointers


def test_updated_since_includes_changes_at_that_time(shared_api, referral_ids, list_names):
    """A client that asks for changes since the latest known one loses nothing."""
    changed_at = shared_api.practice.get(f"/v1/referrals/{referral_ids['declined']}").json["updated_at"]

    assert list_names(f"updated_since={changed_at}") == ["infused", "declined"]


def test_needs_action_depends_on_the_reader(shared_api, list_names):
    """The center's worklist contains what waits for the center."""
    assert list_names("worklist=needs_my_action", shared_api.center) == ["infused", "accepted", "submitted"]


def test_counts_agree_with_the_list(shared_api, referral_ids):
    """The counts of a dashboard are the lengths of the lists."""
    for site in (shared_api.practice, shared_api.center):
        counts = site.get("/v1/referrals/counts").json

        def length(query, site=site):
            return len(site.get(f"/v1/referrals?limit=100&{query}").json["items"])

        assert counts["total"] == length("") == sum(counts["phases"].values())
        assert counts["phases"] == {phase: length(f"phase={phase}") for phase in counts["phases"]}
        assert counts["worklists"] == {name: length(f"worklist={name}") for name in Worklist}


def test_counts_name_every_phase(shared_api, referral_ids):
    """A phase without referrals counts zero."""
    phases = shared_api.practice.get("/v1/referrals/counts").json["phases"]

    assert phases == {
        "eligibility": 1,
        "referral": 3,
        "consultation": 0,
        "collection": 0,
        "manufacturing": 0,
        "treatment": 1,
        "monitoring": 0,
        "follow_up": 0,
        "closed": 1,
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 100])
def test_pages_follow_each_other_to_the_end(shared_api, referral_ids, limit):
    """By the cursor, every row comes once and in order, whatever the size of a page."""
    rows, query = [], f"limit={limit}"
    for _ in range(10):
        page = shared_api.practice.get(f"/v1/referrals?{query}").json
        assert len(page["items"]) <= limit
        rows += [item["referral_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit={limit}&cursor={page['next_cursor']}"

    assert rows == list(reversed(referral_ids.values()))


def test_a_link_leads_to_the_next_page(shared_api, referral_ids):
    """`Link` repeats the filter and carries the cursor; the last page has none."""
    path, rows = ("/v1/referrals?limit=2&phase=referral&updated_since=2026-09-01T00:00:00%2B02:00", [])
    first = shared_api.practice.get(path)
    rows += first.json["items"]
    link = first.headers["link"]
    second = shared_api.practice.get(f"/v1/referrals{link.partition('>')[0].removeprefix('<')}")
    rows += second.json["items"]

    assert link.endswith('>; rel="next"')
    assert first.json["next_cursor"] in link
    assert [row["stage"] for row in rows] == ["info_requested", "accepted", "submitted"]
    assert second.json["next_cursor"] is None
    assert "link" not in second.headers


def test_a_link_repeats_every_value_of_a_filter(shared_api, referral_ids):
    """So the next page is of the same list."""
    first = shared_api.practice.get("/v1/referrals?limit=1&stage=draft&stage=declined")
    second = shared_api.practice.get(f"/v1/referrals{first.headers['link'].partition('>')[0].removeprefix('<')}")

    assert [page.json["items"][0]["stage"] for page in (first, second)] == ["declined", "draft"]


def test_a_cursor_of_an_earlier_release_stays_valid(shared_api, referral_ids):
    """A cursor is bound to the filters as they are written; one value is written as it was."""
    query = ReferralQuery.model_validate_json('{"stage": "draft", "urgency": "routine"}')

    assert (
        json.loads(query.model_dump_json(exclude_none=True)).items() >= {"stage": "draft", "urgency": "routine"}.items()
    )


def test_a_filter_that_leaves_out_much_still_finds_the_rest(shared_api, referral_ids):
    """A page is filled from as many reads as it takes, not from the first one."""
    page = shared_api.practice.get("/v1/referrals?limit=1&q=adler").json

    assert [row["referral_id"] for row in page["items"]] == [referral_ids["draft"]]


def test_timelines_come_in_pages_too(shared_api, referral_ids):
    """Newest first, by the cursor to the oldest."""
    seen, query = [], "limit=4"
    for _ in range(9):
        page = shared_api.center.get(f"/v1/referrals/{referral_ids['infused']}/events?{query}").json
        seen += [event["stage"] for event in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit=4&cursor={page['next_cursor']}"

    assert list(reversed(seen)) == ["submitted", *STAGES_TO_INFUSED]


def test_centers_are_found_by_what_they_offer(shared_api):
    """Neutral order by name; product, disease and words filter it."""

    def found(query):
        return [c["center_id"] for c in shared_api.practice.get(f"/v1/centers?{query}").json["items"]]

    assert found("") == ["ctr_harbor", "ctr_mesa"]
    assert found("product=breyanzi&disease=FL") == ["ctr_harbor", "ctr_mesa"]
    assert found("product=kymriah") == found("disease=MM") == []
    assert found("q=mesa") == ["ctr_mesa"]
    assert found("q=BALTIMORE") == ["ctr_harbor", "ctr_mesa"]


def test_centers_come_in_pages_too(shared_api):
    """The cursor continues after the last name."""
    first = shared_api.practice.get("/v1/centers?limit=1").json
    second = shared_api.practice.get(f"/v1/centers?limit=1&cursor={first['next_cursor']}").json

    assert [c["center_id"] for c in first["items"] + second["items"]] == ["ctr_harbor", "ctr_mesa"]
    assert second["next_cursor"] is None


def test_one_center_can_be_read(shared_api):
    """By its id; what is not in the directory is 404, also a practice."""
    assert shared_api.practice.get("/v1/centers/ctr_mesa").json["name"] == "Mesa Cell Therapy"
    assert shared_api.practice.get("/v1/centers/ctr_nowhere").status == 404
    assert shared_api.practice.get("/v1/centers/prc_maple").status == 404


def test_a_search_text_is_not_logged(shared_api, capfd, caplog):
    """A name is in the request's address, and nowhere in the log."""
    caplog.set_level("DEBUG")

    answer = shared_api.practice.get("/v1/referrals?q=Qvortrupx")

    result = capfd.readouterr()
    assert answer.status == 200
    assert "qvortrupx" not in (result.out + result.err + caplog.text).lower()
