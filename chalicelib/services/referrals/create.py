"""Create a referral: as a draft, or submitted at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.audit.hash_chain import EMPTY_CHAIN
from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.events import EventSource, StageChange
from chalicelib.domain.referrals.packet import build_packet, require_complete
from chalicelib.domain.referrals.referral import Referral, ReferralStatus
from chalicelib.domain.referrals.stage_changes import Applied
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor, Stage
from chalicelib.errors import ConflictError, UnavailableError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import (
    build_member_audit_entry,
    get_visible_or_404,
    require_known_product_and_center,
    require_practice,
)
from chalicelib.services.referrals.aliases import choose_alias, prepare_alias_writes, require_harmless_alias
from chalicelib.services.referrals.consent_checks import complete_consent
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.services.referrals.histology_checks import require_listed_histology
from chalicelib.services.referrals.overdue_alert_writes import prepare_alert_writes
from chalicelib.services.referrals.practice_directory import start_directory_read
from chalicelib.services.referrals.recorded_events import record_response
from chalicelib.services.referrals.referred_on_checks import check_referred_on
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.aliases import ALIAS_WRITE
from chalicelib.store.referrals.practice_directory import DIRECTORY_WRITE


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReferral:
    """What a practice sends about a patient. `details` has the field names of the API contract."""

    details: Mapping[str, Any]
    alias: str | None
    product_id: str | None
    center_id: str | None
    urgency: str
    continues: str | None = None


def create_referral(
    new_referral: NewReferral,
    *,
    submit: bool,
    referral_id: str,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[Referral], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Save a new referral, as a draft or submitted at once.

    Raises:
        ForbiddenError: only a practice refers patients.
        MalformedError: the product, the center or the histology is unknown, or the alias reveals something.
        NotFoundError: the referral that it continues does not exist, or is another tenant's.
        ConflictError: it cannot be submitted, because something that the center needs is missing; the alias
            is in use; or the consent is old and not confirmed.
    """
    require_practice(member)
    require_known_product_and_center(new_referral.product_id, new_referral.center_id, stores=context.stores)
    require_listed_histology(new_referral.details, {})
    check_referred_on(new_referral.details, None, practice_id=member.tenant_id, context=context)
    details = complete_consent(new_referral.details, None, practice_id=member.tenant_id, context=context)
    draft = build_draft(replace(new_referral, details=details), referral_id=referral_id, member=member, now=context.now)
    context.load_keys_ahead(filter(None, [new_referral.center_id]))
    if submit:
        start_directory_read(member.tenant_id, context=context)
    links = _prepare_link_writes(draft, member, context=context)
    existing_tasks: dict[str, str] = {}
    audit_heads = [EMPTY_CHAIN]

    def attempt() -> StoredResponse:
        try:
            named, alias_writes = _take_alias(draft, new_referral.alias, stores=context.stores)
        except ConflictError:
            # A repeat of this request finds the alias taken by its first run.
            first_response = context.stores.idempotency_records.find_response(request, now=context.now)
            if first_response:
                return first_response
            raise
        named = replace(named, audit_chain_head=audit_heads[-1])
        referral, writes = (
            _prepare_submission(named, member, existing_tasks, context=context)
            if submit
            else _prepare_draft(named, member, context=context)
        )
        response = build_response(referral)
        record = context.stores.idempotency_records.prepare_record(request, response, now=context.now)
        try:
            context.stores.transactions.commit(record, *writes, *alias_writes, *links)
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD in e.items:
                return context.stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
            if e.items.keys() & {ALIAS_WRITE, DIRECTORY_WRITE}:
                raise  # Another referral took the alias, or used the same provider, at the same moment. Decide again.
            is_own = referral_id == derive_id("ref", request.scope_key)
            existing = context.stores.referrals.get(referral_id) if is_own and "referral" in e.items else None
            if existing:
                # A restore lost the record of this request, and not the referral that it made.
                return record_response(request, build_response(existing), context=context)
            is_lost = "referral" not in e.items
            if is_lost and ("audit" in e.items or parse_existing_tasks(e.items).keys() - existing_tasks.keys()):
                # A restore lost the referral that this request made, and not its tasks or its audit trail.
                existing_tasks.update(parse_existing_tasks(e.items))
                audit_heads.append(context.stores.audit_log.read_head(referral_id))
                raise
            raise UnavailableError("busy") from e
        return response

    return commit_with_retry(attempt)


