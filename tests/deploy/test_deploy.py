"""The bundle and the template as production gets them, deployed and driven along the main line.

Every function runs under its own packaged policy, which the local cloud enforces: what a policy
forgets fails here, and so does whatever works in one process only.
"""

import json
import time

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import OPEN_MONITORING_RULE
from chalicelib.domain.platform.jobs import ScheduledJob
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from tests.support.api_driver import STAGES_TO_INFUSED

pytestmark = pytest.mark.deploy


@pytest.fixture
def infused_referral_id(api):
    """A referral that was sent on the page and moved by its center's system."""
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    return referral_id


def make_due(stack, referral_id, rule):
    """Let the day come that a task was planned for."""
    dynamodb = stack.client("dynamodb")
    for row in dynamodb.scan(TableName="cart-outbox")["Items"]:
        if (row["referral_id"]["S"], row["rule"]["S"]) == (referral_id, rule):
            dynamodb.update_item(
                TableName="cart-outbox",
                Key={"outbox_id": row["outbox_id"]},
                UpdateExpression="SET due_at = :past",
                ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000000Z"}},
            )


def wait_for(found):
    """What is found in the end, looked for again and again."""
    give_up_at = time.monotonic() + 20
    while not (there := found()) and time.monotonic() < give_up_at:
        time.sleep(0.2)
    return there


def logged(stack):
    """Every line that a function wrote."""
    logs = stack.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            yield event["message"]


def test_the_same_again_changes_nothing(stack):
    """What an operator stated once need not be stated again."""
    assert stack.deployed.create_change_set(stack.dist, {}) is None


def test_a_change_is_shown_before_it_is_made(stack):
    """Resource by resource."""
    change_set = stack.deployed.create_change_set(stack.dist, {"LogRetentionDays": "30"})

    shown = list(stack.deployed.list_changes(change_set))
    assert "Modify  AccessLogs  AWS::Logs::LogGroup" in shown
    assert not [line for line in shown if "DynamoDB" in line]


def test_everything_that_it_depends_on_is_there(stack):
    """Tables, key, identity and mail, each reached by the API function with its own role."""
    ready = stack.site.get("/health/ready")

    assert ready.status == 200, ready.text


def test_it_says_which_revision_runs(stack):
    """As it was packaged."""
    packaged = stack.template["Parameters"]["Commit"]["Default"]

    assert stack.site.get("/health").json["commit"] == (packaged or None)


def test_a_wrong_password_is_refused(api):
    """By the identity service, and told as our own refusal."""
    email = api.members["practice"].email

    refused = api.anyone.post("/v1/sessions", {"email": email, "password": "wrong"}, key=None)

    assert refused.status == 401
    assert refused.json["code"] == "sign_in_refused"


def test_a_referral_moves_from_submission_to_infusion(api, infused_referral_id):
    """Sent by a coordinator, moved by signed deliveries, read back with its window."""
    assert api.get_stage(infused_referral_id) == "infused"
    window = api.practice.get(f"/v1/referrals/{infused_referral_id}/window").json
    assert window["time_zone"] == "America/New_York"


def about(stack, alias):
    """To whom mails about a patient went. Those about others may come at any moment."""
    return [mail["To"] for mail in stack.mails() if mail["Subject"].startswith(f"{alias}:")]


def test_the_stream_tells_people_by_mail(stack, api):
    """At once, in its own function under its own policy; the sweep finds nothing left to do."""
    api.refer(patient__alias="Quick Heron")
    told = wait_for(lambda: about(stack, "Quick Heron"))
    swept = stack.run_schedule("cart-relay")

    assert told == [[api.members["center"].email]]
    assert swept["failed"] == 0
    assert about(stack, "Quick Heron") == told


def test_what_the_stream_lost_is_told_by_the_relay(stack, api):
    """Run by its rule, in its own function, once and no second time."""
    with stack.without_stream():
        api.refer(patient__alias="Slow Heron")
        unheard = about(stack, "Slow Heron")
        told = stack.run_schedule("cart-relay")
        stack.run_schedule("cart-relay")

    assert (unheard, told["failed"]) == ([], 0)
    assert about(stack, "Slow Heron") == [[api.members["center"].email]]


def test_every_schedule_leaves_its_heartbeat(stack):
    """Each may write its own row, and the relay may look at them all."""
    for job in ScheduledJob:
        stack.run_schedule(f"cart-{job}")

    assert set(wiring.get_stores().heartbeats.list_last_successes()) == set(ScheduledJob)


def test_the_notice_of_day_7_is_mailed_when_its_day_comes(stack, api, infused_referral_id):
    """And the referral moved into monitoring by itself on the day before."""
    make_due(stack, infused_referral_id, OPEN_MONITORING_RULE)
    stack.run_schedule("cart-notices")
    assert api.get_stage(infused_referral_id) == "monitoring"

    make_due(stack, infused_referral_id, MilestoneKind.DAILY_MONITORING_ENDS)
    before = len(stack.mails())
    told = stack.run_schedule("cart-notices")
    make_due(stack, infused_referral_id, "mail")  # Held for an hour after the mail of the infusion.
    mailed = stack.run_schedule("cart-notices")

    assert (told["done"], told["failed"], mailed["failed"]) == (1, 0, 0)
    assert len(stack.mails()) - before == mailed["mails"] > 0


@pytest.mark.usefixtures("infused")
def test_no_function_logs_who_the_patient_is(stack):
    """Nor a token, nor a password."""
    stack.run_schedule("cart-relay")

    lines = list(logged(stack))

    assert lines
    for secret in ("Example", "Blue Heron", "1961-04-02", "A-1009", "fictional-password", "eyJ"):
        assert not [line for line in lines if secret in line]


def test_a_run_that_fails_for_good_is_kept(stack):
    """What a broken schedule sent waits in the queue of failed runs, which raises an alarm."""
    stack.client("lambda").invoke(FunctionName="cart-relay", InvocationType="Event", Payload=b'{"not": "an event"}')

    url = stack.outputs["FailedRunsUrl"]
    kept = wait_for(lambda: stack.client("sqs").receive_message(QueueUrl=url).get("Messages", []))

    assert json.loads(kept[0]["Body"])["requestPayload"] == {"not": "an event"}


def test_the_gateways_own_refusal_is_the_products(stack):
    """The local cloud's CloudFormation drops gateway responses; given to it directly, they work."""
    stack.give_the_gateway_its_refusals()

    refused = stack.site.app({"path": "/v1/nothing", "httpMethod": "GET", "body": None, "headers": {}}, None)

    headers = {name.lower(): value for name, value in refused["headers"].items()}
    problem = json.loads(refused["body"])
    assert refused["statusCode"] == problem["status"] == 404
    assert headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == headers["x-request-id"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
