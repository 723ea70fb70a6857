"""The composition root: the API's routes, and the functions that nobody waits for.

They are declared here and not in blueprints: Lambda imports a blueprint's function from its own
module, never this file, and what is set up here would silently be absent. Function names are
public: they name the Lambda, its alarms and its policy.
"""

from collections.abc import Callable, Mapping

from chalice import Rate
from chalice.app import CloudWatchEvent, DynamoDBEvent

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.routes import static_pages as pages
from chalicelib.routes.centers import reference_data as directory
from chalicelib.routes.centers import resources_and_codes as library
from chalicelib.routes.chalice_app import ReferralApp
from chalicelib.routes.ehr import cds_hooks as cds
from chalicelib.routes.eligibility import screen as screens
from chalicelib.routes.handback import handback as handbacks
from chalicelib.routes.identity import me_and_sessions as people
from chalicelib.routes.identity import members
from chalicelib.routes.notices import notices as notice_lists
from chalicelib.routes.notices import preferences
from chalicelib.routes.notices import ses_and_unsubscribe as mail
from chalicelib.routes.referrals import last_viewed as looks
from chalicelib.routes.referrals import referrals
from chalicelib.routes.webhooks import deliveries
from chalicelib.routes.webhooks import receive as webhooks
from chalicelib.services.audit.trail import write_checkpoint
from chalicelib.services.notices.outbox_worker import process_committed, run_job
from chalicelib.services.platform import heartbeats as jobs
from chalicelib.store.notices.task_items import list_ids_in_stream_event

app = ReferralApp(app_name="cart-referrals", configure_logs=False)
app.api.binary_types = []  # Text only: fonts are inlined, so nothing is sent in base64.

for module in (
    cds,
    pages,
    people,
    notice_lists,
    preferences,
    mail,
    members,
    directory,
    library,
    screens,
    referrals,
    looks,
    handbacks,
    webhooks,
    deliveries,
):
    app.register_blueprint(module.blueprint)


def build_schedule_rate(job: ScheduledJob) -> Rate:
    """The rate of a job's period."""
    return Rate(int(JOB_PERIODS[job].total_seconds() // 60), unit=Rate.MINUTES)


# The name of the table; the stream's address and how it is read are in `infra/resources.json`.
@app.on_dynamodb_record("outbox", batch_size=25, starting_position="TRIM_HORIZON")
def outbox(event: DynamoDBEvent) -> Mapping[str, int]:
    """Tell people at once of what was just committed."""
    return process_committed(
        list_ids_in_stream_event(event.to_dict()), context=wiring.build_job_context(lambda_context=event.context)
    )


@app.schedule(build_schedule_rate(ScheduledJob.RELAY))
def relay(event: CloudWatchEvent) -> Mapping[str, int]:
    """Do what the stream missed or left for later, and look after all jobs."""
    try:
        return _run_queue(ScheduledJob.RELAY, TaskQueue.EVENT, event)
    finally:
        jobs.log_overdue_jobs(context=wiring.build_run_context())


@app.schedule(build_schedule_rate(ScheduledJob.NOTICES))
def notices(event: CloudWatchEvent) -> Mapping[str, int]:
    """Send the notices whose day has come."""
    return _run_queue(ScheduledJob.NOTICES, TaskQueue.PLAN, event)


@app.schedule(build_schedule_rate(ScheduledJob.CLOCKS))
def clocks(event: CloudWatchEvent) -> Mapping[str, int]:
    """Tell of the stages that last longer than they should."""
    return _run_queue(ScheduledJob.CLOCKS, TaskQueue.CLOCK, event)


@app.schedule(build_schedule_rate(ScheduledJob.DIGEST))
def digest(event: CloudWatchEvent) -> Mapping[str, int]:
    """Tell those whose week begins what is on the way to an infusion."""
    return _run_queue(ScheduledJob.DIGEST, TaskQueue.DIGEST, event)


@app.schedule(build_schedule_rate(ScheduledJob.CHECKPOINTS))
def checkpoints(event: CloudWatchEvent) -> Mapping[str, int]:  # noqa: ARG001 Chalice hands it over
    """Count the audit rows, so that a loss of the last ones would show."""
    return _run_job(
        ScheduledJob.CHECKPOINTS,
        lambda: {"rows": write_checkpoint(context=wiring.build_run_context())},
    )


def _run_queue(job: ScheduledJob, queue: TaskQueue, event: CloudWatchEvent) -> Mapping[str, int]:
    return _run_job(job, lambda: run_job(queue, context=wiring.build_job_context(lambda_context=event.context)))


def _run_job(job: ScheduledJob, work: Callable[[], Mapping[str, int]]) -> Mapping[str, int]:
    return jobs.run_job_with_heartbeat(job, work, context=wiring.build_run_context())


if wiring.is_on_lambda():
    wiring.warm_up()
