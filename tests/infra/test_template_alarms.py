"""Alarms, the metrics that they use, and their pages of the runbook."""

import ast
import json
import re

import pytest

from chalicelib.metrics import DeliveryOutcome, Metric, RouteFamily
from infra.bundle.alarm_list import ALARMS, Level
from infra.bundle.alarms import FULL_MONITORING
from infra.bundle.template import list_resources_of_type
from infra.commit import ROOT

RUNBOOK = ROOT / "docs" / "runbook"
SECTIONS = (
    "First command",
    "When to wake whom",
    "How users are notified",
    "What is safe to delete",
    "When it is over",
)
NAMES = [alarm.name for alarm in ALARMS]

# Metrics that AWS publishes without charge, and their dimensions, from the user guide of each service (read 2026-11).
AWS_METRICS = {
    ("AWS/ApiGateway", "5XXError"): {"ApiName", "Stage"},
    ("AWS/ApiGateway", "Latency"): {"ApiName", "Stage"},
    ("AWS/CertificateManager", "DaysToExpiry"): {"CertificateArn"},
    ("AWS/Cognito", "SignInThrottles"): {"UserPool", "UserPoolClient"},
    ("AWS/Lambda", "Duration"): {"FunctionName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Lambda", "IteratorAge"): {"FunctionName"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/SES", "Reputation.BounceRate"): set(),
    ("AWS/SES", "Reputation.ComplaintRate"): set(),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): {"QueueName"},
}

DIMENSION_VALUES: dict[str, set[str]] = {"Family": {*RouteFamily}, "Outcome": {*DeliveryOutcome}}


@pytest.fixture(scope="session")
def alarms(template):
    """The properties of each alarm, by its name."""
    return {name: a["Properties"] for name, a in list_resources_of_type(template, "AWS::CloudWatch::Alarm").items()}


def list_metrics(properties):
    """List the metrics of an alarm: its own, or those of its expression."""
    stats = [part["MetricStat"]["Metric"] for part in properties.get("Metrics", ()) if "MetricStat" in part]
    return stats or [properties]


def list_emitted_metrics():
    """List the metrics that a function of the shipped code names, so not the list of all metrics itself."""
    for path in [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                yield from (
                    Metric[node.attr]
                    for node in ast.walk(function)
                    if isinstance(node, ast.Attribute) and node.attr in Metric.__members__
                )


def list_filtered_metrics(template):
    for metric_filter in list_resources_of_type(template, "AWS::Logs::MetricFilter").values():
        for transformation in metric_filter["Properties"]["MetricTransformations"]:
            yield json.dumps(transformation["MetricNamespace"]), transformation["MetricName"]


def test_the_template_has_every_alarm_of_the_list(alarms):
    assert set(alarms) == set(NAMES)
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_uses_a_metric_that_exists(template, alarms, name):
    """One that the functions write, a metric filter makes, or AWS publishes; with dimensions that it has."""
    for metric in list_metrics(alarms[name]):
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
        if metric["Namespace"] == {"Fn::Sub": "${Prefix}metrics"}:
            assert metric["MetricName"] in set(Metric)
            assert all(value in DIMENSION_VALUES[dimension] for dimension, value in dimensions.items())
        elif isinstance(metric["Namespace"], dict):
            assert (json.dumps(metric["Namespace"]), metric["MetricName"]) in set(list_filtered_metrics(template))
        else:
            assert AWS_METRICS[metric["Namespace"], metric["MetricName"]] == dimensions.keys()


def test_every_metric_of_the_list_is_written_by_the_code():
    """A name that no code uses would make an alarm that never fires."""
    assert set(Metric) == set(list_emitted_metrics())


@pytest.mark.parametrize("name", NAMES)
def test_an_alarm_links_to_its_page(alarms, name):
    """The email of the alarm contains the link."""
    description = alarms[name]["AlarmDescription"]["Fn::Sub"]

    assert description.endswith(f" Runbook: ${{RunbookUrl}}/{name}.md")
    assert len(description) < 900


@pytest.mark.parametrize("name", NAMES)
def test_a_page_answers_the_questions_of_an_operator(name):
    page = (RUNBOOK / f"{name}.md").read_text(encoding="utf-8")
    title, *parts = re.split(r"^#+ (.*)\n", page, flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))

    assert title == name
    assert tuple(sections) == SECTIONS
    assert all(len(text.strip()) > 5 for text in (parts[0], *sections.values()))
    assert sections["First command"].strip().startswith("```\n")


