"""The events about an uploaded file: it arrived, it was checked, it was scanned, and please check it again.

    S3           "Object Created"                                  aws.s3
    our check    "Document Checked"                                cart.documents
    the scanner  "GuardDuty Malware Protection Object Scan Result" aws.guardduty; locally cart.scanner
    our sweeper  "Document Check Requested"                        cart.documents

They are delivered at least once, in any order, and name the version of the object.

Source:
    Amazon EventBridge events of Amazon S3, and "Monitoring S3 object scans with Amazon EventBridge" in the
    GuardDuty user guide (read 2026-11).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.documents.reasons import RejectionReason

S3_SOURCE = "aws.s3"
CHECK_SOURCE = "cart.documents"
GUARDDUTY = "aws.guardduty"
"""Only AWS itself can send events from this source."""

SCANNER_SOURCES = frozenset({GUARDDUTY, "cart.scanner"})

OBJECT_CREATED = "Object Created"
DOCUMENT_CHECKED = "Document Checked"
CHECK_REQUESTED = "Document Check Requested"
OBJECT_SCANNED = "GuardDuty Malware Protection Object Scan Result"

UPLOAD_NEWS_PATTERN: dict[str, Any] = {
    "source": [S3_SOURCE, CHECK_SOURCE, *sorted(SCANNER_SOURCES)],
    "detail-type": [OBJECT_CREATED, DOCUMENT_CHECKED, OBJECT_SCANNED],
}
"""The events that the function `documents` records."""

FILE_CHECK_PATTERN: dict[str, Any] = {
    "source": [S3_SOURCE, CHECK_SOURCE],
    "detail-type": [OBJECT_CREATED, CHECK_REQUESTED],
}
"""The events that start a check and a scan. In the cloud, they also name the bucket."""

UPLOADS = "uploads/"
"""Where people upload to, in the quarantine bucket."""

CLEANED = "cleaned/"
"""Where the check stores its copies, in the quarantine bucket."""

_UPLOAD_KEY = re.compile(rf"{UPLOADS}(ref_[a-z2-7]{{26}})/(doc_[a-z2-7]{{26}})")


@dataclass(frozen=True, slots=True)
class UploadedObject:
    """One version of an uploaded object. `version_id` is empty if the event did not name it."""

    bucket: str
    key: str
    version_id: str

    @property
    def cleaned_key(self) -> str:
        """Where the check stores the copy of this object."""
        return CLEANED + self.key.removeprefix(UPLOADS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What the check of an upload found.

    Attributes:
        reason: Why the file is refused; None if it passed.
        sha256: Of the upload, in lowercase hexadecimal.
        cleaned: `version_id`, `size`, `sha256`, `pages` and `removed` of the copy, if it passed.
    """

    reason: RejectionReason | None
    size: int
    sha256: str
    cleaned: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What a malware scanner reported, in its own words.

    Attributes:
        outcome: Such as `NO_THREATS_FOUND`; empty if the scan did not finish.
        threats: The names of what was found.
    """

    engine: str
    outcome: str
    threats: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRequest:
    """Which results are missing and requested again."""

    check: bool
    malware: bool


EventContent = CheckOutcome | ScanResult | CheckRequest | None
"""What an event says about its object; None if the object has just arrived."""


def parse_event(event: Mapping[str, Any]) -> tuple[UploadedObject, EventContent] | None:
    """Read an event of EventBridge. Return None if it is about no upload."""
    source, kind, detail = event["source"], event["detail-type"], event["detail"]
    if (source, kind) == (S3_SOURCE, OBJECT_CREATED):
        created = detail["object"]
        uploaded = UploadedObject(detail["bucket"]["name"], created["key"], created.get("version-id", ""))
        return _if_upload(uploaded, None)
    named = detail["s3ObjectDetails"]
    uploaded = UploadedObject(named["bucketName"], named["objectKey"], named["versionId"])
    if (source, kind) == (CHECK_SOURCE, DOCUMENT_CHECKED):
        return _if_upload(uploaded, _parse_check(detail["result"]))
    if (source, kind) == (CHECK_SOURCE, CHECK_REQUESTED):
        missing = detail["missing"]
        return _if_upload(uploaded, CheckRequest(check="check" in missing, malware="malware" in missing))
    if source in SCANNER_SOURCES and kind == OBJECT_SCANNED:
        return _if_upload(uploaded, _parse_malware_result(source, detail))
    return None


def build_check_result(uploaded: UploadedObject, result: CheckOutcome) -> Mapping[str, Any]:
    """Build the detail of a "Document Checked" event."""
    return {
        "s3ObjectDetails": _name_object(uploaded),
        "result": {
            "reason": result.reason,
            "size": result.size,
            "sha256": result.sha256,
            "cleaned": dict(result.cleaned) if result.cleaned else None,
        },
    }


def build_check_request(uploaded: UploadedObject, request: CheckRequest) -> Mapping[str, Any]:
    """Build the detail of a "Document Check Requested" event."""
    missing = [*(["check"] if request.check else []), *(["malware"] if request.malware else [])]
    return {"s3ObjectDetails": _name_object(uploaded), "missing": missing}


def build_upload_key(referral_id: str, document_id: str) -> str:
    """Build the key of the upload of a document. Both ids are random, so no key can be guessed."""
    return f"{UPLOADS}{referral_id}/{document_id}"


def parse_upload_key(key: str) -> tuple[str, str] | None:
    """Read the referral id and the document id from the key of an upload."""
    match = _UPLOAD_KEY.fullmatch(key)
    return (match[1], match[2]) if match else None


def _if_upload(uploaded: UploadedObject, content: EventContent) -> tuple[UploadedObject, EventContent] | None:
    return (uploaded, content) if uploaded.key.startswith(UPLOADS) else None


def _name_object(uploaded: UploadedObject) -> Mapping[str, str]:
    return {"bucketName": uploaded.bucket, "objectKey": uploaded.key, "versionId": uploaded.version_id}


def _parse_check(result: Mapping[str, Any]) -> CheckOutcome:
    return CheckOutcome(
        reason=RejectionReason(result["reason"]) if result["reason"] else None,
        size=result["size"],
        sha256=result["sha256"],
        cleaned=result["cleaned"],
    )


def _parse_malware_result(source: str, detail: Mapping[str, Any]) -> ScanResult:
    found = detail.get("scanResultDetails") or {}
    threats = [str(threat.get("name")) for threat in found.get("threats") or ()]
    is_complete = detail.get("scanStatus") == "COMPLETED"
    outcome = found.get("scanResultStatus") or ""
    # A skipped scan also has a result, such as UNSUPPORTED; one that failed has none that counts.
    return ScanResult(
        engine=source,
        outcome=outcome if is_complete or detail.get("scanStatus") == "SKIPPED" else "",
        threats=threats,
    )
