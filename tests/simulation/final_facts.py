"""Compares what both sides see of planned dates and of the product in the end, and what notices say about a date."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from chalicelib.routes.referrals.plan_responses import to_plans_response
from chalicelib.routes.referrals.product_responses import to_product_response
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp
from tests.simulation.known_events import YEAR_END
from tests.simulation.notice_key import NoticeKey
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.plan_oracle import PLAN_NAMES, Day


@dataclass(frozen=True, slots=True)
class SeenFacts:
    """The planned dates and the product of a referral, as the API returns them to both sides."""

    plans: Sequence[Mapping[str, Any]]
    product: Mapping[str, Any]


def read_seen_facts(stores: Stores, referral_id: str) -> SeenFacts | None:
    """Read them for a referral; None if it was not submitted."""
    referral = stores.referrals.get(referral_id)
    if referral is None:
        return None
    context = load_decision_context(referral, context=RunContext(stores, YEAR_END))
    return SeenFacts(to_plans_response(referral, context)["plans"], to_product_response(referral))


def read_details(stores: Stores, notices: Sequence[Item]) -> Mapping[str, str]:
    """Decrypt the details of notices that have some, by the notice's id."""
    by_member: dict[str, list[str]] = {}
    for notice in notices:
        if notice.get("detail"):
            by_member.setdefault(notice["member_id"], []).append(notice["notice_id"])
    return {
        notice.notice_id: notice.detail
        for member_id, ids in by_member.items()
        for notice in stores.notices.get_many(member_id, ids)
    }


def find_wrong_facts(oracle: NoticeOracle, seen: SeenFacts | None) -> Iterator[str]:
    """Yield each planned date and product that is seen otherwise than it was reported."""
    if seen is None:
        return
    plans = {plan: oracle.plans.find(plan) for plan in PLAN_NAMES}
    expected = {
        plan: (_write(found.day), _write(found.moved_from), found.place, found.is_canceled)
        for plan, found in plans.items()
        if found and not oracle.is_ended
    }
    actual = {
        each["plan"]: (_pick(each), _pick(each["moved_from"]), each["place"], each["canceled"]) for each in seen.plans
    }
    for plan in sorted({*expected, *actual}):
        if expected.get(plan) != actual.get(plan):
            yield f"the plan of the {plan} is seen as {actual.get(plan)}, and is {expected.get(plan)}"
    products = oracle.products
    for name in ("requested", "planned", "given", "current"):
        if seen.product[name] != getattr(products, name):
            yield f"the {name} product is seen as {seen.product[name]}, and is {getattr(products, name)}"


def find_wrong_details(
    oracle: NoticeOracle, found: Mapping[NoticeKey, Sequence[Item]], details: Mapping[str, str]
) -> Iterator[str]:
    """Yield each notice of a planned date that does not say what was planned, moved or canceled."""
    for key, news in oracle.planned.items():
        for notice in found.get(key, ()):
            expected = oracle.plans.describe(news, at=from_timestamp(notice["created_at"]))
            detail = details.get(notice["notice_id"], "")
            if not detail.startswith(expected):
                yield f"{key.rule} of {key.day} says {detail!r}, and not {expected!r}"


def _write(day: Day | None) -> str | None:
    """A time in UTC, or a day."""
    return day.astimezone(UTC).isoformat() if isinstance(day, datetime) else day.isoformat() if day else None


def _pick(planned: Mapping[str, Any] | None) -> str | None:
    """The same of what the API returns, which has a field for each."""
    if planned is None:
        return None
    if planned["starts_at"]:
        return datetime.fromisoformat(planned["starts_at"]).astimezone(UTC).isoformat()
    return date.fromisoformat(planned["on"]).isoformat()
