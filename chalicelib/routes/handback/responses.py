"""The hand-back package and the follow-up as the API tells them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib import catalogue, wiring
from chalicelib.catalogue import care_points
from chalicelib.domain.eligibility.disclaimers import EMERGENCY_CALL, STATEMENTS
from chalicelib.domain.handback.follow_up_dates import driving_from, irradiated_until
from chalicelib.domain.handback.package import NEEDED, is_missing, is_open, state_of
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.stages import Stage
from chalicelib.routes.platform.timestamps import instant
from chalicelib.services.handback.calendar import FollowUp
from chalicelib.services.handback.package import Read


def etag(read: Read) -> dict[str, str]:
    """The package's version as HTTP spells it; "0" before the first."""
    return {"ETag": f'"{read.version}"'}


def handback_told(
    read: Read, member: Member, proposal: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A package for a member of either side; `proposal` is what a center may start from."""
    referral, handback = read.referral, read.handback
    package = handback.package if handback else None
    back_at, visit = referral.reached.get(Stage.HANDED_BACK), referral.overlay.first_visit_on
    return {
        "referral_id": referral.referral_id,
        "version": read.version,
        "state": state_of(referral, handback),
        "may_write": member.kind is TenantKind.CENTER and is_open(referral),
        "written_at": instant(handback.written_at) if handback else None,
        "written_by": handback.written_by if handback else None,
        "package": package,
        "proposal": proposal,
        "completeness": _completeness(package or {}),
        "checklist": [_check(point) for point in (package or {}).get("care_points") or ()],
        "grades": care_points.source(care_points.reviewed()["grades"]["source"]),
        "handed_back_at": instant(back_at) if back_at else None,
        "first_visit_on": visit.isoformat() if visit else None,
    }


def follow_up_told(follow_up: FollowUp) -> dict[str, Any]:
    """A follow-up with its days and the emergency card."""
    referral, visit = follow_up.referral, follow_up.basis.first_visit_on
    practice = wiring.stores().tenants.known(TenantKind.PRACTICE, referral.practice_id)
    return {
        "referral_id": referral.referral_id,
        "alias": referral.alias,
        "practice": {
            "tenant_id": referral.practice_id,
            "name": practice.name if practice else None,
        },
        "time_zone": follow_up.window.time_zone,
        "infused_on": follow_up.window.infused_on.isoformat(),
        "first_visit_on": visit.isoformat() if visit else None,
        "package_version": follow_up.handback.version if follow_up.handback else 0,
        "items": [
            {
                "key": day.key,
                "kind": day.kind,
                "date": day.on.isoformat(),
                "label": day.label,
                "source": day.source,
            }
            for day in follow_up.days
        ],
        "card": _card(follow_up),
    }


def _completeness(package: Mapping[str, Any]) -> dict[str, Any]:
    items = [
        {"pointer": item.pointer, "label": item.label, "done": not is_missing(package, item)}
        for item in NEEDED
    ]
    present = sum(bool(item["done"]) for item in items)
    return {
        "complete": present == len(items),
        "present": present,
        "needed": len(items),
        "items": items,
    }


def _check(point: Mapping[str, Any]) -> dict[str, Any]:
    known = care_points.care_points().get(point.get("care_point_id") or "")
    return {
        "care_point_id": point.get("care_point_id"),
        "topic": known.topic if known else "Of the center",
        "text": point["text"],
        "due_on": point.get("due_on"),
        "edited": known is None or point["text"] != known.text,
        "source": known.source if known else None,
    }


def _card(follow_up: FollowUp) -> dict[str, Any]:
    referral, package = follow_up.referral, follow_up.basis.package or {}
    product = catalogue.products().get(package.get("product_id") or referral.product_id or "")
    center = wiring.stores().tenants.center(referral.center_id)
    phone = package.get("center_phone") or (center and center.facts.get("after_hours_phone"))
    return {
        "product": product.name if product else None,
        "infused_on": follow_up.window.infused_on.isoformat(),
        "center": center.tenant.name if center else None,
        "phone": phone or None,
        "lines": [_blood(follow_up), _driving(follow_up), _steroids()],
        "statements": list(STATEMENTS),
        "emergency_call": EMERGENCY_CALL,
    }


def _blood(follow_up: FollowUp) -> dict[str, str]:
    until, is_told = irradiated_until(follow_up.basis)
    return {
        "label": "Blood products",
        "text": f"Irradiated cellular blood products only, at least until {_spelled(until)}.",
        "source": "The center" if is_told else _titled("ash-blood"),
    }


def _driving(follow_up: FollowUp) -> dict[str, str]:
    on, is_told = driving_from(follow_up.basis)
    words = "Cleared by the center from" if is_told else "Not before"
    as_of = follow_up.window.profile.label_as_of
    return {
        "label": "Driving and dangerous machines",
        "text": f"{words} {_spelled(on)}.",
        "source": "The center" if is_told else f"Minimum of the product's label as of {as_of}",
    }


def _steroids() -> dict[str, str]:
    row = care_points.reviewed()["steroids"]
    return {"label": "Corticosteroids", "text": row["text"], "source": _titled(row["source"])}


def _titled(name: str) -> str:
    source = care_points.source(name)
    return f"{source['title']} ({source['as_of']})"


def _spelled(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
