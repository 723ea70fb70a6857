"""A document of a referral: a file that was uploaded, or a record that something was sent another way.

    awaiting_upload ──▶ checking ──▶ available ──▶ deleted
           │                │            │
           └────────────────┴────────────┴──▶ rejected      not uploaded, refused by a check, or malware
    sent_outside ──▶ deleted                                received, or not found, by the other side

A file becomes available when two results about the same version of the uploaded object are good: the
check of its structure, and the malware scan. Either can come first, late, twice, or about another version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.documents.file_types import VIEWABLE_TYPES, FileType
from chalicelib.domain.documents.reasons import ALWAYS_ALLOWED, DeletionReason, RejectionReason
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor, Stage


class DocumentState(StrEnum):
    """Where a document is. Published and stored names."""

    AWAITING_UPLOAD = "awaiting_upload"
    CHECKING = "checking"
    AVAILABLE = "available"
    REJECTED = "rejected"
    DELETED = "deleted"
    SENT_OUTSIDE = "sent_outside"


STATE_LABELS: Mapping[DocumentState, str] = {
    DocumentState.AWAITING_UPLOAD: "Waiting for the file",
    DocumentState.CHECKING: "Checking for malware",
    DocumentState.AVAILABLE: "Available",
    DocumentState.REJECTED: "Not accepted",
    DocumentState.DELETED: "Removed",
    DocumentState.SENT_OUTSIDE: "Sent another way",
}

OPEN_STATES = frozenset({DocumentState.AWAITING_UPLOAD, DocumentState.CHECKING})
"""The states of a file that is on its way."""


class Channel(StrEnum):
    """How a document was sent outside this product."""

    FAX = "fax"
    PORTAL = "portal"
    MAIL = "mail"
    EMAIL = "email"
    OTHER = "other"


CHANNEL_LABELS: Mapping[Channel, str] = {
    Channel.FAX: "Fax",
    Channel.PORTAL: "Portal",
    Channel.MAIL: "Mail or courier",
    Channel.EMAIL: "Encrypted email",
    Channel.OTHER: "Another way",
}


class Arrival(StrEnum):
    """What the other side says about a document that was sent outside this product."""

    RECEIVED = "received"
    NOT_FOUND = "not_found"


class ScanStatus(StrEnum):
    """The result of a malware scan."""

    CLEAN = "clean"
    INFECTED = "infected"
    UNSUPPORTED = "unsupported"
    """The engine cannot look inside, for example because of a password."""
    FAILED = "failed"
    """The engine did not finish; another scan may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedFile:
    """What the sender says about the file before the upload. Field names are stored.

    Attributes:
        size: In bytes.
        sha256: In lowercase hexadecimal.
    """

    name: str
    type: FileType
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanedFile:
    """The copy that a check made of an upload, without anything that runs. Field names are stored.

    Attributes:
        version_id: Its version in the quarantine bucket; after it is shared, in the documents bucket.
        pages: Pages of a PDF, frames of a TIFF; 1 for another image.
        removed: What is no longer in it: `script`, `attachment`, `form_action`, `metadata`, `trailing_data`.
    """

    version_id: str
    size: int
    sha256: str
    pages: int
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """The result of a check of one version of an upload. Field names are stored.

    Attributes:
        version_id: The version of the upload that was checked.
        reason: Why it was refused; None if it passed.
        cleaned: The copy, if it passed.
    """

    version_id: str
    at: datetime
    reason: RejectionReason | None = None
    cleaned: CleanedFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanVerdict:
    """The result of a malware scan of one version of an upload. Field names are stored.

    Attributes:
        version_id: The version of the upload that was scanned.
        engine: What scanned it, such as `aws.guardduty`.
        threat: The engine's name of the malware.
    """

    version_id: str
    at: datetime
    status: ScanStatus
    engine: str
    threat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRecord:
    """What was sent outside this product, and how. Field names are stored.

    Attributes:
        sent_on: The day, at the sender.
        to: The fax number, the portal or the address.
        confirmation: The confirmation number of the fax or portal.
        pages: How many pages.
    """

    channel: Channel
    sent_on: date
    to: str | None = None
    pages: int | None = None
    confirmation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalReport:
    """The other side confirms that it received a document, or did not find it. Field names are stored."""

    arrival: Arrival
    at: datetime
    by_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredItem:
    """The item of an information request that a document answers. Field names are stored."""

    request_id: str
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """Who removed a document, when and why. Field names are stored."""

    reason: DeletionReason
    at: datetime
    by_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """One step in the history of a document. Field names are stored."""

    state: DocumentState
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(KeepsUnknown):
    """A document. Field names are stored, encrypted as a whole.

    Attributes:
        kind: A key of `KIND_LABELS`: the item of the packet that it fills.
        side: The side that added it.
        version: Increases by one with each write; the ETag.
        announced: What was said about the file; None for a document that was sent outside.
        sent: How it was sent; None for a file.
        answers: The item of an information request that it answers.
        upload_version_id: The version of the upload that counts: the first that we heard of. The upload form
            can be used again until it expires, so a later version must not replace what was checked.
        stored: The copy in the documents bucket; None until the file is available, and after it was removed.
        shared_at: When the other side could first see it.
        history: The states so far, oldest first.
    """

    document_id: str
    kind: str
    side: Actor
    added_by_id: str
    added_by: str
    added_at: datetime
    state: DocumentState
    version: int = 1
    announced: AnnouncedFile | None = None
    sent: SentRecord | None = None
    answers: AnsweredItem | None = None
    note: str | None = None
    upload_version_id: str | None = None
    check: FileCheck | None = None
    verdict: ScanVerdict | None = None
    stored: CleanedFile | None = None
    shared_at: datetime | None = None
    rejected_because: RejectionReason | None = None
    deletion: Deletion | None = None
    arrival: ArrivalReport | None = None
    history: tuple[StateChange, ...] = ()

    @property
    def counted_bytes(self) -> int:
        """The bytes that count against the limit of the referral; 0 for a document without a file."""
        return self.announced.size if self.announced else 0

    @property
    def is_ready_to_share(self) -> bool:
        """Whether both results about the file are good, and it is not shared yet."""
        return (
            self.state is DocumentState.CHECKING
            and self.check is not None
            and self.check.cleaned is not None
            and self.verdict is not None
            and self.verdict.status is ScanStatus.CLEAN
        )

    @property
    def is_viewable(self) -> bool:
        """Whether a browser can show the file in a tab."""
        return (
            self.state is DocumentState.AVAILABLE
            and self.announced is not None
            and self.announced.type in VIEWABLE_TYPES
        )

    def is_visible_to(self, side: Actor) -> bool:
        """Whether a side sees it: its own documents always, the other side's once they were shared."""
        return self.side is side or self.shared_at is not None

    def with_state(self, state: DocumentState, *, at: datetime, by: str) -> "Document":
        """Move to another state, with a row in the history and the next version."""
        history = (*self.history, StateChange(state=state, at=at, by=by))
        return replace(self, state=state, version=self.version + 1, history=history)


