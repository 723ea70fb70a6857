"""Information requests: what a center asks for, how a practice answers, and what closes a request."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.services.referrals import information_requests
from tests.support import aws_fakes as cloud
from tests.support import stores as store_tools
from tests.support.api_driver import STAGES_TO_INFUSED

SECRET = "Zebrafinch7 slides of the second biopsy"


@pytest.fixture(autouse=True)
def _generous_limit(monkeypatch):
    """One member sends more requests here than in any clinic. The limit has a test of its own."""
    monkeypatch.setattr(information_requests, "INFORMATION_REQUESTS_PER_MEMBER", RateLimit(10_000, 100))


def refer_at(world, *stages):
    """Refer a patient, and bring the referral to a stage; return its address."""
    referral_id = world.refer()["referral_id"]
    world.move_to(referral_id, *stages)
    return f"/v1/referrals/{referral_id}"


@pytest.fixture
def path(shared_api):
    """An accepted referral."""
    return refer_at(shared_api, "received", "accepted")


@pytest.fixture
def submitted_path(shared_api):
    return refer_at(shared_api)


def ask(site, path, *items, text=None, **headers):
    return site.post(f"{path}/information-requests", {"items": list(items), "text": text}, **headers)


def answer(site, path, request, *items, note=None, **headers):
    body = {"items": [dict(zip(("item_id", "kind", "text"), item, strict=True)) for item in items], "note": note}
    return site.post(f"{path}/information-requests/{request['request_id']}/answer", body, **headers)


def close(site, path, request):
    return site.post(f"{path}/information-requests/{request['request_id']}/close", None)


def list_requests(site, path):
    return site.get(f"{path}/information-requests").json["items"]


def event(kind, **data):
    return {"type": kind, "occurred_at": wiring.read_clock().isoformat(), "data": data}


def stage_of(world, path):
    return world.practice.get(path).json["stage"]


@pytest.mark.parametrize("stages", [(), ("received",), ("received", "accepted"), STAGES_TO_INFUSED])
def test_a_center_asks_at_any_open_stage(shared_api, stages):
    """Named items of the packet, items by name, and a text (J6)."""
    path = refer_at(shared_api, *stages)

    made = ask(shared_api.center, path, "clinical_ecog", "imaging", "Old slides", text="Before Friday, please.")

    assert made.status == 201
    [request] = list_requests(shared_api.practice, path)
    assert request == made.json
    assert [item["label"] for item in request["items"]] == [
        "ECOG performance status",
        "Last PET-CT or other imaging, with images or report",
        "Old slides",
    ]
    assert (request["state"], request["open_items"], request["text"]) == ("open", 3, "Before Friday, please.")
    assert request["requested_by"] == shared_api.members["center"].name


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ((), "info_requested"),
        (("received",), "info_requested"),
        (("received", "accepted"), "accepted"),
        (STAGES_TO_INFUSED, "infused"),
    ],
)
def test_a_request_changes_the_stage_only_before_acceptance(shared_api, stages, expected):
    """At later stages the treatment goes on while the practice answers."""
    path = refer_at(shared_api, *stages)

    ask(shared_api.center, path, "imaging")

    assert stage_of(shared_api, path) == expected


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        ({"items": []}, "/items"),
        ({"items": [], "text": None}, "/items"),
        ({"text": "  "}, "/text"),
        ({"items": ["  "]}, "/items/0"),
        ({"items": ["imaging", "imaging"]}, "/items"),
        ({"items": ["Imaging report", "IMAGING REPORT"]}, "/items"),
        ({"items": ["x" * 201]}, "/items/0"),
        ({"items": [f"Item {n}" for n in range(21)]}, "/items"),
        ({"text": "x" * 20_000}, "/text"),
        ({"items": ["imaging"], "due": "2026-12-01"}, "/…"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused_by_name(shared_api, path, body, pointer):
    """At least one named item, or a text (J7)."""
    refused = shared_api.center.post(f"{path}/information-requests", body)

    assert refused.status == 400
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert list_requests(shared_api.center, path) == []


def test_the_old_request_without_text_is_refused(shared_api):
    """The status alone gives the practice nothing to answer (J7)."""
    path = refer_at(shared_api, "received")

    refused = shared_api.center.post(f"{path}/events", event("stage.changed", stage="info_requested"))

    assert refused.status == 400
    assert refused.json["errors"] == [
        {
            "pointer": "/data/note",
            "code": "missing",
            "message": "Name at least one item, or write what you need.",
        }
    ]
    assert stage_of(shared_api, path) == "received"


def test_the_old_request_with_a_text_makes_a_request(shared_api):
    """Older clients report the status with a note; the practice sees it as a request with one answer."""
    path = refer_at(shared_api, "received")
    shared_api.center.post(f"{path}/events", event("stage.changed", stage="info_requested", note="Which regimen?"))

    [request] = list_requests(shared_api.practice, path)

    assert request["text"] == "Which regimen?"
    assert [(item["item_id"], item["label"], item["state"]) for item in request["items"]] == [("1", "Answer", "open")]
    assert answer(shared_api.practice, path, request, ("1", "answered", "R-CHOP")).json["state"] == "closed"


def test_a_new_submission_answers_the_old_request(shared_api):
    """A center's system that knows no requests never closes one."""
    path = refer_at(shared_api, "received", "info_requested")

    shared_api.practice.post(f"{path}/events", event("stage.changed", stage="submitted"))

    [request] = list_requests(shared_api.center, path)
    assert (request["state"], request["close_reason"]) == ("closed", "resubmitted")
    assert shared_api.practice.get(path).json["requested_items"] == 0
    assert answer(shared_api.practice, path, request, ("1", "answered", "x")).status == 409


