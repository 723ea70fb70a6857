"""The alarms of the template, and the settings with which the functions write metrics.

Each alarm names a page of `docs/runbook/` with its own name. An alarm that is not essential exists with
`Monitoring=full` only, because CloudWatch charges for each metric of an alarm beyond ten.
`infra/bundle/alarm_list.py` has the list.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.bundle.alarm_list import ALARMS, Alarm, Level, MetricSource

Template = dict[str, Any]

METRICS_NAMESPACE = {"Fn::Sub": "${Prefix}metrics"}
"""Where the functions' own metrics are."""

FULL_MONITORING = "HasFullMonitoring"

# They measure what the essential alarms need, so they write metrics with each setting.
_ALWAYS_MEASURING = ("Relay", "Checkpoints")

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "Monitoring": {
        "Type": "String",
        "Default": "essential",
        "AllowedValues": ["essential", "full"],
        "Description": (
            "essential: the alarms without which no one would notice that people are not notified or that requests "
            "are lost. full: all alarms, metrics of each request, and a dashboard, as docs/operations.md recommends "
            "for real patients."
        ),
    },
    "BacklogLimitMinutes": {
        "Type": "Number",
        "Default": 90,
        "MinValue": 20,
        "MaxValue": 1440,
        "Description": (
            "For how many minutes a task can be due before the alarm BacklogTooOld fires. Above the planned peak of "
            "the morning."
        ),
    },
    "RunbookUrl": {
        "Type": "String",
        "Default": "docs/runbook",
        "AllowedPattern": "[^\\s]*[^\\s/]",
        "Description": (
            "Address of the pages of docs/runbook, without a slash at the end. Each alarm links to its page there."
        ),
    },
}


def add_alarms(template: Template) -> None:
    """Add every alarm to the template, and let the functions write the metrics that the alarms use."""
    template["Parameters"] |= {name: dict(parameter) for name, parameter in PARAMETERS.items()}
    template["Conditions"] |= {
        FULL_MONITORING: {"Fn::Equals": [{"Ref": "Monitoring"}, "full"]},
        "HasFullMonitoringOfOwnDomain": {"Fn::And": [{"Condition": FULL_MONITORING}, {"Condition": "HasOwnDomain"}]},
    }
    template["Resources"] |= {alarm.name: _build_alarm(alarm, template) for alarm in ALARMS}
    _let_functions_write_metrics(template)


def _let_functions_write_metrics(template: Template) -> None:
    template["Globals"]["Function"]["Environment"]["Variables"] |= {
        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
        "POWERTOOLS_METRICS_DISABLED": {"Fn::If": [FULL_MONITORING, "false", "true"]},
    }
    for name in _ALWAYS_MEASURING:
        environment = template["Resources"][name]["Properties"].setdefault("Environment", {"Variables": {}})
        environment["Variables"]["POWERTOOLS_METRICS_DISABLED"] = "false"


def _build_alarm(alarm: Alarm, template: Template) -> Template:
    properties = {
        "AlarmDescription": {"Fn::Sub": f"{alarm.description} Runbook: ${{RunbookUrl}}/{alarm.name}.md"},
        **_build_metric(alarm, template),
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints or alarm.evaluation_periods,
        "TreatMissingData": alarm.missing,
        "AlarmActions": [{"Ref": "AlarmTopic"}],
        "OKActions": [{"Ref": "AlarmTopic"}],
    }
    condition = {Level.ESSENTIAL: None, Level.FULL: FULL_MONITORING, Level.OWN_DOMAIN: "HasFullMonitoringOfOwnDomain"}
    resource: Template = {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
    return resource | ({"Condition": condition[alarm.level]} if condition[alarm.level] else {})


def _build_metric(alarm: Alarm, template: Template) -> Template:
    if alarm.duration_of:
        return {"Metrics": list(_build_durations(alarm, template))}
    # A percentile is another property, and of a few requests it says nothing.
    is_percentile = alarm.statistic.startswith("p")
    statistic = {"ExtendedStatistic": alarm.statistic, "EvaluateLowSampleCountPercentile": "ignore"}
    return {
        **_name_metric(alarm.metric),
        **(statistic if is_percentile else {"Statistic": alarm.statistic}),
        "Period": alarm.period_s,
    }


def _name_metric(source: MetricSource) -> Template:
    namespace = METRICS_NAMESPACE if source.namespace == "product" else source.namespace
    dimensions = [{"Name": name, "Value": value} for name, value in source.dimensions.items()]
    return {
        "Namespace": {"Fn::Sub": "${Prefix}jobs"} if namespace == "log" else namespace,
        "MetricName": source.name,
        **({"Dimensions": dimensions} if dimensions else {}),
    }


def _build_durations(alarm: Alarm, template: Template) -> Iterator[Template]:
    """The longest run of several functions, in percent of the time limit of each."""
    parts = {name: template["Resources"][name]["Properties"]["Timeout"] * 1000 for name in alarm.duration_of}
    terms = ", ".join(f"FILL({name.lower()}, 0) / {limit_ms} * 100" for name, limit_ms in parts.items())
    yield {"Id": "result", "Expression": f"MAX([{terms}])", "Label": alarm.name, "ReturnData": True}
    for name in parts:
        metric = {
            "Namespace": "AWS/Lambda",
            "MetricName": "Duration",
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": name}}],
        }
        statistic = {"Metric": metric, "Period": alarm.period_s, "Stat": "Maximum"}
        yield {"Id": name.lower(), "MetricStat": statistic, "ReturnData": False}
