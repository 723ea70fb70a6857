"""Which notice each stage, event or overdue alert sends, and to which side.

The rules are data: to add a notice, add a row to `STAGE_RULES`, `EVENT_RULES` or `OVERDUE_RULES`.
The notices that count from the day of infusion are in `notice_schedule`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.care_notices import (
    ADVERSE_EVENT_RESOLVED_RULE,
    ADVERSE_EVENT_URGENT_RULE,
    READMISSION_RULE,
)
from chalicelib.domain.notices.document_notices import (
    DOCUMENT_MALWARE_RULE,
    DOCUMENT_NOT_FOUND_RULE,
    DOCUMENT_REJECTED_RULE,
)
from chalicelib.domain.notices.overdue_alerts import AlertLevel
from chalicelib.domain.notices.plan_notices import (
    CONSULTATION_BOOKED_RULE,
    CONSULTATION_CANCELED_RULE,
    PLAN_CANCELED_RULE,
)
from chalicelib.domain.notices.tasks import (
    CONTRADICTION_RULE,
    DEATH_CORRECTED_RULE,
    HANDBACK_WRITTEN_RULE,
    MESSAGE_TO_CENTER_RULE,
    MESSAGE_TO_PRACTICE_RULE,
)
from chalicelib.domain.referrals.events import EventType
from chalicelib.domain.referrals.facts import FactGroup
from chalicelib.domain.referrals.stages import Stage

_BOTH = (TenantKind.PRACTICE, TenantKind.CENTER)
_PRACTICE = (TenantKind.PRACTICE,)
_CENTER = (TenantKind.CENTER,)


class Category(StrEnum):
    """The subject of a notice. Members choose per category whether and when they get email."""

    CRITICAL = "critical"
    """A late reader can mean harm to the patient: always emailed at once, and cannot be turned off."""
    STATUS_UPDATE = "journey"
    """The API and the stored preferences call it `journey`."""
    WINDOW = "window"
    OVERDUE = "overdue"
    FOLLOW_UP = "follow_up"
    DIGEST = "digest"
    CHECK_IN = "check_in"
    """Nothing is due and nothing has happened: emailed only to members who ask for it."""


OPT_IN_CATEGORIES: frozenset[Category] = frozenset({Category.CHECK_IN})
"""The categories that are emailed only if the member chooses so. All others are on by default."""


PLANNED_CATEGORIES: frozenset[Category] = frozenset(
    {Category.WINDOW, Category.OVERDUE, Category.FOLLOW_UP, Category.CHECK_IN}
)
"""The categories of what is planned for a referral; nothing of it is emailed after the referral has ended."""


class NoticeRule(NamedTuple):
    """One kind of notice: who receives it and its title in the dashboard.

    Attributes:
        sides: Who receives it. If empty, the side that the task names.
        admins_only: Whether only the administrators of that side receive it.
    """

    sides: tuple[TenantKind, ...]
    title: str
    category: Category = Category.STATUS_UPDATE
    admins_only: bool = False

    def list_recipients(self, members: Sequence[Member]) -> Sequence[Member]:
        """Select the recipients from the members of a side who can see the referral.

        If none of them is an administrator, all of them receive an administrators' notice:
        otherwise no one would.
        """
        return [member for member in members if member.is_admin] or members if self.admins_only else members


STAGE_RULES: Mapping[Stage, NoticeRule] = {
    Stage.SUBMITTED: NoticeRule(_CENTER, "New referral submitted to your center"),
    Stage.HANDED_BACK: NoticeRule(_CENTER, "The practice acknowledged the patient's return"),
    Stage.INFO_REQUESTED: NoticeRule(_PRACTICE, "The center requested information"),
    Stage.ACCEPTED: NoticeRule(_PRACTICE, "The center accepted the referral for evaluation"),
    Stage.CONSULT_SCHEDULED: NoticeRule(_PRACTICE, "The consultation was scheduled"),
    Stage.CENTER_PROCEED: NoticeRule(_PRACTICE, "Accepted for CAR T by the center"),
    Stage.DEFERRED: NoticeRule(_PRACTICE, "The center deferred the patient"),
    Stage.APHERESIS_COMPLETED: NoticeRule(_PRACTICE, "Leukapheresis was completed"),
    Stage.OUT_OF_SPECIFICATION: NoticeRule(
        _PRACTICE, "Product out of specification: call the center about next steps", Category.CRITICAL
    ),
    Stage.MANUFACTURING_FAILED: NoticeRule(
        _PRACTICE, "Manufacturing failed: call the center about next steps", Category.CRITICAL
    ),
    Stage.INFUSED: NoticeRule(_PRACTICE, "CAR T infused; monitoring has started"),
    Stage.HANDBACK_READY: NoticeRule(_PRACTICE, "The transition-of-care summary is ready"),
    # An ending notifies both sides at once. Source: the API contract, section 3 (2026-11).
    Stage.WITHDRAWN: NoticeRule(_BOTH, "The practice withdrew the referral"),
    Stage.DECLINED: NoticeRule(_BOTH, "The center declined the referral"),
    Stage.REDIRECTED: NoticeRule(_BOTH, "The center suggested another center"),
    Stage.NOT_PROCEEDING: NoticeRule(_BOTH, "CAR T will not proceed for this patient"),
    Stage.DECEASED: NoticeRule(_BOTH, "The patient's death was reported", Category.CRITICAL),
    Stage.LOST_TO_FOLLOW_UP: NoticeRule(_BOTH, "The patient was recorded as lost to follow-up"),
    Stage.TRANSFERRED_CARE: NoticeRule(_BOTH, "The patient's care was transferred"),
    Stage.CLOSED_COMPLETE: NoticeRule(_BOTH, "Follow-up is complete"),
}
"""The stages that the other side is notified of at once. Source: the needs named in the HemeTalks
episode "Bridging the Gap" (September 18, 2025) and the notification schedule for CAR T patients."""

SILENT_STAGES: frozenset[Stage] = frozenset(
    {
        # No other organization can see a draft.
        Stage.DRAFT,
        # Routine steps that the other organization sees on the referral's page.
        Stage.RECEIVED,
        Stage.CONSULT_COMPLETED,
        Stage.ELIGIBILITY_PENDING,
        Stage.APHERESIS_SCHEDULED,
        Stage.MANUFACTURING_STARTED,
        Stage.QC_TESTING,
        Stage.RELEASED,
        Stage.PRODUCT_SHIPPED,
        Stage.PRODUCT_RECEIVED,
        Stage.LYMPHODEPLETION_STARTED,
        # The notices of the monitoring window and of follow-up are scheduled: see `notice_schedule`.
        Stage.MONITORING,
        Stage.WINDOW_COMPLETE,
        Stage.FOLLOW_UP,
        Stage.LONG_TERM_FOLLOW_UP,
    }
)
"""Stages that no one is notified of at once. Every stage must be here or in `STAGE_RULES`; a test
checks it, so that no new stage is silently without a notice."""

EVENT_RULES: Mapping[str, NoticeRule] = {
    EventType.HOLD_STARTED: NoticeRule(_BOTH, "The referral is on hold"),
    EventType.HOLD_ENDED: NoticeRule(_BOTH, "The referral is active again"),
    EventType.TOXICITY_NOTICED: NoticeRule(_PRACTICE, "The center reported a toxicity", Category.CRITICAL),
    EventType.ADVERSE_EVENT_REPORTED: NoticeRule((), "An adverse event was reported"),
    ADVERSE_EVENT_URGENT_RULE: NoticeRule((), "An adverse event was reported: read it now", Category.CRITICAL),
    ADVERSE_EVENT_RESOLVED_RULE: NoticeRule((), "An adverse event has resolved"),
    EventType.RELAPSE_REPORTED: NoticeRule((), "A relapse was reported"),
    EventType.BRIDGING_REPORTED: NoticeRule((), "Bridging therapy was reported"),
    EventType.PLAN_CHANGED: NoticeRule((), "A date was planned or moved"),
    PLAN_CANCELED_RULE: NoticeRule((), "A planned date was canceled"),
    CONSULTATION_BOOKED_RULE: NoticeRule(_BOTH, "The consultation was booked or moved"),
    CONSULTATION_CANCELED_RULE: NoticeRule(_BOTH, "The consultation was canceled"),
    EventType.CONSULTATION_REQUESTED: NoticeRule(_CENTER, "The practice asks for a consultation time"),
    READMISSION_RULE: NoticeRule(_PRACTICE, "The patient was readmitted", Category.CRITICAL),
    EventType.WINDOW_EXTENDED: NoticeRule(_PRACTICE, "The center extended monitoring"),
    EventType.WITHDRAWAL_REQUESTED: NoticeRule(_CENTER, "The practice requested withdrawal"),
    EventType.REOPENED: NoticeRule(_BOTH, "The referral was reopened"),
    EventType.CORRECTED: NoticeRule(_BOTH, "An earlier entry was corrected"),
    DEATH_CORRECTED_RULE: NoticeRule(_BOTH, "The patient's death was reported in error", Category.CRITICAL),
    CONTRADICTION_RULE: NoticeRule(
        _BOTH,
        "Two reports contradict each other: has this referral ended? Please check",
        Category.CRITICAL,
    ),
    EventType.INFORMATION_REQUESTED: NoticeRule(_PRACTICE, "The center requested information"),
    EventType.INFORMATION_ANSWERED: NoticeRule(_CENTER, "The practice answered an information request"),
    EventType.INFORMATION_CLOSED: NoticeRule(_PRACTICE, "The center closed an information request"),
    MESSAGE_TO_PRACTICE_RULE: NoticeRule(_PRACTICE, "New message from the center"),
    MESSAGE_TO_CENTER_RULE: NoticeRule(_CENTER, "New message from the practice"),
    HANDBACK_WRITTEN_RULE: NoticeRule(_PRACTICE, "The center updated the transition-of-care summary"),
    EventType.DOCUMENT_SHARED: NoticeRule((), "A document was added"),
    EventType.DOCUMENT_DELETED: NoticeRule((), "A document was removed"),
    EventType.DOCUMENT_ARRIVAL: NoticeRule((), "A document that you sent was received"),
    DOCUMENT_NOT_FOUND_RULE: NoticeRule((), "A document that you sent was not found: send it again"),
    DOCUMENT_REJECTED_RULE: NoticeRule((), "A document was not accepted: see why, and add it again"),
    DOCUMENT_MALWARE_RULE: NoticeRule((), "A file with malware was deleted: inform your IT team"),
}
"""The events without a stage change that the other side is notified of at once. Of a report about the
patient's care, the side that did not report it is notified, and the task names it."""

