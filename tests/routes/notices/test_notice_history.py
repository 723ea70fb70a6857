"""A referral's notices: what is scheduled, who was notified, the state of each email, and why something was skipped."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.notices import ses_events as mail_events
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.services.notices.ses_feedback import record_mail_event
from chalicelib.services.platform.run_context import RunContext
from tests.support import sns_sender as posting
from tests.support import stores as store_tools
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import build_preferences_body


@pytest.fixture
def notified_referral_id(shared_api):
    """A referral about which the center, then the practice was notified and emailed."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, "received", "accepted")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id


@pytest.fixture(scope="module")
def infused_referral_id(shared_api):
    """A referral after its infusion: day 7 was sent, day 14 was in a hold."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)
    now = wiring.read_clock()
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(now + timedelta(days=8)))
    hold = {"type": "hold.started", "occurred_at": now.isoformat(), "data": {}}
    shared_api.center.post(f"/v1/referrals/{referral_id}/events", hold)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(now + timedelta(days=15)))
    return referral_id


def page_of(site, referral_id, query="limit=100"):
    answer = site.get(f"/v1/referrals/{referral_id}/notices?{query}")
    assert answer.status == 200, answer.text
    return answer.json


def lines(site, referral_id):
    return page_of(site, referral_id)["items"]


def list_notified_lines(site, referral_id):
    """Return the lines about which the reader's side was notified."""
    return [line for line in lines(site, referral_id) if line["told"]]


def find_entry(world, line, handle="practice"):
    """Return a line's entry about one member."""
    member_id = world.members[handle].member_id
    return next(each for each in line["told"] if each["member_id"] == member_id)


def test_a_line_shows_who_was_notified_and_the_state_of_the_email(shared_api, notified_referral_id):
    """By name, for everyone of the reader's list_own_notices side."""
    [line] = list_notified_lines(shared_api.practice, notified_referral_id)

    people = line.pop("told")
    assert line == {
        "rule": "stage_changed",
        "title": "The center accepted the referral for evaluation",
        "category": "journey",
        "due_on": None,
        "sides": ["practice"],
        "state": "told",
        "why": None,
    }
    wanted = {shared_api.members[handle].name for handle in ("practice", "provider")}
    assert {each["name"] for each in people} == wanted
    assert {each["opened_at"] for each in people} == {None}
    assert {each["mail"]["state"] for each in people} == {"sent"}


def test_no_one_of_the_other_side_is_named(shared_api, notified_referral_id, infused_referral_id):
    """Neither in notices for both sides nor in those for one."""
    for referral_id in (notified_referral_id, infused_referral_id):
        for site, theirs in ((shared_api.practice, "center"), (shared_api.center, "practice")):
            text = site.get(f"/v1/referrals/{referral_id}/notices?limit=100").text
            there = [m for m in shared_api.members.values() if m.kind == theirs]

            assert not [m for m in there if m.member_id in text or m.name in text]


def test_an_opened_notice_shows_when(shared_api, notified_referral_id):
    """For each reader alone."""
    notices = shared_api.practice.get("/v1/notices?limit=100").json["items"]
    [notice_id] = [n["notice_id"] for n in notices if n["referral_id"] == notified_referral_id]

    shared_api.practice.post(f"/v1/notices/{notice_id}/read", None)

    [line] = list_notified_lines(shared_api.practice, notified_referral_id)
    assert find_entry(shared_api, line)["opened_at"] is not None
    assert find_entry(shared_api, line, "provider")["opened_at"] is None


