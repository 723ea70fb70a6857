"""A center's webhook, for the center's administrators: how to connect, what arrived, and the signing secrets."""

from chalicelib import wiring
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.query_params import DeliveryQuery
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.webhooks.responses import (
    DeliveryPageResponse,
    DeliveryResponse,
    SignedTestEventResponse,
    WebhookConnectionResponse,
    WebhookSecretResponse,
    to_connection_response,
    to_delivery_response,
)
from chalicelib.services.webhooks import connection_checks, deliveries
from chalicelib.store.platform.idempotency import StoredResponse
from chalicelib.store.webhooks.delivery_log import DeliveryFilter


@declare_endpoint("GET", "/v1/centers/{center_id}/webhook")
def get_webhook_connection(request: ApiRequest, center_id: str) -> ApiResponse[WebhookConnectionResponse]:
    """Show the center's address for deliveries, its secrets without their values, and code that signs."""
    found = deliveries.list_webhook_secrets(center_id, by=request.member, stores=wiring.get_stores())
    url = f"{wiring.get_settings().public_url.rstrip('/')}/v1/webhooks/centers/{center_id}"
    return ApiResponse(body=to_connection_response(found, url=url, now=request.now))


@declare_endpoint("GET", "/v1/centers/{center_id}/deliveries")
def list_deliveries(request: ApiRequest, center_id: str, query: DeliveryQuery) -> ApiResponse[DeliveryPageResponse]:
    """List the center's webhook deliveries and their results, newest first.

    With a filter, a page can have few deliveries or none although others follow: each page reads 500 deliveries at
    most. Go on until `next_cursor` is null.
    """
    entries, position = deliveries.list_deliveries(
        center_id,
        only=DeliveryFilter(status=query.status, referral_id=query.referral_id),
        limit=query.limit,
        start=cursors.decode_cursor(query.cursor, request, query),
        by=request.member,
        stores=wiring.get_stores(),
    )
    cursor = cursors.encode_cursor(position, request, query)
    return ApiResponse(
        body={"items": [to_delivery_response(entry) for entry in entries], "next_cursor": cursor},
        headers=cursors.build_link_header(cursor, query),
    )


@declare_endpoint("POST", "/v1/centers/{center_id}/deliveries/{delivery_id}/replay", needs_idempotency_key=True)
def replay_delivery(request: ApiRequest, center_id: str, delivery_id: str) -> ApiResponse[DeliveryResponse]:
    """Retry a parked or expired delivery; safe to repeat."""
    entry = deliveries.replay_delivery(center_id, delivery_id, by=request.member, context=request.context)
    return ApiResponse(body=to_delivery_response(entry))


@declare_endpoint("POST", "/v1/centers/{center_id}/webhook-secrets", status=201, needs_idempotency_key=True)
def create_webhook_secret(request: ApiRequest, center_id: str) -> ApiResponse[WebhookSecretResponse]:
    """Create a webhook secret, shown once; earlier secrets work for 24 more hours."""

    def build_response(secret_id: str, secret: str) -> StoredResponse:
        body: WebhookSecretResponse = {"secret_id": secret_id, "secret": secret}
        return StoredResponse(status=201, headers={}, body=body)

    stored = deliveries.create_webhook_secret(
        center_id,
        by=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("POST", "/v1/centers/{center_id}/test-events", status=201, needs_idempotency_key=True)
def sign_test_event(request: ApiRequest, center_id: str) -> ApiResponse[SignedTestEventResponse]:
    """Sign a test event with the center's newest secret, to post it to the center's address for deliveries."""

    def build_response(signed: connection_checks.SignedTestEvent) -> StoredResponse:
        body: SignedTestEventResponse = {
            "webhook_id": signed.webhook_id,
            "webhook_timestamp": signed.timestamp,
            "webhook_signature": signed.signature,
            "body": signed.body,
        }
        return StoredResponse(status=201, headers={}, body=body)

    stored = connection_checks.sign_test_event(
        center_id,
        by=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)
