"""What the relay measures at each run: how far the jobs are behind, the key, and the quota of email.

The alarms of the template watch these metrics. A measurement that fails is left out: it never fails the relay,
and the alarms of what it depends on fire by themselves.
"""

from collections.abc import Callable, Mapping

from chalicelib.metrics import Metric, emit
from chalicelib.observe import log
from chalicelib.services.platform.run_context import JobContext


def measure_health(*, context: JobContext) -> Mapping[Metric, float]:
    """Measure everything, write it as metrics, and return what could be measured."""
    values: dict[Metric, float] = {}
    for measure in (_measure_backlog, _measure_key, _measure_email_quota):
        values |= _try_measure(measure, context)
    if values:
        emit(values)
    return values


def _try_measure(
    measure: Callable[[JobContext], Mapping[Metric, float]], context: JobContext
) -> Mapping[Metric, float]:
    try:
        return measure(context)
    except Exception as e:  # noqa: BLE001 the other measurements and the run itself must not fail
        log.warning("measurement failed", function=measure.__name__.removeprefix("_"), error=type(e).__name__)
        return {}


def _measure_backlog(context: JobContext) -> Mapping[Metric, float]:
    backlog = context.stores.outbox.measure_backlog(now=context.now)
    minutes = backlog.oldest_age.total_seconds() / 60
    return {Metric.OLDEST_DUE_TASK_MINUTES: minutes, Metric.DUE_TASKS: backlog.due}


def _measure_key(context: JobContext) -> Mapping[Metric, float]:
    return {Metric.KEY_UNUSABLE: 0 if context.stores.encryption.is_key_usable() else 1}


def _measure_email_quota(context: JobContext) -> Mapping[Metric, float]:
    return {Metric.EMAIL_QUOTA_USED: context.mailer.read_quota_used()}
