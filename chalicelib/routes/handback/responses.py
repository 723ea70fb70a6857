"""The transition-of-care summary and the follow-up dates as the API returns them."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib import catalog, wiring
from chalicelib.catalog import care_points
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_CALL
from chalicelib.domain.handback.follow_up_dates import find_driving_start, find_irradiated_blood_end
from chalicelib.domain.handback.package import REQUIRED_ITEMS, can_center_write, compute_handback_state, is_missing
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.adverse_events import format_adverse_event
from chalicelib.domain.referrals.facts import CENTER_CONTACT
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.routes.platform.label_responses import LabelResponse, to_label_response
from chalicelib.routes.platform.responses import TenantResponse
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.handback.calendar import FollowUp
from chalicelib.services.handback.package import HandbackView


class CareSourceResponse(TypedDict):
    """Where a fact was read."""

    title: str
    """The title of the source."""
    url: str | None
    """The address of the source; null without one."""
    as_of: str
    """The date to which the source applies: a year, a month or a day (YYYY, YYYY-MM or YYYY-MM-DD)."""


class HandbackItemResponse(TypedDict):
    """An item that a summary needs, and whether it is entered."""

    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    label: str
    """The words for it, for display."""
    done: bool
    """Whether it is entered."""


class HandbackCompletenessResponse(TypedDict):
    """How complete a summary is."""

    complete: bool
    """Whether everything that is needed was entered."""
    present: int
    """How many of the needed items were entered."""
    needed: int
    """How many items are needed."""
    items: list[HandbackItemResponse]
    """The needed items."""


class CarePointResponse(TypedDict):
    """A care point of a summary; `source` applies to the text only if it is not `edited`."""

    care_point_id: str | None
    """The care point of the published list; null for the center's own."""
    topic: str
    """The topic, for display."""
    text: str
    """The text of the care point."""
    due_on: str | None
    """The day on which it is due (YYYY-MM-DD); null without one."""
    edited: bool
    """Whether the center changed the published text."""
    source: CareSourceResponse | None
    """Where the care point was read; null for the center's own."""


class HandbackResponse(TypedDict):
    """The transition-of-care summary; `proposal` is what a center can start from."""

    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    version: int
    """The version of the summary, 0 before the first. Send it in `If-Match` with a change."""
    state: str
    """`not_written`, `in_preparation` (the patient is still at the center) or `handed_over`."""
    may_write: bool
    """Whether the caller can write the summary."""
    written_at: str | None
    """When it was last written (RFC 3339, UTC); null if it was not."""
    written_by: str | None
    """The name of the person who last wrote it; null if no one did."""
    package: Mapping[str, Any] | None
    """The summary as the center wrote it, with the fields of the request; null before the first."""
    proposal: Mapping[str, Any] | None
    """What the center can start from, taken from the referral; null if the caller cannot write."""
    completeness: HandbackCompletenessResponse
    """How complete the summary is."""
    checklist: list[CarePointResponse]
    """The care points for the practice."""
    grades: CareSourceResponse
    """The source of the toxicity grades."""
    handed_back_at: str | None
    """When the patient returned to the practice (RFC 3339, UTC); null before that."""
    first_visit_on: str | None
    """The day of the first visit at the practice (YYYY-MM-DD); null if not known."""


class FollowUpDayResponse(TypedDict):
    """A date of the follow-up."""

    key: str
    """A stable key of the entry."""
    kind: str
    """What kind of date it is."""
    date: str
    """The day, at the practice (YYYY-MM-DD)."""
    label: str
    """The words for it, for display."""
    source: str
    """Where the date comes from, for display."""


class EmergencyCardLineResponse(TypedDict):
    """A line of the emergency card."""

    label: str
    """The words for it, for display."""
    text: str
    """The text."""
    source: str
    """Where it was read, for display."""


