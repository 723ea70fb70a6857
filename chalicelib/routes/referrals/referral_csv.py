"""A list of referrals as a CSV file for spreadsheet programs."""

import csv
import io
import unicodedata
from collections.abc import Sequence

from chalicelib.domain.coverage.display import STATE_LABELS
from chalicelib.domain.platform.phone import format_phone
from chalicelib.domain.referrals.list_order import find_due_facts
from chalicelib.domain.referrals.next_actions import find_next_action
from chalicelib.domain.referrals.plan_terms import PLAN_LABELS
from chalicelib.domain.referrals.planned_dates import get_sort_key
from chalicelib.domain.referrals.stages import STAGE_FACTS, NextActor
from chalicelib.domain.referrals.worklists import ListViewer
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.list_responses import get_product_name
from chalicelib.routes.referrals.responses import build_center, build_practice
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.list_filters import (
    find_coverage_state,
    find_next_plan,
    find_product_id,
    get_center_zone,
)
from chalicelib.store.referrals.items import ReferralSummary

_BYTE_ORDER_MARK = "\ufeff"
_STARTS_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet program read a cell as a formula, also in the wide forms that some of them accept.
Source: OWASP, "CSV Injection" (read 2026-11)."""

COLUMNS = (
    *("Last name", "First name", "Alias", "Date of birth", "MRN", "Urgency", "Status", "Status since (UTC)"),
    *("Next action", "Next action by", "Due", "Late", "Update missing", "Next date", "Next date for"),
    *("Coverage", "Product", "Disease", "Center", "Intake phone", "Practice", "Referring provider"),
    *("Last changed (UTC)", "Referral ID"),
)


def build_referral_csv(rows: Sequence[ReferralSummary], viewer: ListViewer, *, context: RunContext) -> str:
    """Build the file, with one line for each referral. Nothing in it is read as a formula."""
    file = io.StringIO()
    file.write(_BYTE_ORDER_MARK)
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([escape_formula(cell) for cell in _list_cells(row, viewer, context)])
    return file.getvalue()


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet program could run as a formula."""
    # Spaces, controls and invisible characters may come before it.
    visible = "".join(char for char in text if unicodedata.category(char)[0] not in "CZ")
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) or visible.startswith(_STARTS_FORMULA) else text


def _list_cells(row: ReferralSummary, viewer: ListViewer, context: RunContext) -> Sequence[str]:
    summary, patient = row.stage_summary, row.patient
    action = find_next_action(summary, viewer.side)
    due = find_due_facts(summary, viewer)
    center = build_center(row.center_id)
    practice_name = build_practice(row.practice_id)["name"] or ""
    planned = find_next_plan(row, context=context)
    day = get_sort_key(planned.day, get_center_zone(row, context=context))[0].isoformat() if planned else ""
    actors = {NextActor.PRACTICE: practice_name, NextActor.CENTER: center["name"] if center else ""}
    return (
        *(patient.get(name) or "" for name in ("family_name", "given_name")),
        row.alias,
        *(patient.get(name) or "" for name in ("birth_date", "mrn")),
        row.urgency,
        STAGE_FACTS[summary.stage].label,
        format_timestamp(summary.since),
        action.text,
        actors.get(action.by, ""),
        due.due_on.isoformat() if due.due_on else "",
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
        format_timestamp(row.updated_at),
        row.referral_id,
    )
