"""The transition-of-care summary through the API: who writes it, who reads it, what is stored."""

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import HANDBACK_WRITTEN_RULE
from chalicelib.domain.platform.ids import derive_id
from chalicelib.services.notices.outbox_worker import process_committed
from tests.support import faults
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED
from tests.support.handbacks import build_handback_body

HANDED_BACK = ("monitoring", "window_complete", "handback_ready")


def create_at_stage(world, *further):
    """Create a referral that is infused, or further; return its path."""
    referral_id = world.refer()["referral_id"]
    world.move_to(referral_id, *REQUIRED_STAGES_TO_INFUSED, *further)
    return f"/v1/referrals/{referral_id}"


@pytest.fixture
def infused_referral_id(shared_api):
    return create_at_stage(shared_api)


@pytest.fixture(scope="module")
def shared_referral_id(shared_api):
    """One that tests share which write nothing."""
    return create_at_stage(shared_api)


@pytest.fixture
def handback_ready_id(shared_api):
    return create_at_stage(shared_api, *HANDED_BACK)


def list_notified_versions(world, path, *versions):
    """Return the versions of a summary that the practice was notified of, after all jobs."""
    referral_id = path.rsplit("/", 1)[-1]
    tasks = [derive_id("out", HANDBACK_WRITTEN_RULE, referral_id, str(v)) for v in versions]
    process_committed(tasks, context=wiring.build_job_context())
    notices = world.practice.get("/v1/notices?limit=100").json["items"]
    wanted = ("The center updated the transition-of-care summary", referral_id)
    return sum((notice["title"], notice["referral_id"]) == wanted for notice in notices)


def test_before_an_infusion_there_is_no_summary(shared_api):
    """Nothing to read, and nothing to write."""
    path = f"/v1/referrals/{shared_api.refer()['referral_id']}/handback"

    assert shared_api.practice.get(path).status == 404
    answer = shared_api.center.put(path, {}, version=0)
    assert (answer.status, answer.json["code"]) == (409, "not_infused")


def test_an_infusion_before_the_collection_allows_no_summary(shared_api):
    """It is history, and the patient still waits for the infusion."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.deliver(referral_id, "infused")
    shared_api.move_to(referral_id, *REQUIRED_STAGES_TO_INFUSED[:-1])

    assert shared_api.get_stage(referral_id) == "lymphodepletion_started"
    assert shared_api.center.get(f"/v1/referrals/{referral_id}/handback").status == 404


def test_a_new_summary_starts_with_known_facts(shared_api, shared_referral_id):
    """Product, day of infusion, 24/7 number, and the published care points with their days."""
    answer = shared_api.center.get(f"{shared_referral_id}/handback")
    window = shared_api.center.get(f"{shared_referral_id}/window").json

    proposal = answer.json["proposal"]
    assert answer.headers["etag"] == '"0"'
    assert answer.json["state"] == "not_written"
    assert proposal["product_id"] == "breyanzi"
    assert proposal["infusions"] == [{"on": window["infused_on"]}]
    assert proposal["center_phone"] == "+14105550199"
    assert {"igg_monthly", "igg_quarterly"} <= {p["care_point_id"] for p in proposal["care_points"]}


def test_a_proposal_can_be_sent_as_it_is(shared_api, infused_referral_id):
    """The API accepts what it proposes."""
    proposal = shared_api.center.get(f"{infused_referral_id}/handback").json["proposal"]

    assert shared_api.center.put(f"{infused_referral_id}/handback", proposal, version=0).status == 200


def test_a_practice_sees_that_there_is_no_summary_yet(shared_api, handback_ready_id):
    """The center's system may report the stage and write no summary."""
    result = shared_api.practice.get(f"{handback_ready_id}/handback").json

    assert result["state"] == "not_written"
    assert result["package"] is None
    assert result["proposal"] is None
    assert result["may_write"] is False
    assert result["completeness"]["present"] == 0


def test_the_practice_reads_what_the_center_writes(shared_api, infused_referral_id):
    """Every field, with who wrote it."""
    body = build_handback_body()
    written = shared_api.center.put(f"{infused_referral_id}/handback", body, version=0)

    result = shared_api.practice.get(f"{infused_referral_id}/handback")
    assert result.json["package"] == body
    assert result.json["completeness"]["complete"] is True
    assert result.json["state"] == "in_preparation"
    assert result.json["written_by"] == shared_api.members["center"].name
    assert result.headers["etag"] == written.headers["etag"] == '"1"'


