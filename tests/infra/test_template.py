"""Facts about what `make package` would create."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.settings import Settings
from chalicelib.store.all_stores import TABLE_NAMES
from chalicelib.store.notices.leases import LEASE_DURATION
from chalicelib.wiring import MIN_REMAINING_MS
from infra import bundle
from infra.bundle.template import list_resources_of_type
from infra.local.stack import DATA_RESOURCE_PATTERN

# Nothing of these costs anything while nobody uses it, except the key: a dollar a month. A filter
# makes a metric of ours, of which ten are free.
COSTS_NOTHING_AT_REST = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::DomainName",
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
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
FREE_METRICS = 10
"""Of our own, and again as many that alarms look at: an expression counts once for each in it."""

GATEWAY_TIMEOUT_S = 29
FUNCTIONS = {"APIHandler", "Checkpoints", "Clocks", "Digest", "Notices", "Outbox", "Relay"}


def api(template):
    return template["Resources"]["RestAPI"]["Properties"]


def function(template, name):
    return template["Resources"][name]["Properties"]


def test_cfn_lint_finds_nothing(dist):
    """Neither an error nor a warning."""
    linter = Path(sys.executable).with_name("cfn-lint")
    found = subprocess.run([linter, dist / bundle.TEMPLATE], check=False, capture_output=True, text=True)

    assert found.stdout == ""
    assert found.returncode == 0


def test_nothing_is_paid_for_while_nobody_uses_it(template):
    """Every type of resource is known to be free at rest, and no alarm is beyond the free ones."""
    types = {resource["Type"] for resource in template["Resources"].values()}
    alarms = [a["Properties"] for a in list_resources_of_type(template, "AWS::CloudWatch::Alarm").values()]

    assert types <= COSTS_NOTHING_AT_REST
    assert sum(len(alarm.get("Metrics", [1])) for alarm in alarms) <= FREE_METRICS
    assert len(list_resources_of_type(template, "AWS::Logs::MetricFilter")) <= FREE_METRICS
    for table in list_resources_of_type(template, "AWS::DynamoDB::Table").values():
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"


def test_the_tables_are_those_that_the_code_opens(template):
    """No more and no less, each under the deployment's prefix."""
    tables = list_resources_of_type(template, "AWS::DynamoDB::Table").values()

    names = {table["Properties"]["TableName"]["Fn::Sub"] for table in tables}
    assert names == {f"${{Prefix}}{name}" for name in TABLE_NAMES}


def test_no_table_is_ever_lost(production):
    """Restorable to any second, kept when the stack goes, protected from a slip."""
    for table in list_resources_of_type(production, "AWS::DynamoDB::Table").values():
        properties = table["Properties"]

        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert properties["DeletionProtectionEnabled"] is True
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


def test_every_table_is_encrypted_with_our_key(template):
    """A key of the deployment's own, which rotates and outlives the stack."""
    for table in list_resources_of_type(template, "AWS::DynamoDB::Table").values():
        encryption = table["Properties"]["SSESpecification"]
        assert encryption["SSEType"] == "KMS"
        assert encryption["KMSMasterKeyId"] == {"Fn::GetAtt": ["DataKey", "Arn"]}

    key = template["Resources"]["DataKey"]
    assert key["Properties"]["EnableKeyRotation"] is True
    assert key["DeletionPolicy"] == "Retain"


def test_what_holds_data_stands_by_itself(template):
    """The local cloud makes these entries alone, without the functions and the API."""
    entries = [r for r in template["Resources"].values() if DATA_RESOURCE_PATTERN.fullmatch(r["Type"])]
    others = {n for n, r in template["Resources"].items() if not DATA_RESOURCE_PATTERN.fullmatch(r["Type"])}

    named = set(re.findall(r"[A-Za-z]+", json.dumps(entries)))
    assert len(entries) > len(TABLE_NAMES)
    assert not named & others


def test_there_is_one_stage(template):
    """SAM makes a second open one, named Stage, unless the definition says its version."""
    assert api(template)["OpenApiVersion"] == "2.0"
    assert api(template)["StageName"] == "api"
    assert api(template)["EndpointConfiguration"] == "REGIONAL"


