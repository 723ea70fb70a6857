"""The list of alarms: what each watches, when it fires, and why at that figure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from chalicelib.metrics import DeliveryOutcome, Metric, RouteFamily


class Level(Enum):
    """When an alarm exists."""

    ESSENTIAL = "always"
    FULL = "with Monitoring=full"
    OWN_DOMAIN = "with Monitoring=full and a domain of its own"


@dataclass(frozen=True, slots=True)
class MetricSource:
    """A metric: of the functions (`product`), of a metric filter on the log (`log`), or of an AWS service."""

    namespace: str
    name: str
    dimensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm.

    Attributes:
        name: Also the name of its page in `docs/runbook/`.
        description: What happened, for the email.
        duration_of: Functions whose longest run is compared with their time limits, in place of a metric.
        datapoints: How many of the evaluation periods must breach; 0 for all.
        missing: What a period without data means.
    """

    name: str
    description: str
    metric: MetricSource = field(default_factory=lambda: MetricSource("AWS/Lambda", "Duration"))
    duration_of: tuple[str, ...] = ()
    statistic: str = "Sum"
    threshold: Any = 0
    comparison: str = "GreaterThanThreshold"
    period_s: int = 300
    evaluation_periods: int = 1
    datapoints: int = 0
    missing: str = "notBreaching"
    level: Level = Level.ESSENTIAL


def _own(metric: Metric, **dimensions: str) -> MetricSource:
    return MetricSource("product", metric.value, dimensions)


def _function(metric: str, function: str) -> MetricSource:
    return MetricSource("AWS/Lambda", metric, {"FunctionName": {"Ref": function}})


_GATEWAY = {"ApiName": {"Fn::Sub": "${Prefix}api"}, "Stage": "api"}
_USER_POOL = {"UserPool": {"Ref": "UserPool"}, "UserPoolClient": {"Ref": "UserPoolClient"}}

