"""The template that `make package` writes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.aws_responses import CONNECT_S
from chalicelib.budget import MAX_BUDGET_S
from chalicelib.domain.documents.check_events import UPLOAD_NEWS_PATTERN, UPLOADS
from chalicelib.routes.platform.operations import BINARY_TYPES
from chalicelib.sdk_clients import PACKET_READ_S
from chalicelib.settings import Settings, is_api_on_lambda
from chalicelib.store.all_stores import TABLE_NAMES
from chalicelib.store.notices.leases import LEASE_DURATION
from chalicelib.store.referrals.packet_renderer import RENDER_S
from chalicelib.wiring import MIN_REMAINING_MS
from infra.bundle.template import list_resources_of_type
from infra.deployments.existing import KEY_DESCRIPTION
from infra.local.stack import DATA_RESOURCE_PATTERN

# None of these costs anything while no one uses the product, except the key, which costs a dollar per
# month. A metric filter creates a custom metric; ten of them are free.
FREE_AT_REST = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::DomainName",
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::DynamoDB::Table",
    "AWS::GuardDuty::MalwareProtectionPlan",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SES::ConfigurationSet",
    "AWS::SES::ConfigurationSetEventDestination",
    "AWS::SES::EmailIdentity",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Serverless::Api",
    "AWS::Serverless::Function",
}
PAID_ALARMS = 4
"""Each costs $0.10 a month: lost malware scans, tasks that are due for too long, a broken audit trail, and a key that
cannot be used. Without them, no one would notice for hours or days."""

FREE_METRICS = 10
"""For custom metrics, and again for metrics in alarms. An alarm on an expression counts each metric in it."""

GATEWAY_TIMEOUT_S = 29
FUNCTIONS = {
    "APIHandler",
    "Checkpoints",
    "Clocks",
    "Digest",
    "DocumentCheck",
    "Documents",
    "Notices",
    "Outbox",
    "PacketPdf",
    "Relay",
    "Slots",
}


def get_api(template):
    return template["Resources"]["RestAPI"]["Properties"]


def get_function(template, name):
    return template["Resources"][name]["Properties"]


def test_cfn_lint_finds_no_error_and_no_warning(template_file):
    linter = Path(sys.executable).with_name("cfn-lint")
    result = subprocess.run([linter, template_file], check=False, capture_output=True, text=True)

    assert result.stdout == ""
    assert result.returncode == 0


OFF_BY_DEFAULT = {
    "HasFullMonitoring",
    "HasFullMonitoringOfOwnDomain",
    "HasWebAcl",
    "HasBackupVault",
    "HasBackupCopy",
    "HasBudget",
}
"""Conditions that are false with the default parameters: what costs money at rest is turned on by a parameter."""


def test_the_stack_is_free_while_no_one_uses_it(template):
    """Every resource type is free at rest, and the number of alarms and metrics is within the free tier."""
    default = [r for r in template["Resources"].values() if r.get("Condition") not in OFF_BY_DEFAULT]
    types = {resource["Type"] for resource in default}
    alarms = [r["Properties"] for r in default if r["Type"] == "AWS::CloudWatch::Alarm"]

    assert types <= FREE_AT_REST
    # The local cloud does not support expressions, so the alarms that always exist have one metric each.
    assert not [alarm for alarm in alarms if "Metrics" in alarm]
    assert len(alarms) <= FREE_METRICS + PAID_ALARMS
    assert len(list_resources_of_type(template, "AWS::Logs::MetricFilter")) <= FREE_METRICS
    for table in list_resources_of_type(template, "AWS::DynamoDB::Table").values():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"


def test_the_template_has_exactly_the_tables_that_the_code_uses(template):
    """Their names start with the deployment's prefix."""
    tables = list_resources_of_type(template, "AWS::DynamoDB::Table").values()

    names = {table["Properties"]["TableName"]["Fn::Sub"] for table in tables}
    assert names == {f"${{Prefix}}{name}" for name in TABLE_NAMES}


def test_every_table_is_protected_from_loss(production):
    """It can be restored to any second, cannot be deleted by mistake, and stays when the stack is deleted."""
    for table in list_resources_of_type(production, "AWS::DynamoDB::Table").values():
        properties = table["Properties"]

        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert properties["DeletionProtectionEnabled"] is True
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


