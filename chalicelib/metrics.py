"""Metrics for CloudWatch: a closed list of names and dimensions, and numbers. Nothing that anyone typed can get in.

A metric is one line on standard output in CloudWatch's embedded metric format, written by Powertools. Lambda
sends the line to the log, and CloudWatch makes the metric from it, so no call waits for it. Without
`POWERTOOLS_METRICS_NAMESPACE` in the environment, as in a local run, nothing is written.

docs/decisions/0059-metrics-and-alarms.md explains what is counted and what that costs.
"""

import logging
from collections.abc import Mapping
from enum import StrEnum
from threading import Lock

from aws_lambda_powertools.metrics.functions import is_metrics_disabled
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider


class Metric(StrEnum):
    """Every metric of the product. The alarms and the dashboard of the template use these names."""

    LATENCY = "Latency"
    """How long a request took, without the network and the gateway."""
    SUCCEEDED = "Succeeded"
    """Requests that were answered with 2xx or 3xx."""
    REFUSED = "Refused"
    """Requests that were answered with 4xx."""
    FAILED = "Failed"
    """Requests that were answered with 5xx."""
    UNAUTHENTICATED = "Unauthenticated"
    """Requests that were answered with 401, except sign-ins."""
    FORBIDDEN = "Forbidden"
    """Requests that were answered with 403."""
    SIGN_INS_REFUSED = "SignInsRefused"
    """Sign-ins, codes and renewals that were answered with 401."""
    DELIVERIES = "Deliveries"
    """Deliveries of centers' systems, by what became of them."""
    EMAILS_SENT = "EmailsSent"
    EMAILS_FAILED = "EmailsFailed"
    """Attempts that the mail service or a fault of ours refused. Each is tried again."""
    EMAILS_SUPPRESSED = "EmailsSuppressed"
    """Emails that were due and left out, because their reader cannot or need not get them."""
    OLDEST_DUE_TASK_MINUTES = "OldestDueTaskMinutes"
    """For how many minutes the oldest task that is due has been due; 0 if none is. CloudWatch has no unit of minutes,
    and the limit of the alarm is a parameter in minutes."""
    DUE_TASKS = "DueTasks"
    """How many tasks are due, at least: of a large backlog only a part is counted."""
    STORAGE_THROTTLED = "StorageThrottled"
    """Calls that DynamoDB throttled, including those that a repeat saved."""
    KEY_UNUSABLE = "KeyUnusable"
    """1 while the key that encrypts health data is disabled or about to be deleted, otherwise 0."""
    EMAIL_QUOTA_USED = "EmailQuotaUsed"
    """How much of what the mail service lets this account send in 24 hours was sent; 100 while it sends nothing."""
    AUDIT_BROKEN = "AuditBroken"
    """Chains or checkpoints of the audit trail in which something is missing or changed."""
    AUDIT_VERIFIED = "AuditVerified"
    """How much of the audit trail the current round of the verification has checked; 100 when it is done."""


UNITS: Mapping[Metric, str] = {
    Metric.LATENCY: "Milliseconds",
    Metric.EMAIL_QUOTA_USED: "Percent",
    Metric.AUDIT_VERIFIED: "Percent",
}
"""The units that are not `Count`."""


class RouteFamily(StrEnum):
    """Routes by capability: the package of `chalicelib.routes` in which they are."""

    AUDIT = "audit"
    CENTERS = "centers"
    CONSULTATION = "consultation"
    COVERAGE = "coverage"
    DOCUMENTS = "documents"
    EHR = "ehr"
    ELIGIBILITY = "eligibility"
    HANDBACK = "handback"
    IDENTITY = "identity"
    INSIGHTS = "insights"
    NOTICES = "notices"
    OPERATIONS = "operations"
    REFERRALS = "referrals"
    STATIC_PAGES = "static_pages"
    WEBHOOKS = "webhooks"
    OTHER = "other"


class DeliveryOutcome(StrEnum):
    """What became of a delivery of a center's system."""

    APPLIED = "applied"
    RECORDED = "recorded"
    PARKED = "parked"
    DUPLICATE = "duplicate"
    TESTED = "tested"
    """It was a test event."""
    NOT_SIGNED = "not_signed"
    """Its signature or timestamp was wrong (401)."""
    TOO_MANY = "too_many"
    """The center's rate limit was reached (429)."""
    REFUSED = "refused"
    """It was wrong in another way (4xx)."""
    FAILED = "failed"
    """We could not process it (5xx); the center's system sends it again."""
    OTHER = "other"


_one_line = Lock()
"""Threads take turns, because the text of a line and its end are written separately."""

_DIMENSIONS: Mapping[type[StrEnum], str] = {RouteFamily: "Family", DeliveryOutcome: "Outcome"}
"""The dimensions, and the only values that each can have."""


def find_route_family(module: str) -> RouteFamily:
    """The family of a view, by the name of its module. Modules outside of a package serve pages."""
    _, _, inside = module.partition("chalicelib.routes.")
    name, in_package, _ = inside.partition(".")
    if inside and not in_package:
        return RouteFamily.STATIC_PAGES
    return RouteFamily(name) if name in RouteFamily.__members__.values() else RouteFamily.OTHER


def count_request(family: RouteFamily, *, status: int, ms: float, is_sign_in: bool) -> None:
    """Count an answered request: how long it took and how it ended."""
    ending = Metric.SUCCEEDED if status < 400 else Metric.REFUSED if status < 500 else Metric.FAILED
    emit({Metric.LATENCY: ms, ending: 1}, family)
    if status == 401:
        emit({Metric.SIGN_INS_REFUSED if is_sign_in else Metric.UNAUTHENTICATED: 1})
    elif status == 403:
        emit({Metric.FORBIDDEN: 1})


def count_delivery(result: str) -> None:
    """Count a delivery that was processed, by its result."""
    is_known = result in DeliveryOutcome.__members__.values()
    emit({Metric.DELIVERIES: 1}, DeliveryOutcome(result) if is_known else DeliveryOutcome.OTHER)


def count_refused_delivery(status: int) -> None:
    """Count a delivery that was refused or failed, by the status of its response."""
    if status >= 500:
        emit({Metric.DELIVERIES: 1}, DeliveryOutcome.FAILED)
    else:
        by_status = {401: DeliveryOutcome.NOT_SIGNED, 429: DeliveryOutcome.TOO_MANY}
        emit({Metric.DELIVERIES: 1}, by_status.get(status, DeliveryOutcome.REFUSED))


def emit(values: Mapping[Metric, float], dimension: StrEnum | None = None) -> None:
    """Write metrics with one dimension or none.

    Never raises: a metric that cannot be written is lost, and the work that it measures goes on.
    """
    try:
        _write(values, dimension)
    except Exception as e:  # noqa: BLE001 no request may fail because its metric did
        logging.getLogger(__name__).warning("metrics lost: %s", type(e).__name__)


def _write(values: Mapping[Metric, float], dimension: StrEnum | None) -> None:
    if is_metrics_disabled():
        return
    # One for each line, because requests of a local run share the process.
    provider = AmazonCloudWatchEMFProvider()
    if provider.namespace is None:
        return
    if dimension is not None:
        provider.add_dimension(_DIMENSIONS[type(dimension)], dimension.value)
    for metric, value in values.items():
        provider.add_metric(Metric(metric).value, UNITS.get(metric, "Count"), value)
    with _one_line:
        provider.flush_metrics()