ALARMS: tuple[Alarm, ...] = (
    Alarm(
        name="ApiErrors",
        description="The API function failed without its own error response.",
        metric=_function("Errors", "APIHandler"),
    ),
    Alarm(
        name="ApiThrottles",
        description="Requests were rejected because Lambda's concurrency limit was reached.",
        metric=_function("Throttles", "APIHandler"),
    ),
    Alarm(
        name="ApiRefusals",
        description="API Gateway responded with 5xx, so a request was lost.",
        metric=MetricSource("AWS/ApiGateway", "5XXError", _GATEWAY),
    ),
    Alarm(
        name="OutboxErrors",
        description="Notices about new events could not be sent at once. The relay sends them within minutes.",
        metric=_function("Errors", "Outbox"),
    ),
    Alarm(
        name="RelayErrors",
        description="The relay failed in two of three runs.",
        metric=_function("Errors", "Relay"),
        evaluation_periods=3,
        datapoints=2,
    ),
    Alarm(
        name="NoticesErrors",
        description="The job that sends due notices failed.",
        metric=_function("Errors", "Notices"),
        period_s=900,
    ),
    Alarm(
        name="CheckpointsErrors",
        description="The job that writes audit checkpoints failed.",
        metric=_function("Errors", "Checkpoints"),
        period_s=3600,
    ),
    Alarm(
        name="ChecksWereLost",
        description="A document had no check or no malware scan within an hour, and was rejected.",
        metric=MetricSource("log", "DocumentChecksLost"),
    ),
    Alarm(
        name="JobsSilent",
        description=(
            "A job had no successful run in two of its periods. The log of the relay shows which one. "
            "If the relay logs nothing, the relay itself is not running."
        ),
        metric=MetricSource("log", "Overdue"),
        statistic="Maximum",
        period_s=600,
        missing="breaching",
    ),
    Alarm(
        name="TasksWereParked",
        description="A notice or email failed on every attempt. An operator must retry it.",
        metric=MetricSource("log", "Parked"),
        statistic="Maximum",
        period_s=600,
    ),
    Alarm(
        name="RunsWereLost",
        description="A scheduled run failed on every attempt. It is in the queue of failed runs.",
        metric=MetricSource(
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": {"Fn::GetAtt": ["FailedRuns", "QueueName"]}},
        ),
        statistic="Maximum",
    ),
    Alarm(
        name="BacklogTooOld",
        description="A task has been due for longer than BacklogLimitMinutes, so people are notified late.",
        metric=_own(Metric.OLDEST_DUE_TASK_MINUTES),
        statistic="Maximum",
        threshold={"Ref": "BacklogLimitMinutes"},
        period_s=600,
    ),
    Alarm(
        name="AuditBroken",
        description="The hourly check found that audit rows are missing or were changed.",
        metric=_own(Metric.AUDIT_BROKEN),
        # A chain that is broken stays broken, but only one run in many looks at it again.
        period_s=3600,
        missing="ignore",
    ),
    Alarm(
        name="KeyUnusable",
        description=(
            "The key that encrypts health data is disabled or about to be deleted. Within minutes nothing can be read."
        ),
        metric=_own(Metric.KEY_UNUSABLE),
        statistic="Maximum",
        missing="ignore",
    ),
    Alarm(
        name="ApiSlow",
        description="One request in a hundred took longer than 5 seconds for 15 minutes.",
        metric=MetricSource("AWS/ApiGateway", "Latency", _GATEWAY),
        statistic="p99",
        threshold=5000,
        evaluation_periods=3,
        level=Level.FULL,
    ),
    Alarm(
        name="ApiTimeouts",
        description="A request used the whole time limit of the API function and was stopped.",
        duration_of=("APIHandler", "PacketPdf"),
        threshold=97,
        level=Level.FULL,
    ),
    Alarm(
        name="JobTimeouts",
        description="A run of a job used its whole time limit and was stopped.",
        duration_of=(
            *("Outbox", "Relay", "Notices", "Clocks", "Digest", "Checkpoints", "Slots", "Documents"),
            "DocumentCheck",
        ),
        threshold=97,
        level=Level.FULL,
    ),
    Alarm(
        name="StorageThrottled",
        description="DynamoDB throttled more than 20 calls within five minutes.",
        metric=_own(Metric.STORAGE_THROTTLED),
        # On-demand tables throttle for seconds when they grow, and repeats hide that.
        threshold=20,
        level=Level.FULL,
    ),
    Alarm(
        name="StreamBehind",
        description="The stream of the outbox is more than two minutes behind, so notices of new events are late.",
        metric=_function("IteratorAge", "Outbox"),
        statistic="Maximum",
        # After five minutes records are skipped, and the relay sends them.
        threshold=120_000,
        evaluation_periods=2,
        level=Level.FULL,
    ),
    Alarm(
        name="EmailBounces",
        description="More than 5% of the account's emails bounce. SES may stop sending.",
        # Source: SES reviews an account at 5%, and may pause it at 10% ("Reputation metrics", SES guide).
        metric=MetricSource("AWS/SES", "Reputation.BounceRate"),
        statistic="Average",
        threshold=0.05,
        period_s=3600,
        missing="ignore",
        level=Level.FULL,
    ),
    Alarm(
        name="EmailComplaints",
        description="More than 0.1% of the account's emails were reported as spam. SES may stop sending.",
        # Source: the same page; review at 0.1%, pause at 0.5%.
        metric=MetricSource("AWS/SES", "Reputation.ComplaintRate"),
        statistic="Average",
        threshold=0.001,
        period_s=3600,
        missing="ignore",
        level=Level.FULL,
    ),
    Alarm(
        name="EmailQuota",
        description="80% of the emails that SES sends for this account in 24 hours were used, or SES sends none.",
        metric=_own(Metric.EMAIL_QUOTA_USED),
        statistic="Maximum",
        threshold=80,
        level=Level.FULL,
    ),
    Alarm(
        name="UnauthenticatedBurst",
        description="More than 300 requests within five minutes had no valid token or signature.",
        metric=_own(Metric.UNAUTHENTICATED),
        # A session that ended gives a handful of them for each open page.
        threshold=300,
        level=Level.FULL,
    ),
    Alarm(
        name="ForbiddenBurst",
        description="More than 100 requests within five minutes asked for what their role does not allow.",
        metric=_own(Metric.FORBIDDEN),
        # The dashboard hides what a role does not allow, so people cause almost none.
        threshold=100,
        level=Level.FULL,
    ),
    Alarm(
        name="DeliveriesNotSigned",
        description="More than 10 deliveries within 15 minutes had a wrong signature: a center's updates are lost.",
        metric=_own(Metric.DELIVERIES, Outcome=DeliveryOutcome.NOT_SIGNED.value),
        threshold=10,
        period_s=900,
        level=Level.FULL,
    ),
    Alarm(
        name="SignInRefused",
        description="More than 50 sign-ins within five minutes were refused.",
        metric=_own(Metric.SIGN_INS_REFUSED),
        threshold=50,
        level=Level.FULL,
    ),
    Alarm(
        name="SignInFailing",
        description="Sign-in or the list of members failed in two of three periods of five minutes.",
        metric=_own(Metric.FAILED, Family=RouteFamily.IDENTITY.value),
        evaluation_periods=3,
        datapoints=2,
        level=Level.FULL,
    ),
    Alarm(
        name="SignInThrottled",
        description="Amazon Cognito throttled sign-ins.",
        metric=MetricSource("AWS/Cognito", "SignInThrottles", _USER_POOL),
        level=Level.FULL,
    ),
    Alarm(
        name="CertificateExpires",
        description="The certificate of the dashboard expires in less than 30 days, and was not renewed.",
        # Source: ACM renews 60 days before the end, and publishes this metric twice a day (ACM user guide).
        metric=MetricSource("AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": {"Ref": "CertificateArn"}}),
        statistic="Minimum",
        threshold=30,
        comparison="LessThanThreshold",
        period_s=86_400,
        missing="ignore",
        level=Level.OWN_DOMAIN,
    ),
)
