"""Webhook deliveries of a center: their log, the replay and the expiry of parked ones, and secrets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import ConflictError, ForbiddenError, NotFoundError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.apply_parked import apply_parked
from chalicelib.services.referrals.event_decisions import belongs_to_center
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.delivery_log import DeliveryFilter, DeliveryLogEntry, DeliveryStatus
from chalicelib.store.webhooks.secrets import SecretEntry

PagePosition = Mapping[str, Any] | None


def list_deliveries(
    center_id: str, *, only: DeliveryFilter, limit: int, start: PagePosition, by: Member, stores: Stores
) -> tuple[Sequence[DeliveryLogEntry], PagePosition]:
    """A page of the delivery log, newest first, for an administrator of the center.

    With a filter, a page can be short, or empty, although others follow.

    Raises:
        NotFoundError: it is another center's log.
        ForbiddenError: only an administrator can read it.
    """
    require_admin_of(center_id, by)
    return stores.delivery_log.list_entries(center_id, only=only, limit=limit, start=start)


def list_webhook_secrets(center_id: str, *, by: Member, stores: Stores) -> Sequence[SecretEntry]:
    """The secrets of a center without their values, newest first, for an administrator of the center.

    Raises:
        NotFoundError: it is another center.
        ForbiddenError: only an administrator can read them.
    """
    require_admin_of(center_id, by)
    return stores.secrets.list_all(center_id)[::-1]


def replay_delivery(center_id: str, webhook_id: str, *, by: Member, context: RunContext) -> DeliveryLogEntry:
    """Retry a delivery that is parked, or that failed because it was parked too long.

    Raises:
        NotFoundError: no such delivery, or another center's.
        ConflictError: the delivery has a final result already.
    """
    require_admin_of(center_id, by)
    logged = context.stores.delivery_log.get_entry(center_id, webhook_id)
    if logged is None:
        raise NotFoundError
    if logged.result.status not in {DeliveryStatus.PARKED, DeliveryStatus.FAILED}:
        raise ConflictError("delivery_settled", "This update is already final. There is nothing to retry.")
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
    """Mark a delivery as failed after it was parked for a day, and count it as lost on its referral.

    False if the delivery was applied or refused in time. A failed delivery is kept, so an administrator
    can replay it.
    """

    def attempt() -> bool:
        logged = context.stores.delivery_log.get_entry(center_id, webhook_id)
        if logged is None or logged.result.status is not DeliveryStatus.PARKED:
            return False
        referral = context.stores.referrals.get(logged.result.referral_id)
        writes = [context.stores.delivery_log.prepare_fail(center_id, webhook_id)]
        if belongs_to_center(referral, center_id):
            status = replace(referral.status, updates_lost=referral.status.updates_lost + 1)
            updated = replace(referral, status=status, updated_at=context.now, version=referral.version + 1)
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
    """Create a secret for a center's system. The secrets before it stay valid for a day.

    Raises:
        NotFoundError: it is another center.
        ForbiddenError: only an administrator can do this.
    """
    require_admin_of(center_id, by)
    rotation = context.stores.secrets.prepare_rotate(center_id, now=context.now)
    response = build_response(rotation.secret_id, rotation.whsec_text)
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
            *rotation.writes,
            context.stores.audit_log.prepare_append(entry),
        )
    except ConditionFailedError as e:
        if IDEMPOTENCY_RECORD in e.items:
            return context.stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
        raise ConflictError("busy", "Another administrator is creating a secret. Wait a moment, then try again.") from e
    context.stores.secrets.clear_cache(center_id)
    return response


def require_admin_of(center_id: str, by: Member) -> None:
    """Refuse everyone who is not an administrator of the center.

    Raises:
        NotFoundError: it is another center.
        ForbiddenError: only an administrator can do this.
    """
    if by.kind is not TenantKind.CENTER or by.tenant_id != center_id:
        raise NotFoundError
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator of the treatment center can do this.")
