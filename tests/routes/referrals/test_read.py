"""Reading a referral: its progress, the actions available now, and the window."""

from datetime import UTC, datetime

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.transitions import list_transitions_from
from tests.support.api_driver import STAGES_TO_INFUSED

PHASES = [
    "eligibility",
    "referral",
    "consultation",
    "collection",
    "manufacturing",
    "treatment",
    "monitoring",
    "follow_up",
    "closed",
]


def read(site, referral_id):
    return site.get(f"/v1/referrals/{referral_id}").json


def list_states(result):
    """Return the state of each stage of the progress, in order."""
    return {step["stage"]: step["state"] for phase in result["journey"] for step in phase["stages"]}


@pytest.fixture(scope="module")
def referral_at(shared_api):
    """Referrals by the stages that were reported, created once each."""
    made = {}

    def referral_at(*stages):
        if stages not in made:
            made[stages] = shared_api.refer()["referral_id"]
            shared_api.move_to(made[stages], *stages)
        return made[stages]

    return referral_at


def test_the_progress_has_every_phase_in_order(shared_api, referral_at):
    """A reader sees the whole way from the start, with labels from the server."""
    journey = read(shared_api.practice, referral_at())["journey"]

    assert [phase["phase"] for phase in journey] == PHASES
    assert all(phase["label"] for phase in journey)
    assert all(step["label"] for phase in journey for step in phase["stages"])


def test_the_progress_shows_past_current_and_future_stages(shared_api, referral_at):
    """Past stages carry their time, one stage is current, and future ones have no time."""
    result = read(shared_api.practice, referral_at("received", "accepted"))

    steps = [step for phase in result["journey"] for step in phase["stages"]]
    assert [s["stage"] for s in steps if s["state"] == "done"] == ["draft", "submitted", "received"]
    assert [s["stage"] for s in steps if s["state"] == "current"] == ["accepted"]
    assert all(step["at"] for step in steps if step["state"] in {"done", "current"})
    assert all(step["at"] is None for step in steps if step["state"] == "ahead")
    assert list_states(result)["infused"] == "ahead"


def test_a_skipped_optional_stage_is_not_reported(shared_api, referral_at):
    """It shows as such: neither done nor still to come."""
    result = read(shared_api.practice, referral_at("accepted", "consult_scheduled", "consult_completed",
                                   "center_proceed"))  # fmt: skip

    skipped = {stage for stage, state in list_states(result).items() if state == "not_reported"}
    assert skipped == {"received", "eligibility_pending"}
    assert all(
        step["at"] is None for phase in result["journey"] for step in phase["stages"] if step["stage"] in skipped
    )


def test_a_late_event_fills_the_gap(shared_api):
    """It becomes part of the progress, and moves nothing."""
    referral_id = shared_api.refer()["referral_id"]
    submitted_at = read(shared_api.practice, referral_id)["submitted_at"]
    shared_api.move_to(referral_id, "accepted")

    late = shared_api.deliver(referral_id, "received", at=submitted_at)

    assert late.json["status"] == "recorded"
    assert late.json["stage"] == "accepted"
    assert list_states(read(shared_api.practice, referral_id))["received"] == "done"


def test_the_progress_of_a_closed_referral_shows_its_end(shared_api, referral_at):
    """After an ending there is no future stage."""
    result = read(shared_api.practice, referral_at("received", "declined"))

    assert list(list_states(result)) == ["draft", "submitted", "received", "declined"]
    assert list_states(result)["declined"] == "current"
    assert result["phase"] == "closed"
    assert result["clock"]["owner"] == "none"


def test_an_information_request_shows_where_it_happened(shared_api, referral_at):
    """As a step between two of the main path."""
    result = read(shared_api.practice, referral_at("received", "info_requested"))

    line = list(list_states(result))
    assert line[line.index("info_requested") - 1 : line.index("info_requested") + 2] == [
        "received",
        "info_requested",
        "accepted",
    ]
    assert list_states(result)["accepted"] == "ahead"
    assert result["clock"]["owner"] == "practice"


def allowed(result):
    return {action["stage"] for action in list_stage_actions(result) if action["allowed"]}


def list_stage_actions(result):
    return [action for action in result["actions"] if action["action"] == "stage.report"]


ALLOWED = {
    (): ({"withdrawn", "deceased"}, {"received", "accepted", "info_requested", "declined",
                                     "redirected", "deceased"}),
    ("received", "info_requested"): ({"submitted", "withdrawn", "deceased"},
                                     {"declined", "deceased"}),
    ("received", "declined"): (set(), set()),
    STAGES_TO_INFUSED[:-1]: ({"deceased"}, {"infused", "lymphodepletion_started", "not_proceeding",
                                     "deceased"}),
    STAGES_TO_INFUSED: ({"deceased"}, {"infused", "monitoring", "deceased"}),
}  # fmt: skip
"""What practice and center may do, by the stages that were reported: from the design."""


