"""Stage changes pushed by centers' systems: verified first, read after."""

import re
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.events import Source, StageChange, derived_id
from chalicelib.domain.signing import is_genuine
from chalicelib.domain.stages import Actor
from chalicelib.errors import MalformedError, UnauthenticatedError
from chalicelib.routes import referral_shapes
from chalicelib.routes.bodies import WebhookBody
from chalicelib.routes.calls import Call, parsed_body
from chalicelib.routes.http import Reply, endpoint
from chalicelib.routes.operations import Access
from chalicelib.routes.referrals import outcome_told, require_past
from chalicelib.services.journey import report_by_feed
from chalicelib.store.receipts import Delivery, hashed

blueprint = Blueprint(__name__)

_CENTER_ID = re.compile(r"ctr_[a-z0-9_]{1,60}", re.ASCII)
_REFERRAL_ID = re.compile(r"ref_[a-z2-7]{26}", re.ASCII)


@endpoint(
    blueprint,
    "POST",
    "/v1/webhooks/centers/{center_id}",
    returns=referral_shapes.OutcomeShape,
    access=Access.SIGNED,
)
def receive_delivery(call: Call, center_id: str) -> Reply:
    """Receive a signed stage change from a center's system (Standard Webhooks 1.0)."""
    _require_genuine(call, center_id)
    body = parsed_body(WebhookBody, call.raw_body)
    delivery = Delivery(
        center_id=center_id,
        webhook_id=call.headers["webhook-id"],
        body_hash=hashed(call.raw_body),
        received_at=call.now,
    )
    change = _change(body, delivery)
    require_past(change)
    outcome = report_by_feed(change, delivery=delivery, stores=wiring.stores(), now=call.now)
    return Reply(body=outcome_told(outcome), status=202 if outcome.status == "parked" else 200)


def _require_genuine(call: Call, center_id: str) -> None:
    """One answer for an unknown center, a wrong signature and an old timestamp."""
    secrets = (
        wiring.stores().secrets.live(center_id, now=call.now)
        if _CENTER_ID.fullmatch(center_id)
        else ()
    )
    genuine = is_genuine(
        webhook_id=call.headers.get("webhook-id", ""),
        timestamp=call.headers.get("webhook-timestamp", ""),
        signatures=call.headers.get("webhook-signature", ""),
        body=call.raw_body,
        secrets=secrets,
        now=call.now,
    )
    if not genuine:
        raise UnauthenticatedError


def _change(body: Any, delivery: Delivery) -> StageChange:
    if not _REFERRAL_ID.fullmatch(body.referral_id):
        raise MalformedError("malformed", "referral_id is not an id that we give.")
    center = wiring.stores().tenants.center(delivery.center_id)
    data = body.data
    return StageChange(
        event_id=derived_id("evt", delivery.center_id, delivery.webhook_id),
        referral_id=body.referral_id,
        stage=data.stage,
        occurred_at=body.occurred_at,
        recorded_at=delivery.received_at,
        actor=Actor.CENTER,
        source=Source.CENTER_FEED,
        actor_id=f"feed:{delivery.center_id}",
        actor_name=center.tenant.name if center else "The center's system",
        sequence=body.sequence,
        part=data.part,
        of=max(data.of, data.part),
        local_date=data.local_date,
        reason_code=data.reason_code,
        note=data.note,
    )
