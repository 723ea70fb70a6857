"""A center's feed, for the center's administrators: what arrived, and what it is signed with."""

from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.referrals.stages import FACTS, Stage
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform import cursors
from chalicelib.routes.platform.endpoint import Reply, endpoint, replied
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.platform.request import Call
from chalicelib.routes.platform.timestamps import instant
from chalicelib.services.webhooks import deliveries
from chalicelib.store.webhooks.idempotency import Answer, LoggedDelivery

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/v1/centers/{center_id}/deliveries", returns=shapes.DeliveryPageShape)
def list_deliveries(call: Call, center_id: str, query: PageQuery) -> Reply:
    """Read what the center's system sent and what became of it, newest first."""
    found, position = deliveries.log_page(
        center_id,
        limit=query.limit,
        start=cursors.opened(query.cursor, call, query),
        by=call.member,
        stores=wiring.stores(),
    )
    return cursors.page([_told(logged) for logged in found], position, call, query)


@endpoint(
    blueprint,
    "POST",
    "/v1/centers/{center_id}/deliveries/{delivery_id}/replay",
    returns=shapes.DeliveryShape,
    keyed=True,
)
def replay_delivery(call: Call, center_id: str, delivery_id: str) -> Reply:
    """Try a delivery that waits, or waited in vain, once more. Repeating it is harmless."""
    logged = deliveries.replay(
        center_id, delivery_id, by=call.member, stores=wiring.stores(), now=call.now
    )
    return Reply(body=_told(logged))


@endpoint(
    blueprint,
    "POST",
    "/v1/centers/{center_id}/webhook-secrets",
    returns=shapes.SecretShape,
    status=201,
    keyed=True,
)
def make_secret(call: Call, center_id: str) -> Reply:
    """Make a new webhook secret, shown once; the old ones live on for 24 hours."""
    answered = deliveries.new_secret(
        center_id,
        by=call.member,
        request=call.as_request,
        answer=lambda secret_id, text: Answer(
            status=201, headers={}, body={"secret_id": secret_id, "secret": text}
        ),
        stores=wiring.stores(),
        now=call.now,
    )
    return replied(answered)


def _told(logged: LoggedDelivery) -> dict[str, Any]:
    delivery, result = logged.delivery, logged.result
    return {
        "delivery_id": delivery.webhook_id,
        "received_at": instant(delivery.received_at),
        "status": result.status,
        "referral_id": result.referral_id,
        "event_id": result.event_id,
        "stage": result.stage,
        "stage_label": FACTS[Stage(result.stage)].label if result.stage else None,
        "code": result.code,
    }
