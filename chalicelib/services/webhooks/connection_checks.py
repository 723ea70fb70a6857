"""Test events: a delivery that is signed, posted, verified and logged like any other, and changes no referral.

A center's system sends one to find out whether its address, its secret and its clock are right. An administrator
can have one signed here, and the browser posts it to the same address, so that it takes the same way.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.identity.members import Member
from chalicelib.domain.webhooks.signature import sign_delivery
from chalicelib.errors import ConflictError, ForbiddenError
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.report_event import CENTER_LOCKED
from chalicelib.services.referrals.report_results import ReportResult, replay_result
from chalicelib.services.webhooks.deliveries import require_admin_of
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.identity.tenants import ORGANIZATION_LOCK
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.delivery_log import Delivery, DeliveryResult, DeliveryStatus

TEST_EVENT_TYPE = "test.sent"
"""The `type` of a test event."""

TEST_RESULT = DeliveryResult(status=DeliveryStatus.TESTED, referral_id="", event_id="", event_type=TEST_EVENT_TYPE)
"""The result of every test event: no referral is read or changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTestEvent:
    """A test event that is ready to be posted."""

    webhook_id: str
    timestamp: str
    signature: str
    body: str


def receive_test_event(delivery: Delivery, *, context: RunContext) -> ReportResult:
    """Log a test event; the caller has verified the signature.

    Raises:
        ForbiddenError: the operator has locked the center.
        WebhookIdReusedError: its webhook id belongs to another delivery.
    """
    log = context.stores.delivery_log
    try:
        context.stores.transactions.commit(
            log.prepare_log(delivery, TEST_RESULT), context.stores.tenants.prepare_check_unlocked(delivery.center_id)
        )
    except ConditionFailedError as e:
        if ORGANIZATION_LOCK in e.items:
            refusal = ForbiddenError("organization_locked", CENTER_LOCKED)
            entry = _build_audit_entry(delivery.center_id, f"feed:{delivery.center_id}", "delivery.test", context)
            record_refusal(refusal, entry, context=context)
            raise refusal from e
        return replay_result(log.load_result(delivery, e.items[IDEMPOTENCY_RECORD]))
    return ReportResult(status=TEST_RESULT.status, referral_id="", event_id="", stage=None)


def sign_test_event(
    center_id: str,
    *,
    by: Member,
    request: IdempotentRequest,
    build_response: Callable[[SignedTestEvent], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Sign a test event with the center's newest secret. Nothing else is ever signed, and nothing is sent.

    Raises:
        NotFoundError: it is another center.
        ForbiddenError: only an administrator can do this.
        ConflictError: the center has no secret.
    """
    require_admin_of(center_id, by)
    secret = context.stores.secrets.find_newest(center_id, now=context.now)
    if secret is None:
        raise ConflictError("no_webhook_secret", "Create a webhook secret first. The test event is signed with it.")
    response = build_response(_sign(secret, context))
    entry = _build_audit_entry(center_id, by.member_id, "webhook_test.sign", context)

    def attempt() -> StoredResponse:
        stores = context.stores
        try:
            stores.transactions.commit(
                stores.idempotency_records.prepare_record(request, response, now=context.now),
                stores.audit_log.prepare_append(entry),
            )
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD in e.items:
                return stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
            raise  # Another audit row was faster.
        return response

    return commit_with_retry(attempt)


def _sign(secret: bytes, context: RunContext) -> SignedTestEvent:
    body = json.dumps({"type": TEST_EVENT_TYPE, "occurred_at": context.now.isoformat(timespec="seconds")})
    webhook_id, timestamp = f"msg_{secrets.token_hex(12)}", str(int(context.now.timestamp()))
    signature = sign_delivery(secret, webhook_id=webhook_id, timestamp=timestamp, body=body.encode())
    return SignedTestEvent(webhook_id=webhook_id, timestamp=timestamp, signature=signature, body=body)


def _build_audit_entry(center_id: str, actor_id: str, action: str, context: RunContext) -> AuditEntry:
    return AuditEntry(
        referral_id=f"center#{center_id}", at=context.now, actor_id=actor_id, tenant_id=center_id, action=action
    )