FACT_RULES: Mapping[str, NoticeRule] = {
    FactGroup.PATIENT_PHONE: NoticeRule(_CENTER, "The practice changed the patient's phone"),
    FactGroup.PROVIDER_PHONE: NoticeRule(_CENTER, "The practice changed the referring provider's phone"),
    FactGroup.CAREGIVER: NoticeRule(_CENTER, "The practice changed the caregiver"),
    FactGroup.INSURANCE: NoticeRule(_CENTER, "The practice changed the insurance"),
    FactGroup.CONSENT: NoticeRule(_CENTER, "The practice changed the consent to share"),
    FactGroup.CONSENT_WITHDRAWN: NoticeRule(_CENTER, "The patient withdrew consent to share", Category.CRITICAL),
    FactGroup.SEVERAL: NoticeRule(_CENTER, "The practice changed contact, insurance or consent details"),
    FactGroup.CENTER_PHONE: NoticeRule(_PRACTICE, "The center changed its phone for this patient"),
}
"""Which side is notified that the other one corrected its facts. A withdrawn consent is critical, because
records that are shared after it cannot be taken back."""

SILENT_EVENT_TYPES: frozenset[EventType] = frozenset(
    {EventType.STAGE_CHANGED, EventType.MESSAGE_SENT, EventType.FACTS_CHANGED, EventType.COVERAGE_CHANGED}
)
"""Event types without a rule of their own. A stage change is notified by `STAGE_RULES`, a message by the rule
of the side that did not write it, a change of facts by `FACT_RULES`, and one of the coverage by
`COVERAGE_RULES`. Every event type must be here or in `EVENT_RULES`; a test checks it."""

OVERDUE_RULES: Mapping[AlertLevel, NoticeRule] = {
    AlertLevel.AMBER: NoticeRule((), "Overdue since {since}: {stage}", Category.OVERDUE),
    AlertLevel.RED: NoticeRule(_BOTH, "Long overdue since {since}: {stage}", Category.OVERDUE),
    AlertLevel.ESCALATED: NoticeRule(
        (), "Escalated: no update, overdue since {since}: {stage}", Category.OVERDUE, admins_only=True
    ),
}
"""Who is notified that a stage is overdue: first the side that must act next, then both sides, then
(escalation) the administrators of the side that must act. If an alert reaches escalation without
the red alert before it, as after an outage, both sides are notified too. This product's proposal."""