def test_items_stay_open_after_a_new_submission(shared_api, submitted_path):
    """The practice may submit again before it has everything; nothing that was asked by name is lost."""
    ask(shared_api.center, submitted_path, "imaging", "blood_counts")

    shared_api.practice.post(f"{submitted_path}/events", event("stage.changed", stage="submitted"))

    assert stage_of(shared_api, submitted_path) == "submitted"
    assert list_requests(shared_api.center, submitted_path)[0]["open_items"] == 2


def test_answering_everything_lets_the_practice_submit_again(shared_api, submitted_path):
    """The answer alone does not change the status: the practice says when the packet is ready."""
    request = ask(shared_api.center, submitted_path, "imaging").json
    answer(shared_api.practice, submitted_path, request, ("1", "sent_separately", None))
    assert stage_of(shared_api, submitted_path) == "info_requested"

    shared_api.practice.post(f"{submitted_path}/events", event("stage.changed", stage="submitted"))

    assert stage_of(shared_api, submitted_path) == "submitted"


def test_items_are_answered_one_by_one(shared_api, path):
    """Each with its own kind of answer; the request closes with the last one."""
    request = ask(shared_api.center, path, "clinical_ecog", "echocardiogram", "imaging").json
    provider = shared_api.get_client_for(shared_api.members["provider"])

    partial = answer(
        shared_api.practice,
        path,
        request,
        ("1", "answered", "ECOG 1"),
        ("2", "none", "No heart disease."),
        note="The PET-CT follows on Monday.",
    ).json
    whole = answer(provider, path, request, ("3", "sent_separately", "By courier")).json

    assert (partial["state"], partial["open_items"], partial["closed_at"]) == ("open", 1, None)
    assert [item["state"] for item in partial["items"]] == ["answered", "none", "open"]
    assert partial["notes"][0]["text"] == "The PET-CT follows on Monday."
    assert (whole["state"], whole["open_items"], whole["close_reason"]) == ("closed", 0, "answered")
    assert [item["answered_by"] for item in whole["items"]] == [
        *[shared_api.members["practice"].name] * 2,
        shared_api.members["provider"].name,
    ]
    assert list_requests(shared_api.center, path) == [whole]