def _take_alias(draft: Referral, chosen: str | None, *, stores: Stores) -> tuple[Referral, Sequence[TransactionWrite]]:
    """The draft with the alias that the practice chose, or a free one, and the writes that take it."""
    if not chosen:
        alias, writes = choose_alias(draft, stores=stores)
        return replace(draft, alias=alias), writes
    require_harmless_alias(draft)
    return draft, prepare_alias_writes(draft, None, stores=stores, saved_too=draft.status.continues)


def build_draft(new_referral: NewReferral, *, referral_id: str, member: Member, now: datetime) -> Referral:
    """Build the draft that a new referral starts as."""
    return Referral(
        referral_id=referral_id,
        practice_id=member.tenant_id,
        center_id=new_referral.center_id,
        product_id=new_referral.product_id,
        urgency=new_referral.urgency,
        alias=new_referral.alias or "",
        details=new_referral.details,
        stage=Stage.DRAFT,
        stage_since=now,
        last_applied_order=None,
        stage_entered_at={Stage.DRAFT: now},
        window=None,
        created_by=member.member_id,
        created_at=now,
        updated_at=now,
        version=1,
        status=ReferralStatus(continues=new_referral.continues),
    )


def _prepare_link_writes(draft: Referral, member: Member, *, context: RunContext) -> Sequence[TransactionWrite]:
    """The writes that link a closed referral to the one that continues it."""
    earlier_id = draft.status.continues
    if earlier_id is None:
        return []
    earlier = get_visible_or_404(earlier_id, member, "referral.continue", context=context)
    if earlier.stage not in TERMINAL_STAGES or earlier.status.continued_by:
        raise ConflictError(
            "not_continuable", "You can start a new referral from this one only after it is closed, and only once."
        )
    linked = replace(
        earlier,
        status=replace(earlier.status, continued_by=draft.referral_id),
        updated_at=context.now,
        version=earlier.version + 1,
    )
    entry = build_member_audit_entry(linked, member, "referral.continue", context.now)
    return context.stores.referrals.prepare_save(linked, entry)


def _prepare_draft(
    draft: Referral, member: Member, *, context: RunContext
) -> tuple[Referral, Sequence[TransactionWrite]]:
    """The draft without a change, and the writes that save it."""
    entry = build_member_audit_entry(draft, member, "referral.create", context.now)
    alert_writes = prepare_alert_writes(None, draft, stores=context.stores)
    return draft, [*context.stores.referrals.prepare_add(draft, entry), *alert_writes]


def _prepare_submission(
    draft: Referral, member: Member, existing_tasks: Mapping[str, str], *, context: RunContext
) -> tuple[Referral, Sequence[TransactionWrite]]:
    """The submitted referral, and the writes of its submission."""
    require_complete(build_packet(draft))
    change = build_submission(draft, member, now=context.now)
    unsaved = replace(draft, version=0)
    decision = decide_event(unsaved, change, load_decision_context(draft, context=context))
    if not isinstance(decision, Applied):
        raise TypeError("a draft can always be submitted")
    writes = prepare_event_writes(
        decision, change, member.tenant_id, before=unsaved, context=context, existing_tasks=existing_tasks
    )
    return decision.referral, writes


def build_submission(draft: Referral, member: Member, *, now: datetime) -> StageChange:
    """Build the event that submits a new referral at once."""
    return StageChange(
        event_id=derive_id("evt", draft.referral_id, "submitted"),
        referral_id=draft.referral_id,
        stage=Stage.SUBMITTED,
        # A center's system reports whole seconds of its own clock. What it reports a moment later
        # must not look older than the submission.
        occurred_at=now.replace(second=0, microsecond=0),
        recorded_at=now,
        actor=Actor.PRACTICE,
        source=EventSource.PRACTICE,
        actor_id=member.member_id,
        actor_name=member.name,
    )
