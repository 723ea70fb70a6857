"""Referrals and events as pure values, and an inbox of events that needs no table."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.events import EventOrder, EventSource, ReferralEvent, StageChange
from chalicelib.domain.referrals.history import History
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion, MonitoringProfile
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, DecisionContext, Pending, Recorded, Rejected
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.domain.referrals.transitions import list_actors_for
from chalicelib.store.audit.rows import AuditEntry
from infra.conformance.event_inbox import EventInbox
from tests.support.factories import CENTER, PRACTICE, build_referral_body

_E = TypeVar("_E", bound=ReferralEvent)

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

PROFILE = MonitoringProfile(product_id="breyanzi", label_as_of=date(2026, 1, 1))
SPLIT_DOSE_PROFILE = MonitoringProfile(
    product_id="aucatzyl", label_as_of=date(2026, 1, 1), anchor=AnchorInfusion.FIRST, infusion_parts=2
)

_SECTIONS = ("patient", "clinical", "referring_provider", "insurance", "consent_to_share", "note")


def build_context(
    profile: MonitoringProfile = PROFILE,
    *,
    time_zone: str | None = None,
    get_profile: Callable[[str | None], MonitoringProfile] | None = None,
) -> DecisionContext:
    """Build the context of a decision. Without `get_profile`, every product has the same profile."""
    return DecisionContext(
        profile=profile,
        get_profile=get_profile or (lambda _: profile),
        time_zone=time_zone or CENTER.time_zone,
        now=NOON,
    )


def build_referral(stage: Stage = Stage.SUBMITTED, **changed: Any) -> Referral:
    """Build a referral that entered `stage` at noon through an event."""
    body = build_referral_body()
    submitted = stage is not Stage.DRAFT
    fields: dict[str, Any] = {
        "referral_id": "ref_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "practice_id": PRACTICE.tenant_id,
        "center_id": CENTER.tenant_id,
        "product_id": "breyanzi",
        "urgency": "routine",
        "alias": "Blue Heron",
        "details": {name: body[name] for name in _SECTIONS},
        "stage": stage,
        "stage_since": NOON,
        "last_applied_order": EventOrder(NOON, 0, "evt_0") if submitted else None,
        "stage_entered_at": {stage: NOON},
        "window": None,
        "created_by": "mem_1",
        "created_at": NOON,
        "updated_at": NOON,
        "submitted_at": NOON if submitted else None,
        "version": 1,
    }
    return Referral(**fields | changed)


def build_stage_change(
    stage: Stage, at: datetime = NOON + HOUR, *, event_id: str = "evt_1", actor: Actor | None = None, **changed: Any
) -> StageChange:
    """Build a report by an actor who may report the stage: the center, unless only another actor may."""
    allowed = list_actors_for(stage) or {Actor.CENTER}
    reporter = actor or (Actor.CENTER if Actor.CENTER in allowed else min(allowed))
    fields: dict[str, Any] = {
        "event_id": event_id,
        "referral_id": "ref_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "stage": stage,
        "occurred_at": at,
        "recorded_at": max(at, NOON),
        "actor": reporter,
        "source": EventSource.CENTER_FEED,
        "actor_id": "feed:ctr_harbor",
        "actor_name": "Harbor Cell Therapy",
    }
    return StageChange(**fields | changed)


def build_event(
    kind: type[_E],
    /,
    at: datetime = NOON + HOUR,
    *,
    event_id: str = "evt_1",
    actor: Actor = Actor.CENTER,
    **changed: Any,
) -> _E:
    """Build an event that is not a stage change."""
    fields: dict[str, Any] = {
        "event_id": event_id,
        "referral_id": "ref_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "occurred_at": at,
        "recorded_at": max(at, NOON),
        "actor": actor,
        "source": EventSource.CENTER_FEED,
        "actor_id": "feed:ctr_harbor",
        "actor_name": "Harbor Cell Therapy",
    }
    return kind(**fields | changed)


def apply_event(referral: Referral, event: ReferralEvent, *history: ReferralEvent) -> Referral:
    """Apply an event that must change the referral."""
    decision = decide_event(referral, event, build_context(), History(events=history))
    assert isinstance(decision, Applied), decision
    return decision.referral


def record_event(referral: Referral, event: ReferralEvent, *history: ReferralEvent) -> Referral:
    """Apply an event that must be kept in the history only."""
    decision = decide_event(referral, event, build_context(), History(events=history))
    assert isinstance(decision, Recorded), decision
    return decision.referral


def get_rejection(referral: Referral, event: ReferralEvent, *history: ReferralEvent) -> str:
    """Get the code with which an event is rejected; `parked` if it may become legal."""
    decision = decide_event(referral, event, build_context(), History(events=history))
    assert isinstance(decision, Pending | Rejected), decision
    return decision.code if isinstance(decision, Rejected) else "parked"


def build_audit_entry(referral: Referral) -> AuditEntry:
    """Build the audit row of a write."""
    return AuditEntry(
        referral_id=referral.referral_id,
        at=NOON,
        actor_id="mem_1",
        tenant_id=referral.practice_id,
        action="referral.amend",
        version=referral.version,
    )


@dataclass
class InMemoryInbox(EventInbox):
    """An inbox that needs no table, fast enough for every order of arrival."""

    context: DecisionContext = field(default_factory=build_context)

    def receive(self, events: Iterable[ReferralEvent]) -> "InMemoryInbox":
        """Receive events in the given order."""
        for event in events:
            self.receive_event(event)
        return self