@pytest.mark.parametrize(
    ("item", "pointer", "message"),
    [
        (("1", "answered", None), "/items/0/text", "Enter the answer."),
        (("1", "none", None), "/items/0/text", "Say why there is none."),
        (("1", "answered", "x" * 4001), "/items/0/text", "Use at most 4,000 characters."),
        (("9", "sent_separately", None), "/items/0/item_id", "This request has no such item."),
        (("1", "later", None), "/items/0/kind", "Choose a value from the list."),
    ],
)
def test_an_answer_that_says_nothing_is_refused_by_name(shared_api, path, item, pointer, message):
    """Nothing is half answered."""
    request = ask(shared_api.center, path, "clinical_ecog", "imaging").json

    refused = answer(shared_api.practice, path, request, item, ("2", "sent_separately", None))

    assert refused.status == 400
    assert [(e["pointer"], e["message"]) for e in refused.json["errors"]] == [(pointer, message)]
    assert list_requests(shared_api.center, path)[0]["open_items"] == 2


def test_one_item_is_answered_once_in_a_request(shared_api, path):
    """Otherwise the last answer would win silently."""
    request = ask(shared_api.center, path, "clinical_ecog").json

    refused = answer(shared_api.practice, path, request, ("1", "answered", "0"), ("1", "answered", "1"))

    assert (refused.status, refused.json["errors"][0]["pointer"]) == (400, "/items/1/item_id")


def test_the_second_answer_to_an_item_is_refused(shared_api, path):
    """In plain words, and the first answer stays."""
    request = ask(shared_api.center, path, "clinical_ecog", "imaging").json
    answer(shared_api.practice, path, request, ("1", "answered", "ECOG 1"))

    refused = answer(
        shared_api.get_client_for(shared_api.members["provider"]), path, request, ("1", "answered", "ECOG 2")
    )

    assert (refused.status, refused.json["code"]) == (409, "item_answered")
    assert refused.json["detail"].startswith("Someone on your team already answered this item.")
    assert list_requests(shared_api.center, path)[0]["items"][0]["text"] == "ECOG 1"


def test_two_people_answer_at_once_and_one_answer_counts(shared_api, path):
    """The other person gets a clear 409."""
    request = ask(shared_api.center, path, "clinical_ecog", "imaging").json
    sites = [shared_api.get_client_for(shared_api.members[handle]) for handle in ("practice", "provider")]

    with ThreadPoolExecutor(2) as pool:
        texts = ("ECOG 1", "ECOG 2")
        answers = pool.map(lambda n: answer(sites[n], path, request, ("1", "answered", texts[n])), range(2))
        statuses = [each.status for each in answers]

    assert sorted(statuses) == [200, 409]
    winner = texts[statuses.index(200)]
    assert list_requests(shared_api.center, path)[0]["items"][0]["text"] == winner


def test_two_people_answer_different_items_at_once(shared_api, path):
    """Both answers count."""
    request = ask(shared_api.center, path, "clinical_ecog", "imaging").json
    sites = [shared_api.get_client_for(shared_api.members[handle]) for handle in ("practice", "provider")]

    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(lambda n: answer(sites[n], path, request, (str(n + 1), "sent_separately", None)), range(2))
        assert [each.status for each in answers] == [200, 200]

    assert list_requests(shared_api.center, path)[0]["state"] == "closed"


@pytest.mark.parametrize("how", ["answered", "closed"])
def test_a_closed_request_takes_no_answer(shared_api, path, how):
    """409 in plain words, with what to do instead."""
    request = ask(shared_api.center, path, "clinical_ecog").json
    if how == "closed":
        assert close(shared_api.center, path, request).json["close_reason"] == "closed_by_center"
    else:
        answer(shared_api.practice, path, request, ("1", "sent_separately", None))

    refused = answer(shared_api.practice, path, request, ("1", "answered", "ECOG 1"))

    assert (refused.status, refused.json["code"]) == (409, "request_closed")
    assert "Send a message" in refused.json["detail"]
    assert close(shared_api.center, path, request).status == 409


