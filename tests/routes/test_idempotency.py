"""A POST that is sent again has one effect, and one answer."""

from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from tests.support import factories
from tests.support.racing import just_before_commit

REFERRALS = "/v1/referrals"


@pytest.fixture
def draft():
    """A body of a draft."""
    return factories.a_referral_body(submit=False)


@pytest.fixture
def submitted(world):
    """The id of a referral that was just submitted."""
    return world.refer()["referral_id"]


def event_of(stage, **data):
    return {
        "type": "stage.changed",
        "occurred_at": wiring.now().isoformat(),
        "data": {"stage": stage, **data},
    }


def total(site):
    return site.get("/v1/referrals/counts").json["total"]


def stages(site, referral_id):
    items = site.get(f"{REFERRALS}/{referral_id}/events").json["items"]
    return [event["stage"] for event in reversed(items)]


def same(first, again):
    """Whether `again` is `first` word for word, but for the header that says it is a replay."""
    told = ("content-type", "location", "etag")
    return (
        (first.status, first.text) == (again.status, again.text)
        and [first.headers.get(h) for h in told] == [again.headers.get(h) for h in told]
        and "idempotent-replayed" not in first.headers
        and again.headers.get("idempotent-replayed") == "true"
    )


@pytest.mark.parametrize(
    "path", [REFERRALS, "/v1/referrals/ref_x/events", "/v1/notices/ntc_x/read", "/v1/members"]
)
@pytest.mark.parametrize("key", [None, "x" * 256, "\u00e9clair", "tab\there", "\x7f"])
def test_a_post_without_a_sensible_key_is_refused(world, path, key):
    """Every POST by a person says how to know it again."""
    answer = world.practice.post(path, {}, key=key)

    assert (answer.status, answer.json["code"]) == (400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b", '{"odd": 1}', "../..", "-"])
def test_any_printable_key_will_do(world, draft, key):
    """The caller chooses how keys look."""
    first = world.practice.post(REFERRALS, draft, key=key)
    again = world.practice.post(REFERRALS, draft, key=key)

    assert first.status == 201
    assert same(first, again)


def test_a_repeat_gets_the_first_answer_and_has_no_effect(world, draft):
    """Status, body, Location and ETag are those of the first time; there is one referral."""
    before = total(world.practice)

    first = world.practice.post(REFERRALS, draft, key="repeat")
    repeats = [world.practice.post(REFERRALS, draft, key="repeat") for _ in range(3)]

    assert first.status == 201
    assert all(same(first, again) for again in repeats)
    assert total(world.practice) == before + 1


def test_a_repeat_of_a_report_moves_nothing_twice(world, submitted):
    """The event stands once in the timeline."""
    event, path = event_of("received"), f"{REFERRALS}/{submitted}/events"

    first = world.center.post(path, event, key="k")
    again = world.center.post(path, event, key="k")

    assert same(first, again)
    assert stages(world.practice, submitted) == ["submitted", "received"]


def test_a_repeat_after_the_referral_moved_on_still_gets_the_first_answer(world, submitted):
    """What was true when it was said is said again, whatever came since."""
    event, path = event_of("received"), f"{REFERRALS}/{submitted}/events"
    first = world.center.post(path, event, key="k")
    world.move_to(submitted, "accepted", "consult_scheduled", "consult_completed")

    again = world.center.post(path, event, key="k")

    assert same(first, again)
    assert first.json["stage"] == "received"
    assert world.stage_of(submitted) == "consult_completed"


def test_a_new_referral_that_moved_on_is_told_as_it_was_made(world):
    """A repeat shows the answer that was lost, not what became of it."""
    body = factories.a_referral_body()
    first = world.practice.post(REFERRALS, body, key="moved")
    world.move_to(first.json["referral_id"], "received", "declined")

    again = world.practice.post(REFERRALS, body, key="moved")

    assert same(first, again)
    assert again.json["stage"] == "submitted"


def test_a_key_with_another_body_is_refused(world, draft):
    """A key names one request; a second one under it is a mistake that must be heard of."""
    world.practice.post(REFERRALS, draft, key="taken")
    before = total(world.practice)

    answer = world.practice.post(REFERRALS, draft | {"urgency": "urgent"}, key="taken")

    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert total(world.practice) == before


def test_a_key_of_a_report_with_another_body_is_refused(world, submitted):
    """Also where the second request would not be legal by itself."""
    path = f"{REFERRALS}/{submitted}/events"
    world.center.post(path, event_of("received"), key="k")

    for other in (event_of("accepted"), event_of("infused")):
        answer = world.center.post(path, other, key="k")

        assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert stages(world.practice, submitted) == ["submitted", "received"]


def test_a_key_is_the_callers_own(world, draft):
    """Another person's request under the same key is another request, in one tenant or in two."""
    colleague = world.site_of(world.members["provider"])

    answers = [
        site.post(REFERRALS, draft, key="shared")
        for site in (world.practice, colleague, world.other_practice)
    ]

    assert [answer.status for answer in answers] == [201] * 3
    assert len({answer.json["referral_id"] for answer in answers}) == 3
    assert not [answer for answer in answers if "idempotent-replayed" in answer.headers]


def test_a_key_belongs_to_one_address(world, submitted):
    """The same key on two referrals is two requests."""
    other = world.refer()["referral_id"]
    event = event_of("received")

    answers = [
        world.center.post(f"{REFERRALS}/{referral_id}/events", event, key="k")
        for referral_id in (submitted, other)
    ]

    assert [answer.json["status"] for answer in answers] == ["applied", "applied"]
    assert answers[0].json["event_id"] != answers[1].json["event_id"]


def test_two_at_once_have_one_effect(world, draft):
    """The quicker one is written; the other, already under way, tells the same."""
    before, quicker = total(world.practice), []

    with just_before_commit(
        lambda: quicker.append(world.practice.post(REFERRALS, draft, key="race"))
    ):
        slower = world.practice.post(REFERRALS, draft, key="race")

    assert same(quicker[0], slower)
    assert total(world.practice) == before + 1


def test_two_reports_at_once_have_one_effect(world, submitted):
    """One event in the timeline, and both callers hear of the same one."""
    event, path, quicker = event_of("received"), f"{REFERRALS}/{submitted}/events", []

    with just_before_commit(lambda: quicker.append(world.center.post(path, event, key="race"))):
        slower = world.center.post(path, event, key="race")

    assert same(quicker[0], slower)
    assert stages(world.practice, submitted) == ["submitted", "received"]


def test_two_different_moves_at_once_are_weighed_one_after_the_other(world, submitted):
    """A move is decided by how things stand when it is written, not when it was read."""
    path, quicker = f"{REFERRALS}/{submitted}/events", []
    withdrawn, accepted = event_of("withdrawn"), event_of("accepted")

    with just_before_commit(lambda: quicker.append(world.practice.post(path, withdrawn))):
        slower = world.center.post(path, accepted)

    assert quicker[0].json["status"] == "applied"
    assert (slower.status, slower.json["code"]) == (409, "referral_closed")
    assert world.stage_of(submitted) == "withdrawn"


def test_a_refusal_does_not_use_up_the_key(world):
    """Nothing was done, so the corrected request may be sent under the same key."""
    incomplete = factories.a_referral_body(patient__zip=None)

    refused = world.practice.post(REFERRALS, incomplete, key="again")
    corrected = world.practice.post(REFERRALS, factories.a_referral_body(), key="again")

    assert (refused.status, corrected.status) == (409, 201)
    assert "idempotent-replayed" not in corrected.headers


def test_a_key_is_remembered_for_weeks(world, draft):
    """29 days later it is still the same request; long after that, it is a new one."""
    first = world.practice.post(REFERRALS, draft, key="old")

    with time_machine.travel(wiring.now() + timedelta(days=29)):
        after_weeks = world.practice.post(REFERRALS, draft, key="old")
    with time_machine.travel(wiring.now() + timedelta(days=90)):
        after_months = world.practice.post(REFERRALS, draft, key="old")

    assert same(first, after_weeks)
    assert after_months.status == 201
    assert after_months.json["referral_id"] != first.json["referral_id"]