def test_missing_items_are_named(shared_api, infused_referral_id):
    """With the words that a person uses."""
    body = build_handback_body(warning_signs=None, icans=None)
    result = shared_api.center.put(f"{infused_referral_id}/handback", body, version=0).json["completeness"]

    absent = {item["pointer"]: item["label"] for item in result["items"] if not item["done"]}
    assert absent == {"/icans/worst_grade": "Worst grade of ICANS", "/warning_signs": "Warning signs"}
    assert result["present"] == result["needed"] - 2


def test_only_the_center_writes(shared_api, shared_referral_id):
    """The practice reads."""
    answer = shared_api.practice.put(f"{shared_referral_id}/handback", build_handback_body(), version=0)

    assert (answer.status, answer.json["code"]) == (403, "center_only")


def test_a_summary_replaces_only_the_version_that_was_read(shared_api, infused_referral_id):
    """A stale version is refused and changes nothing; a missing one is required."""
    path = f"{infused_referral_id}/handback"
    shared_api.center.put(path, build_handback_body(), version=0)

    assert shared_api.center.put(path, {}, version=0).status == 412
    assert shared_api.center.put(path, {}, version=2).status == 412
    assert shared_api.center.put(path, {}, version=None).status == 428
    assert shared_api.center.get(path).json["package"] == build_handback_body()


def run_before_commit(act):
    """Let someone else act right before the first commit."""
    return faults.inject_faults(faults.plan_interruption("TransactWriteItems", act))


def test_of_two_writers_at_once_one_is_refused(shared_api, infused_referral_id):
    """No text is lost silently."""
    path, theirs = f"{infused_referral_id}/handback", []

    def write() -> None:
        theirs.append(shared_api.center.put(path, {"lot": "LOT-1"}, version=0))

    with run_before_commit(write):
        mine = shared_api.center.put(path, {"lot": "LOT-2"}, version=0)

    assert (theirs[0].status, mine.status) == (200, 412)
    result = shared_api.center.get(path).json
    assert (result["version"], result["package"]["lot"]) == (1, "LOT-1")


def test_a_summary_is_written_although_the_referral_moves_at_the_same_time(shared_api, infused_referral_id):
    """A stage change says nothing about the summary."""
    referral_id = infused_referral_id.rsplit("/", 1)[-1]

    with run_before_commit(lambda: shared_api.move_to(referral_id, "monitoring")):
        mine = shared_api.center.put(f"{infused_referral_id}/handback", build_handback_body(), version=0)

    assert mine.status == 200
    assert shared_api.get_stage(referral_id) == "monitoring"


def test_every_version_is_kept(shared_api, infused_referral_id):
    """What the practice may have read stays, encrypted."""
    for version in range(3):
        shared_api.center.put(f"{infused_referral_id}/handback", {"lot": f"LOT-{version}"}, version=version)

    rows = shared_api.stores.referrals.table.query_all(
        "referral_id = :id AND begins_with(#item, :prefix)",
        {"id": infused_referral_id.rsplit("/", 1)[-1], "prefix": "handback#"},
    )
    assert [row["version"] for row in rows] == [1, 2, 3]


def test_writing_is_audited_and_shows_as_unread(shared_api, infused_referral_id):
    """In the audit trail with its version, and in the other side's list."""
    before = shared_api.practice.get(infused_referral_id).json
    shared_api.center.put(f"{infused_referral_id}/handback", build_handback_body(), version=0)
    shared_api.practice.get(f"{infused_referral_id}/handback")

    after = shared_api.practice.get(infused_referral_id).json
    assert after["version"] == before["version"] + 1
    assert after["changed_since_seen"] is True
    admin = shared_api.get_client_for(shared_api.members["practice_admin"])
    trail = [row["action"] for row in admin.get(f"{infused_referral_id}/audit").json["items"]]
    assert {"handback.write", "handback.read"} <= set(trail)


def test_the_practice_is_not_notified_while_the_summary_is_prepared(shared_api, infused_referral_id):
    """It is notified once, when the center returns the patient."""
    shared_api.center.put(f"{infused_referral_id}/handback", build_handback_body(), version=0)

    assert list_notified_versions(shared_api, infused_referral_id, 1) == 0