@pytest.mark.parametrize(
    ("kind", "details", "state"),
    [("Delivery", {}, "delivered"), ("Bounce", {"bounceType": "Transient"}, "sent"), ("Complaint", {}, "complained")],
)
def test_an_event_of_the_mail_service_is_shown_with_its_time(shared_api, notified_referral_id, kind, details, state):
    """In the list of the referral and in the reader's list_own_notices list."""
    # A member to whom no other test sends email, because a suppressed address gets no email in any test.
    member = shared_api.members["provider"]
    [row] = [
        row
        for row in store_tools.list_mail_rows()
        if (row["member_id"], row["referral_id"]) == (member.member_id, notified_referral_id)
    ]
    at = wiring.read_clock() + timedelta(minutes=3)
    event = posting.build_ses_event(kind, row["outbox_id"], at=at, to="old@cedar.example", **details)
    read = mail_events.parse_mail_event(event)
    assert read is not None
    record_mail_event(read, context=RunContext(shared_api.stores, at))

    [line] = list_notified_lines(shared_api.practice, notified_referral_id)
    life = find_entry(shared_api, line, "provider")["mail"]
    assert life["state"] == state
    if state != "sent":
        assert life["at"] == f"{at:%Y-%m-%dT%H:%M:%S}Z"
    list_own_notices = shared_api.get_client_for(member).get("/v1/notices?limit=100").json["items"]
    assert [n["mail"] for n in list_own_notices if n["referral_id"] == notified_referral_id] == [life]


def test_a_waiting_email_shows_its_time_and_an_unwanted_one_its_reason(shared_api):
    """By what each reader has chosen."""
    member = shared_api.members["provider"]
    site, path = shared_api.get_client_for(member), "/v1/me/notification-preferences"
    chosen = {"journey": "daily"}
    for version, categories in enumerate((chosen, {"journey": "never"})):
        site.send(
            "PUT",
            path,
            build_preferences_body(categories=categories, digest_hour=3, time_zone="UTC"),
            headers={"If-Match": f'"{version}"'},
        )
        referral_id = shared_api.refer()["referral_id"]
        shared_api.move_to(referral_id, "received", "accepted")
        run_job(TaskQueue.EVENT, context=wiring.build_job_context())
        [line] = list_notified_lines(shared_api.practice, referral_id)
        life = find_entry(shared_api, line, "provider")["mail"]
        if categories is chosen:
            assert (life["state"], life["at"][11:]) == ("planned", "03:00:00Z")
        else:
            assert life == {"state": "not_wanted", "at": None, "why": None}
    site.send("PUT", path, build_preferences_body(), headers={"If-Match": '"2"'})


def test_the_plan_is_listed_with_sent_notices(shared_api, infused_referral_id):
    """Sent, skipped and why, and what is still to come, in the words of the reader's side."""
    by_rule = {line["rule"]: line for line in lines(shared_api.center, infused_referral_id)}

    daily = by_rule["daily_monitoring_ends"]
    assert (daily["state"], daily["due_on"] is not None) == ("told", True)
    assert daily["title"].startswith("Label minimum for daily monitoring ends today: update discharge status")
    assert find_entry(shared_api, daily, "center")["name"] == shared_api.members["center"].name
    minimum = by_rule["label_minimum_ends"]
    assert (minimum["state"], minimum["why"], minimum["told"]) == ("skipped", "on_hold", [])
    near = by_rule["handback_near"]
    assert (near["state"], near["title"]) == (
        "planned",
        "Return to referring provider in 7 days: start the transition-of-care summary",
    )
    only_theirs = by_rule["first_day"]
    assert (only_theirs["state"], only_theirs["sides"], only_theirs["told"]) == ("told", ["practice"], [])
    assert by_rule["hold.started"]["due_on"] is None


