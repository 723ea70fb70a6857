"""The coverage over the API: what each side records, sees and is notified of."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.catalog import resources
from chalicelib.domain.coverage.moves import MOVES, MoveName, Party
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.routes.coverage.summary_responses import to_coverage_summary_response
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import stores as store_tools
from tests.support.coverage_driver import get_today, list_move_bodies, move, play
from tests.support.coverage_values import APPROVED, CLEARED, DENIED, PATHS, SUBMITTED, build_facts

SECRET = "Zebrafinch7 rate of 412,000"


@pytest.fixture
def path(shared_api):
    """A submitted referral."""
    return f"/v1/referrals/{shared_api.refer()['referral_id']}"


def list_titles(world, site, path):
    """The titles of a reader's notices about a referral."""
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    referral_id = path.rpartition("/")[2]
    items = site.get("/v1/notices?limit=100").json["items"]
    return [item["title"] for item in items if item["referral_id"] == referral_id]


def read_coverage(site, path):
    return site.get(f"{path}/coverage").json


def test_each_move_of_people_has_a_body_that_requires_its_facts():
    """The table of moves and the request bodies agree."""
    intended = {name.value: set(m.needs) for name, m in MOVES.items() if m.by & {Party.PRACTICE, Party.CENTER}}
    required = {
        name: {field for field, info in body.model_fields.items() if info.is_required()} - {"move"}
        for name, body in list_move_bodies().items()
    }

    assert required == intended


@pytest.mark.parametrize("state", PATHS)
def test_moves_lead_to_each_state_and_both_sides_see_it(shared_api, path, state):
    """On the referral, in the list, and in the coverage itself."""
    play(shared_api, path, *PATHS[state])

    for site in (shared_api.practice, shared_api.center):
        referral_id = path.rpartition("/")[2]
        rows = site.get("/v1/referrals?limit=100").json["items"]
        [row] = [row for row in rows if row["referral_id"] == referral_id]
        shown = {site.get(path).json["coverage"]["state"], read_coverage(site, path)["state"], row["coverage"]["state"]}
        assert shown == {state}


@pytest.mark.parametrize("state", ["cleared", "denied"])
def test_a_list_can_show_the_referrals_in_one_coverage_state(shared_api, path, state):
    """For either side, as the list shows it."""
    play(shared_api, path, *PATHS[state])

    for site in (shared_api.practice, shared_api.center):
        rows = site.get(f"/v1/referrals?coverage={state}&limit=100").json["items"]
        assert path.rpartition("/")[2] in {row["referral_id"] for row in rows}
        assert {row["coverage"]["state"] for row in rows} == {state}


def test_a_move_is_in_the_timeline_of_both_sides_with_its_reference_number(shared_api, path):
    """Who, when, how, and the payer's number."""
    play(shared_api, path, "result_recorded")

    for site in (shared_api.practice, shared_api.center):
        [event] = [e for e in site.get(f"{path}/events").json["items"] if e["type"] == "coverage.changed"]
        assert event["stage_label"] == "Result of the benefits check"
        assert event["actor_name"] == shared_api.members["practice"].name
        assert event["data"] == {
            "move": "result_recorded",
            "machine": "verification",
            "before": "not_started",
            "after": "verified",
            "how": "phone",
            "reference_number": "GP-48213",
        }


def test_every_move_stays_in_the_history_with_what_was_entered(shared_api, path):
    """A later denial does not replace the first one there."""
    play(shared_api, path, *DENIED, "appeal_filed", "appeal_lost", "authorization_required", "authorization_submitted")
    play(shared_api, path, ("authorization_denied", {"words": "A second letter."}))

    history = read_coverage(shared_api.center, path)["history"]

    words = [row["facts"]["words"] for row in history if row["move"] == "authorization_denied"]
    assert words == ["A second letter.", build_facts("authorization_denied")["words"]]


