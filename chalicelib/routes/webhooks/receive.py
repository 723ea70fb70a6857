"""Events that the systems of centers send: the signature is verified before anything is read."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from chalicelib import metrics, wiring
from chalicelib.domain.platform.ids import ID_PATTERNS
from chalicelib.domain.webhooks.signature import verify_signature
from chalicelib.errors import ApiError, UnauthenticatedError, UnavailableError
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals.response_types import ReportResultResponse
from chalicelib.routes.referrals.responses import to_report_response
from chalicelib.routes.webhooks.connection_check_body import read_test_event
from chalicelib.routes.webhooks.delivery_reports import build_delivered_event, parse_report, read_signature_header
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.referrals.report_event import report_by_webhook, start_delivery_reads
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.services.webhooks.connection_checks import receive_test_event
from chalicelib.store.platform.idempotency import hash_body
from chalicelib.store.webhooks.delivery_log import Delivery

_CENTER_ID = re.compile(r"ctr_[a-z0-9_]{1,60}", re.ASCII)
_REFERRAL_ID = re.compile(ID_PATTERNS["referral_id"].pattern.encode())


@declare_endpoint("POST", "/v1/webhooks/centers/{center_id}", access=RouteAccess.WEBHOOK_SIGNATURE)
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
    _authenticate_sender(request, center_id)
    _record_use(request, center_id)
    ignored = read_test_event(request.raw_body)
    if ignored is not None:
        return receive_test_event(_build_delivery(request, center_id, ignored), context=request.context)
    report = parse_report(request.raw_body, get_time_zone=lambda: _get_time_zone(center_id))
    delivery = _build_delivery(request, center_id, report.ignored)
    event = build_delivered_event(report, delivery, center_name=_get_center_name(center_id))
    return report_by_webhook(event, delivery=delivery, context=request.context)


def _build_delivery(request: ApiRequest, center_id: str, ignored: tuple[str, ...]) -> Delivery:
    return Delivery(
        center_id=center_id,
        webhook_id=read_signature_header(request.headers, "id"),
        body_hash=hash_body(request.raw_body),
        received_at=request.now,
        ignored=ignored,
    )


def _authenticate_sender(request: ApiRequest, center_id: str) -> None:
    """Verify who sent the delivery, and count it against the center's rate limit.

    Secrets in memory refuse a wrong signature without a read. A correct one is checked with the table, because its
    secret may have been revoked a moment ago. While it is checked, the delivery is counted, and the referral is read
    that it seems to name: nothing of it is used before the second check. So a secret that was revoked within the last
    minute can count one more delivery in each function, and no one else can use up a center's limit.
    """
    has_secrets = wiring.get_stores().secrets.is_in_memory(center_id)
    if not has_secrets and _CENTER_ID.fullmatch(center_id):
        request.context.load_keys_ahead([center_id])
    _require_signature(request, center_id, fresh=not has_secrets)
    counted = request.calls.start(partial(_count_delivery, request, center_id))
    _start_early_reads(request, center_id)
    if has_secrets:
        _require_signature(request, center_id, fresh=True)
    counted.result()


def _count_delivery(request: ApiRequest, center_id: str) -> None:
    enforce_rate_limit(f"feed#{center_id}", wiring.get_webhook_rate_limit(), context=request.context)


def _start_early_reads(request: ApiRequest, center_id: str) -> None:
    """Start to read the referral that the body seems to name. If it names another one, the read is not used."""
    named = _REFERRAL_ID.search(request.raw_body)
    if named:
        webhook_id = read_signature_header(request.headers, "id")
        start_delivery_reads(named.group().decode(), center_id, webhook_id, context=request.context)


def _require_signature(request: ApiRequest, center_id: str, *, fresh: bool) -> None:
    """Refuse an unknown center, a wrong signature and an old timestamp with the same response."""
    if not _is_signed(request, center_id, fresh=fresh):
        raise UnauthenticatedError


def _record_use(request: ApiRequest, center_id: str) -> None:
    """Store which secrets signed the delivery, at most once an hour each. A delivery does not fail because of it."""
    store = wiring.get_stores().secrets
    for secret_id, secret in store.list_without_recent_use(center_id, now=request.now).items():
        if _has_signature(request, [secret]):
            with suppress(UnavailableError):
                store.record_use(center_id, secret_id, now=request.now)


def _is_signed(request: ApiRequest, center_id: str, *, fresh: bool) -> bool:
    is_possible = _CENTER_ID.fullmatch(center_id)
    store = wiring.get_stores().secrets
    return _has_signature(request, store.list_valid(center_id, now=request.now, fresh=fresh) if is_possible else ())


def _has_signature(request: ApiRequest, secrets: Iterable[bytes]) -> bool:
    return verify_signature(
        webhook_id=read_signature_header(request.headers, "id"),
        timestamp=read_signature_header(request.headers, "timestamp"),
        signatures=read_signature_header(request.headers, "signature"),
        body=request.raw_body,
        secrets=secrets,
        now=request.now,
    )


def _get_time_zone(center_id: str) -> str:
    center = wiring.get_stores().tenants.get_center(center_id)
    return center.tenant.time_zone if center else "UTC"


def _get_center_name(center_id: str) -> str:
    center = wiring.get_stores().tenants.get_center(center_id)
    return center.tenant.name if center else "The center's system"
