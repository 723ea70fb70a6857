"""Stage changes pushed by centers' systems: verified first, read after."""

import re
from typing import Any

from chalice import Blueprint

from chalicelib import wiring
from chalicelib.domain.referrals.events import Source, derived_id
from chalicelib.domain.referrals.stages import Actor
from chalicelib.domain.webhooks.signature import is_genuine
from chalicelib.errors import Fault, MalformedError, UnauthenticatedError
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.operations import Access
from chalicelib.routes.platform.request import Call, validated
from chalicelib.routes.referrals import response_schemas as referral_shapes
from chalicelib.routes.referrals.event_bodies import (
    EventBody,
    Reporter,
    event_of,
    split_referral_id,
)
from chalicelib.routes.referrals.referrals import outcome_told
from chalicelib.services.platform.rate_limit import require_room
from chalicelib.services.referrals.report_event import report_by_feed
from chalicelib.store.webhooks.idempotency import Delivery, hashed

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
    # Only after the signature: nobody else can use up what a center may send.
    require_room(f"feed#{center_id}", wiring.feed_limit(), stores=wiring.stores(), now=call.now)
    referral_id, report = _report(call.raw_body)
    delivery = Delivery(
        center_id=center_id,
        webhook_id=call.headers["webhook-id"],
        body_hash=hashed(call.raw_body),
        received_at=call.now,
    )
    event = event_of(report, referral_id=referral_id, by=_reporter(delivery))
    outcome = report_by_feed(event, delivery=delivery, stores=wiring.stores(), now=call.now)
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


def _report(raw: bytes) -> tuple[str, Any]:
    referral_id, rest = split_referral_id(strict_json.read(raw))
    report = validated(EventBody, rest)
    if not isinstance(referral_id, str) or not _REFERRAL_ID.fullmatch(referral_id):
        fault = Fault("/referral_id", "malformed", "must be the id of a referral")
        raise MalformedError("malformed", "Some fields are not right.", faults=[fault])
    return referral_id, report.root


def _reporter(delivery: Delivery) -> Reporter:
    center = wiring.stores().tenants.center(delivery.center_id)
    return Reporter(
        event_id=derived_id("evt", delivery.center_id, delivery.webhook_id),
        actor=Actor.CENTER,
        source=Source.CENTER_FEED,
        actor_id=f"feed:{delivery.center_id}",
        actor_name=center.tenant.name if center else "The center's system",
        recorded_at=delivery.received_at,
    )