def test_an_arranged_call_with_the_payer_is_in_the_calendar_without_a_word_about_it(shared_api, path):
    """As an appointment with the alias, until the call has ended."""
    call_at = (wiring.read_clock() + timedelta(days=2)).replace(microsecond=0)
    play(shared_api, path, *DENIED, ("peer_to_peer_arranged", {"call_at": call_at.isoformat()}))

    calendar = shared_api.practice.get(f"{path}/follow-up.ics").text

    assert f"DTSTART:{call_at:%Y%m%dT%H%M%SZ}" in calendar
    assert "payer" not in calendar.lower()
    play(shared_api, path, "peer_to_peer_ended")
    assert shared_api.practice.get(f"{path}/follow-up.ics").status == 404


def test_two_people_who_record_opposite_decisions_at_once_do_not_overwrite_each_other(shared_api, path):
    """One of them reads the other's first (412)."""
    version = play(shared_api, path, *SUBMITTED)["version"]

    with ThreadPoolExecutor(2) as pool:
        sites = {"authorization_approved": shared_api.practice, "authorization_denied": shared_api.center}
        answers = list(pool.map(lambda each: move(each[1], path, each[0], version=version), sites.items()))

    assert sorted(answer.status for answer in answers) == [200, 412]
    assert read_coverage(shared_api.practice, path)["version"] == version + 1


def test_a_change_of_the_referral_itself_does_not_make_the_coverage_stale(shared_api, path):
    """A message in the meantime costs no one their entry."""
    version = play(shared_api, path, "result_recorded")["version"]
    shared_api.center.post(f"{path}/messages", {"text": "Any news?"})

    assert move(shared_api.practice, path, "authorization_required", version=version).status == 200


@pytest.mark.parametrize("version", [None, 7])
def test_a_change_names_the_version_that_it_is_about(shared_api, path, version):
    """None and a wrong one are refused."""
    answer = shared_api.practice.patch(f"{path}/coverage", {"move": "verification_requested"}, version=version)

    assert answer.status == (428 if version is None else 412)


@pytest.mark.parametrize("name", ["cleared", "agreement_needed"])
def test_a_practice_cannot_record_what_is_the_centers(shared_api, path, name):
    """403, and the audit trail keeps the attempt."""
    play(shared_api, path, *APPROVED)

    answer = move(shared_api.practice, path, name)

    assert (answer.status, answer.json["code"]) == (403, "center_only")
    admin = shared_api.get_client_for(shared_api.members["practice_admin"])
    newest = admin.get(f"{path}/audit").json["items"]
    assert (f"coverage.{name}", "center_only") in {(row["action"], row["outcome"]) for row in newest}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"move": "approve"}, "/move"),
        ({}, "/move"),
        ({"move": "authorization_denied"}, "/letter_on"),
        ({"move": "verification_requested", "stage": "accepted"}, "/…"),
        ({"move": "authorization_required", "how": "rumor"}, "/how"),
        ({"move": "item_verified", "item": "travel_benefit"}, "/answer"),
    ],
)
def test_a_body_is_strict_and_names_the_field(shared_api, path, body, pointer):
    """Nothing is half written."""
    answer = shared_api.practice.patch(f"{path}/coverage", body, version=0)

    assert answer.status == 400
    assert pointer in {error["pointer"] for error in answer.json["errors"]}
    assert read_coverage(shared_api.practice, path)["version"] == 0


def test_amounts_are_the_centers_alone(shared_api, path):
    """In the coverage, its history, the timeline, the changes and the audit trail."""
    play(shared_api, path, "agreement_needed", ("agreement_started", {"rate_basis": SECRET}))

    views = ("", "/coverage", "/events", "/changes", "/notices")
    seen = [shared_api.practice.get(f"{path}{view}").text for view in views]
    seen.append(shared_api.get_client_for(shared_api.members["practice_admin"]).get(f"{path}/audit").text)

    assert SECRET not in "".join(seen)
    assert SECRET in shared_api.center.get(f"{path}/coverage").text


def test_what_is_entered_is_stored_encrypted(shared_api, path):
    """The words of a letter are health data."""
    play(shared_api, path, *SUBMITTED, ("authorization_denied", {"words": SECRET}))

    assert SECRET not in str(store_tools.dump_tables())


def test_both_sides_are_notified_of_a_denial_and_it_is_critical(shared_api, path):
    """The time to appeal runs."""
    play(shared_api, path, *DENIED)

    for site in (shared_api.practice, shared_api.center):
        assert "The payer denied the authorization: check the time to appeal" in list_titles(shared_api, site, path)


