"""What an operator has to know: jobs, what is due, failed tasks, centers' systems, organizations, email that bounces.

Nothing here is about a patient: no referral, no notice, no rule that says what happened to someone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.identity.members import Member, Tenant, TenantKind
from chalicelib.domain.platform.jobs import ScheduledJob, is_job_overdue
from chalicelib.errors import ForbiddenError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.notices.outbox import Backlog
from chalicelib.store.notices.recipients import Suppression
from chalicelib.store.notices.task_items import FailedTask

SILENT_AFTER = timedelta(hours=48)
"""How long a connected system sends nothing before it counts as silent: a weekend day without a change is usual."""

MAX_FAILED_TASKS = 100
"""How many failed tasks are listed. `referrals outbox failed` lists all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A scheduled job. `last_success` is None if it has never run."""

    job: ScheduledJob
    last_success: datetime | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterConnection:
    """A center whose system has a secret that works, and when it last sent something. A test event does not count."""

    center: Tenant
    last_delivery: datetime | None
    is_silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """An organization. `locked_at` is None if it is not locked."""

    tenant: Tenant
    locked_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How the service runs now."""

    jobs: Sequence[JobState]
    backlog: Backlog
    failed_tasks: Sequence[FailedTask]
    connections: Sequence[CenterConnection]
    organizations: Sequence[Organization]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachableMember:
    """A member who gets no email, because the address bounced or its owner called it spam."""

    member: Member
    tenant: Tenant
    suppression: Suppression


def read_overview(*, by: Member, context: RunContext) -> Overview:
    """Read how the service runs.

    Raises:
        ForbiddenError: only the operator can see it.
    """
    require_operator(by)
    stores = context.stores
    return Overview(
        jobs=_list_jobs(context),
        backlog=stores.outbox.measure_backlog(now=context.now),
        failed_tasks=list(stores.outbox.list_failed(limit=MAX_FAILED_TASKS)),
        connections=sorted(
            _list_connections(context), key=lambda each: (not each.is_silent, each.center.name, each.center.tenant_id)
        ),
        organizations=_list_organizations(stores),
    )


def list_unreachable_members(*, by: Member, context: RunContext) -> Sequence[UnreachableMember]:
    """List the active members who get no email, by organization and name.

    Raises:
        ForbiddenError: only the operator can see it.
    """
    require_operator(by)
    found = []
    for organization in _list_organizations(context.stores):
        tenant = organization.tenant
        members = [each for each in context.stores.members.list_for_tenant(tenant.tenant_id) if each.active]
        suppressed = context.stores.recipients.find_suppressions(members)
        found += [
            UnreachableMember(member=member, tenant=tenant, suppression=suppressed[member.member_id])
            for member in sorted(members, key=lambda each: each.name)
            if member.member_id in suppressed
        ]
    return found


def retry_failed_tasks(outbox_ids: Sequence[str], *, by: Member, context: RunContext) -> int:
    """Let the next run of their jobs try failed tasks again. What is no failed task, or no longer, is left out.

    Returns:
        How many will run again.

    Raises:
        ForbiddenError: only the operator can do this.
    """
    require_operator(by)
    return sum(_retry_task(each, by=by, context=context) for each in outbox_ids)


def _retry_task(outbox_id: str, *, by: Member, context: RunContext) -> bool:
    entry = AuditEntry(
        referral_id=f"task#{outbox_id}",
        at=context.now,
        actor_id=by.member_id,
        tenant_id=by.tenant_id,
        action="outbox.retry",
    )

    def attempt() -> bool:
        retry = context.stores.outbox.prepare_retry(outbox_id, now=context.now)
        if retry is None:
            return False
        context.stores.transactions.commit(retry, context.stores.audit_log.prepare_append(entry))
        return True

    return commit_with_retry(attempt)


def require_operator(by: Member) -> None:
    """Refuse everyone who does not operate the service.

    Raises:
        ForbiddenError: only the operator can do this.
    """
    if by.kind is not TenantKind.OPERATOR:
        raise ForbiddenError("operator_only", "Only the operator of this service can do this.")


def _list_jobs(context: RunContext) -> Sequence[JobState]:
    """List the jobs. One that was never recorded is late if the oldest record of another one is too old for it."""
    heartbeats = context.stores.heartbeats.list_all()
    oldest = min((each.at for each in heartbeats.values()), default=context.now)
    return [
        JobState(
            job=job,
            last_success=heartbeat.at if heartbeat and heartbeat.has_succeeded else None,
            is_late=is_job_overdue(job, last_success=heartbeat.at if heartbeat else oldest, now=context.now),
        )
        for job in ScheduledJob
        for heartbeat in (heartbeats.get(job),)
    ]


def _list_connections(context: RunContext) -> Iterator[CenterConnection]:
    stores, now = context.stores, context.now
    for center in stores.tenants.list_by_kind(TenantKind.CENTER):
        secrets = stores.secrets.list_all(center.tenant_id)
        if not any(secret.expires_at is None or secret.expires_at > now for secret in secrets):
            continue
        last = stores.delivery_log.find_newest_report(center.tenant_id)
        yield CenterConnection(center=center, last_delivery=last, is_silent=last is None or now - last > SILENT_AFTER)


def _list_organizations(stores: Stores) -> Sequence[Organization]:
    locked = stores.tenants.list_locked()
    found = [
        tenant for kind in (TenantKind.PRACTICE, TenantKind.CENTER) for tenant in stores.tenants.list_by_kind(kind)
    ]
    return [
        Organization(tenant=tenant, locked_at=locked.get(tenant.tenant_id))
        for tenant in sorted(found, key=lambda each: (each.tenant_id not in locked, each.kind, each.name))
    ]
