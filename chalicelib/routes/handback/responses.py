"""The hand-back package and the follow-up as the API tells them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib import catalog, wiring
from chalicelib.catalog import care_points
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_CALL
from chalicelib.domain.handback.follow_up_dates import find_driving_start, find_irradiated_blood_end
from chalicelib.domain.handback.package import REQUIRED_ITEMS, can_center_write, compute_handback_state, is_missing
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.stages import Stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.handback.calendar import FollowUp
from chalicelib.services.handback.package import HandbackView


def build_handback_etag(handback_view: HandbackView) -> dict[str, str]:
    """The package's version as HTTP spells it; "0" before the first."""
    return {"ETag": f'"{handback_view.version}"'}


def to_handback_response(
    handback_view: HandbackView, member: Member, proposal: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A package for a member of either side; `proposal` is what a center may start from."""
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
        "checklist": [_build_check(point) for point in (package or {}).get("care_points") or ()],
        "grades": care_points.get_source(care_points.load_file()["grades"]["source"]),
        "handed_back_at": format_timestamp(back_at) if back_at else None,
        "first_visit_on": visit.isoformat() if visit else None,
    }


def to_follow_up_response(follow_up: FollowUp) -> dict[str, Any]:
    """A follow-up with its days and the emergency card."""
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
        "card": _build_emergency_card(follow_up),
    }


def _build_completeness(package: Mapping[str, Any]) -> dict[str, Any]:
    items = [
        {"pointer": item.pointer, "label": item.label, "done": not is_missing(package, item)} for item in REQUIRED_ITEMS
    ]
    present = sum(bool(item["done"]) for item in items)
    return {"complete": present == len(items), "present": present, "needed": len(items), "items": items}


def _build_check(point: Mapping[str, Any]) -> dict[str, Any]:
    known = care_points.load_care_points().get(point.get("care_point_id") or "")
    return {
        "care_point_id": point.get("care_point_id"),
        "topic": known.topic if known else "Of the center",
        "text": point["text"],
        "due_on": point.get("due_on"),
        "edited": known is None or point["text"] != known.text,
        "source": known.source if known else None,
    }


def _build_emergency_card(follow_up: FollowUp) -> dict[str, Any]:
    referral, package = follow_up.referral, follow_up.basis.package or {}
    product = catalog.load_products().get(package.get("product_id") or referral.product_id or "")
    center = wiring.get_stores().tenants.get_center(referral.center_id)
    phone = package.get("center_phone") or (center and center.listing.get("after_hours_phone"))
    return {
        "product": product.name if product else None,
        "infused_on": follow_up.window.infused_on.isoformat(),
        "center": center.tenant.name if center else None,
        "phone": phone or None,
        "lines": [_build_blood_line(follow_up), _build_driving_line(follow_up), _build_steroid_line()],
        "statements": list(DISCLAIMERS),
        "emergency_call": EMERGENCY_CALL,
    }


def _build_blood_line(follow_up: FollowUp) -> dict[str, str]:
    until, is_told = find_irradiated_blood_end(follow_up.basis)
    return {
        "label": "Blood products",
        "text": f"Irradiated cellular blood products only, at least until {_format_day(until)}.",
        "source": "The center" if is_told else _format_title("ash-blood"),
    }


def _build_driving_line(follow_up: FollowUp) -> dict[str, str]:
    on, is_told = find_driving_start(follow_up.basis)
    words = "Cleared by the center from" if is_told else "Not before"
    as_of = follow_up.window.profile.label_as_of
    return {
        "label": "Driving and dangerous machines",
        "text": f"{words} {_format_day(on)}.",
        "source": "The center" if is_told else f"Minimum of the product's label as of {as_of}",
    }


def _build_steroid_line() -> dict[str, str]:
    row = care_points.load_file()["steroids"]
    return {"label": "Corticosteroids", "text": row["text"], "source": _format_title(row["source"])}


def _format_title(name: str) -> str:
    source = care_points.get_source(name)
    return f"{source['title']} ({source['as_of']})"


def _format_day(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
