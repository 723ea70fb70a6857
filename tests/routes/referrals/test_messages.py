"""Messages between the two teams: who writes, who reads, what is stored, and what is never said elsewhere."""

import json

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.rate_limit import MESSAGES_PER_MEMBER
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import aws_fakes as cloud
from tests.support import factories, faults
from tests.support import stores as store_tools
from tests.support.faults import FaultMode

SECRET = "Zebrafinch9 bridging with Pola-BR?"


@pytest.fixture
def path(shared_api):
    """The address of a submitted referral."""
    return f"/v1/referrals/{shared_api.refer()['referral_id']}"


def send(site, path, text=SECRET, **headers):
    return site.post(f"{path}/messages", {"text": text}, **headers)


def read(site, path, query=""):
    return site.get(f"{path}/messages{query}").json


def confirm(site, path, up_to):
    return site.post(f"{path}/messages/read", {"up_to": up_to})


def new_colleague(world, tenant=factories.PRACTICE, role=Role.PROVIDER, *, n):
    member = factories.build_member(tenant, role=role, n=n)
    world.stores.members.add(member)
    return world.get_client_for(member)


def test_both_sides_read_each_others_messages(shared_api, path):
    """Newest first, with the sender's name and side."""
    send(shared_api.practice, path, "Is bridging fine?")
    answer = send(shared_api.center, path, "Hold bendamustine, please.")

    assert answer.status == 201
    for site in (shared_api.practice, shared_api.center):
        listed = read(site, path)
        assert [(m["number"], m["side"], m["text"]) for m in listed["items"]] == [
            (2, "center", "Hold bendamustine, please."),
            (1, "practice", "Is bridging fine?"),
        ]
        assert listed["items"][0]["sender_name"] == shared_api.members["center"].name
        assert listed["may_send"] is True


def test_messages_are_listed_page_by_page(shared_api, path):
    """A cursor continues where the page ended."""
    for number in range(5):
        send(shared_api.practice, path, f"Message {number}")

    first = shared_api.center.get(f"{path}/messages?limit=2")
    second = read(shared_api.center, path, f"?limit=2&cursor={first.json['next_cursor']}")

    assert [m["number"] for m in first.json["items"] + second["items"]] == [5, 4, 3, 2]
    assert "cursor=" in first.headers["link"]


def test_a_message_of_the_other_side_is_unread_until_it_was_on_a_page(shared_api, path):
    """The count is each person's own; one's own side's messages never count."""
    send(shared_api.center, path)
    send(shared_api.center, path)
    colleague = new_colleague(shared_api, n=501)
    for site in (shared_api.practice, colleague):
        assert read(site, path)["unread"] == 2
        assert site.get(path).json["unread_messages"] == 2
    assert read(shared_api.center, path)["unread"] == 0

    assert confirm(shared_api.practice, path, 1).json == {"unread": 1}
    assert confirm(shared_api.practice, path, 2).json == {"unread": 0}

    assert read(shared_api.practice, path)["unread"] == 0
    assert read(colleague, path)["unread"] == 2


def test_a_list_of_referrals_counts_unread_messages(shared_api, path):
    """Without opening each referral."""
    send(shared_api.practice, path)
    rows = shared_api.center.get("/v1/referrals?limit=100").json["items"]
    row = next(row for row in rows if path.endswith(row["referral_id"]))

    assert row["unread_messages"] == 1
    assert row["changed_since_seen"] is True


def test_the_sender_sees_who_read_a_message_and_when(shared_api, path):
    """The first time counts; a repeat and a later message change nothing about it."""
    send(shared_api.center, path)
    confirm(shared_api.practice, path, 1)
    first = read(shared_api.center, path)["items"][0]["read_by"]
    send(shared_api.center, path)

    confirm(shared_api.practice, path, 1)
    confirm(shared_api.practice, path, 2)

    newest, oldest = read(shared_api.center, path)["items"]
    assert [reader["name"] for reader in first] == [shared_api.members["practice"].name]
    assert oldest["read_by"] == first
    assert newest["read_by"][0]["at"] > first[0]["at"]