def test_a_correction_after_the_return_is_allowed_and_notified(shared_api, handback_ready_id):
    """The practice may have read the wrong version."""
    shared_api.center.put(f"{handback_ready_id}/handback", build_handback_body(), version=0)
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "handed_back"}}
    shared_api.practice.post(f"{handback_ready_id}/events", event)
    shared_api.center.put(f"{handback_ready_id}/handback", build_handback_body(lot="LOT-2"), version=1)

    result = shared_api.practice.get(f"{handback_ready_id}/handback").json
    assert (result["state"], result["version"]) == ("handed_over", 2)
    assert list_notified_versions(shared_api, handback_ready_id, 1, 2) == 2


def test_after_the_end_nothing_is_written(shared_api, infused_referral_id):
    """The summary can still be read."""
    shared_api.center.put(f"{infused_referral_id}/handback", build_handback_body(), version=0)
    shared_api.deliver(infused_referral_id.rsplit("/", 1)[-1], "deceased")

    answer = shared_api.center.put(f"{infused_referral_id}/handback", {}, version=1)
    assert (answer.status, answer.json["code"]) == (409, "referral_closed")
    assert shared_api.practice.get(f"{infused_referral_id}/handback").json["package"] == build_handback_body()


def test_a_reworded_care_point_says_so(shared_api, infused_referral_id):
    """Its source does not support the center's words."""
    points = shared_api.center.get(f"{infused_referral_id}/handback").json["proposal"]["care_points"][:2]
    points[1]["text"] += " At our own laboratory."
    own = {"text": "See the eye clinic"}
    body = build_handback_body(care_points=[*points, own])
    result = shared_api.center.put(f"{infused_referral_id}/handback", body, version=0).json["checklist"]

    assert [check["edited"] for check in result] == [False, True, True]
    assert [bool(check["source"]) for check in result] == [True, True, False]


def test_a_care_point_with_the_text_of_an_earlier_release_is_not_edited(shared_api, infused_referral_id):
    """The center did not change it: the published text changed after the summary was saved."""
    stored = {
        "igg_monthly": "IgG monthly after day 30 until above 400 mg/dL. "
        "Another table has it at day 30 and then every 3 to 6 months: keep one of the two.",
        "vaccines_live": "Live vaccines not before a year has passed.",
        "new_malignancy": "Watch for new malignancies for life. "
        "If one occurs, call the manufacturer to report it and for instructions on samples.",
    }
    points = [{"care_point_id": care_point_id, "text": text} for care_point_id, text in stored.items()]
    body = build_handback_body(care_points=points)
    result = shared_api.center.put(f"{infused_referral_id}/handback", body, version=0).json["checklist"]

    assert [(check["text"], check["edited"]) for check in result] == [(text, False) for text in stored.values()]


def test_the_earlier_text_of_another_care_point_is_edited(shared_api, infused_referral_id):
    """The source of the vaccine point says nothing about IVIG."""
    text = "Live vaccines not before a year has passed."
    body = build_handback_body(care_points=[{"care_point_id": "ivig", "text": text}])
    result = shared_api.center.put(f"{infused_referral_id}/handback", body, version=0).json["checklist"]

    assert [check["edited"] for check in result] == [True]


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("product_id", "notacell", "/product_id"),
        ("care_points", [{"care_point_id": "none", "text": "x"}], "/care_points/0/care_point_id"),
        ("care_points", [{"text": ""}], "/care_points/0/text"),
        ("care_points", [{"text": "x"}] * 41, "/care_points"),
        ("crs", {"worst_grade": 5}, "/crs/worst_grade"),
        ("crs", {"worst_grade": "1"}, "/crs/worst_grade"),
        ("crs", {"worst_grade": True}, "/crs/worst_grade"),
        ("infusions", [{"on": "2199-01-01"}], "/infusions/0/on"),
        ("infusions", [{"dose": "x"}], "/infusions/0/on"),
        ("response", {"assessment": "cured"}, "/response/assessment"),
        ("center_phone", "911", "/center_phone"),
        ("driving_cleared_on", 20261116, "/driving_cleared_on"),
        ("counts", {"hemoglobin_g_dl": -1}, "/counts/hemoglobin_g_dl"),
        ("prophylaxis", {}, "/prophylaxis"),
        ("responsibilities", [{"who": "patient", "does": "x"}], "/responsibilities/0/who"),
        ("wallet_card_given", "yes", "/wallet_card_given"),
        ("mystery", 1, "/…"),
    ],
)
def test_faults_in_a_summary_are_named(shared_api, shared_referral_id, field, value, pointer):
    """Strictly, like every other body."""
    answer = shared_api.center.put(f"{shared_referral_id}/handback", build_handback_body(**{field: value}), version=0)

    assert answer.status == 400
    assert pointer in [error["pointer"] for error in answer.json["errors"]]