def test_a_submission_notifies_the_other_side_only(shared_api, path):
    """The person who submits knows it."""
    play(shared_api, path, *SUBMITTED)
    title = "The authorization request was submitted"

    assert title in list_titles(shared_api, shared_api.center, path)
    assert title not in list_titles(shared_api, shared_api.practice, path)


INSURANCE = {"payer": "Example Health", "plan_type": "commercial", "member_id": "XEX0001", "group": "42"}


def edit_insurance(world, path, **changed):
    version = world.practice.get(path).json["version"]
    return world.practice.patch(path, {"insurance": {**INSURANCE, **changed}}, version=version)


@pytest.mark.parametrize("changed", [{"payer": "New Health"}, {"member_id": "XEX0009"}, {"plan_type": "medicaid"}])
def test_another_plan_reopens_the_coverage_and_ends_the_clearance(shared_api, path, changed):
    """At once, in the transaction of the correction, and both sides are notified."""
    play(shared_api, path, *CLEARED)

    assert edit_insurance(shared_api, path, **changed).status == 200

    coverage = read_coverage(shared_api.center, path)
    assert (coverage["state"], coverage["is_cleared"], coverage["stale_reason"]) == (
        "plan_changed",
        False,
        "plan_changed",
    )
    titles = list_titles(shared_api, shared_api.center, path)
    assert {"The insurance plan changed: verify the benefits again", "The coverage clearance ended"} <= set(titles)


def test_a_time_limit_of_the_new_plan_is_not_counted_from_a_date_of_the_earlier_one(shared_api, path):
    """The letter of the denial came from another payer."""
    play(shared_api, path, *DENIED)
    assert any(timer["on"] for timer in read_coverage(shared_api.practice, path)["timers"])

    edit_insurance(shared_api, path, payer="New Health", plan_type="medicare_advantage")

    timers = read_coverage(shared_api.practice, path)["timers"]
    assert timers
    assert not any(timer["on"] for timer in timers)


@pytest.mark.parametrize("changed", [{"funding": "self_funded"}, {"subscriber": {"relationship": "self"}}, {}])
def test_an_addition_to_the_same_plan_reopens_nothing(shared_api, path, changed):
    """The funding only decides about time limits."""
    play(shared_api, path, *CLEARED)

    edit_insurance(shared_api, path, **changed)

    assert read_coverage(shared_api.center, path)["state"] == "cleared"


def test_leukapheresis_without_a_clearance_is_accepted_with_a_warning(shared_api, path):
    """It warns and never blocks; both sides see it until the center clears the coverage."""
    referral_id = path.rpartition("/")[2]
    shared_api.move_to(referral_id, "received", "accepted", "consult_scheduled", "consult_completed", "center_proceed")

    answer = shared_api.deliver(referral_id, "apheresis_scheduled", on=(get_today() + timedelta(days=9)).isoformat())

    assert answer.json["status"] == "applied"
    assert [warning["code"] for warning in answer.json["warnings"]] == ["no_clearance"]
    for site in (shared_api.practice, shared_api.center):
        assert [w["code"] for w in site.get(path).json["coverage"]["warnings"]] == ["no_clearance"]
    play(shared_api, path, *CLEARED)
    assert shared_api.practice.get(path).json["coverage"]["warnings"] == []


def test_a_clearance_that_ends_before_the_leukapheresis_warns(shared_api, path):
    """The day before is too early."""
    play(shared_api, path, *APPROVED, ("cleared", {"until": (get_today() + timedelta(days=8)).isoformat()}))
    referral_id = path.rpartition("/")[2]
    shared_api.move_to(referral_id, "received", "accepted", "consult_scheduled", "consult_completed", "center_proceed")

    answer = shared_api.deliver(referral_id, "apheresis_scheduled", on=(get_today() + timedelta(days=9)).isoformat())

    assert [warning["code"] for warning in answer.json["warnings"]] == ["clearance_ends_first"]


