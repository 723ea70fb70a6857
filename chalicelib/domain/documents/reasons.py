"""Why a file was not accepted, and why a document was removed: codes for programs, and sentences for people."""

from collections.abc import Mapping
from enum import StrEnum


class RejectionReason(StrEnum):
    """Why a file was not accepted. Published and stored names."""

    NOT_UPLOADED = "not_uploaded"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    WRONG_TYPE = "wrong_type"
    OTHER_TYPE = "other_type"
    CHANGED = "changed"
    DAMAGED = "damaged"
    PASSWORD = "password"  # noqa: S105 a code, not a password
    TOO_MANY_PAGES = "too_many_pages"
    TOO_COMPLEX = "too_complex"
    IMAGE_TOO_LARGE = "image_too_large"
    MALWARE = "malware"
    NOT_SCANNABLE = "not_scannable"
    SCAN_UNAVAILABLE = "scan_unavailable"
    CHECK_UNAVAILABLE = "check_unavailable"
    REFERRAL_CLOSED = "referral_closed"
    CONSENT_WITHDRAWN = "consent_withdrawn"


REJECTION_SENTENCES: Mapping[RejectionReason, str] = {
    RejectionReason.NOT_UPLOADED: "The file did not arrive. Add it again.",
    RejectionReason.EMPTY: "The file is empty. Choose another file.",
    RejectionReason.TOO_LARGE: "The file is larger than 25 MB. Save it in a smaller size, or split it.",
    RejectionReason.WRONG_TYPE: "The file is not a PDF, JPEG, PNG or TIFF. Save it as one of these.",
    RejectionReason.OTHER_TYPE: "The content of the file does not match its type. Save it again, and add the new file.",
    RejectionReason.CHANGED: "The file changed while it was sent. Add it again.",
    RejectionReason.DAMAGED: "The file is damaged or incomplete. Save it again, and add the new file.",
    RejectionReason.PASSWORD: "The PDF has a password. Save it without a password.",
    RejectionReason.TOO_MANY_PAGES: "The file has more than 500 pages. Split it.",
    RejectionReason.TOO_COMPLEX: "The file is too complex to check. Print it to a new PDF, and add that file.",
    RejectionReason.IMAGE_TOO_LARGE: "The image has more than 50 megapixels. Save it in a smaller size.",
    RejectionReason.MALWARE: "The file contains malware and was deleted. Ask your IT team to check your computer.",
    RejectionReason.NOT_SCANNABLE: "The file could not be scanned for malware. Print it to a new PDF, and add that.",
    RejectionReason.SCAN_UNAVAILABLE: "The malware scan did not respond. Add the file again, or send it by fax.",
    RejectionReason.CHECK_UNAVAILABLE: "The file could not be checked. Add it again, or send it by fax.",
    RejectionReason.REFERRAL_CLOSED: "The referral was closed before the check of the file was complete.",
    RejectionReason.CONSENT_WITHDRAWN: "The patient withdrew consent to share before the check was complete.",
}
"""What a person can do about each. Every reason has a sentence; a test checks it."""


class DeletionReason(StrEnum):
    """Why a document was removed. Published and stored names."""

    CANCELED = "canceled"
    WRONG_PATIENT = "wrong_patient"
    WRONG_DOCUMENT = "wrong_document"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"
    OUTDATED = "outdated"
    MALWARE = "malware"


DELETION_LABELS: Mapping[DeletionReason, str] = {
    DeletionReason.CANCELED: "Canceled before the check was complete",
    DeletionReason.WRONG_PATIENT: "Belongs to another patient",
    DeletionReason.WRONG_DOCUMENT: "Wrong document",
    DeletionReason.DUPLICATE: "Added twice",
    DeletionReason.UNREADABLE: "Cannot be read",
    DeletionReason.OUTDATED: "A newer document replaces it",
    DeletionReason.MALWARE: "A later scan found malware",
}

PERSON_REASONS: frozenset[DeletionReason] = frozenset(DeletionReason) - {DeletionReason.MALWARE}
"""The reasons that a person can choose."""

ALWAYS_ALLOWED: frozenset[DeletionReason] = frozenset({DeletionReason.WRONG_PATIENT})
"""The reasons that apply even after the other side decided: another patient's record must never stay."""
