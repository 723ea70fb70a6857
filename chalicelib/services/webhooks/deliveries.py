"""What a center's system sent: the log, the replay of what waits, the end of waiting, secrets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import ForbiddenError, NotFoundError, RefusedError
from chalicelib.services.referrals.event_writes import is_theirs
from chalicelib.services.referrals.report_event import settle
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.transactions import ConditionFailed
from chalicelib.store.webhooks.idempotency import (
    RECEIPT,
    Answer,
    DeliveryStatus,
    LoggedDelivery,
    Request,
)

Position = Mapping[str, Any] | None


def log_page(
    center_id: str, *, limit: int, start: Position, by: Member, stores: Stores
) -> tuple[Sequence[LoggedDelivery], Position]:
    """A part of the log, newest first, for an administrator of the center.

    Raises:
        NotFoundError: another center's.
        ForbiddenError: only administrators read it.
    """
    _require_admin_of(center_id, by)
    return stores.deliveries.page(center_id, limit=limit, start=start)


def replay(
    center_id: str, webhook_id: str, *, by: Member, stores: Stores, now: datetime
) -> LoggedDelivery:
    """Try a delivery that waits, or waited in vain, once more.

    Raises:
        NotFoundError: no such delivery, or another center's.
        RefusedError: it is settled already.
    """
    _require_admin_of(center_id, by)
    logged = stores.deliveries.get(center_id, webhook_id)
    if logged is None:
        raise NotFoundError
    if logged.result.status not in {DeliveryStatus.PARKED, DeliveryStatus.FAILED}:
        raise RefusedError("delivery_settled", "This delivery does not wait for anything.")
    settle(logged.result.referral_id, stores=stores, now=now, even=webhook_id)
    stores.audit.append(
        AuditEntry(
            referral_id=logged.result.referral_id,
            at=now,
            actor_id=by.member_id,
            tenant_id=center_id,
            action="delivery.replay",
        )
    )
    return stores.deliveries.get(center_id, webhook_id) or logged


def give_up(center_id: str, webhook_id: str, *, stores: Stores, now: datetime) -> bool:
    """List a delivery as failed that waited for a day, and say so on its referral.

    False when it was settled in time. The delivery is kept: an administrator can replay it.
    """
    while True:
        logged = stores.deliveries.get(center_id, webhook_id)
        if logged is None or logged.result.status is not DeliveryStatus.PARKED:
            return False
        referral = stores.referrals.get(logged.result.referral_id)
        writes = [stores.deliveries.failing(center_id, webhook_id)]
        if is_theirs(referral, center_id):
            overlay = replace(referral.overlay, updates_lost=referral.overlay.updates_lost + 1)
            told = replace(referral, overlay=overlay, updated_at=now, version=referral.version + 1)
            entry = AuditEntry(
                referral_id=told.referral_id,
                at=now,
                actor_id="system",
                tenant_id=center_id,
                action="delivery.failed",
                version=told.version,
            )
            writes += stores.referrals.saving(told, entry)
        try:
            stores.ledger.commit(*writes)
        except ConditionFailed:
            # Settled or moved meanwhile: look again.
            continue
        return True


def new_secret(
    center_id: str,
    *,
    by: Member,
    request: Request,
    answer: Callable[[str, str], Answer],
    stores: Stores,
    now: datetime,
) -> Answer:
    """Make a new secret for a center's system; the ones before it live on for a day.

    Raises:
        NotFoundError: another center's.
        ForbiddenError: only administrators do this.
    """
    _require_admin_of(center_id, by)
    made = stores.secrets.making(center_id, now=now)
    told = answer(made.secret_id, made.text)
    entry = AuditEntry(
        referral_id=f"center#{center_id}",
        at=now,
        actor_id=by.member_id,
        tenant_id=center_id,
        action="webhook_secret.make",
    )
    try:
        stores.ledger.commit(
            stores.idempotency.writing(request, told, now=now),
            *made.writes,
            stores.audit.appending(entry),
        )
    except ConditionFailed as e:
        if RECEIPT in e.items:
            return stores.idempotency.replay(request, e.items[RECEIPT])
        raise RefusedError("busy", "Another secret is being made right now.") from e
    stores.secrets.forget(center_id)
    return told


def _require_admin_of(center_id: str, by: Member) -> None:
    if by.kind is not TenantKind.CENTER or by.tenant_id != center_id:
        raise NotFoundError
    if not by.manages:
        raise ForbiddenError("admin_only", "Only an administrator of the center may do this.")
