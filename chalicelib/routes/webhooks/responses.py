"""Deliveries and secrets as the API returns them."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.store.webhooks.idempotency import DeliveryLogEntry


class DeliveryResponse(TypedDict):
    """A row of a center's delivery log."""

    delivery_id: str
    received_at: str
    status: str
    referral_id: str
    event_id: str
    stage: str | None
    stage_label: str | None
    code: str | None


class DeliveryPageResponse(TypedDict):
    """A page of a center's delivery log."""

    items: list[DeliveryResponse]
    next_cursor: str | None


class WebhookSecretResponse(TypedDict):
    """A new webhook secret."""

    secret_id: str
    secret: str


def to_delivery_response(entry: DeliveryLogEntry) -> DeliveryResponse:
    """A delivery and its result, for the center's administrators."""
    delivery, result = entry.delivery, entry.result
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
