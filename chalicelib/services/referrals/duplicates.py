"""Finds open referrals that may be about the same patient, as a hint; nothing is ever blocked by it."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.alias_checks import is_same_patient
from chalicelib.domain.referrals.name_search import list_identifiers, parse_search_prefixes
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.search import MAX_ROWS_PER_SEARCH, get_index_name
from chalicelib.store.referrals.items import ReferralSummary

MAX_DUPLICATES = 5
"""How many are listed. More would be the same patient entered again and again."""

MAX_QUERIES = 1
"""How many parts of the index are searched: the thousand referrals of the tenant that changed last. A hint
that cost more than the referral itself would not be worth it."""


def list_possible_duplicates(referral_id: str, *, member: Member, context: RunContext) -> Sequence[ReferralSummary]:
    """List the open referrals of the member's own tenant that may be about the patient of a referral.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, "referral.read_duplicates", context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "referral.read_duplicates", context.now))
    return find_possible_duplicates(referral_id, referral.details, member=member, context=context)


def find_possible_duplicates(
    referral_id: str, details: Mapping[str, Any], *, member: Member, context: RunContext
) -> Sequence[ReferralSummary]:
    """Find the other open referrals with the same names and date of birth. A twin has another given name."""
    patient = details.get("patient") or {}
    birth_date = list_identifiers({"birth_date": patient.get("birth_date")})
    names = parse_search_prefixes(patient.get("family_name") or "")
    if not (birth_date and names):
        return ()
    index, start = get_index_name(member), None
    found: list[ReferralSummary] = []
    for _ in range(MAX_QUERIES):
        page = context.stores.referrals.list_page(
            index=index,
            tenant_id=member.tenant_id,
            limit=MAX_ROWS_PER_SEARCH,
            start=start,
            name_prefixes=[frozenset(birth_date), *names],
        )
        rows = (context.stores.referrals.items.row_to_summary(row) for row in page.items)
        found += [row for row in rows if row and row.referral_id != referral_id and _is_open_of_patient(row, details)]
        start = page.next_key
        if start is None or len(found) >= MAX_DUPLICATES:
            break
    return found[:MAX_DUPLICATES]


def _is_open_of_patient(row: ReferralSummary, details: Mapping[str, Any]) -> bool:
    return row.stage_summary.stage not in TERMINAL_STAGES and is_same_patient({"patient": row.patient}, details)