BUCKETS = ("QuarantineBucket", "FilesBucket")


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_private_encrypted_versioned_and_kept(production, name):
    """No one outside reads it, and a stack that is deleted leaves it."""
    bucket, properties = production["Resources"][name], production["Resources"][name]["Properties"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (statement,) = production["Resources"][f"{name}Policy"]["Properties"]["PolicyDocument"]["Statement"]

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_the_ends_of_the_audit_trail_cannot_be_changed_or_deleted(production):
    """By no function and no administrator: versions are locked for years, and one can only be written once."""
    bucket = production["Resources"]["AuditHeadsBucket"]
    properties = bucket["Properties"]
    statements = production["Resources"]["AuditHeadsBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    denied = {statement["Sid"]: statement for statement in statements}
    lock = properties["ObjectLockConfiguration"]

    assert (properties["ObjectLockEnabled"], lock["ObjectLockEnabled"]) == (True, "Enabled")
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": {"Ref": "AuditLockDays"}}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert denied["DenyToWriteAgain"]["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert {"s3:DeleteObject", "s3:DeleteObjectVersion"} <= set(denied["DenyToRemove"]["Action"])


def test_quarantine_is_emptied_after_a_day(production):
    """Also of older versions, and of uploads that never ended."""
    rules = production["Resources"]["QuarantineBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert (rules[0]["ExpirationInDays"], rules[0]["NoncurrentVersionExpiration"]) == (1, {"NoncurrentDays": 1})
    assert rules[0]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def test_no_version_of_a_shared_file_expires(production):
    """Two runs can copy a file at once, and the record names one of the two versions."""
    rules = production["Resources"]["FilesBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]

    assert [rule for rule in rules if "NoncurrentVersionExpiration" in rule or "ExpirationInDays" in rule] == []


def test_the_scanner_reads_what_people_upload(production):
    """GuardDuty scans every version below the prefix of uploads."""
    plan = production["Resources"]["MalwareScanner"]

    assert plan["Condition"] == "InProduction"
    assert plan["Properties"]["ProtectedResource"]["S3Bucket"] == {
        "BucketName": {"Ref": "QuarantineBucket"},
        "ObjectPrefixes": [UPLOADS],
    }


def test_the_functions_for_files_get_only_events_of_this_bucket(production):
    """Another stack of the account sends its own."""
    news = get_function(production, "Documents")["Events"]["DocumentsEvent"]["Properties"]["Pattern"]
    checks = get_function(production, "DocumentCheck")["Events"]

    assert news["detail"]["$or"][0] == {"bucket": {"name": [{"Ref": "QuarantineBucket"}]}}
    assert {**UPLOAD_NEWS_PATTERN, "detail": news["detail"]} == news
    assert checks["Arrived"]["Properties"]["Pattern"]["detail"]["object"] == {"key": [{"prefix": UPLOADS}]}


def test_every_table_is_encrypted_with_the_deployments_key(production):
    """The key rotates, and it stays when the stack is deleted."""
    for table in list_resources_of_type(production, "AWS::DynamoDB::Table").values():
        encryption = table["Properties"]["SSESpecification"]
        assert encryption["SSEType"] == "KMS"
        assert encryption["KMSMasterKeyId"] == {"Fn::GetAtt": ["DataKey", "Arn"]}

    key = production["Resources"]["DataKey"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["Properties"]["Description"] == {"Fn::Sub": f"{KEY_DESCRIPTION}${{Prefix}}*"}
    assert key["DeletionPolicy"] == "Retain"


def test_resources_with_data_do_not_refer_to_other_resources(template):
    """The local cloud creates them without the functions and the API."""
    data_resources = [r for r in template["Resources"].values() if DATA_RESOURCE_PATTERN.fullmatch(r["Type"])]
    others = {n for n, r in template["Resources"].items() if not DATA_RESOURCE_PATTERN.fullmatch(r["Type"])}

    names = set(re.findall(r'(?:"|\$\{)([A-Za-z]+)(?=["}.])', json.dumps(data_resources)))
    assert len(data_resources) > len(TABLE_NAMES)
    assert (names & others) == set()


def test_the_api_has_one_stage(template):
    """Without a version in the definition, SAM adds a second public stage with the name Stage."""
    assert get_api(template)["OpenApiVersion"] == "2.0"
    assert get_api(template)["StageName"] == "api"
    assert get_api(template)["EndpointConfiguration"] == "REGIONAL"


def test_the_gateway_does_not_authorize_requests(template):
    """Every operation goes to the function, which checks tokens and signatures itself.

    With an authorizer, the local run and production would check requests differently.
    """
    definition = get_api(template)["DefinitionBody"]

    assert "securityDefinitions" not in definition
    for path in definition["paths"].values():
        for operation in path.values():
            assert operation["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
            assert "security" not in operation


def test_unsupported_methods_reach_the_function(template):
    """The function responds with 405. The gateway itself would respond as if the path did not exist."""
    for path in get_api(template)["DefinitionBody"]["paths"].values():
        assert "x-amazon-apigateway-any-method" in path


def test_the_template_has_exactly_the_routes_of_the_app(template):
    from app import app

    assert set(get_api(template)["DefinitionBody"]["paths"]) == set(app.routes)


def test_the_gateway_throttles_requests_and_does_not_log_bodies(template):
    all_methods, webhooks = get_api(template)["MethodSettings"]

    assert (all_methods["ResourcePath"], all_methods["HttpMethod"]) == ("/*", "*")
    assert webhooks["ResourcePath"] == "/~1v1~1webhooks~1centers~1{center_id}"
    for settings in (all_methods, webhooks):
        assert settings["DataTraceEnabled"] is False
        assert settings["LoggingLevel"] == "OFF"


def test_the_access_log_has_no_patient_data(template):
    """It has routes without their IDs, and nothing that a caller writes."""
    line = json.loads(get_api(template)["AccessLogSetting"]["Format"])

    assert set(line.values()) == {
        "$context.error.responseType",
        "$context.httpMethod",
        "$context.identity.sourceIp",
        "$context.integration.latency",
        "$context.integration.status",
        "$context.requestId",
        "$context.requestTime",
        "$context.resourcePath",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.status",
    }


def test_the_functions_get_every_setting_that_the_code_reads(template):
    variables = template["Globals"]["Function"]["Environment"]["Variables"]

    settings = {name.upper() for name in Settings.__dataclass_fields__}
    of_libraries = {"POWERTOOLS_METRICS_DISABLED", "POWERTOOLS_METRICS_NAMESPACE", "PYTHONTZPATH"}
    assert set(variables) == settings | of_libraries


def test_the_functions_use_the_time_zones_of_the_bundle(template):
    """These are the locked ones. The setting also saves the five milliseconds in which Python searches for them."""
    variables = template["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["PYTHONTZPATH"] == "/var/task/tzdata/zoneinfo"


def test_users_need_an_invitation(production):
    """No one can sign up, and the dashboard's app client has no secret."""
    pool = production["Resources"]["UserPool"]
    client = production["Resources"]["UserPoolClient"]["Properties"]

    assert pool["Properties"]["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["Properties"]["DeletionProtection"] == "ACTIVE"
    assert pool["DeletionPolicy"] == "Retain"
    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    flows = {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    assert set(client["ExplicitAuthFlows"]) == flows
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (60, "minutes")


def test_the_tests_of_this_file_cover_every_function(template):
    assert set(list_resources_of_type(template, "AWS::Serverless::Function")) == FUNCTIONS


def test_every_alarm_notifies_the_alarm_topic(template):
    """An operator subscribes to this topic."""
    for alarm in list_resources_of_type(template, "AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_a_function_times_out_before_its_caller_stops_waiting(template):
    """The API function ends before the gateway times out, and a job before its lease on a task ends."""
    assert get_function(template, "APIHandler")["Timeout"] < GATEWAY_TIMEOUT_S
    for name in FUNCTIONS:
        assert get_function(template, name)["Timeout"] < LEASE_DURATION.total_seconds()


def test_the_gateway_sends_pdfs_and_workbooks_as_bytes(template):
    """Without this it would send base64 text."""
    assert get_api(template)["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == list(BINARY_TYPES)


def test_the_gateway_compresses_what_is_longer_than_a_packet(template):
    """The files of the dashboard are a quarter of their size then."""
    assert get_api(template)["MinimumCompressionSize"] == 1024


def test_the_api_does_not_wait_longer_than_the_function_that_sets_pdfs_may_take(template):
    """Otherwise a page that takes long would end as an error of the function, and not as a pause."""
    assert PACKET_READ_S < get_function(template, "PacketPdf")["Timeout"] <= MAX_BUDGET_S
    assert CONNECT_S + PACKET_READ_S <= RENDER_S


def test_only_the_function_of_the_api_loads_ahead(template):
    """It knows itself by what Lambda calls in it."""
    handlers = {name: get_function(template, name).get("Handler", "") for name in FUNCTIONS}

    loading = {
        name
        for name, handler in handlers.items()
        if is_api_on_lambda({"AWS_LAMBDA_FUNCTION_NAME": name, "_HANDLER": handler})
    }

    assert loading == {"APIHandler"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS - {"APIHandler", "PacketPdf"}))
def test_a_job_spends_less_than_half_of_its_time_limit_in_reserve(template, name):
    """The reserve is for a last task that gets no response."""
    assert get_function(template, name)["Timeout"] > 2 * MIN_REMAINING_MS / 1000


def test_functions_use_the_python_and_the_processor_of_the_bundle(template):
    """Bytecode is for one Python version, and compiled extensions are for one processor."""
    for each in list_resources_of_type(template, "AWS::Serverless::Function").values():
        major, minor, *_ = sys.version_info
        assert each["Properties"]["Runtime"] == f"python{major}.{minor}"
        assert each["Properties"]["Architectures"] == ["arm64"]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("APIHandler", "ApiLogs"),
        ("Outbox", "OutboxLogs"),
        ("Relay", "RelayLogs"),
        ("Notices", "NoticesLogs"),
        ("Clocks", "ClocksLogs"),
        ("Digest", "DigestLogs"),
        ("Checkpoints", "CheckpointsLogs"),
        ("DocumentCheck", "DocumentCheckLogs"),
        ("Documents", "DocumentsLogs"),
        ("Slots", "SlotsLogs"),
        ("PacketPdf", "PacketPdfLogs"),
    ],
)
def test_each_function_has_a_log_group_with_limited_retention(template, name, group):
    assert get_function(template, name)["LoggingConfig"]["LogGroup"] == {"Ref": group}
    retention = template["Resources"][group]["Properties"]["RetentionInDays"]
    assert retention == {"Ref": "LogRetentionDays"}
