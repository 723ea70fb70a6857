"""Deploys the packaged bundle and template, and moves a referral along the main path.

Every function runs with its own packaged policy, which the local cloud enforces. Therefore, a missing
permission fails here, and so does code that works only within one process.
"""

import hashlib
import json
import time
import urllib.request

import pytest

from chalicelib import wiring
from chalicelib.domain.documents.check_events import OBJECT_SCANNED
from chalicelib.domain.notices.tasks import OPEN_MONITORING_RULE
from chalicelib.domain.platform.jobs import ScheduledJob
from chalicelib.domain.referrals.monitoring_window import MilestoneKind
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.bookings import publish_slot, refer_accepted
from tests.support.packet_pages import read_pages
from tests.support.uploaded_files import build_pdf


@pytest.fixture
def infused_referral_id(api):
    """The ID of a referral that its practice submitted and its center's system moved to infused."""
    referral_id = api.refer()["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    return referral_id


def make_due(stack, referral_id, rule):
    """Change the due time of a planned task to the past."""
    dynamodb = stack.create_client("dynamodb")
    for row in dynamodb.scan(TableName="cart-outbox")["Items"]:
        if (row["referral_id"]["S"], row["rule"]["S"]) == (referral_id, rule):
            dynamodb.update_item(
                TableName="cart-outbox",
                Key={"outbox_id": row["outbox_id"]},
                UpdateExpression="SET due_at = :past",
                ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000000Z"}},
            )


def wait_for(find):
    """Call a function until it finds something, and return the result."""
    give_up_at = time.monotonic() + 20
    while not (result := find()) and time.monotonic() < give_up_at:
        time.sleep(0.2)
    return result


def list_log_lines(stack):
    """List every line that a function logged."""
    logs = stack.create_client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            yield event["message"]


def test_deploying_again_without_parameters_changes_nothing(stack):
    """The parameters keep their values."""
    assert stack.deployed.create_change_set(stack.dist, {}) is None


def test_the_changes_are_listed_before_they_are_applied(stack):
    change_set = stack.deployed.create_change_set(stack.dist, {"LogRetentionDays": "30"})

    lines = list(stack.deployed.list_changes(change_set))
    assert "Modify  AccessLogs  AWS::Logs::LogGroup" in lines
    assert not [line for line in lines if "DynamoDB" in line]


def test_the_api_function_reaches_everything_it_depends_on(stack):
    """It reaches the tables, the key, the identity service, and mail with its own role."""
    ready = stack.site.get("/health/ready")

    assert ready.status == 200, ready.text


def test_health_shows_the_packaged_commit(stack):
    packaged = stack.template["Parameters"]["Commit"]["Default"]

    assert stack.site.get("/health").json["commit"] == (packaged or None)


def test_the_relay_measures_with_its_own_role(stack):
    """It may read the backlog, the state of the key and the quota of email, and writes them as metrics.

    Requests are counted with full monitoring only.
    """
    stack.run_schedule("cart-relay")

    def list_metrics():
        lines = [json.loads(line) for line in list_log_lines(stack) if "CloudWatchMetrics" in line]
        return {name for line in lines for name in line if name != "_aws"}

    wait_for(lambda: "EmailQuotaUsed" in list_metrics())
    assert list_metrics() >= {"DueTasks", "EmailQuotaUsed", "KeyUnusable", "OldestDueTaskMinutes"}
    assert "Latency" not in list_metrics()


def test_a_wrong_password_is_rejected(api):
    """The identity service rejects it, and the API responds with its own error."""
    email = api.members["practice"].email

    response = api.anyone.post("/v1/sessions", {"email": email, "password": "wrong"}, key=None)

    assert response.status == 401
    assert response.json["code"] == "sign_in_refused"


def test_a_referral_moves_from_submission_to_infusion(api, infused_referral_id):
    """A coordinator submits it, and signed deliveries move it. The API shows its monitoring window."""
    assert api.get_stage(infused_referral_id) == "infused"
    window = api.practice.get(f"/v1/referrals/{infused_referral_id}/window").json
    assert window["time_zone"] == "America/New_York"


def test_the_api_gets_a_pdf_from_the_function_that_sets_it(api):
    """From another bundle, by the permission of the API's role.

    The local cloud ignores the binary types in the definition of the API. Its gateway sends base64 text, as AWS does
    for a type that is not among them.
    """
    referral_id = api.refer(patient__family_name="Faxedover")["referral_id"]

    response = api.practice.get(f"/v1/referrals/{referral_id}/packet.pdf?patient=name")

    assert response.status == 200, response.text
    assert "CAR T referral: Ana Faxedover" in read_pages(response.content)[0]


def test_a_consultation_is_booked_at_a_time_of_the_center(api):
    """Its seat, the referral, the invitation and the audit row are in one transaction."""
    booker = refer_accepted(api)

    answer = booker.book(publish_slot(api))

    assert answer.status == 200, answer.text
    assert booker.read()["state"] == "booked"
    assert api.get_stage(booker.referral_id) == "consult_scheduled"


def test_a_payer_is_asked_and_its_answer_moves_the_coverage(stack, api):
    """By the function that runs tasks, with the secrets and the network of its own role."""
    insurance = {"payer": "Example Health", "plan_type": "commercial", "member_id": "XEX0003", "group": "42"}
    path = f"/v1/referrals/{api.refer(insurance=insurance)['referral_id']}"

    assert api.practice.post(f"{path}/coverage-checks", None).status == 202

    def find_completed():
        check = api.practice.get(f"{path}/coverage-checks").json["items"][0]
        return check if check["state"] == "completed" else None

    if not wait_for(find_completed):
        stack.run_schedule("cart-relay")
    assert find_completed()["authorization"]["answer"] == "required"
    assert api.center.get(f"{path}/coverage").json["state"] == "to_submit"


def list_recipients(stack, alias):
    """List the recipients of mail about a patient. Mail about other patients may arrive at any time."""
    return [mail["To"] for mail in stack.list_mails() if mail["Subject"].startswith(f"{alias}:")]


def test_the_stream_sends_notices_at_once(stack, api):
    """The function runs with its own policy, and the relay finds nothing left to send."""
    api.refer(patient__alias="Quick Heron")
    recipients = wait_for(lambda: list_recipients(stack, "Quick Heron"))
    relay_counts = stack.run_schedule("cart-relay")

    assert recipients == [[api.members["center"].email]]
    assert relay_counts["failed"] == 0
    assert list_recipients(stack, "Quick Heron") == recipients


def test_the_relay_sends_a_notice_that_the_stream_lost_exactly_once(stack, api):
    with stack.disable_stream():
        api.refer(patient__alias="Slow Heron")
        before = list_recipients(stack, "Slow Heron")
        counts = stack.run_schedule("cart-relay")
        stack.run_schedule("cart-relay")

    assert (before, counts["failed"]) == ([], 0)
    assert list_recipients(stack, "Slow Heron") == [[api.members["center"].email]]


def test_every_job_writes_its_heartbeat(stack):
    """Each job can write its own row."""
    for job in ScheduledJob:
        stack.run_schedule(f"cart-{job}")

    assert set(wiring.get_stores().heartbeats.list_last_successes()) == set(ScheduledJob)


def test_the_day_7_notice_is_sent_on_its_day(stack, api, infused_referral_id):
    """Before that, the product itself moves the referral to monitoring."""
    make_due(stack, infused_referral_id, OPEN_MONITORING_RULE)
    stack.run_schedule("cart-notices")
    assert api.get_stage(infused_referral_id) == "monitoring"

    make_due(stack, infused_referral_id, MilestoneKind.DAILY_MONITORING_ENDS)
    before = len(stack.list_mails())
    notice_counts = stack.run_schedule("cart-notices")
    make_due(stack, infused_referral_id, "mail")  # It waits for an hour after the mail about the infusion.
    mail_counts = stack.run_schedule("cart-notices")

    assert (notice_counts["done"], notice_counts["failed"], mail_counts["failed"]) == (1, 0, 0)
    assert len(stack.list_mails()) - before == mail_counts["mails"] > 0


def post_form(form, content):
    """Upload a file as a browser does."""
    parts = [
        f'--cart\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    file = b'--cart\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    body = b"".join([*parts, file, content, b"\r\n--cart--\r\n"])
    request = urllib.request.Request(form["url"], body, {"Content-Type": "multipart/form-data; boundary=cart"})
    with urllib.request.urlopen(request) as response:
        return response.status


def test_a_file_is_shared_after_its_check_and_scan(stack, api):
    """The check function, the documents function and the API, each with its own bundle and role.

    There is no scanner: GuardDuty does not exist here, so this test sends its result.
    """
    content = build_pdf(2)
    path = f"/v1/referrals/{api.refer()['referral_id']}/documents"
    file = {"name": "a.pdf", "type": "application/pdf", "size": len(content)}
    file["sha256"] = hashlib.sha256(content).hexdigest()
    added = api.practice.post(path, {"kind": "imaging", "file": file}).json
    document, site = f"{path}/{added['document']['document_id']}", api.practice
    assert post_form(added["upload"], content) == 201
    assert wait_for(lambda: site.get(document).json["file"]["pages"]) == 2
    bucket, _, _ = added["upload"]["url"].rpartition("/")[2].partition("?")
    key = added["upload"]["fields"]["key"]
    version = stack.create_client("s3").head_object(Bucket=bucket, Key=key)["VersionId"]
    detail = {
        "scanStatus": "COMPLETED",
        "s3ObjectDetails": {"bucketName": bucket, "objectKey": key, "versionId": version},
        "scanResultDetails": {"scanResultStatus": "NO_THREATS_FOUND"},
    }
    entry = {"Source": "cart.scanner", "DetailType": OBJECT_SCANNED, "Detail": json.dumps(detail)}
    stack.create_client("events").put_events(Entries=[entry])
    assert wait_for(lambda: site.get(document).json["state"] == "available")
    link = api.center.post(f"{document}/links", {})

    assert link.status == 201, link.text
    with urllib.request.urlopen(link.json["url"]) as response:
        assert response.read().startswith(b"%PDF-")
    tag = {"If-Match": site.get(document).headers["etag"]}
    assert site.send("DELETE", f"{document}?reason=duplicate", headers=tag).status == 200
    s3 = stack.create_client("s3")
    assert wait_for(lambda: "Versions" not in s3.list_object_versions(Bucket=bucket, Prefix="uploads/"))


@pytest.mark.usefixtures("infused_referral_id")
def test_no_function_logs_patient_data_tokens_or_passwords(stack):
    stack.run_schedule("cart-relay")

    lines = list(list_log_lines(stack))

    assert lines
    for secret in ("Example", "Blue Heron", "1961-04-02", "A-1009", "fictional-password", "eyJ"):
        assert not [line for line in lines if secret in line]


def test_a_run_that_fails_on_every_attempt_is_kept_in_a_queue(stack):
    """A message in this queue raises an alarm."""
    stack.use_retries_of_alias("cart-relay")
    payload = b'{"not": "an event"}'
    stack.create_client("lambda").invoke(FunctionName="cart-relay", InvocationType="Event", Payload=payload)

    url = stack.outputs["FailedRunsUrl"]
    messages = wait_for(lambda: stack.create_client("sqs").receive_message(QueueUrl=url).get("Messages", []))

    assert json.loads(messages[0]["Body"])["requestPayload"] == {"not": "an event"}


def test_the_gateway_responds_with_the_products_errors(stack):
    """The test sets the gateway responses directly, because the local cloud's CloudFormation ignores them."""
    stack.put_gateway_responses()

    response = stack.site.app({"path": "/v1/nothing", "httpMethod": "GET", "body": None, "headers": {}}, None)

    headers = {name.lower(): value for name, value in response["headers"].items()}
    problem = json.loads(response["body"])
    assert response["statusCode"] == problem["status"] == 404
    assert headers["content-type"] == "application/problem+json"
    assert problem["request_id"] == headers["x-request-id"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
