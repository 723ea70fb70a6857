"""What a check of the tables can find, and what repairs it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from chalicelib.services.platform.run_context import RunContext

Fix = Callable[[RunContext], None]
"""Repairs one finding. It is conditional and can be repeated."""


class FindingKind(StrEnum):
    """The kinds of inconsistency. The values are printed and stored nowhere."""

    UNREADABLE = "unreadable_row"
    REFERRAL_MISSING = "referral_missing"
    EVENT_MISSING = "event_missing"
    REFERRAL_BEHIND = "referral_behind_history"
    MESSAGE_MISSING = "message_missing"
    AUDIT_AHEAD = "audit_ahead"
    AUDIT_BEHIND = "audit_behind"
    DELIVERY_WITHOUT_EVENT = "delivery_without_event"
    DELIVERY_MISSING = "delivery_missing"
    DELIVERY_OUTDATED = "delivery_outdated"
    RECORD_WITHOUT_EVENT = "record_without_event"
    TASK_MISSING = "task_missing"
    NOTICE_MISSING = "notice_missing"
    EMAIL_MISSING = "email_missing"
    EMAIL_ALREADY_SENT = "email_already_sent"
    ALERT_OUTDATED = "overdue_alert_outdated"
    DIGEST_OUTDATED = "digest_outdated"
    ERASED_RETURNED = "erased_patient_returned"
    MEMBER_MISSING = "member_missing"
    ROSTER_MISSING = "roster_missing"
    MEMBERSHIPS_DIFFER = "memberships_differ"
    ALIAS_MISSING = "alias_missing"
    LIST_ROW_OUTDATED = "list_row_outdated"
    TOTALS_WRONG = "document_totals_wrong"
    FILE_MISSING = "file_missing"
    COVERAGE_DIFFERS = "coverage_differs"
    CONSULTATION_DIFFERS = "consultation_differs"


CHANGES_REFERRAL = frozenset(
    {
        FindingKind.AUDIT_AHEAD,
        FindingKind.AUDIT_BEHIND,
        FindingKind.REFERRAL_BEHIND,
        FindingKind.COVERAGE_DIFFERS,
        FindingKind.ALIAS_MISSING,
        FindingKind.LIST_ROW_OUTDATED,
    }
)
"""The kinds whose repair writes the referral itself."""

KIND_MEANINGS = {
    FindingKind.UNREADABLE: "a row cannot be read or decrypted",
    FindingKind.REFERRAL_MISSING: "the history of a referral exists without the referral",
    FindingKind.EVENT_MISSING: "the referral contains an event that its history lacks",
    FindingKind.REFERRAL_BEHIND: "the history has events that the referral does not contain",
    FindingKind.MESSAGE_MISSING: "a message or information request is counted, but its row is missing",
    FindingKind.AUDIT_AHEAD: "the audit trail has later rows than the referral, so the referral cannot be changed",
    FindingKind.AUDIT_BEHIND: "the last audit rows of the referral are missing",
    FindingKind.DELIVERY_WITHOUT_EVENT: "a delivery is logged, but what it reported is missing",
    FindingKind.DELIVERY_MISSING: "an event came from a center's system, but the delivery log does not have it",
    FindingKind.DELIVERY_OUTDATED: "a delivery is logged as parked and was applied",
    FindingKind.RECORD_WITHOUT_EVENT: "a request would be answered as repeated, but what it made is missing",
    FindingKind.TASK_MISSING: "a notice or other work that must be done is not in the outbox",
    FindingKind.NOTICE_MISSING: "a task is done, but its notice is missing",
    FindingKind.EMAIL_MISSING: "a notice exists, but its email is not in the outbox",
    FindingKind.EMAIL_ALREADY_SENT: "an email waits in the outbox, but the log shows that it was sent",
    FindingKind.ALERT_OUTDATED: "the next overdue alert is missing, too late, or was already sent",
    FindingKind.DIGEST_OUTDATED: "a member's weekly digest is not scheduled, or was already sent",
    FindingKind.ERASED_RETURNED: "a restore brought back rows about a patient who was erased",
    FindingKind.MEMBER_MISSING: "the roster names a member who does not exist",
    FindingKind.ROSTER_MISSING: "a member is not on the roster of the organization, or under another account",
    FindingKind.MEMBERSHIPS_DIFFER: "the list of a person's further memberships and these memberships differ",
    FindingKind.ALIAS_MISSING: "the row of the patient's alias is missing",
    FindingKind.LIST_ROW_OUTDATED: "lists and search show an outdated row",
    FindingKind.TOTALS_WRONG: "the number or size of a referral's documents is counted wrong",
    FindingKind.FILE_MISSING: "a document is listed, but its file is gone",
    FindingKind.COVERAGE_DIFFERS: "the coverage and its copy in the referral differ",
    FindingKind.CONSULTATION_DIFFERS: "a consultation and the seat of its time slot differ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One inconsistency.

    Attributes:
        subject: The id of the referral, or of another thing that it is about.
        detail: Ids and states only, never health data.
        referral_id: The referral whose audit trail records the repair; empty if it is about none.
        fix: What repairs it; None if a person must decide, or nothing has to be done.
        advice: What a person does, if there is no fix.
        heals_itself: Whether nothing has to be done, because the product handles it when it matters.
    """

    kind: FindingKind
    subject: str
    detail: str = ""
    referral_id: str = ""
    tenant_id: str = ""
    fix: Fix | None = field(default=None, compare=False, repr=False)
    advice: str = ""
    heals_itself: bool = False

    @property
    def needs_attention(self) -> bool:
        """Whether a repair or a person is needed."""
        return not self.heals_itself