SYSTEM_NAME = "CAR T Referral Dashboard"
"""Who changes the state of a file that is checked."""


def note_upload(document: Document, version_id: str, *, at: datetime) -> Document:
    """An object arrived for a document. The first version counts; a later one changes nothing."""
    if not _is_about(document, version_id) or document.state is not DocumentState.AWAITING_UPLOAD:
        return document
    bound = replace(document, upload_version_id=version_id)
    return bound.with_state(DocumentState.CHECKING, at=at, by=SYSTEM_NAME)


def note_check(document: Document, check: FileCheck) -> Document:
    """The result of a check arrived. The first result about the version that counts stays."""
    document = note_upload(document, check.version_id, at=check.at)
    if document.state is not DocumentState.CHECKING or not _is_about(document, check.version_id) or document.check:
        return document
    checked = replace(document, check=check, version=document.version + 1)
    return reject(checked, check.reason, at=check.at) if check.reason else checked


def note_verdict(document: Document, verdict: ScanVerdict) -> Document:
    """The result of a malware scan arrived. Malware counts at any time, also after an earlier clean scan.

    A failed scan changes nothing: another one may succeed until the check gives up.
    """
    document = note_upload(document, verdict.version_id, at=verdict.at)
    if document.upload_version_id != verdict.version_id or verdict.status is ScanStatus.FAILED:
        return document
    if verdict.status is ScanStatus.INFECTED and document.state in {DocumentState.CHECKING, DocumentState.AVAILABLE}:
        return reject(replace(document, verdict=verdict), RejectionReason.MALWARE, at=verdict.at)
    if document.state is not DocumentState.CHECKING or document.verdict:
        return document
    if verdict.status is ScanStatus.UNSUPPORTED:
        return reject(replace(document, verdict=verdict), RejectionReason.NOT_SCANNABLE, at=verdict.at)
    return replace(document, verdict=verdict, version=document.version + 1)


