"""What a center's system sends: the headers of its signature, and the report in the body.

Nothing here needs a table, so that `infra.conformance` checks a sender with the same code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.platform.ids import ID_PATTERNS, derive_id
from chalicelib.domain.referrals.events import EventSource, ReferralEvent
from chalicelib.domain.referrals.stages import Actor
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID
from chalicelib.routes.platform.validation import validate_tolerantly
from chalicelib.routes.referrals.dates_without_time import read_dates_as_days
from chalicelib.routes.referrals.event_bodies import EventRequest
from chalicelib.routes.referrals.product_fields import drop_product_of_other_stages
from chalicelib.routes.referrals.reported_events import EventReporter, build_event, parse_delivery_body
from chalicelib.store.webhooks.delivery_log import Delivery

SIGNATURE_PARTS = ("id", "timestamp", "signature")
"""The parts of a signature; each is a header, `webhook-` or `svix-` and the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredReport:
    """The report in the body of a delivery.

    Attributes:
        request: The report, as the request type of its event.
        ignored: JSON pointers to the members that the product does not know.
    """

    referral_id: str
    request: Any
    ignored: tuple[str, ...]


def read_signature_header(headers: Mapping[str, str], name: str) -> str:
    """Read a part of the signature: from `webhook-…`, or from `svix-…` if no `webhook-…` header was sent.

    Source: Standard Webhooks 1.0 took its headers from Svix, whose libraries still send the older names.
    """
    is_standard = any(f"webhook-{part}" in headers for part in SIGNATURE_PARTS)
    return headers.get(f"{'webhook' if is_standard else 'svix'}-{name}", "")


def parse_report(raw: bytes, *, get_time_zone: Callable[[], str]) -> DeliveredReport:
    """Parse the body of a delivery whose signature was verified.

    Args:
        raw: The body.
        get_time_zone: Gets the time zone of the center; only a date without a time needs it.

    Raises:
        MalformedError: it names every error, and repeats nothing that was sent.
        PayloadTooLargeError: the body has too many bytes.
    """
    referral_id, rest = parse_delivery_body(strict_json.parse_json(raw))
    read_dates_as_days(rest, get_time_zone=get_time_zone)
    dropped = drop_product_of_other_stages(rest)
    report, ignored = validate_tolerantly(EventRequest, rest)
    if not isinstance(referral_id, str) or not ID_PATTERNS["referral_id"].fullmatch(referral_id):
        error = FieldError("/referral_id", "malformed", "Send the ID of a referral.")
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=[error])
    return DeliveredReport(referral_id=referral_id, request=report.root, ignored=(*dropped, *ignored))


def build_delivered_event(report: DeliveredReport, delivery: Delivery, *, center_name: str) -> ReferralEvent:
    """Build the event of a report. A repeat of the delivery gives an event with the same id.

    Raises:
        MalformedError: the report cannot be true; see `build_event`.
    """
    reporter = EventReporter(
        event_id=derive_id("evt", delivery.center_id, delivery.webhook_id),
        actor=Actor.CENTER,
        source=EventSource.CENTER_FEED,
        actor_id=f"feed:{delivery.center_id}",
        actor_name=center_name,
        recorded_at=delivery.received_at,
    )
    return build_event(report.request, referral_id=report.referral_id, reporter=reporter)