@pytest.mark.parametrize("stages", ALLOWED, ids=lambda stages: stages[-1] if stages else "submitted")
def test_each_side_is_offered_its_own_actions(shared_api, referral_at, stages):
    """The buttons of a page are what this caller can do now."""
    practice, center = (read(site, referral_at(*stages)) for site in (shared_api.practice, shared_api.center))

    assert (allowed(practice), allowed(center)) == ALLOWED[stages]


def test_an_unavailable_action_says_who_can_take_it(shared_api, referral_at):
    """Every action is listed; one that is not this caller's says why."""
    actions = list_stage_actions(read(shared_api.practice, referral_at()))

    assert {action["stage"] for action in actions} == set(list_transitions_from(Stage.SUBMITTED))
    assert [a["allowed"] for a in actions] == sorted((a["allowed"] for a in actions), reverse=True)
    for action in actions:
        assert action["why_not"] == (None if action["allowed"] else "Harbor Cell Therapy records this step.")


def test_an_action_lists_its_fields_and_whether_it_closes_the_referral(shared_api, referral_at):
    """An infusion needs its number and its day; an ending says that it is one."""
    actions = list_stage_actions(read(shared_api.center, referral_at(*STAGES_TO_INFUSED[:-1])))

    needs = {action["stage"]: action["needs"] for action in actions if action["needs"]}
    ends = {action["stage"] for action in actions if action["ends"]}
    assert needs == {"infused": ["part", "of", "local_date"]}
    assert ends == {"not_proceeding", "deceased"}


@pytest.mark.parametrize("side", ["practice", "center"])
def test_every_offered_action_is_accepted_and_every_other_one_refused(shared_api, side):
    """Pages and rules cannot drift apart."""
    site = shared_api.get_client_for(shared_api.members[side])
    for action in list_stage_actions(read(site, shared_api.refer()["referral_id"])):
        referral_id = shared_api.refer()["referral_id"]
        event = {
            "type": "stage.changed",
            "occurred_at": wiring.read_clock().isoformat(),
            "data": {"stage": action["stage"]} | ({"note": "Send the ECOG."} if "note" in action["needs"] else {}),
        }

        answer = site.post(f"/v1/referrals/{referral_id}/events", event)

        assert answer.status == (200 if action["allowed"] else 409), action["stage"]


def test_there_is_no_window_before_an_infusion(shared_api, referral_at):
    """There is no day to count from."""
    assert read(shared_api.practice, referral_at("received"))["window"] is None
    assert shared_api.practice.get(f"/v1/referrals/{referral_at('received')}/window").status == 404


@pytest.fixture(scope="module")
def infused_referral_id(shared_api):
    """A referral that was infused at 23:30 in New York, when it was the next day in UTC."""
    with time_machine.travel(datetime(2026, 10, 1, 12, 0, tzinfo=UTC)):
        referral_id = shared_api.refer()["referral_id"]
        shared_api.move_to(referral_id, *STAGES_TO_INFUSED[:-1])
    with time_machine.travel(datetime(2026, 10, 11, 3, 45, tzinfo=UTC)):
        shared_api.deliver(referral_id, "infused", at="2026-10-10T23:30:00-04:00")
    return referral_id


def test_a_window_is_counted_in_days_of_the_centers_zone(shared_api, infused_referral_id):
    """Day 0 is the evening at the center; each milestone is that date plus its days."""
    window = shared_api.practice.get(f"/v1/referrals/{infused_referral_id}/window").json

    days = {m["kind"]: (m["day"], m["on"]) for m in window["milestones"]}
    assert window["time_zone"] == "America/New_York"
    assert (window["infused_on"], window["ends_on"]) == ("2026-10-10", "2026-11-07")
    assert days == {
        "infusion": (0, "2026-10-10"),
        "daily_monitoring_ends": (7, "2026-10-17"),
        "label_minimum_ends": (14, "2026-10-24"),
        "proximity_minimum_ends": (14, "2026-10-24"),
        "driving_minimum_ends": (14, "2026-10-24"),
        "handback_near": (21, "2026-10-31"),
        "handback_target": (28, "2026-11-07"),
    }
    assert all(milestone["label"] for milestone in window["milestones"])


def test_a_window_is_read_with_the_referral_and_by_itself(shared_api, infused_referral_id):
    """Both sides read the same window on both routes."""
    path = f"/v1/referrals/{infused_referral_id}"

    sides = (shared_api.practice, shared_api.center)
    windows = [side.get(path).json["window"] for side in sides]
    windows += [side.get(f"{path}/window").json for side in sides]

    assert windows == [windows[0]] * 4
