"""The CloudWatch dashboard of the template: what an operator looks at before a decision.

It exists with `Monitoring=full`. Three dashboards of an account are free; each further one costs $3 a month.
"""

import json
from typing import Any

from chalicelib.metrics import Metric
from infra.bundle.alarm_list import ALARMS, Level
from infra.bundle.alarms import FULL_MONITORING

Template = dict[str, Any]

_OWN = "${Prefix}metrics"
_WIDTH, _HEIGHT = 8, 6
_PER_ROW = 24 // _WIDTH


def add_dashboard(template: Template) -> None:
    """Add the dashboard to the template."""
    template["Resources"]["Dashboard"] = {
        "Type": "AWS::CloudWatch::Dashboard",
        "Condition": FULL_MONITORING,
        "Properties": {
            "DashboardName": {"Fn::Sub": "${Prefix}overview"},
            "DashboardBody": {"Fn::Sub": json.dumps({"widgets": [_build_alarm_states(), *_place(_list_widgets())]})},
        },
    }


def _build_alarm_states() -> dict[str, Any]:
    """The states of all alarms, in one row at the top. The alarm of the certificate may not exist."""
    names = [alarm.name for alarm in ALARMS if alarm.level is not Level.OWN_DOMAIN]
    return {
        "type": "alarm",
        "x": 0,
        "y": 0,
        "width": 24,
        "height": _HEIGHT,
        "properties": {"title": "Alarms", "alarms": [f"${{{name}.Arn}}" for name in names]},
    }


def _place(widgets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for number, widget in enumerate(widgets):
        widget["x"] = number % _PER_ROW * _WIDTH
        widget["y"] = (1 + number // _PER_ROW) * _HEIGHT
    return widgets


def _list_widgets() -> list[dict[str, Any]]:
    gateway = ["AWS/ApiGateway", "Latency", "ApiName", "${Prefix}api", "Stage", "api"]
    return [
        _graph("Time of requests, p50 and p99 (ms)", [*gateway, {"stat": "p50"}], [*gateway, {"stat": "p99"}]),
        _search("Time by family, p90 (ms)", _OWN, "Family", Metric.LATENCY, "p90"),
        _search("Requests that succeeded", _OWN, "Family", Metric.SUCCEEDED),
        _search("Requests that were refused", _OWN, "Family", Metric.REFUSED),
        _search("Requests that failed", _OWN, "Family", Metric.FAILED),
        _sums("Refused callers", Metric.UNAUTHENTICATED, Metric.FORBIDDEN, Metric.SIGN_INS_REFUSED),
        _graph("Oldest task that is due (minutes)", _own(Metric.OLDEST_DUE_TASK_MINUTES, "Maximum")),
        _graph("Tasks that are due", _own(Metric.DUE_TASKS, "Maximum")),
        _graph(
            "Jobs overdue, and tasks that failed for good",
            ["${Prefix}jobs", "Overdue", {"stat": "Maximum"}],
            ["${Prefix}jobs", "Parked", {"stat": "Maximum"}],
        ),
        _sums("Emails", Metric.EMAILS_SENT, Metric.EMAILS_FAILED, Metric.EMAILS_SUPPRESSED),
        _graph("Email quota used (%)", _own(Metric.EMAIL_QUOTA_USED, "Maximum")),
        _search("Deliveries of centers' systems", _OWN, "Outcome", Metric.DELIVERIES),
        _search("Errors of functions", "AWS/Lambda", "FunctionName", "Errors", only="${Prefix}"),
        _search("Longest run of functions (ms)", "AWS/Lambda", "FunctionName", "Duration", "Maximum", only="${Prefix}"),
        _search("Running at once", "AWS/Lambda", "FunctionName", "ConcurrentExecutions", "Maximum", only="${Prefix}"),
        _search("Writes of tables (WRU)", "AWS/DynamoDB", "TableName", "ConsumedWriteCapacityUnits", only="${Prefix}"),
        _search("Reads of tables (RRU)", "AWS/DynamoDB", "TableName", "ConsumedReadCapacityUnits", only="${Prefix}"),
        _search("Throttled writes of tables", "AWS/DynamoDB", "TableName", "WriteThrottleEvents", only="${Prefix}"),
    ]  # fmt: skip


def _own(metric: Metric, statistic: str) -> list[Any]:
    return [_OWN, metric.value, {"stat": statistic}]


def _sums(title: str, *metrics: Metric) -> dict[str, Any]:
    return _graph(title, *(_own(metric, "Sum") for metric in metrics))


def _search(
    title: str, namespace: str, dimension: str, metric: str, statistic: str = "Sum", *, only: str = ""
) -> dict[str, Any]:
    """A graph with one line for each value of a dimension, also for values that come later."""
    of_ours = f' "{only}"' if only else ""
    expression = f"""SEARCH('{{{namespace},{dimension}}} MetricName="{metric}"{of_ours}', '{statistic}', 300)"""
    return _graph(title, [{"expression": expression, "id": "found"}])


def _graph(title: str, *metrics: list[Any]) -> dict[str, Any]:
    return {
        "type": "metric",
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": title,
            "metrics": list(metrics),
            "period": 300,
            "region": "${AWS::Region}",
            "view": "timeSeries",
        },
    }