def test_a_task_that_failed_halfway_shows_whom_it_reached(shared_api):
    """A person must check it, even if some recipients were notified before it failed."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)
    run_job(TaskQueue.PLAN, context=wiring.build_job_context(wiring.read_clock() + timedelta(days=8)))
    [task] = [
        row
        for row in store_tools.list_rows("outbox")
        if (row["referral_id"], row["rule"]) == (referral_id, "daily_monitoring_ends")
    ]
    assert shared_api.stores.outbox.table.update(
        {"outbox_id": task["outbox_id"]},
        "SET #state = :parked",
        when="#state = :done",
        values={"parked": "parked", "done": "done"},
        names={"#state": "state"},
    )

    [line] = [line for line in lines(shared_api.practice, referral_id) if line["rule"] == "daily_monitoring_ends"]
    assert (line["state"], len(line["told"])) == ("parked", 2)


@pytest.mark.parametrize("limit", [1, 7, 30])
def test_pages_make_the_whole_list(shared_api, infused_referral_id, limit):
    """Latest due first, nothing twice and nothing left out."""
    whole = lines(shared_api.practice, infused_referral_id)
    seen, query = [], f"limit={limit}"
    while query:
        page = page_of(shared_api.practice, infused_referral_id, query)
        seen += page["items"]
        assert len(page["items"]) <= limit
        cursor = page["next_cursor"]
        query = cursor and f"limit={limit}&cursor={cursor}"

    assert seen == whole
    days = [line["due_on"] for line in whole if line["due_on"]]
    assert days == sorted(days, reverse=True)


def test_a_draft_only_reminds_its_practice(shared_api):
    """It belongs to its practice alone."""
    draft = shared_api.refer(submit=False)["referral_id"]

    ahead = lines(shared_api.practice, draft)

    assert {line["state"] for line in ahead} == {"planned"}
    assert [line["sides"] for line in ahead] == [["practice"]] * 3


def test_reading_the_list_is_audited(shared_api, notified_referral_id):
    """Like any read of a referral."""
    lines(shared_api.center, notified_referral_id)
    admin = shared_api.get_client_for(shared_api.members["center_admin"])

    trail = admin.get(f"/v1/referrals/{notified_referral_id}/audit").json["items"]

    reader = shared_api.members["center"].member_id
    assert (reader, "referral.read_notices", "allowed") in [
        (row["actor_id"], row["action"], row["outcome"]) for row in trail
    ]


def list_own_notices(world, referral_id):
    """Return the practice coordinator's notices of a referral."""
    items = world.practice.get("/v1/notices?limit=100").json["items"]
    return next(n for n in items if n["referral_id"] == referral_id)


def test_several_notices_are_marked_as_read_and_no_others(shared_api, notified_referral_id):
    """Exactly those that were shown: one that arrived since stays unread."""
    later = shared_api.refer()["referral_id"]
    shared_api.move_to(later, "received", "accepted")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    before = shared_api.practice.get("/v1/me").json["unread_notices"]

    answer = shared_api.practice.post(
        "/v1/notices/read", {"notice_ids": [list_own_notices(shared_api, notified_referral_id)["notice_id"]] * 2}
    )

    assert (answer.status, answer.json) == (200, {"unread": before - 1})
    assert list_own_notices(shared_api, notified_referral_id)["read_at"] is not None
    assert list_own_notices(shared_api, later)["read_at"] is None


def test_another_persons_notice_is_not_marked(shared_api, notified_referral_id):
    """The response is the same as for a referral that does not exist."""
    notice_id = list_own_notices(shared_api, notified_referral_id)["notice_id"]
    nobodys = notice_id[:-26] + "a" * 26
    answers = [
        shared_api.other_practice.post(
            "/v1/notices/read", {"notice_ids": [each]}, **{"X-Request-Id": "one-id-for-both"}
        )
        for each in (notice_id, nobodys)
    ]

    assert answers[0] == answers[1]
    assert list_own_notices(shared_api, notified_referral_id)["read_at"] is None


@pytest.mark.parametrize("ids", [[], ["x"], "ntc_x", [1], ["ntc_20260101T000000000000_" + "a" * 26] * 101])
def test_impossible_notice_ids_are_refused(shared_api, ids):
    """As are more than a page has."""
    assert shared_api.practice.post("/v1/notices/read", {"notice_ids": ids}).status == 400
