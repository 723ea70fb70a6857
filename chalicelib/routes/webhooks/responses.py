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
    """The `webhook-id` of the delivery."""
    received_at: str
    """When it arrived (RFC 3339, UTC)."""
    status: str
    """`applied`, `recorded`, `parked`, `refused`, or `failed` if the earlier event did not arrive in time."""
    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    event_id: str
    """The ID of the event that it reported; empty if it was refused."""
    stage: str | None
    """The status that it reported; null if none."""
    stage_label: str | None
    """The status that it reported, for display; null if none."""
    code: str | None
    """Why it was refused, as a code of `x-problem-codes`; null if it was not."""
    ignored: list[str]
    """JSON pointers to fields that the product does not know."""
    waiting_for: list[str]
    """The statuses whose reports must arrive first."""
    waiting_for_labels: list[str]
    """The statuses whose reports must arrive first, for display."""


class DeliveryPageResponse(TypedDict):
    """A page of a center's delivery log."""

    items: list[DeliveryResponse]
    """The items of this page, in the order of the list."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""


class WebhookSecretResponse(TypedDict):
    """A new webhook secret."""

    secret_id: str
    """The ID of the secret."""
    secret: str
    """The secret, shown only this once. It starts with `whsec_`."""


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
