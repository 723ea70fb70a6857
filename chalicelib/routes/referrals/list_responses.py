"""Lists of referrals as the API returns them."""

from collections import Counter
from collections.abc import Callable

from chalicelib import catalog, wiring
from chalicelib.domain.referrals.list_counts import ListCounts
from chalicelib.domain.referrals.list_order import find_due_facts
from chalicelib.domain.referrals.next_actions import find_next_action
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.domain.referrals.worklists import ListViewer, Worklist
from chalicelib.routes.coverage.summary_responses import to_coverage_state_response
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.list_response_types import (
    FilterChoiceResponse,
    ReferralCountsResponse,
    ReferralSummaryResponse,
)
from chalicelib.routes.referrals.phase_labels import PHASE_LABELS
from chalicelib.routes.referrals.plan_responses import to_next_plan_response
from chalicelib.routes.referrals.tenant_responses import build_center, build_practice
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.services.referrals.list_filters import NONE, find_product_id
from chalicelib.services.referrals.routing_hints import find_hints_of_row
from chalicelib.services.referrals.unread import UnreadRows
from chalicelib.store.referrals.items import ReferralSummary


def to_summary_response(summary: ReferralSummary, viewer: ListViewer, *, unread: UnreadRows) -> ReferralSummaryResponse:
    """A row in a list of referrals."""
    stage_summary = summary.stage_summary
    facts = STAGE_FACTS[stage_summary.stage]
    due = find_due_facts(stage_summary, viewer)
    turnaround = due.turnaround
    ends_on = stage_summary.window_ends_on
    center = build_center(summary.center_id)
    # Days are those of the center, and without a center nothing is planned.
    zone = center["time_zone"] if center else "UTC"
    next_plan = stage_summary.find_next_plan(now=viewer.now, time_zone=zone)
    run_context = RunContext(wiring.get_stores(), viewer.now)
    action = find_next_action(stage_summary, viewer.side)
    return {
        "referral_id": summary.referral_id,
        "referred_on": summary.referred_on.isoformat() if summary.referred_on else None,
        "alias": summary.alias,
        # Rows of earlier releases have no record number.
        "patient": {"mrn": None, **summary.patient},
        "stage": stage_summary.stage,
        "stage_label": facts.label,
        "phase": facts.phase,
        "owner": stage_summary.owner,
        "next_action": action.text,
        "next_action_by": action.by,
        "stage_since": format_timestamp(stage_summary.since),
        "clock_level": turnaround.level,
        "expected_by": turnaround.expected_by.isoformat() if turnaround.expected_by else None,
        "due_on": due.due_on.isoformat() if due.due_on else None,
        "late": due.is_late,
        "due_group": due.group,
        "window_ends_on": ends_on.isoformat() if ends_on else None,
        "next_plan": to_next_plan_response(next_plan, zone),
        "missing_updates": stage_summary.has_gap,
        "product_id": find_product_id(summary),
        "disease": summary.disease,
        "urgency": summary.urgency,
        "practice": build_practice(summary.practice_id),
        "center": center,
        "provider_name": summary.provider.get("name"),
        "updated_at": format_timestamp(summary.updated_at),
        "version": summary.version,
        "changed_since_seen": unread.has_changes(summary),
        "requested_items": stage_summary.requested_items,
        "unread_messages": unread.count_messages(summary),
        "routing_hints": [hint.kind for hint in find_hints_of_row(summary, context=run_context)],
        "coverage": to_coverage_state_response(
            stage_summary.coverage,
            stage=stage_summary.stage,
            today=get_practice_day(summary.practice_id, context=run_context),
        ),
    }


def to_counts_response(counts: ListCounts) -> ReferralCountsResponse:
    """How many referrals there are, and what their lists can be filtered by."""
    return {
        "total": sum(counts.phases.values()),
        "phases": {phase: counts.phases.get(phase, 0) for phase in PHASE_LABELS},
        "worklists": {name: counts.worklists.get(name, 0) for name in Worklist},
        "choices": {
            "stage": [
                {"value": stage, "label": STAGE_FACTS[stage].label, "count": counts.stages[stage]}
                for stage in Stage
                if stage in counts.stages
            ],
            "center_id": _build_choices(counts.centers, _get_center_name),
            "practice_id": _build_choices(counts.practices, lambda value: build_practice(value)["name"]),
            "product_id": _build_choices(counts.products, get_product_name),
            "provider_npi": _build_choices(counts.providers, counts.provider_names.get),
        },
    }


def _build_choices(counts: Counter[str], get_name: Callable[[str], str | None]) -> list[FilterChoiceResponse]:
    choices: list[FilterChoiceResponse] = [
        {"value": value, "label": get_name(value) or value, "count": count} for value, count in counts.items()
    ]
    return sorted(choices, key=lambda choice: (choice["label"].casefold(), choice["value"]))


def _get_center_name(center_id: str) -> str | None:
    center = build_center(center_id)
    return center["name"] if center else None


def get_product_name(product_id: str) -> str | None:
    """The name of a product, or of there being none."""
    product = catalog.load_products().get(product_id)
    return "Product not named" if product_id == NONE else product.name if product else None
