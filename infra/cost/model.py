"""The cost of a deployment in a month: prices times workload, and what each optional parameter adds."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.metrics import DeliveryOutcome, Metric, RouteFamily
from infra.bundle.alarm_list import ALARMS, Alarm, Level
from infra.cost import prices
from infra.cost.workload import JOB_GB_SECONDS, JOB_RRU, JOB_RUNS, METRIC_LINE_KB, Workload

MILLION = 1_000_000
RETENTION_DAYS = 6 * 365
"""For how long copies are kept in the table: HIPAA asks for six years of documentation (45 CFR 164.316(b)(2))."""

_METRIC_FILTERS = 3
"""Custom metrics that are made from log lines."""


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """US dollars a month, by what they are paid for."""

    email: float
    data: float
    api: float
    logs: float
    sign_in: float
    storage: float
    fixed: float

    @property
    def total(self) -> float:
        """The sum."""
        return self.email + self.data + self.api + self.logs + self.sign_in + self.storage + self.fixed


def compute_cost(referrals: int, workload: Workload = Workload()) -> MonthlyCost:  # noqa: B008 it is frozen
    """Compute the cost of a month with so many active referrals, a year after the first.

    Free tiers are not counted, except those of alarms, metrics and sign-in, which do not end.
    """
    requests = referrals * workload.requests
    emails = referrals * workload.emails
    members = referrals / workload.referrals_per_member
    return MonthlyCost(
        email=emails / 1000 * prices.EMAIL.dollars
        + emails * workload.events_per_email / MILLION * prices.MAIL_EVENT.dollars,
        data=referrals * workload.wru / MILLION * prices.WRITE.dollars
        + (referrals * workload.rru + JOB_RRU) / MILLION * prices.READ.dollars,
        api=_price_gateway(requests)
        + (requests + JOB_RUNS) / MILLION * prices.RUN.dollars
        + (requests * workload.gb_seconds + JOB_GB_SECONDS) * prices.GB_SECOND.dollars,
        logs=requests * workload.log_kb / MILLION * prices.LOG.dollars,
        sign_in=max(0.0, members - prices.FREE_MEMBERS) * prices.MEMBER.dollars,
        storage=compute_stored_gb(referrals, workload) * (prices.TABLE_STORAGE.dollars + prices.RECOVERY.dollars),
        fixed=prices.KEY.dollars + _price_beyond_free(count_alarm_metrics(Level.ESSENTIAL), prices.ALARM),
    )


def compute_stored_gb(referrals: int, workload: Workload) -> float:
    """Compute what the tables hold a year after the first referral: active ones, and those that ended."""
    lives = 1 + 12 / workload.active_months
    return referrals * lives * workload.stored_kb / MILLION


def compute_additions(referrals: int, workload: Workload = Workload()) -> Mapping[str, float]:  # noqa: B008 as above
    """Compute what each parameter adds to a month, in dollars, by its setting."""
    requests, members = referrals * workload.requests, referrals / workload.referrals_per_member
    copies = RETENTION_DAYS / 30
    stored_gb = compute_stored_gb(referrals, workload)
    return {
        "Monitoring=full": _price_monitoring(requests),
        "WebAcl=true": prices.WEB_ACL.dollars
        + 4 * prices.WEB_RULE.dollars
        + requests / MILLION * prices.WEB_REQUEST.dollars,
        f"BackupDays={RETENTION_DAYS}": stored_gb * copies * prices.BACKUP.dollars,
        "BackupCopyVault": stored_gb * (copies * prices.BACKUP.dollars + prices.BACKUP_TRANSFER.dollars),
        "MultiRegionKey=true": prices.KEY.dollars,
        "ThreatProtection=AUDIT": members * prices.PLUS_MEMBER.dollars
        - max(0.0, members - prices.FREE_MEMBERS) * prices.MEMBER.dollars,
        "MonthlyBudget, ApiConcurrency": 0.0,
    }


def count_alarm_metrics(*levels: Level) -> int:
    """Count the metrics of the alarms of these levels, which is what CloudWatch charges for."""
    return sum(_count_metrics(alarm) for alarm in ALARMS if alarm.level in levels)


def count_custom_metrics() -> int:
    """Count the custom metrics of a deployment that uses everything, with `Monitoring=full`."""
    by_family = len({Metric.LATENCY, Metric.SUCCEEDED, Metric.REFUSED, Metric.FAILED}) * len(RouteFamily)
    alone = len(Metric) - 4 - 1
    return by_family + len(DeliveryOutcome) + alone + _METRIC_FILTERS


def _count_metrics(alarm: Alarm) -> int:
    return len(alarm.duration_of) or 1


def _price_monitoring(requests: float) -> float:
    all_alarms, essential = count_alarm_metrics(*Level), count_alarm_metrics(Level.ESSENTIAL)
    return (
        _price_beyond_free(all_alarms, prices.ALARM)
        - _price_beyond_free(essential, prices.ALARM)
        + _price_beyond_free(count_custom_metrics(), prices.CUSTOM_METRIC)
        + requests * METRIC_LINE_KB / MILLION * prices.LOG.dollars
    )


def _price_beyond_free(count: int, price: prices.Price) -> float:
    return max(0, count - prices.FREE_METRICS) * price.dollars


def _price_gateway(requests: float) -> float:
    left, dollars = requests / MILLION, 0.0
    for millions, price in prices.GATEWAY_TIERS:
        dollars += min(left, millions) * price.dollars
        left = max(0.0, left - millions)
    return dollars