def test_an_ended_referral_asks_for_nothing(shared_api, path):
    """Its requests are closed; after it is reopened they are open again."""
    referral_id = path.rsplit("/", 1)[-1]
    request = ask(shared_api.center, path, "clinical_ecog").json
    shared_api.deliver(referral_id, "declined", reason_code="capacity_full")

    [listed] = list_requests(shared_api.practice, path)
    refused = answer(shared_api.practice, path, request, ("1", "answered", "ECOG 1"))
    asked = ask(shared_api.center, path, "imaging")

    assert (listed["state"], listed["close_reason"]) == ("closed", "referral_closed")
    assert (refused.status, refused.json["code"]) == (409, "referral_closed")
    assert (asked.status, asked.json["code"]) == (409, "referral_closed")
    assert shared_api.practice.get(path).json["requested_items"] == 0
    shared_api.center.post(f"{path}/events", event("referral.reopened", note="Declined by mistake."))
    assert answer(shared_api.practice, path, request, ("1", "answered", "ECOG 1")).status == 200


def test_a_correction_of_the_status_closes_its_request(shared_api):
    """What did not happen asks for nothing."""
    path = refer_at(shared_api, "received", "info_requested")
    wrong = shared_api.center.get(f"{path}/events").json["items"][0]["event_id"]

    shared_api.center.post(f"{path}/events", event("event.corrected", supersedes=wrong))

    [request] = list_requests(shared_api.practice, path)
    assert (request["state"], request["close_reason"]) == ("closed", "closed_by_center")
    assert stage_of(shared_api, path) == "received"


def test_a_request_survives_a_correction_of_another_event(shared_api, path):
    """A replay of the history leaves what is open as it is."""
    request = ask(shared_api.center, path, "clinical_ecog", "imaging").json
    answer(shared_api.practice, path, request, ("1", "answered", "ECOG 1"))
    wrong = next(e for e in shared_api.center.get(f"{path}/events").json["items"] if e["stage"] == "accepted")

    shared_api.center.post(f"{path}/events", event("event.corrected", supersedes=wrong["event_id"]))

    assert shared_api.practice.get(path).json["requested_items"] == 1
    assert answer(shared_api.practice, path, request, ("2", "sent_separately", None)).json["state"] == "closed"


def test_the_same_request_is_not_sent_twice(shared_api, path):
    """A person who presses again, with another key, is notified that it is open already."""
    ask(shared_api.center, path, "imaging", text="Please.")

    again = ask(shared_api.center, path, "imaging", text="Please.")

    assert (again.status, again.json["code"]) == (409, "already_requested")
    assert len(list_requests(shared_api.practice, path)) == 1


def test_a_repeated_post_changes_nothing(shared_api, path):
    """With the same Idempotency-Key: the first response again, for a request, an answer and a closing."""
    made = ask(shared_api.center, path, "imaging", "clinical_ecog", key="ask")
    answered = answer(shared_api.practice, path, made.json, ("1", "sent_separately", None), key="answer")

    for first, again in (
        (made, ask(shared_api.center, path, "imaging", "clinical_ecog", key="ask")),
        (answered, answer(shared_api.practice, path, made.json, ("1", "sent_separately", None), key="answer")),
    ):
        assert (again.status, again.json) == (first.status, first.json)
        assert again.headers["idempotent-replayed"] == "true"
    assert len(list_requests(shared_api.center, path)) == 1


def test_each_side_does_its_part(shared_api, path):
    """A practice does not ask, and a center does not answer; the page says who can."""
    request = ask(shared_api.center, path, "imaging").json

    assert ask(shared_api.practice, path, "imaging").json["code"] == "center_only"
    assert close(shared_api.practice, path, request).json["code"] == "center_only"
    assert answer(shared_api.center, path, request, ("1", "sent_separately", None)).json["code"] == "practice_only"
    practice, center = (
        site.get(f"{path}/information-requests").json for site in (shared_api.practice, shared_api.center)
    )
    assert (practice["may_request"], practice["may_answer"]) == (False, True)
    assert (center["may_request"], center["may_answer"]) == (True, False)


def test_a_request_of_another_referral_does_not_exist(shared_api, path):
    """Not even for a member who can see both."""
    other = refer_at(shared_api, "received", "accepted")
    request = ask(shared_api.center, other, "imaging").json

    refused = answer(shared_api.practice, path, request, ("1", "sent_separately", None))

    assert refused.status == 404
    assert refused.text.replace(refused.json["request_id"], "") == (
        (
            nowhere := answer(shared_api.practice, path, {"request_id": "irq_x"}, ("1", "sent_separately", None))
        ).text.replace(nowhere.json["request_id"], "")
    )


