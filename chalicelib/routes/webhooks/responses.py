"""Deliveries and secrets as the API returns them."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.store.webhooks.idempotency import DeliveryLogEntry


class DeliveryResponse(TypedDict):
    """A row of a center's delivery log.

    `ignored` lists the members of the body that are not known, as JSON pointers. `waiting_for` lists the stages that
    had to come first when the update was parked.
    """

    delivery_id: str
    received_at: str
    status: str
    referral_id: str
    event_id: str
    stage: str | None
    stage_label: str | None
    code: str | None
    ignored: list[str]
    waiting_for: list[str]
    waiting_for_labels: list[str]


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
        "ignored": list(delivery.ignored),
        "waiting_for": list(result.waiting_for),
        "waiting_for_labels": [STAGE_FACTS[Stage(stage)].label for stage in result.waiting_for],
    }
