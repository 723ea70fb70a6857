"""Deliveries and secrets as the API returns them."""

from collections.abc import Sequence
from datetime import datetime

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.events import PARKED_FOR, EventType
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.timeline_responses import EVENT_LABELS
from chalicelib.routes.webhooks.samples import EXAMPLE_URL, LANGUAGES, load_samples
from chalicelib.store.webhooks.delivery_log import DeliveryLogEntry, DeliveryResult, DeliveryStatus
from chalicelib.store.webhooks.secrets import SecretEntry


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
    """`applied`, `recorded`, `parked`, `refused`, `failed` if the earlier event did not arrive in time, or `tested` if
    it was a test event."""
    referral_id: str
    """The ID of the referral: `ref_` and 26 characters; empty if it was a test event."""
    event_id: str
    """The ID of the event that it reported; empty if it was refused, or a test event."""
    event_type: str | None
    """The type of the event that it reported; null if it is not known."""
    event_label: str | None
    """What it reported, for display; null if it is not known."""
    stage: str | None
    """The status of the referral after it; null if it changed none."""
    stage_label: str | None
    """The status of the referral after it, for display; null if it changed none."""
    code: str | None
    """Why it was refused, as a code of `x-problem-codes`; null if it was not."""
    ignored: list[str]
    """JSON pointers to fields that the product does not know."""
    waiting_for: list[str]
    """The statuses whose reports must arrive first."""
    waiting_for_labels: list[str]
    """The statuses whose reports must arrive first, for display."""
    expires_at: str | None
    """Until when it stays parked (RFC 3339, UTC); null if it is not parked."""


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


class WebhookSecretEntryResponse(TypedDict):
    """A webhook secret of a center, without its value."""

    secret_id: str
    """The ID of the secret."""
    created_at: str
    """When it was created (RFC 3339, UTC)."""
    ends_at: str | None
    """When it stops or stopped working (RFC 3339, UTC); null if no later secret ends it."""
    last_used_at: str | None
    """When a delivery was last signed with it, to within an hour (RFC 3339, UTC); null if no use is recorded."""
    works: bool
    """Whether a delivery that is signed with it is accepted now."""


class WebhookSampleResponse(TypedDict):
    """Code that signs a test event and sends it to the center's address."""

    language: str
    """The language, as a code: `curl`, `python` or `javascript`."""
    label: str
    """The language, for display."""
    code: str
    """The code. Replace `whsec_…` with a secret."""


class WebhookConnectionResponse(TypedDict):
    """What a center's system needs to send updates."""

    url: str
    """The address for the center's deliveries; its last part is the ID of the center."""
    secrets: list[WebhookSecretEntryResponse]
    """The secrets of the center, newest first."""
    samples: list[WebhookSampleResponse]
    """Code that sends a test event, with this address in it."""


class SignedTestEventResponse(TypedDict):
    """A signed test event. Post `body` as it is with the headers, within five minutes."""

    webhook_id: str
    """The header `webhook-id`."""
    webhook_timestamp: str
    """The header `webhook-timestamp`: seconds since 1970."""
    webhook_signature: str
    """The header `webhook-signature`."""
    body: str
    """The body, exactly as it was signed."""


def to_connection_response(secrets: Sequence[SecretEntry], *, url: str, now: datetime) -> WebhookConnectionResponse:
    """What a center's system needs to send updates, for the center's administrators."""
    return {
        "url": url,
        "secrets": [
            {
                "secret_id": secret.secret_id,
                "created_at": format_timestamp(secret.created_at),
                "ends_at": format_timestamp(secret.expires_at) if secret.expires_at else None,
                "last_used_at": format_timestamp(secret.last_used_at) if secret.last_used_at else None,
                "works": secret.expires_at is None or secret.expires_at > now,
            }
            for secret in secrets
        ],
        "samples": [
            {"language": language, "label": LANGUAGES[language], "code": code.replace(EXAMPLE_URL, url)}
            for language, code in load_samples().items()
        ],
    }


def to_delivery_response(entry: DeliveryLogEntry) -> DeliveryResponse:
    """A delivery and its result, for the center's administrators."""
    delivery, result = entry.delivery, entry.result
    is_parked = result.status is DeliveryStatus.PARKED
    return {
        "delivery_id": delivery.webhook_id,
        "received_at": format_timestamp(delivery.received_at),
        "status": result.status,
        "referral_id": result.referral_id,
        "event_id": result.event_id,
        "event_type": result.event_type,
        "event_label": _get_event_label(result),
        "stage": result.stage,
        "stage_label": STAGE_FACTS[Stage(result.stage)].label if result.stage else None,
        "code": result.code,
        "ignored": list(delivery.ignored),
        "waiting_for": list(result.waiting_for),
        "waiting_for_labels": [STAGE_FACTS[Stage(stage)].label for stage in result.waiting_for],
        "expires_at": format_timestamp(delivery.received_at + PARKED_FOR) if is_parked else None,
    }


def _get_event_label(result: DeliveryResult) -> str | None:
    if result.reported_stage:
        return STAGE_FACTS[Stage(result.reported_stage)].label
    if result.status is DeliveryStatus.TESTED:
        return "Test event"
    return EVENT_LABELS[EventType(result.event_type)] if result.event_type else None
