"""Correct the facts of a referral: each side its own, at any open stage, with the history of every value."""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.coverage.decide import Moved
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.facts import CENTER_CONTACT, OWN_SECTIONS, list_fact_changes
from chalicelib.domain.referrals.packet import build_packet, require_core_items
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.unfinished import UNFINISHED, settle_unfinished
from chalicelib.errors import (
    ApiError,
    ConflictError,
    FieldError,
    ForbiddenError,
    PreconditionFailedError,
    UnavailableError,
)
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import (
    build_member_audit_entry,
    find_why_closed,
    get_visible_or_404,
    require_known_product_and_center,
    require_practice,
)
from chalicelib.services.referrals.aliases import prepare_alias_writes, require_harmless_alias
from chalicelib.services.referrals.consent_checks import complete_consent
from chalicelib.services.referrals.coverage_writes import (
    decide_new_plan,
    prepare_new_plan_writes,
)
from chalicelib.services.referrals.fact_change_writes import prepare_fact_change_writes
from chalicelib.services.referrals.histology_checks import require_listed_histology
from chalicelib.services.referrals.practice_directory import prepare_directory_writes
from chalicelib.services.referrals.referred_on_checks import check_referred_on
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.aliases import ALIAS_WRITE
from chalicelib.store.referrals.practice_directory import DIRECTORY_WRITE

_COLUMNS = ("product_id", "center_id", "urgency", "alias")
"""Facts that have a place of their own in a referral. All others are sections of its details."""

STAGES_WITH_OPEN_PRODUCT = frozenset({Stage.DRAFT, Stage.INFO_REQUESTED})
"""Stages in which the practice can still change the product that it asks for."""


def amend_referral(
    referral_id: str, changes: Mapping[str, Any], *, version: int, member: Member, context: RunContext
) -> Referral:
    """Correct facts that the member's side owns.

    Args:
        referral_id: The referral.
        changes: Whole sections of the referral by name; a section that is absent does not change.
        version: The version that the member saw.
        member: Who corrects them.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ForbiddenError: the other side owns a section.
        PreconditionFailedError: another write came after `version`.
        MalformedError: a value cannot be stored as it is.
        ConflictError: the referral is closed, or a fact cannot change any more.
    """
    before = get_visible_or_404(referral_id, member, "referral.amend", context=context)
    try:
        return _amend(before, changes, version=version, member=member, context=context)
    except UnavailableError:
        raise
    except ApiError as e:
        record_refusal(e, build_member_audit_entry(before, member, "referral.amend", context.now), context=context)
        raise


def _amend(
    before: Referral, changes: Mapping[str, Any], *, version: int, member: Member, context: RunContext
) -> Referral:
    _require_own_sections(changes, member)
    if before.version != version:
        raise PreconditionFailedError
    changes = _without_late_values(before, changes)
    closed = find_why_closed(before)
    if closed:
        raise closed
    _require_open_references(before, changes, context=context)
    changed = _with_changes(before, changes, context=context)
    if before.submitted_at:
        require_core_items(build_packet(changed))
    require_harmless_alias(changed, before)
    if before.submitted_at and not list_fact_changes(before, changed):
        entry = build_member_audit_entry(before, member, "referral.amend", context.now)
        context.stores.audit_log.append(replace(entry, outcome="unchanged"))
        return before
    new_plan = decide_new_plan(before, changed, member, context=context)
    if new_plan:
        changed = replace(changed, coverage=new_plan.track.status)
    commit_with_retry(lambda: _commit(changed, before, new_plan, member, context=context))
    return changed


def _commit(
    changed: Referral, before: Referral, new_plan: Moved | None, member: Member, *, context: RunContext
) -> None:
    entry = build_member_audit_entry(changed, member, "referral.amend", context.now)
    try:
        context.stores.transactions.commit(
            *context.stores.referrals.prepare_save(changed, entry),
            *prepare_alias_writes(changed, before, stores=context.stores),
            *prepare_fact_change_writes(changed, before, member, context=context),
            *prepare_directory_writes(changed, before, context=context),
            *prepare_new_plan_writes(before, new_plan, member, context=context),
        )
    except ConditionFailedError as e:
        if e.items.keys() == {DIRECTORY_WRITE}:
            raise  # Another referral used the same provider or payer at the same moment. Decide again.
        if "referral" not in e.items and ALIAS_WRITE in e.items:
            # Another referral took the alias at the same moment. Now its row says so.
            prepare_alias_writes(changed, before, stores=context.stores)
        raise PreconditionFailedError from e


def _without_late_values(before: Referral, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The changes of a submitted referral without the empty list of what is unfinished.

    Raises:
        ConflictError: the list is not empty. What the center can see is finished.
    """
    if before.submitted_at is None or UNFINISHED not in changes:
        return changes
    if changes[UNFINISHED]:
        raise ConflictError("draft_only", "Only a draft can have unfinished values. Correct the marked fields.")
    return {name: value for name, value in changes.items() if name != UNFINISHED}


def _require_own_sections(changes: Mapping[str, Any], member: Member) -> None:
    """Check that the member's side owns every section.

    Raises:
        ForbiddenError: the other side owns one.
    """
    own = OWN_SECTIONS.get(member.actor, frozenset())
    if member.kind is TenantKind.PRACTICE:
        own |= {UNFINISHED}
    if not own or not own.issuperset(changes):
        if member.kind is TenantKind.PRACTICE and CENTER_CONTACT in changes:
            raise ForbiddenError("center_only", "Only the treatment center can change its coordinator and contact.")
        require_practice(member)


def _require_open_references(before: Referral, changes: Mapping[str, Any], *, context: RunContext) -> None:
    """Check the product and the center: known, and not fixed yet."""
    require_known_product_and_center(changes.get("product_id"), changes.get("center_id"), stores=context.stores)
    if before.submitted_at and changes.get("center_id", before.center_id) != before.center_id:
        raise ConflictError(
            "center_fixed",
            "You cannot change the center after you submit. "
            "Withdraw this referral and start a new one for another center.",
        )
    is_new_product = changes.get("product_id", before.product_id) != before.product_id
    if is_new_product and before.stage not in STAGES_WITH_OPEN_PRODUCT:
        message = "You cannot change the product here after you submit. Call the center."
        raise ConflictError("not_editable", message, errors=[FieldError("/product_id", "not_editable", message)])


def _with_changes(before: Referral, changes: Mapping[str, Any], *, context: RunContext) -> Referral:
    sections = {name: value for name, value in changes.items() if name not in _COLUMNS}
    require_listed_histology({**before.details, **sections}, before.details)
    check_referred_on({**before.details, **sections}, before, practice_id=before.practice_id, context=context)
    details = complete_consent({**before.details, **sections}, before, practice_id=before.practice_id, context=context)
    return replace(
        before,
        **{name: changes[name] for name in _COLUMNS if name in changes},
        details=settle_unfinished(before.details, details, is_sent=UNFINISHED in changes),
        updated_at=context.now,
        version=before.version + 1,
    )