class EmergencyCardResponse(TypedDict):
    """The content of an emergency card, without the patient's name."""

    product: str | None
    """The name of the product; null if not known."""
    infused_on: str
    """The day of the infusion, which is day 0 (YYYY-MM-DD)."""
    center: str | None
    """The name of the center; null if not known."""
    phone: str | None
    """The phone of the center; null if not known."""
    coordinator: str | None
    """The name of the center's coordinator; null if not known."""
    coordinator_phone: str | None
    """The phone of the coordinator; null if not known."""
    lines: list[EmergencyCardLineResponse]
    """What an emergency department should know."""
    label: LabelResponse | None
    """The label of the product; null if the product is not known."""
    statements: list[str]
    """Sentences to show, in order."""
    emergency_call: str
    """Whom to call in an emergency, for display."""


class FollowUpResponse(TypedDict):
    """The follow-up dates of a referral, and its emergency card."""

    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    alias: str
    """The name that the practice chose for the patient; the only name in email and calendars."""
    practice: TenantResponse
    """The referring practice."""
    time_zone: str
    """The practice's time zone, as an IANA name."""
    infused_on: str
    """The day of the infusion, which is day 0 (YYYY-MM-DD)."""
    first_visit_on: str | None
    """The day of the first visit at the practice (YYYY-MM-DD); null if not known."""
    package_version: int
    """The version of the summary that the dates come from, 0 without one."""
    items: list[FollowUpDayResponse]
    """The dates, earliest first."""
    card: EmergencyCardResponse
    """The emergency card."""


class CalendarFeedResponse(TypedDict):
    """Whether a member has a calendar feed."""

    active: bool
    """Whether there is a feed."""
    made_at: str | None
    """When its address was created (RFC 3339, UTC); null without a feed."""


class CalendarAddressResponse(TypedDict):
    """The secret address of a calendar feed, shown only once."""

    url: str
    """The secret address. Anyone who has it can read the feed."""
    made_at: str
    """When the address was created (RFC 3339, UTC)."""


def build_handback_etag(handback_view: HandbackView) -> dict[str, str]:
    """The summary's version as an ETag; "0" before the first version."""
    return {"ETag": f'"{handback_view.version}"'}


def to_handback_response(
    handback_view: HandbackView, member: Member, proposal: Mapping[str, Any] | None = None
) -> HandbackResponse:
    """A summary for a member of either organization."""
    referral, handback = handback_view.referral, handback_view.handback
    package = handback.package if handback else None
    back_at, visit = referral.stage_entered_at.get(Stage.HANDED_BACK), referral.status.first_visit_on
    return {
        "referral_id": referral.referral_id,
        "version": handback_view.version,
        "state": compute_handback_state(referral, handback),
        "may_write": member.kind is TenantKind.CENTER and can_center_write(referral),
        "written_at": format_timestamp(handback.written_at) if handback else None,
        "written_by": handback.written_by if handback else None,
        "package": package,
        "proposal": proposal,
        "completeness": _build_completeness(package or {}),
        "checklist": [_build_care_point(point) for point in (package or {}).get("care_points") or ()],
        "grades": _build_source(care_points.get_source(care_points.load_file()["grades"]["source"])),
        "handed_back_at": format_timestamp(back_at) if back_at else None,
        "first_visit_on": visit.isoformat() if visit else None,
    }


def to_follow_up_response(follow_up: FollowUp, *, now: datetime) -> FollowUpResponse:
    """A follow-up with its dates and the emergency card."""
    referral, visit = follow_up.referral, follow_up.basis.first_visit_on
    practice = wiring.get_stores().tenants.get_cached(TenantKind.PRACTICE, referral.practice_id)
    return {
        "referral_id": referral.referral_id,
        "alias": referral.alias,
        "practice": {"tenant_id": referral.practice_id, "name": practice.name if practice else None},
        "time_zone": follow_up.window.time_zone,
        "infused_on": follow_up.window.infused_on.isoformat(),
        "first_visit_on": visit.isoformat() if visit else None,
        "package_version": follow_up.handback.version if follow_up.handback else 0,
        "items": [
            {"key": day.key, "kind": day.kind, "date": day.on.isoformat(), "label": day.label, "source": day.source}
            for day in follow_up.dates
        ],
        "card": _build_emergency_card(follow_up, now),
    }


