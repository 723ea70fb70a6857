"""Which notice is due when, to which side. Data, so that a notice is added by adding a row."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.overdue_alerts import AlertLevel
from chalicelib.domain.notices.tasks import HANDBACK_WRITTEN_RULE, READMISSION_RULE
from chalicelib.domain.referrals.events import EventType
from chalicelib.domain.referrals.stages import Stage

_BOTH = (TenantKind.PRACTICE, TenantKind.CENTER)
_PRACTICE = (TenantKind.PRACTICE,)
_CENTER = (TenantKind.CENTER,)


class Category(StrEnum):
    """What a notice is about, as its reader chooses whether and when to be mailed of it."""

    CRITICAL = "critical"
    """Somebody may be harmed if it is read late: mailed at once, and nobody can turn it off."""
    JOURNEY = "journey"
    WINDOW = "window"
    OVERDUE = "overdue"
    FOLLOW_UP = "follow_up"
    DIGEST = "digest"
    CHECK_IN = "check_in"
    """Nothing is due and nothing happened: mailed to nobody who has not asked for it."""


MAILED_IF_CHOSEN: frozenset[Category] = frozenset({Category.CHECK_IN})
"""What is mailed only to who chose so; anything else is, unless somebody chose otherwise."""


class NoticeRule(NamedTuple):
    """One kind of notice: who gets it and how the dashboard words it.

    Attributes:
        sides: Who gets it; of none, it is the side that the task names.
        leads: Whether it is for those who lead there.
    """

    sides: tuple[TenantKind, ...]
    title: str
    category: Category = Category.JOURNEY
    leads: bool = False

    def list_recipients(self, people: Sequence[Member]) -> Sequence[Member]:
        """Who of the people of a side that may see the referral gets it.

        Where nobody who sees patients is an administrator, everybody: else nobody would hear.
        """
        return [member for member in people if member.is_admin] or people if self.leads else people


STAGE_RULES: Mapping[Stage, NoticeRule] = {
    Stage.SUBMITTED: NoticeRule(_CENTER, "A referral was submitted to your center"),
    Stage.WITHDRAWN: NoticeRule(_CENTER, "A referral was withdrawn"),
    Stage.HANDED_BACK: NoticeRule(_CENTER, "The hand-back was acknowledged"),
    Stage.INFO_REQUESTED: NoticeRule(_PRACTICE, "The center asks for information"),
    Stage.ACCEPTED: NoticeRule(_PRACTICE, "The center accepted the referral for evaluation"),
    Stage.DECLINED: NoticeRule(_PRACTICE, "The center declined the referral"),
    Stage.REDIRECTED: NoticeRule(_PRACTICE, "The center suggests another center"),
    Stage.CONSULT_SCHEDULED: NoticeRule(_PRACTICE, "The consultation was scheduled"),
    Stage.CENTER_PROCEED: NoticeRule(_PRACTICE, "The center decided to proceed"),
    Stage.DEFERRED: NoticeRule(_PRACTICE, "The center deferred"),
    Stage.NOT_PROCEEDING: NoticeRule(_PRACTICE, "Treatment does not proceed"),
    Stage.APHERESIS_COMPLETED: NoticeRule(_PRACTICE, "Leukapheresis was completed"),
    Stage.OUT_OF_SPECIFICATION: NoticeRule(_PRACTICE, "The product is out of specification", Category.CRITICAL),
    Stage.MANUFACTURING_FAILED: NoticeRule(_PRACTICE, "Manufacturing failed", Category.CRITICAL),
    Stage.INFUSED: NoticeRule(_PRACTICE, "The patient was infused; the monitoring window is open"),
    Stage.HANDBACK_READY: NoticeRule(_PRACTICE, "The hand-back package is ready"),
    Stage.DECEASED: NoticeRule(_BOTH, "A death was recorded", Category.CRITICAL),
}
"""The moves that the other side is told of at once. Source: the needs named in the HemeTalks
episode "Bridging the Gap" (18 September 2025) and the journey's notification schedule."""

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
        # Either organization may end follow-up; no action is needed from the other one.
        Stage.LOST_TO_FOLLOW_UP,
        Stage.TRANSFERRED_CARE,
        Stage.CLOSED_COMPLETE,
    }
)
"""Stages that no one is notified of at once. Every stage must be here or in `STAGE_RULES`; a test
checks it, so that no new stage is silently without a notice."""

EVENT_RULES: Mapping[str, NoticeRule] = {
    EventType.HOLD_STARTED: NoticeRule(_BOTH, "The referral is on hold"),
    EventType.HOLD_ENDED: NoticeRule(_BOTH, "The hold is over"),
    EventType.TOXICITY_NOTICED: NoticeRule(_PRACTICE, "The center noticed a toxicity", Category.CRITICAL),
    READMISSION_RULE: NoticeRule(_PRACTICE, "The patient was readmitted", Category.CRITICAL),
    EventType.WINDOW_EXTENDED: NoticeRule(_PRACTICE, "The center extended the monitoring window"),
    EventType.WITHDRAWAL_REQUESTED: NoticeRule(_CENTER, "The practice asks to withdraw the referral"),
    EventType.REOPENED: NoticeRule(_BOTH, "The referral was opened again"),
    EventType.CORRECTED: NoticeRule(_BOTH, "An earlier report was corrected"),
    HANDBACK_WRITTEN_RULE: NoticeRule(_PRACTICE, "The center wrote or corrected the hand-back package"),
}
"""What the other side is told of at once beside the moves."""

SILENT_EVENT_TYPES: frozenset[EventType] = frozenset({EventType.STAGE_CHANGED})
"""Event types without a rule of their own. A stage change is notified by `STAGE_RULES`. Every event
type must be here or in `EVENT_RULES`; a test checks it."""

OVERDUE_RULES: Mapping[AlertLevel, NoticeRule] = {
    AlertLevel.AMBER: NoticeRule((), "Overdue since {since}: {stage}", Category.OVERDUE),
    AlertLevel.RED: NoticeRule(_BOTH, "Long overdue, since {since}: {stage}", Category.OVERDUE),
    AlertLevel.ESCALATED: NoticeRule(
        (), "Nobody has moved it; overdue since {since}: {stage}", Category.OVERDUE, leads=True
    ),
}
"""Who is told that a stage lasts too long: who owes the next move, then both sides, then those
who lead the side that owes it. Where it comes to the last without the one before, as after an
outage, both sides hear of it as well. This product's proposal."""
