"""How the service runs, as the API returns it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.operations.overview import Overview, UnreachableMember
from chalicelib.store.platform.timestamps import from_timestamp

JOB_LABELS: Mapping[ScheduledJob, str] = {
    ScheduledJob.RELAY: "Work that follows from changes",
    ScheduledJob.NOTICES: "Planned notices and email",
    ScheduledJob.CLOCKS: "Overdue alerts",
    ScheduledJob.DIGEST: "Weekly digest",
    ScheduledJob.CHECKPOINTS: "Audit trail check",
    ScheduledJob.SLOTS: "Consultation times of weekly patterns",
}

QUEUE_LABELS: Mapping[str, str] = {
    TaskQueue.EVENT: "Work that follows from a change",
    TaskQueue.PLAN: "Planned notice",
    TaskQueue.OVERDUE: "Overdue alert",
    TaskQueue.DIGEST: "Weekly digest",
    TaskQueue.MAIL: "Email",
}


class JobResponse(TypedDict):
    """A scheduled job."""

    job: str
    """The name of the job, as `referrals run-job` takes it."""
    label: str
    """What the job does, for display."""
    every_minutes: int
    """How often it runs, in minutes."""
    last_success_at: str | None
    """When it last succeeded (RFC 3339, UTC); null if it has never run."""
    late: bool
    """Whether it had no successful run within two of its periods."""


class BacklogResponse(TypedDict):
    """The tasks that are due now."""

    due: int
    """How many tasks are due, at least: of a large backlog only a part is counted."""
    oldest_minutes: int
    """For how many minutes the oldest of them has been due."""


class FailedTaskResponse(TypedDict):
    """A task that failed too often, and waits for the operator."""

    outbox_id: str
    """The ID of the task."""
    label: str
    """What kind of task it is, for display."""
    error: str
    """The kind of its last failure, as a code."""
    attempts: int
    """How often it was tried."""
    failed_at: str
    """When it failed for the last time (RFC 3339, UTC)."""


class CenterConnectionResponse(TypedDict):
    """The system of a center that has a webhook secret."""

    center_id: str
    """The ID of the center: `ctr_` and more."""
    name: str | None
    """The name of the person or organization."""
    last_delivery_at: str | None
    """When its last delivery arrived (RFC 3339, UTC); null if none has."""
    silent: bool
    """Whether nothing arrived for 48 hours."""


class OrganizationResponse(TypedDict):
    """A practice or a center."""

    tenant_id: str
    """The ID of the organization."""
    name: str | None
    """The name of the person or organization."""
    kind: str
    """`practice` or `center`."""
    locked_at: str | None
    """Since when the operator has locked it (RFC 3339, UTC); null if it is not locked."""


class OperationsResponse(TypedDict):
    """How the service runs. Nothing in it is about a patient."""

    as_of: str
    """When it was read (RFC 3339, UTC)."""
    jobs: list[JobResponse]
    """The scheduled jobs."""
    backlog: BacklogResponse
    """What is due now."""
    failed_tasks: list[FailedTaskResponse]
    """The oldest failed tasks, at most 100."""
    connections: list[CenterConnectionResponse]
    """The systems of centers, silent ones first."""
    organizations: list[OrganizationResponse]
    """The organizations, locked ones first."""


class RetriedTasksResponse(TypedDict):
    """How many tasks will run again."""

    retried: int
    """How many of the tasks were failed tasks, and will run again."""


class UnreachableMemberResponse(TypedDict):
    """A member who gets no email, and so sees notices only in the dashboard."""

    member_id: str
    """The ID of the membership: `mem_` and 26 characters."""
    name: str
    """The name of the person or organization."""
    organization: str | None
    """The name of the member's organization."""
    reason: str
    """`bounced` or `complained`."""
    since: str
    """Since when (RFC 3339, UTC)."""


class UnreachableMemberListResponse(TypedDict):
    """The members who get no email."""

    items: list[UnreachableMemberResponse]
    """The members, by organization and name."""


def to_operations_response(overview: Overview, *, now: datetime) -> OperationsResponse:
    """How the service runs, for its operator."""
    return {
        "as_of": format_timestamp(now),
        "jobs": [
            {
                "job": state.job,
                "label": JOB_LABELS[state.job],
                "every_minutes": int(JOB_PERIODS[state.job].total_seconds() // 60),
                "last_success_at": format_timestamp(state.last_success) if state.last_success else None,
                "late": state.is_late,
            }
            for state in overview.jobs
        ],
        "backlog": {
            "due": overview.backlog.due,
            "oldest_minutes": int(overview.backlog.oldest_age.total_seconds() // 60),
        },
        "failed_tasks": [
            {
                "outbox_id": task.outbox_id,
                "label": QUEUE_LABELS.get(task.queue, "Task"),
                "error": task.error,
                "attempts": task.attempts,
                "failed_at": format_timestamp(task.failed_at),
            }
            for task in overview.failed_tasks
        ],
        "connections": [
            {
                "center_id": each.center.tenant_id,
                "name": each.center.name,
                "last_delivery_at": format_timestamp(each.last_delivery) if each.last_delivery else None,
                "silent": each.is_silent,
            }
            for each in overview.connections
        ],
        "organizations": [
            {
                "tenant_id": each.tenant.tenant_id,
                "name": each.tenant.name,
                "kind": each.tenant.kind,
                "locked_at": format_timestamp(from_timestamp(each.locked_at)) if each.locked_at else None,
            }
            for each in overview.organizations
        ],
    }


def to_unreachable_response(found: Sequence[UnreachableMember]) -> UnreachableMemberListResponse:
    """The members who get no email, for the operator."""
    return {
        "items": [
            {
                "member_id": each.member.member_id,
                "name": each.member.name,
                "organization": each.tenant.name,
                "reason": each.suppression.reason,
                "since": format_timestamp(each.suppression.since),
            }
            for each in found
        ]
    }