def reject(document: Document, reason: RejectionReason, *, at: datetime) -> Document:
    """Refuse a file. The row stays, without a copy of the file."""
    refused = replace(document, rejected_because=reason, stored=None)
    return refused.with_state(DocumentState.REJECTED, at=at, by=SYSTEM_NAME)


def share(document: Document, stored: CleanedFile | None, *, at: datetime, by: str = SYSTEM_NAME) -> Document:
    """Let the other side see the document. `stored` is the copy in the documents bucket."""
    shared = replace(document, stored=stored, shared_at=at)
    return shared.with_state(DocumentState.AVAILABLE if stored else DocumentState.SENT_OUTSIDE, at=at, by=by)


def delete(document: Document, deletion: Deletion) -> Document:
    """Remove a document. The row stays: who removed it, when and why."""
    removed = replace(document, deletion=deletion, stored=None)
    return removed.with_state(DocumentState.DELETED, at=deletion.at, by=deletion.by)


def with_arrival(document: Document, report: ArrivalReport) -> Document:
    """Add what the other side says about a document that was sent another way. A later report replaces it."""
    return replace(document, arrival=report, version=document.version + 1)


def find_expiry_reason(document: Document) -> RejectionReason | None:
    """Why a file that is still on its way is given up; None if it is not on its way."""
    if document.state is DocumentState.AWAITING_UPLOAD:
        return RejectionReason.NOT_UPLOADED
    if document.state is not DocumentState.CHECKING or document.is_ready_to_share:
        return None
    return RejectionReason.SCAN_UNAVAILABLE if document.check else RejectionReason.CHECK_UNAVAILABLE


_DECISIONS = frozenset(
    {
        Stage.ACCEPTED,
        Stage.DECLINED,
        Stage.DEFERRED,
        Stage.REDIRECTED,
        Stage.CENTER_PROCEED,
        Stage.NOT_PROCEEDING,
    }
)
"""The stages in which the center decides about the patient, and may have relied on a document."""


def rests_decision_on(document: Document, referral: Referral) -> bool:
    """Whether the center decided about the patient after it could see this document."""
    if document.shared_at is None:
        return False
    return any(referral.stage_entered_at.get(stage, document.shared_at) > document.shared_at for stage in _DECISIONS)


def can_delete(document: Document, referral: Referral, side: Actor, reason: DeletionReason | None = None) -> bool:
    """Whether a side can remove a document: its own, and not what a decision rests on.

    Another patient's record can be removed at any time.
    """
    if document.side is not side or document.state in {DocumentState.REJECTED, DocumentState.DELETED}:
        return False
    if document.state in OPEN_STATES or reason in ALWAYS_ALLOWED:
        return True
    return not rests_decision_on(document, referral)


def can_report_arrival(document: Document, side: Actor) -> bool:
    """Whether a side can say that it received, or did not find, what the other side sent another way."""
    return document.state is DocumentState.SENT_OUTSIDE and document.side is not side


def _is_about(document: Document, version_id: str) -> bool:
    """Whether news about a version of the upload concerns this document: the version that counts, or the first."""
    return document.upload_version_id in {None, version_id}