def test_every_page_is_about_an_alarm():
    """And the overview lists each."""
    overview = (RUNBOOK / "README.md").read_text(encoding="utf-8")

    assert {page.stem for page in RUNBOOK.glob("*.md")} == {*NAMES, "README"}
    assert [name for name in NAMES if f"[{name}]({name}.md)" not in overview] == []


def test_alarms_that_are_not_essential_exist_with_full_monitoring_only(template):
    conditions = {Level.ESSENTIAL: None, Level.FULL: FULL_MONITORING, Level.OWN_DOMAIN: "HasFullMonitoringOfOwnDomain"}

    for alarm in ALARMS:
        assert template["Resources"][alarm.name].get("Condition") == conditions[alarm.level]


def test_the_essential_metrics_are_written_with_each_setting(template):
    """The relay and the check of the audit trail write them, so they are never disabled there."""
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    essential = {alarm.metric.name for alarm in ALARMS if alarm.level is Level.ESSENTIAL}

    assert variables["POWERTOOLS_METRICS_DISABLED"] == {"Fn::If": [FULL_MONITORING, "false", "true"]}
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == {"Fn::Sub": "${Prefix}metrics"}
    assert essential & set(Metric) == {Metric.AUDIT_BROKEN, Metric.KEY_UNUSABLE, Metric.OLDEST_DUE_TASK_MINUTES}
    for name in ("Relay", "Checkpoints"):
        own = template["Resources"][name]["Properties"]["Environment"]["Variables"]
        assert own["POWERTOOLS_METRICS_DISABLED"] == "false"


def test_the_limit_of_the_backlog_is_a_parameter_in_minutes(template, alarms):
    """So is the metric. 90 minutes are above the planned peak of the morning."""
    properties = alarms["BacklogTooOld"]

    assert template["Parameters"]["BacklogLimitMinutes"]["Default"] == 90
    assert properties["Threshold"] == {"Ref": "BacklogLimitMinutes"}
    assert properties["MetricName"] == Metric.OLDEST_DUE_TASK_MINUTES


@pytest.mark.parametrize(
    ("name", "limits_ms"),
    [("ApiTimeouts", {"apihandler": 28_000, "packetpdf": 10_000}), ("JobTimeouts", None)],
)
def test_a_timeout_is_measured_against_the_limit_of_each_function(template, alarms, name, limits_ms):
    [expression] = [part["Expression"] for part in alarms[name]["Metrics"] if "Expression" in part]
    functions = list_resources_of_type(template, "AWS::Serverless::Function")
    watched = {each["Id"] for each in alarms[name]["Metrics"]} - {"result"}
    found = {function: int(limit) for function, limit in re.findall(r"FILL\((\w+), 0\) / (\d+)", expression)}

    assert found == (limits_ms or found)
    assert found.keys() == watched
    assert found == {
        function.lower(): properties["Properties"]["Timeout"] * 1000
        for function, properties in functions.items()
        if function.lower() in watched
    }


def test_every_function_has_an_alarm_for_its_timeout(template, alarms):
    watched = {part["Id"] for name in ("ApiTimeouts", "JobTimeouts") for part in alarms[name]["Metrics"]}
    functions = list_resources_of_type(template, "AWS::Serverless::Function")

    assert {function.lower() for function in functions} == watched - {"result"}


def test_the_dashboard_shows_metrics_that_exist(template):
    """Its text is JSON, its references are resources of the template, and its metrics are on the lists."""
    dashboard = template["Resources"]["Dashboard"]
    text = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(text)["widgets"]
    own = {
        *re.findall(r"\{\$\{Prefix\}metrics,\w+\} MetricName=\"(\w+)\"", text.replace('\\"', '"')),
        *(
            metric[1]
            for widget in widgets
            for metric in widget["properties"].get("metrics", ())
            if metric[0] == "${Prefix}metrics"
        ),
    }

    assert dashboard["Condition"] == FULL_MONITORING
    assert own <= set(Metric)
    assert own >= {
        Metric.OLDEST_DUE_TASK_MINUTES,
        Metric.EMAILS_SENT,
        Metric.DELIVERIES,
        Metric.LATENCY,
        Metric.FORBIDDEN,
    }
    references = set(re.findall(r"\$\{(\w+)\.Arn\}", text))
    assert references == {alarm.name for alarm in ALARMS if alarm.level is not Level.OWN_DOMAIN}
    assert set(re.findall(r"\$\{([^}]+)\}", text)) - {f"{name}.Arn" for name in references} == {"Prefix", "AWS::Region"}


def test_widgets_of_the_dashboard_do_not_overlap(template):
    widgets = json.loads(template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    cells = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