def test_a_clearance_that_ends_shortly_before_leukapheresis_is_critical(shared_api, path):
    """Both sides read it at once."""
    referral_id = path.rpartition("/")[2]
    play(shared_api, path, *CLEARED)
    shared_api.move_to(referral_id, "received", "accepted", "consult_scheduled", "consult_completed", "center_proceed")
    shared_api.deliver(referral_id, "apheresis_scheduled", on=(get_today() + timedelta(days=9)).isoformat())

    play(shared_api, path, "plan_changed")

    for site in (shared_api.practice, shared_api.center):
        titles = list_titles(shared_api, site, path)
        assert "The coverage clearance ended, and leukapheresis is planned soon" in titles


def test_an_approval_for_another_product_warns(shared_api, path):
    """The payer's letter may name the wrong one."""
    play(shared_api, path, *SUBMITTED, ("authorization_approved", {"product_id": "yescarta"}))

    assert [w["code"] for w in read_coverage(shared_api.practice, path)["warnings"]] == ["other_product"]


def test_a_patient_without_insurance_is_not_sent_to_those_who_help_only_insured_people(shared_api):
    """They would turn the patient away."""
    path = f"/v1/referrals/{shared_api.refer(insurance={'plan_type': 'self_pay'})['referral_id']}"

    listed = {row["resource_id"] for row in read_coverage(shared_api.practice, path)["financial_resources"]}

    financial = {row["resource_id"]: row for row in resources.list_resources(topic="financial")}
    assert listed == {name for name, row in financial.items() if "insured people" not in row["what"]} != set(financial)


def test_a_patient_without_insurance_gets_financial_resources_instead(shared_api):
    """There is nothing to verify."""
    path = f"/v1/referrals/{shared_api.refer(insurance={'plan_type': 'uninsured'})['referral_id']}"

    coverage = read_coverage(shared_api.practice, path)

    assert (coverage["state"], coverage["verification"]) == ("not_applicable", "not_applicable")
    assert coverage["financial_resources"]
    assert move(shared_api.practice, path, "verification_requested").json["code"] == "no_insurance"


@pytest.mark.parametrize("site", ["practice", "center"])
def test_the_coverage_of_an_ended_referral_is_read_only(shared_api, path, site):
    """And it says so."""
    play(shared_api, path, "result_recorded")
    shared_api.deliver(path.rpartition("/")[2], "declined", reason_code="capacity_full")

    answer = move(getattr(shared_api, site), path, "authorization_required")

    assert (answer.status, answer.json["code"]) == (409, "referral_closed")
    assert not [m for m in read_coverage(shared_api.practice, path)["moves"] if m["allowed"]]


def test_no_one_acts_next_for_the_coverage_of_an_ended_referral(shared_api, path):
    """Not on its page and not in a list."""
    play(shared_api, path, *DENIED)
    shared_api.deliver(path.rpartition("/")[2], "deceased")

    rows = shared_api.practice.get("/v1/referrals?coverage=denied&limit=100").json["items"]

    [row] = [row for row in rows if row["referral_id"] == path.rpartition("/")[2]]
    for coverage in (row["coverage"], read_coverage(shared_api.center, path)):
        assert (coverage["state"], coverage["next_actor"], coverage["next_step"]) == ("denied", "none", "")


def test_a_clearance_that_ended_is_not_shown_although_no_job_has_recorded_it(shared_api, path):
    """All parts of the response say the same."""
    play(shared_api, path, *CLEARED)
    referral = shared_api.stores.referrals.get(path.rpartition("/")[2])

    summary = to_coverage_summary_response(referral, today=get_today() + timedelta(days=61), time_zone="UTC")

    assert (summary["is_cleared"], summary["cleared_until"], summary["verification"]) == (False, None, "stale")


def test_a_check_needs_a_payer_a_member_and_a_basis_for_sharing(shared_api):
    """Each missing one is named."""
    changed = {"none_because": [{"item": "/insurance/member_id", "reason": "Card lost"}]}
    path = f"/v1/referrals/{shared_api.refer(insurance__member_id=None, **changed)['referral_id']}"

    answer = move(shared_api.practice, path, "verification_requested")

    assert answer.json["code"] == "payer_facts_missing"
    assert [error["pointer"] for error in answer.json["errors"]] == ["/insurance/member_id"]


