"""What a center's system sent: the log, the replay of what waits, the end of waiting, secrets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import ConflictError, ForbiddenError, NotFoundError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.report_event import apply_parked, belongs_to_center
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.idempotency import (
    IDEMPOTENCY_RECORD,
    DeliveryLogEntry,
    DeliveryStatus,
    IdempotentRequest,
    StoredResponse,
)

PagePosition = Mapping[str, Any] | None


def list_deliveries(
    center_id: str, *, limit: int, start: PagePosition, by: Member, stores: Stores
) -> tuple[Sequence[DeliveryLogEntry], PagePosition]:
    """A part of the log, newest first, for an administrator of the center.

    Raises:
        NotFoundError: another center's.
        ForbiddenError: only administrators read it.
    """
    _require_admin_of(center_id, by)
    return stores.delivery_log.list_entries(center_id, limit=limit, start=start)


def replay_delivery(center_id: str, webhook_id: str, *, by: Member, context: RunContext) -> DeliveryLogEntry:
    """Try a delivery that waits, or waited in vain, once more.

    Raises:
        NotFoundError: no such delivery, or another center's.
        RefusedError: it is settled already.
    """
    _require_admin_of(center_id, by)
    logged = context.stores.delivery_log.get_entry(center_id, webhook_id)
    if logged is None:
        raise NotFoundError
    if logged.result.status not in {DeliveryStatus.PARKED, DeliveryStatus.FAILED}:
        raise ConflictError("delivery_settled", "This delivery does not wait for anything.")
    apply_parked(logged.result.referral_id, context=context, include_expired=webhook_id)
    context.stores.audit_log.append(
        AuditEntry(
            referral_id=logged.result.referral_id,
            at=context.now,
            actor_id=by.member_id,
            tenant_id=center_id,
            action="delivery.replay",
        )
    )
    return context.stores.delivery_log.get_entry(center_id, webhook_id) or logged


def expire_parked_delivery(center_id: str, webhook_id: str, *, context: RunContext) -> bool:
    """List a delivery as failed that waited for a day, and say so on its referral.

    False when it was settled in time. The delivery is kept: an administrator can replay it.
    """

    def attempt() -> bool:
        logged = context.stores.delivery_log.get_entry(center_id, webhook_id)
        if logged is None or logged.result.status is not DeliveryStatus.PARKED:
            return False
        referral = context.stores.referrals.get(logged.result.referral_id)
        writes = [context.stores.delivery_log.prepare_fail(center_id, webhook_id)]
        if belongs_to_center(referral, center_id):
            overlay = replace(referral.status, updates_lost=referral.status.updates_lost + 1)
            updated = replace(referral, status=overlay, updated_at=context.now, version=referral.version + 1)
            entry = AuditEntry(
                referral_id=updated.referral_id,
                at=context.now,
                actor_id="system",
                tenant_id=center_id,
                action="delivery.failed",
                version=updated.version,
            )
            writes += context.stores.referrals.prepare_save(updated, entry)
        context.stores.transactions.commit(*writes)
        return True

    return commit_with_retry(attempt)


def create_webhook_secret(
    center_id: str,
    *,
    by: Member,
    request: IdempotentRequest,
    build_response: Callable[[str, str], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Make a new secret for a center's system; the ones before it live on for a day.

    Raises:
        NotFoundError: another center's.
        ForbiddenError: only administrators do this.
    """
    _require_admin_of(center_id, by)
    made = context.stores.secrets.prepare_rotate(center_id, now=context.now)
    response = build_response(made.secret_id, made.whsec_text)
    entry = AuditEntry(
        referral_id=f"center#{center_id}",
        at=context.now,
        actor_id=by.member_id,
        tenant_id=center_id,
        action="webhook_secret.make",
    )
    try:
        context.stores.transactions.commit(
            context.stores.idempotency_records.prepare_record(request, response, now=context.now),
            *made.writes,
            context.stores.audit_log.prepare_append(entry),
        )
    except ConditionFailedError as e:
        if IDEMPOTENCY_RECORD in e.items:
            return context.stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
        raise ConflictError("busy", "Another secret is being made right now.") from e
    context.stores.secrets.clear_cache(center_id)
    return response


def _require_admin_of(center_id: str, by: Member) -> None:
    if by.kind is not TenantKind.CENTER or by.tenant_id != center_id:
        raise NotFoundError
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator of the center may do this.")