def _build_completeness(package: Mapping[str, Any]) -> HandbackCompletenessResponse:
    items: list[HandbackItemResponse] = [
        {"pointer": item.pointer, "label": item.label, "done": not is_missing(package, item)} for item in REQUIRED_ITEMS
    ]
    present = sum(item["done"] for item in items)
    return {"complete": present == len(items), "present": present, "needed": len(items), "items": items}


def _build_care_point(point: Mapping[str, Any]) -> CarePointResponse:
    known = care_points.load_care_points().get(point.get("care_point_id") or "")
    return {
        "care_point_id": point.get("care_point_id"),
        "topic": known.topic if known else "Added by the center",
        "text": point["text"],
        "due_on": point.get("due_on"),
        "edited": known is None or not known.is_published_text(point["text"]),
        "source": _build_source(known.source) if known else None,
    }


def _build_source(source: Mapping[str, Any]) -> CareSourceResponse:
    return {"title": source["title"], "url": source["url"], "as_of": source["as_of"]}


def _build_emergency_card(follow_up: FollowUp, now: datetime) -> EmergencyCardResponse:
    referral, package = follow_up.referral, follow_up.basis.package or {}
    # The reported infusion counts before the summary, which may be older than a correction of it.
    product_id = referral.status.products.given or package.get("product_id") or referral.current_product_id
    product = catalog.load_products().get(product_id or "")
    center = wiring.get_stores().tenants.get_center(referral.center_id)
    contact = referral.details.get(CENTER_CONTACT) or {}
    phone = package.get("center_phone") or (center and center.listing.get("after_hours_phone"))
    return {
        "product": product.name if product else None,
        "infused_on": follow_up.window.infused_on.isoformat(),
        "center": center.tenant.name if center else None,
        "phone": phone or None,
        "coordinator": contact.get("coordinator"),
        "coordinator_phone": contact.get("phone"),
        "lines": [
            *_build_adverse_event_lines(follow_up),
            _build_blood_line(follow_up),
            _build_driving_line(follow_up),
            _build_steroid_line(),
        ],
        "label": to_label_response(product, "monitoring", today=now.date()) if product else None,
        "statements": list(DISCLAIMERS),
        "emergency_call": EMERGENCY_CALL,
    }


def _build_adverse_event_lines(follow_up: FollowUp) -> Iterator[EmergencyCardLineResponse]:
    """What is open now, for an emergency department that does not know the patient."""
    referral, zone = follow_up.referral, follow_up.window.time_zone
    if referral.stage is Stage.DECEASED:
        return
    for event in referral.care.list_adverse_events():
        if event.is_open:
            reporter = "the center" if event.reported_by is Actor.CENTER else "the referring practice"
            yield {
                "label": "Open adverse event",
                "text": f"{format_adverse_event(event.kind, event.grade)}, since"
                f" {format_date(to_local_day(event.since, zone))}.",
                "source": f"Reported by {reporter}, {format_date(to_local_day(event.reported_at, zone))}",
            }


def _build_blood_line(follow_up: FollowUp) -> EmergencyCardLineResponse:
    until, is_from_center = find_irradiated_blood_end(follow_up.basis)
    return {
        "label": "Blood products",
        "text": f"Irradiated cellular blood products only, at least through {format_date(until)}.",
        "source": "The center" if is_from_center else _format_source("ash-blood"),
    }


def _build_driving_line(follow_up: FollowUp) -> EmergencyCardLineResponse:
    on, is_from_center = find_driving_start(follow_up.basis)
    words = "Cleared to drive by the center starting" if is_from_center else "No driving before"
    profile = follow_up.window.profile
    as_of = profile.label_as_of
    minimum = (
        "Product label minimum"
        if profile.is_product_named
        else "Product not named: longest label minimum of any product"
    )
    return {
        "label": "Driving and operating machinery",
        "text": f"{words} {format_date(on)}.",
        "source": "The center" if is_from_center else f"{minimum}, as of {as_of}",
    }


def _build_steroid_line() -> EmergencyCardLineResponse:
    row = care_points.load_file()["steroids"]
    return {"label": "Corticosteroids", "text": row["text"], "source": _format_source(row["source"])}


def _format_source(name: str) -> str:
    source = care_points.get_source(name)
    return f"{source['title']} ({source['as_of']})"