def test_reading_through_the_api_alone_gives_no_receipt(shared_api, path):
    """A program may be asking; only a page that a person sees confirms."""
    send(shared_api.center, path)

    read(shared_api.practice, path)

    assert read(shared_api.center, path)["items"][0]["read_by"] == []


def test_the_senders_own_team_gives_no_receipt(shared_api, path):
    """Confirming changes nothing for messages of one's own side."""
    send(shared_api.practice, path)
    colleague = new_colleague(shared_api, n=502)

    assert confirm(colleague, path, 1).json == {"unread": 0}

    assert read(shared_api.practice, path)["items"][0]["read_by"] == []


def test_a_message_that_does_not_exist_is_not_confirmed(shared_api, path):
    """Otherwise a receipt would be older than its message."""
    answer = confirm(shared_api.practice, path, 1)

    assert answer.status == 400
    assert answer.json["errors"][0]["pointer"] == "/up_to"


def test_two_people_read_at_once_and_both_get_their_receipts(shared_api, path):
    """One after the other, each with their own row."""
    send(shared_api.center, path)
    colleague = new_colleague(shared_api, n=503)

    for site in (shared_api.practice, colleague, shared_api.practice):
        assert confirm(site, path, 1).status == 200

    assert len(read(shared_api.center, path)["items"][0]["read_by"]) == 2


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4001, "x" * 20_000])
def test_a_text_that_is_empty_or_too_long_is_refused_by_name(shared_api, path, text):
    """4,000 characters are the limit."""
    answer = send(shared_api.practice, path, text)

    assert answer.status == 400
    assert [error["pointer"] for error in answer.json["errors"]] == ["/text"]
    assert read(shared_api.practice, path)["items"] == []


def test_a_long_message_with_a_script_is_kept_as_it_is(shared_api, path):
    """Markup is text like any other, up to 4,000 characters."""
    text = "<script>alert(1)</script> {{7*7}} =HYPERLINK() " + "é" * 3900

    assert send(shared_api.practice, path, text).status == 201

    assert read(shared_api.center, path)["items"][0]["text"] == text


def test_a_repeated_request_sends_one_message(shared_api, path):
    """With the same Idempotency-Key: the same response."""
    first = send(shared_api.practice, path, key="tired")
    again = send(shared_api.practice, path, key="tired")

    assert (again.status, again.json) == (first.status, first.json)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(read(shared_api.practice, path)["items"]) == 1


def test_a_lost_reply_of_the_database_sends_one_message(shared_api, path):
    """The sender does not know the outcome, and repeats the request."""

    def lose_replies(_number, operation):
        return FaultMode.LOST_REPLY if operation == "TransactWriteItems" else None

    with faults.inject_faults(lose_replies):
        first = send(shared_api.practice, path, key="lost")
    again = send(shared_api.practice, path, key="lost")

    assert (first.status, again.status) == (503, 201)
    assert len(read(shared_api.center, path)["items"]) == 1


def test_the_same_key_with_another_text_is_refused(shared_api, path):
    """The second text would be lost silently."""
    send(shared_api.practice, path, "One", key="same")

    answer = send(shared_api.practice, path, "Two", key="same")

    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert [m["text"] for m in read(shared_api.practice, path)["items"]] == ["One"]


def test_a_member_who_writes_without_end_is_slowed_down(shared_api, path):
    """30 at once; a repeat of a request that was processed still gets its response."""
    site = new_colleague(shared_api, n=504)
    statuses = [send(site, path, f"{n}", key=f"flood-{n}").status for n in range(MESSAGES_PER_MEMBER.burst)]

    refused = send(site, path, "one more")

    assert set(statuses) == {201}
    assert (refused.status, refused.json["code"]) == (429, "slow_down")
    assert int(refused.headers["retry-after"]) >= 1
    assert send(site, path, "0", key="flood-0").status == 201
    assert send(shared_api.center, path).status == 201