def test_the_gateway_is_no_second_gatekeeper(template):
    """Every operation goes to the function, which checks tokens and signatures by itself.

    An authorizer here would let the local run be weaker than the cloud, or the other way round.
    """
    definition = api(template)["DefinitionBody"]

    assert "securityDefinitions" not in definition
    for path in definition["paths"].values():
        for operation in path.values():
            assert operation["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
            assert "security" not in operation


def test_a_method_that_a_path_does_not_have_reaches_the_function(template):
    """Which answers 405; the gateway by itself would answer as if there were no such path."""
    for path in api(template)["DefinitionBody"]["paths"].values():
        assert "x-amazon-apigateway-any-method" in path


def test_the_packaged_routes_are_those_of_the_app(template):
    """Chalice packaged this application and no other."""
    from app import app

    assert set(api(template)["DefinitionBody"]["paths"]) == set(app.routes)


def test_the_gateway_throttles_and_traces_no_data(template):
    """Bodies would end up in logs."""
    everything, feeds = api(template)["MethodSettings"]

    assert (everything["ResourcePath"], everything["HttpMethod"]) == ("/*", "*")
    assert feeds["ResourcePath"] == "/~1v1~1webhooks~1centers~1{center_id}"
    for settings in (everything, feeds):
        assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"]
        assert settings["DataTraceEnabled"] is False
        assert settings["LoggingLevel"] == "OFF"


def test_the_access_log_names_no_patient(template):
    """Routes without their ids, and nothing that a caller writes."""
    line = json.loads(api(template)["AccessLogSetting"]["Format"])

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


def test_every_setting_of_the_code_is_set(template):
    """Each function gets the same environment, complete."""
    variables = template["Globals"]["Function"]["Environment"]["Variables"]

    settings = {name.upper() for name in Settings.__dataclass_fields__}
    assert set(variables) == settings | {"PYTHONTZPATH"}


def test_time_zones_come_with_the_bundle(template):
    """The locked ones, found without a look at how Python was built: five milliseconds."""
    variables = template["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["PYTHONTZPATH"] == "/var/task/tzdata/zoneinfo"


def test_people_are_invited(production):
    """Nobody signs up by themselves, and the dashboard's client keeps no secret."""
    pool = production["Resources"]["UserPool"]
    client = production["Resources"]["UserPoolClient"]["Properties"]

    assert pool["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert pool["Properties"]["DeletionProtection"] == "ACTIVE"
    assert pool["DeletionPolicy"] == "Retain"
    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (60, "minutes")


def test_the_functions_are_those_that_the_facts_are_about(template):
    """So what is said here of each function is said of all."""
    assert set(list_resources_of_type(template, "AWS::Serverless::Function")) == FUNCTIONS


def test_every_alarm_is_heard(template):
    """All go to the one topic that an operator subscribes to."""
    for alarm in list_resources_of_type(template, "AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}]


def test_no_function_outlives_who_waits_for_it(template):
    """The API ends before the gateway gives up, a job before its lease on a task runs out."""
    assert function(template, "APIHandler")["Timeout"] < GATEWAY_TIMEOUT_S
    for name in FUNCTIONS:
        assert function(template, name)["Timeout"] < LEASE_DURATION.total_seconds()


@pytest.mark.parametrize("name", sorted(FUNCTIONS - {"APIHandler"}))
def test_a_function_has_time_for_more_than_the_last_task(template, name):
    """What it keeps in reserve for one that is not answered is less than half of its time."""
    assert function(template, name)["Timeout"] > 2 * MIN_REMAINING_MS / 1000


def test_functions_run_where_the_bundle_was_compiled_for(template):
    """Bytecode is for one Python, compiled extensions are for one processor."""
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
    ],
)
def test_logs_end_some_day(template, name, group):
    """Each function writes to a group of its own, made here, with an end."""
    assert function(template, name)["LoggingConfig"]["LogGroup"] == {"Ref": group}
    kept = template["Resources"][group]["Properties"]["RetentionInDays"]
    assert kept == {"Ref": "LogRetentionDays"}
