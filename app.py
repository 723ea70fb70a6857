"""The composition root: the routes of the API, and the background functions.

The background functions are declared here and not in blueprints, because Lambda imports a
blueprint's function from its own module and never imports this file, so the setup in this file would
silently be missing. Function names are public: they name the Lambda, its alarms and its policy.

Every Lambda function imports this file, and needs one of these functions. So each imports its services
itself, as each route does.
"""

# ruff: noqa: E402 the garbage collector must rest, and dataclasses be lazy, before anything is imported
# ruff: noqa: PLC0415 a function imports what it alone needs
import gc

# What is imported stays. Searching it for garbage again and again is a tenth of a cold start.
gc.disable()

from chalicelib.lazy_dataclasses import compile_methods_lazily

compile_methods_lazily()

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from chalice import Rate
from chalice.app import CloudWatchEvent, DynamoDBEvent

from chalicelib import wiring
from chalicelib.domain.documents.check_events import UPLOAD_NEWS_PATTERN
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.routes.chalice_app import ReferralApp
from chalicelib.routes.platform.operations import BINARY_TYPES
from chalicelib.routes.route_loader import register_routes

if TYPE_CHECKING:
    from chalicelib.domain.notices.tasks import TaskQueue

app = ReferralApp(app_name="cart-referrals", configure_logs=False)
app.api.binary_types = list(BINARY_TYPES)  # Fonts are inlined, so only these files need base64.

register_routes(app)


AUDIT_VERIFICATION_S = 120
"""For how long each run verifies the audit trail. A step that begins at the end has two minutes more."""


def build_schedule_rate(job: ScheduledJob) -> Rate:
    """Build the schedule of a job from its period."""
    return Rate(int(JOB_PERIODS[job].total_seconds() // 60), unit=Rate.MINUTES)


# "outbox" is the name of the table. The stream's ARN and its settings are in `infra/resources.json`.
@app.on_dynamodb_record("outbox", batch_size=25, starting_position="TRIM_HORIZON")
def outbox(event: DynamoDBEvent) -> Mapping[str, int]:
    """Notify people immediately about what was just committed."""
    from chalicelib.services.notices.outbox_worker import process_committed
    from chalicelib.store.notices.task_items import list_ids_in_stream_event

    return process_committed(
        list_ids_in_stream_event(event.to_dict()), context=wiring.build_job_context(lambda_context=event.context)
    )


# `infra/resources.json` adds the name of the bucket to this pattern.
@app.on_cw_event(UPLOAD_NEWS_PATTERN)
def documents(event: CloudWatchEvent) -> Mapping[str, int]:
    """Record that an upload arrived, was checked or was scanned, and share a file that passed both."""
    from chalicelib.services.documents.news import record_event

    return record_event(event.to_dict(), scanners=wiring.list_trusted_scanners(), context=wiring.build_run_context())


@app.schedule(build_schedule_rate(ScheduledJob.RELAY))
def relay(event: CloudWatchEvent) -> Mapping[str, int]:
    """Process the tasks that the stream missed or left for later, check that all jobs run, and measure."""
    from chalicelib.domain.notices.tasks import TaskQueue
    from chalicelib.services.platform import heartbeats
    from chalicelib.services.platform.health_metrics import measure_health

    try:
        return _run_queue(ScheduledJob.RELAY, TaskQueue.EVENT, event)
    finally:
        if _read_part(event).is_first:
            heartbeats.log_overdue_jobs(context=wiring.build_run_context())
            measure_health(context=wiring.build_job_context())


@app.schedule(build_schedule_rate(ScheduledJob.NOTICES))
def notices(event: CloudWatchEvent) -> Mapping[str, int]:
    """Send the notices that are due today."""
    from chalicelib.domain.notices.tasks import TaskQueue

    return _run_queue(ScheduledJob.NOTICES, TaskQueue.PLAN, event)


@app.schedule(build_schedule_rate(ScheduledJob.CLOCKS))
def clocks(event: CloudWatchEvent) -> Mapping[str, int]:
    """Send overdue alerts for stages that last too long."""
    from chalicelib.domain.notices.tasks import TaskQueue

    return _run_queue(ScheduledJob.CLOCKS, TaskQueue.OVERDUE, event)


@app.schedule(build_schedule_rate(ScheduledJob.DIGEST))
def digest(event: CloudWatchEvent) -> Mapping[str, int]:
    """Send the weekly digest to members whose week begins."""
    from chalicelib.domain.notices.tasks import TaskQueue

    return _run_queue(ScheduledJob.DIGEST, TaskQueue.DIGEST, event)


@app.schedule(build_schedule_rate(ScheduledJob.CHECKPOINTS))
def checkpoints(event: CloudWatchEvent) -> Mapping[str, int]:  # noqa: ARG001 Chalice passes it
    """Write a checkpoint that counts the audit rows, and go on with the verification of the audit trail."""
    from chalicelib.services.audit.checkpoints import write_checkpoint
    from chalicelib.services.audit.rotation import verify_next_part

    counts = _run_job(
        ScheduledJob.CHECKPOINTS,
        lambda: {"rows": write_checkpoint(context=wiring.build_run_context())},
    )
    verify_next_part(has_time=wiring.build_time_check(AUDIT_VERIFICATION_S), context=wiring.build_run_context())
    return counts


@app.schedule(build_schedule_rate(ScheduledJob.SLOTS))
def slots(event: CloudWatchEvent) -> Mapping[str, int]:  # noqa: ARG001 Chalice passes it
    """Make the consultation times of the next 12 weeks from the weekly patterns of the centers."""
    from chalicelib.services.consultation.patterns import materialize_all

    return _run_job(ScheduledJob.SLOTS, lambda: materialize_all(context=wiring.build_run_context()))


class RunPart(NamedTuple):
    """Which of the runs that a job has at once this is, from 1. `infra/bundle/capacity.py` writes it into the event."""

    run: int = 1
    runs: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it speaks for the job: its heartbeat counts, and it measures."""
        return self.run == 1


def _read_part(event: CloudWatchEvent) -> RunPart:
    return RunPart(**{name: int(value) for name, value in event.detail.items()})


def _run_queue(job: ScheduledJob, queue: "TaskQueue", event: CloudWatchEvent) -> Mapping[str, int]:
    from chalicelib.services.notices.outbox_worker import run_job
    from chalicelib.store.notices.outbox import list_shards_of_run

    part = _read_part(event)
    shards = list_shards_of_run(part.run, of=part.runs)
    context = wiring.build_job_context(lambda_context=event.context, shards=shards)
    if part.is_first:
        return _run_job(job, lambda: run_job(queue, context=context))
    return run_job(queue, context=context)


def _run_job(job: ScheduledJob, work: Callable[[], Mapping[str, int]]) -> Mapping[str, int]:
    from chalicelib.services.platform import heartbeats

    return heartbeats.run_job_with_heartbeat(job, work, context=wiring.build_run_context())


wiring.require_own_packager()
if wiring.is_on_lambda():
    wiring.warm_up()
gc.enable()
gc.freeze()
