"""A center's feed, for the center's administrators: what arrived, and what it is signed with."""

from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.webhooks import deliveries
from chalicelib.store.webhooks.idempotency import DeliveryLogEntry, StoredResponse

blueprint = Blueprint(__name__)


@declare_endpoint(blueprint, "GET", "/v1/centers/{center_id}/deliveries", response_schema=shapes.DeliveryPageShape)
def list_deliveries(request: ApiRequest, center_id: str, query: PageQuery) -> ApiResponse:
    """Read what the center's system sent and what became of it, newest first."""
    found, position = deliveries.list_deliveries(
        center_id,
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        by=request.member,
        stores=wiring.get_stores(),
    )
    return cursors.build_page_response([_to_delivery_response(logged) for logged in found], position, request, query)


@declare_endpoint(
    blueprint,
    "POST",
    "/v1/centers/{center_id}/deliveries/{delivery_id}/replay",
    response_schema=shapes.DeliveryShape,
    needs_idempotency_key=True,
)
def replay_delivery(request: ApiRequest, center_id: str, delivery_id: str) -> ApiResponse:
    """Try a delivery that waits, or waited in vain, once more. Repeating it is harmless."""
    logged = deliveries.replay_delivery(center_id, delivery_id, by=request.member, context=request.context)
    return ApiResponse(body=_to_delivery_response(logged))


@declare_endpoint(
    blueprint,
    "POST",
    "/v1/centers/{center_id}/webhook-secrets",
    response_schema=shapes.SecretShape,
    status=201,
    needs_idempotency_key=True,
)
def make_secret(request: ApiRequest, center_id: str) -> ApiResponse:
    """Make a new webhook secret, shown once; the old ones live on for 24 hours."""
    answered = deliveries.create_webhook_secret(
        center_id,
        by=request.member,
        request=request.idempotent_request,
        build_response=lambda secret_id, text: StoredResponse(
            status=201, headers={}, body={"secret_id": secret_id, "secret": text}
        ),
        context=request.context,
    )
    return from_stored_response(answered)


def _to_delivery_response(logged: DeliveryLogEntry) -> dict[str, Any]:
    delivery, result = logged.delivery, logged.result
    return {
        "delivery_id": delivery.webhook_id,
        "received_at": format_timestamp(delivery.received_at),
        "status": result.status,
        "referral_id": result.referral_id,
        "event_id": result.event_id,
        "stage": result.stage,
        "stage_label": STAGE_FACTS[Stage(result.stage)].label if result.stage else None,
        "code": result.code,
    }
