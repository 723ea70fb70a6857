"""Versions of functions: what runs them names an alias, which a deployment moves, for the API step by step."""

import json

import pytest

from infra.bundle.aliases import ROLLBACK_ALARMS
from infra.bundle.template import list_resources_of_type


@pytest.fixture(scope="module")
def functions(template):
    return list_resources_of_type(template, "AWS::Serverless::Function")


def test_each_function_publishes_a_version_for_its_alias(functions):
    """Also when only a setting changes: an alias is a version with its settings."""
    for function in functions.values():
        assert function["Properties"]["AutoPublishAlias"] == "live"
        assert function["Properties"]["AutoPublishAliasAllProperties"] is True


def test_nothing_names_a_function_without_its_alias(template, functions):
    """SAM lets schedules, streams and events of a function run its alias. The others name it themselves."""
    others = {name: resource for name, resource in template["Resources"].items() if name not in functions}
    text = json.dumps(others)

    for name in functions:
        assert f"${{{name}.Arn}}" not in text
        assert f'{{"Fn::GetAtt": ["{name}", "Arn"]}}' not in text
    permissions = list_resources_of_type(template, "AWS::Lambda::Permission").values()
    assert [each["Properties"]["FunctionName"] for each in permissions] == [{"Ref": "APIHandler.Alias"}]


def test_each_route_runs_the_alias_of_the_api(template):
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"].values()
    uris = {
        json.dumps(operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"])
        for path in paths
        for operation in path.values()
        if "x-amazon-apigateway-integration" in operation
    }

    [uri] = map(json.loads, uris)
    assert uri[0].endswith("/functions/${APIHandlerAlias}/invocations")
    assert uri[1] == {"APIHandlerAlias": {"Ref": "APIHandler.Alias"}}


def test_the_api_calls_the_alias_of_the_function_that_sets_pdfs(template):
    variables = template["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["PACKET_FUNCTION"] == {"Fn::Sub": "${Prefix}packet-pdf:live"}


def test_requests_move_step_by_step_and_back_if_an_alarm_fires(template, functions):
    """How fast, and whether an alarm brings them back, are parameters."""
    preference = functions["APIHandler"]["Properties"]["DeploymentPreference"]
    alarms = [{"Ref": name} for name in ROLLBACK_ALARMS]

    assert preference["Type"] == {"Ref": "TrafficShift"}
    assert preference["Alarms"] == {"Fn::If": ["RollsBackOnAlarm", alarms, []]}
    assert {each["Ref"] for each in alarms} <= list_resources_of_type(template, "AWS::CloudWatch::Alarm").keys()
    assert template["Parameters"]["TrafficShift"]["Default"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert template["Parameters"]["RollBackOnAlarm"]["Default"] == "true"


def test_jobs_move_at_once(functions):
    """A job runs once in its period. A part of its runs would be a job that is skipped or repeated at random."""
    shifted = {name for name, function in functions.items() if "DeploymentPreference" in function["Properties"]}

    assert shifted == {"APIHandler"}