def test_a_draft_has_no_messages(shared_api):
    """No center could read them."""
    path = f"/v1/referrals/{shared_api.refer(submit=False)['referral_id']}"

    answer = send(shared_api.practice, path)

    assert (answer.status, answer.json["code"]) == (409, "not_submitted")
    assert read(shared_api.practice, path)["may_send"] is False


@pytest.mark.parametrize("ending", ["declined", "deceased"])
def test_messages_stay_possible_after_an_ending(shared_api, path, ending):
    """The practice asks why, and the center answers; the status does not change."""
    referral_id = path.rsplit("/", 1)[-1]
    reason = {"reason_code": "capacity_full"} if ending == "declined" else {}
    shared_api.move_to(referral_id, "received")
    shared_api.deliver(referral_id, ending, **reason)

    assert send(shared_api.practice, path, "Why?").status == 201
    assert send(shared_api.center, path, "No slot this month.").status == 201

    assert shared_api.get_stage(referral_id) == ending


def test_a_message_is_in_the_timeline_without_its_text(shared_api, path):
    """Who wrote, and when."""
    send(shared_api.center, path)

    answer = shared_api.practice.get(f"{path}/events")

    entry = answer.json["items"][0]
    assert (entry["type"], entry["stage_label"], entry["source"]) == ("message.sent", "Message", "center")
    assert entry["actor_name"] == shared_api.members["center"].name
    assert SECRET not in answer.text


def test_a_message_cannot_be_reported_as_an_event(shared_api, path):
    """It would have no text."""
    event = {"type": "message.sent", "occurred_at": wiring.read_clock().isoformat(), "data": {"message_id": "note_x"}}

    assert shared_api.practice.post(f"{path}/events", event).status == 400


def test_every_access_is_audited(shared_api, path):
    """Sending, listing, confirming, and a refusal."""
    send(shared_api.center, path, "Hello")
    read(shared_api.practice, path)
    confirm(shared_api.practice, path, 1)
    shared_api.other_practice.get(f"{path}/messages")

    admin = shared_api.get_client_for(shared_api.members["practice_admin"])
    rows = [(row["action"], row["outcome"]) for row in admin.get(f"{path}/audit").json["items"]]

    assert {("message.sent", "allowed"), ("message.list", "allowed"), ("message.read", "allowed")} <= set(rows)
    assert ("message.list", "not_found") in rows


def test_the_other_side_is_notified_without_the_text(shared_api, path):
    """In the dashboard and by the usual email: the alias, and nothing of the message."""
    send(shared_api.center, path)
    for queue in (TaskQueue.EVENT, TaskQueue.MAIL):
        run_job(queue, context=wiring.build_job_context())

    notices = [n for n in shared_api.practice.get("/v1/notices").json["items"] if path.endswith(n["referral_id"])]
    own = [n for n in shared_api.center.get("/v1/notices").json["items"] if path.endswith(n["referral_id"])]

    assert "New message from the center" in [notice["title"] for notice in notices]
    assert "New message from the practice" not in [notice["title"] for notice in own]
    mails = json.dumps([vars(mail) for mail in cloud.list_sent_mail()], default=str)
    assert shared_api.members["practice"].email in mails
    for word in ("Zebrafinch9", "message", "Harbor"):
        assert word not in mails


def test_nothing_of_a_message_is_stored_in_clear_text(shared_api, path):
    """Neither in its row nor in the idempotency record, the notice or the audit trail."""
    send(shared_api.practice, path, key="Zebra")
    confirm(shared_api.center, path, 1)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    for table in ("referrals", "idempotency", "notices", "audit", "outbox", "looks"):
        assert "Zebrafinch9" not in str(store_tools.list_rows(table)), table


def test_the_export_and_the_calendar_say_nothing_of_a_message(shared_api, path):
    """The referral itself has only counts."""
    send(shared_api.center, path)

    assert SECRET not in shared_api.practice.get(path).text
    assert SECRET not in shared_api.practice.get("/v1/referrals").text