def test_an_open_request_is_the_practices_task(shared_api, path):
    """In its worklists and as a count on the row, until it is answered; the status stays."""
    referral_id = path.rsplit("/", 1)[-1]
    request = ask(shared_api.center, path, "imaging", "clinical_ecog").json

    def find(site, worklist):
        rows = site.get(f"/v1/referrals?limit=100&worklist={worklist}").json["items"]
        return next((row for row in rows if row["referral_id"] == referral_id), None)

    for worklist in ("needs_information", "needs_my_action"):
        assert find(shared_api.practice, worklist)["requested_items"] == 2
    assert find(shared_api.practice, "needs_information")["stage"] == "accepted"
    answers = [(str(n), "sent_separately", None) for n in (1, 2)]
    answer(shared_api.practice, path, request, *answers)
    assert find(shared_api.practice, "needs_information") is None
    assert find(shared_api.practice, "needs_my_action") is None


def test_requests_and_answers_are_in_the_timeline(shared_api, path):
    """What was asked in the shape in which it was sent, and how much was answered."""
    request = ask(shared_api.center, path, "imaging", "clinical_ecog", text="Please.").json
    answer(shared_api.practice, path, request, ("1", "sent_separately", None))
    close(shared_api.center, path, request)

    entries = shared_api.practice.get(f"{path}/events").json["items"][:3]

    assert [(e["type"], e["stage_label"]) for e in entries] == [
        ("information.closed", "Information request closed"),
        ("information.answered", "Information request answered"),
        ("information.requested", "Information requested"),
    ]
    assert entries[2]["data"] == {"items": ["imaging", "clinical_ecog"], "text": "Please."}
    assert (entries[1]["data"]["items"], entries[1]["data"]["open_items"]) == (1, 1)


def test_the_other_side_is_notified_without_content(shared_api, path):
    """In the dashboard and by the usual email: the alias, and nothing of the request."""
    request = ask(shared_api.center, path, SECRET).json
    answer(shared_api.practice, path, request, ("1", "answered", SECRET))
    for queue in (TaskQueue.EVENT, TaskQueue.MAIL):
        run_job(queue, context=wiring.build_job_context())

    def titles(site):
        return {n["title"] for n in site.get("/v1/notices").json["items"] if path.endswith(n["referral_id"])}

    assert "The center requested information" in titles(shared_api.practice)
    assert "The practice answered an information request" in titles(shared_api.center)
    mails = json.dumps([vars(mail) for mail in cloud.list_sent_mail()], default=str)
    assert shared_api.members["practice"].email in mails
    assert "Zebrafinch7" not in mails
    assert "nformation" not in mails


def test_nothing_of_a_request_is_stored_in_clear_text(shared_api, path):
    """Neither items by name, text nor answers."""
    request = ask(shared_api.center, path, SECRET, text=SECRET).json
    answer(shared_api.practice, path, request, ("1", "answered", SECRET), note=SECRET)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    for table in ("referrals", "idempotency", "notices", "audit", "outbox", "looks"):
        assert "Zebrafinch7" not in str(store_tools.list_rows(table)), table


def test_every_access_and_refusal_is_audited(shared_api, path):
    """Each once."""
    request = ask(shared_api.center, path, "imaging").json
    shared_api.center.get(f"{path}/information-requests")
    ask(shared_api.practice, path, "imaging")
    ask(shared_api.center, path, "imaging")
    answer(shared_api.practice, path, request, ("1", "sent_separately", None))
    answer(shared_api.practice, path, request, ("1", "sent_separately", None))

    admin = shared_api.get_client_for(shared_api.members["practice_admin"])
    rows = [(row["action"], row["outcome"]) for row in admin.get(f"{path}/audit").json["items"]]

    assert sorted(row for row in rows if row[0].startswith("information.")) == [
        ("information.answered", "allowed"),
        ("information.answered", "request_closed"),
        ("information.list", "allowed"),
        ("information.requested", "allowed"),
        ("information.requested", "already_requested"),
        ("information.requested", "center_only"),
    ]