def test_each_side_reads_which_moves_it_can_make(shared_api, path):
    """The page offers these and says why not the others."""
    play(shared_api, path, *APPROVED)

    allowed = {
        side: {m["move"] for m in read_coverage(getattr(shared_api, side), path)["moves"] if m["allowed"]}
        for side in ("practice", "center")
    }

    assert "cleared" in allowed["center"] - allowed["practice"]
    assert "authorization_required" in allowed["practice"] & allowed["center"]


def test_a_decision_that_the_payer_did_not_make_yet_is_not_called_unasked(shared_api, path):
    """The payer has the request, and the other facts say whether someone asked."""
    play(shared_api, path, *SUBMITTED, ("result_recorded", {"network": ...}))

    labels = {fact["fact"]: fact["answer_label"] for fact in read_coverage(shared_api.practice, path)["facts"]}

    assert (labels["determination"], labels["network"]) == ("None yet", "Not asked")


def test_the_disclaimer_is_always_there(shared_api, path):
    """Also before anything is known."""
    assert read_coverage(shared_api.practice, path)["disclaimer"] == "Not a guarantee of coverage."


def run_plan(days):
    """Run the jobs on a later day: what is planned until then, and what follows from it."""
    at = wiring.read_clock() + timedelta(days=days)
    for queue in (TaskQueue.PLAN, TaskQueue.EVENT):
        run_job(queue, context=wiring.build_job_context(at))


def test_reminders_come_before_a_deadline_and_the_end_is_recorded(shared_api, path):
    """Seven days before, and the day after the last day."""
    play(
        shared_api,
        path,
        *SUBMITTED,
        ("information_asked", {"deadline": (get_today() + timedelta(days=20)).isoformat()}),
    )

    run_plan(14)
    assert "The payer's deadline for information is in 7 days" in list_titles(shared_api, shared_api.practice, path)
    run_plan(32)
    assert "The benefits check expired: verify the benefits again" in list_titles(shared_api, shared_api.center, path)
    assert read_coverage(shared_api.practice, path)["stale_reason"] == "expired"


def test_what_ended_while_a_referral_was_closed_is_recorded_when_it_is_open_again(shared_api, path):
    """The job found it closed on that day, and is not run again by itself."""
    play(shared_api, path, *CLEARED)
    referral_id = path.rpartition("/")[2]
    shared_api.deliver(referral_id, "declined", reason_code="capacity_full")
    run_plan(61)
    assert "The coverage clearance ended" not in list_titles(shared_api, shared_api.practice, path)

    with time_machine.travel(wiring.read_clock() + timedelta(days=62)):
        reopened = {"type": "referral.reopened", "occurred_at": wiring.read_clock().isoformat(), "data": {"note": "x"}}
        assert shared_api.center.post(f"{path}/events", reopened).status == 200
    run_plan(62)

    assert "The coverage clearance ended" in list_titles(shared_api, shared_api.practice, path)


def test_a_reminder_whose_date_is_gone_is_not_sent(shared_api, path):
    """The information was sent in time."""
    asked = ("information_asked", {"deadline": (get_today() + timedelta(days=20)).isoformat()})
    play(shared_api, path, *SUBMITTED, asked, "information_sent")

    run_plan(14)

    assert "The payer's deadline for information is in 7 days" not in list_titles(shared_api, shared_api.practice, path)


def test_a_date_that_comes_back_is_planned_again(shared_api, path):
    """Entered, corrected away and entered again: one reminder, not none and not two."""
    until = {"until": (get_today() + timedelta(days=20)).isoformat()}
    play(shared_api, path, *APPROVED, ("cleared", until), "clearance_ended", ("cleared", until))

    run_plan(14)

    titles = list_titles(shared_api, shared_api.practice, path)
    assert titles.count("The coverage clearance ends in 7 days") == 1


def test_a_move_is_written_as_a_whole_or_not_at_all(shared_api, path):
    """The referral and the coverage say the same."""
    play(shared_api, path, *CLEARED)

    referral = shared_api.stores.referrals.get(path.rpartition("/")[2])
    track = shared_api.stores.coverage_tracks.get(referral.referral_id, scope=referral.practice_id)

    assert referral.coverage == track.status


def test_names_of_moves_do_not_repeat_a_state():
    """A notice and the timeline say what happened, so a move has the name of an event."""
    assert len(set(MoveName)) == len(MOVES)
