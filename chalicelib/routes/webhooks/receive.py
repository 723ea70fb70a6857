"""Events that the systems of centers send: the signature is verified before anything is read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalice import Blueprint

from chalicelib import metrics, wiring
from chalicelib.domain.platform.ids import ID_PATTERNS, derive_id
from chalicelib.domain.referrals.events import EventSource
from chalicelib.domain.referrals.stages import Actor
from chalicelib.domain.webhooks.signature import verify_signature
from chalicelib.errors import ApiError, FieldError, MalformedError, UnauthenticatedError
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest, validate_tolerantly
from chalicelib.routes.referrals.dates_without_time import read_dates_as_days
from chalicelib.routes.referrals.event_bodies import EventReporter, EventRequest, build_event, parse_delivery_body
from chalicelib.routes.referrals.product_fields import drop_product_of_other_stages
from chalicelib.routes.referrals.response_types import ReportResultResponse
from chalicelib.routes.referrals.responses import to_report_response
from chalicelib.routes.webhooks.connection_check_body import is_test_event, read_ignored_members
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.referrals.report_event import report_by_webhook
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.services.webhooks.connection_checks import receive_test_event
from chalicelib.store.webhooks.idempotency import Delivery, hash_body

blueprint = Blueprint(__name__)

_CENTER_ID = re.compile(r"ctr_[a-z0-9_]{1,60}", re.ASCII)


@declare_endpoint(blueprint, "POST", "/v1/webhooks/centers/{center_id}", access=RouteAccess.WEBHOOK_SIGNATURE)
def receive_delivery(request: ApiRequest, center_id: str) -> ApiResponse[ReportResultResponse]:
    """Receive a signed event from a center's system (Standard Webhooks 1.0).

    The center's system sends this request. The product itself calls no system of a center or a practice.
    Sign each delivery with a secret from `POST /v1/centers/{center_id}/webhook-secrets`:

    1. `webhook-id`: an ID of the delivery. Keep it if you send the same delivery again.
    2. `webhook-timestamp`: the time now, in seconds since 1970.
    3. The text to sign: the ID, a period, the timestamp, a period, and the exact bytes of the body.
    4. The key: the secret without `whsec_`, decoded from base64.
    5. `webhook-signature`: `v1,` and the HMAC-SHA256 in base64. Separate several signatures by spaces.

    Try it with the body `{"type": "test.sent"}`: it is logged as `tested` and changes no referral.

    200 means that the event was applied, or recorded in the history. 202 means that it waits for an earlier event.
    Fields that the product does not know are ignored. After 429, 500 or 503, send the same delivery again.
    """
    with _count_if_refused():
        result = _process_delivery(request, center_id)
    metrics.count_delivery(result.status)
    return ApiResponse(body=to_report_response(result), status=202 if result.status == "parked" else 200)


@contextmanager
def _count_if_refused() -> Iterator[None]:
    try:
        yield
    except Exception as e:
        metrics.count_refused_delivery(e.status if isinstance(e, ApiError) else 500)
        raise


def _process_delivery(request: ApiRequest, center_id: str) -> ReportResult:
    _verify_signature(request, center_id)
    # Only after the signature, so that no one else can use up a center's rate limit.
    enforce_rate_limit(f"feed#{center_id}", wiring.get_webhook_rate_limit(), context=request.context)
    value = strict_json.parse_json(request.raw_body)
    if is_test_event(value):
        delivery = _build_delivery(request, center_id, read_ignored_members(value))
        return receive_test_event(delivery, context=request.context)
    referral_id, report, ignored = _parse_report(value, center_id)
    delivery = _build_delivery(request, center_id, ignored)
    event = build_event(report, referral_id=referral_id, reporter=_build_reporter(delivery))
    return report_by_webhook(event, delivery=delivery, context=request.context)


def _build_delivery(request: ApiRequest, center_id: str, ignored: tuple[str, ...]) -> Delivery:
    return Delivery(
        center_id=center_id,
        webhook_id=_read_signature_header(request, "id"),
        body_hash=hash_body(request.raw_body),
        received_at=request.now,
        ignored=ignored,
    )


def _verify_signature(request: ApiRequest, center_id: str) -> None:
    """Refuse an unknown center, a wrong signature and an old timestamp with the same response.

    Secrets in memory refuse a wrong signature without a read. A correct one is checked with the table, because its
    secret may have been revoked a moment ago.
    """
    if not (_is_signed(request, center_id, fresh=False) and _is_signed(request, center_id, fresh=True)):
        raise UnauthenticatedError


def _is_signed(request: ApiRequest, center_id: str, *, fresh: bool) -> bool:
    is_possible = _CENTER_ID.fullmatch(center_id)
    store = wiring.get_stores().secrets
    return verify_signature(
        webhook_id=_read_signature_header(request, "id"),
        timestamp=_read_signature_header(request, "timestamp"),
        signatures=_read_signature_header(request, "signature"),
        body=request.raw_body,
        secrets=store.list_valid(center_id, now=request.now, fresh=fresh) if is_possible else (),
        now=request.now,
    )


def _read_signature_header(request: ApiRequest, name: str) -> str:
    """Read a part of the signature: from `webhook-…`, or from `svix-…` if no `webhook-…` header was sent.

    Source: Standard Webhooks 1.0 took its headers from Svix, whose libraries still send the older names.
    """
    is_standard = any(f"webhook-{part}" in request.headers for part in ("id", "timestamp", "signature"))
    return request.headers.get(f"{'webhook' if is_standard else 'svix'}-{name}", "")


def _parse_report(value: Any, center_id: str) -> tuple[str, Any, tuple[str, ...]]:
    referral_id, rest = parse_delivery_body(value)
    read_dates_as_days(rest, get_time_zone=lambda: _get_time_zone(center_id))
    dropped = drop_product_of_other_stages(rest)
    report, ignored = validate_tolerantly(EventRequest, rest)
    if not isinstance(referral_id, str) or not ID_PATTERNS["referral_id"].fullmatch(referral_id):
        error = FieldError("/referral_id", "malformed", "Send the ID of a referral.")
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=[error])
    return referral_id, report.root, (*dropped, *ignored)


def _get_time_zone(center_id: str) -> str:
    center = wiring.get_stores().tenants.get_center(center_id)
    return center.tenant.time_zone if center else "UTC"


def _build_reporter(delivery: Delivery) -> EventReporter:
    center = wiring.get_stores().tenants.get_center(delivery.center_id)
    return EventReporter(
        event_id=derive_id("evt", delivery.center_id, delivery.webhook_id),
        actor=Actor.CENTER,
        source=EventSource.CENTER_FEED,
        actor_id=f"feed:{delivery.center_id}",
        actor_name=center.tenant.name if center else "The center's system",
        recorded_at=delivery.received_at,
    )
