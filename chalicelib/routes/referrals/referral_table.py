"""A list of referrals as a table for spreadsheet programs."""

from collections.abc import Sequence
from datetime import date

from chalicelib.domain.coverage.display import STATE_LABELS
from chalicelib.domain.platform.phone import format_phone
from chalicelib.domain.referrals.list_order import find_due_facts
from chalicelib.domain.referrals.next_actions import find_next_action
from chalicelib.domain.referrals.plan_terms import PLAN_LABELS
from chalicelib.domain.referrals.planned_dates import get_sort_key
from chalicelib.domain.referrals.stages import STAGE_FACTS, NextActor
from chalicelib.domain.referrals.worklists import ListViewer
from chalicelib.routes.platform.table_files import Cell
from chalicelib.routes.referrals.list_responses import get_product_name
from chalicelib.routes.referrals.tenant_responses import build_center, build_practice
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.list_filters import (
    find_coverage_state,
    find_next_plan,
    find_product_id,
    get_center_zone,
)
from chalicelib.store.referrals.items import ReferralSummary

COLUMNS = (
    *("Last name", "First name", "Alias", "Date of birth", "MRN", "Urgency", "Status", "Status since (UTC)"),
    *("Next action", "Next action by", "Due", "Late", "Update missing", "Next date", "Next date for"),
    *("Coverage", "Product", "Disease", "Center", "Intake phone", "Practice", "Referring provider"),
    *("Last changed (UTC)", "Referral ID"),
)


_WHOLE_DATE = len("1961-04-02")


def list_cells(row: ReferralSummary, viewer: ListViewer, *, context: RunContext) -> Sequence[Cell]:
    """List the cells of a referral, in the order of `COLUMNS`."""
    summary, patient = row.stage_summary, row.patient
    action = find_next_action(summary, viewer.side)
    due = find_due_facts(summary, viewer)
    center = build_center(row.center_id)
    practice_name = build_practice(row.practice_id)["name"] or ""
    planned = find_next_plan(row, context=context)
    day = get_sort_key(planned.day, get_center_zone(row, context=context))[0] if planned else None
    actors = {NextActor.PRACTICE: practice_name, NextActor.CENTER: center["name"] if center else ""}
    return (
        *(patient.get(name) or "" for name in ("family_name", "given_name")),
        row.alias,
        _read_birth_date(patient.get("birth_date") or ""),
        patient.get("mrn") or "",
        row.urgency,
        STAGE_FACTS[summary.stage].label,
        summary.since,
        action.text,
        actors.get(action.by, ""),
        due.due_on,
        "yes" if due.is_late else "no",
        "yes" if summary.has_gap else "no",
        day,
        PLAN_LABELS[planned.plan] if planned else "",
        STATE_LABELS[find_coverage_state(row, context=context)],
        get_product_name(find_product_id(row) or "") or "",
        row.disease or "",
        center["name"] if center else "",
        format_phone(center["intake_phone"] or "") if center else "",
        practice_name,
        row.provider.get("name") or "",
        row.updated_at,
        row.referral_id,
    )


def _read_birth_date(text: str) -> Cell:
    """A date, or the text if only the year, or the year and month, is known."""
    return date.fromisoformat(text) if len(text) == _WHOLE_DATE else text
