"""The function: an object arrived, or is to be checked again. It checks the object and reports the result.

It has no table. What it found is an event, which the documents function records.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.domain.documents.check_events import (
    CHECK_SOURCE,
    DOCUMENT_CHECKED,
    CheckOutcome,
    CheckRequest,
    UploadedObject,
    build_check_result,
    parse_event,
)
from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.limits import MAX_FILE_BYTES
from chalicelib.domain.documents.reasons import RejectionReason
from document_check.sandbox import SandboxResult, check_in_sandbox

_CONFIG = Config(connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3})
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_CHUNK_BYTES = 1024 * 1024


class ResultNotSentError(Exception):
    """EventBridge did not accept the result, so the run must be repeated."""


@cache
def _get_client(service: str) -> Any:
    return botocore.session.Session().create_client(service, config=_CONFIG)


def handle(event: Mapping[str, Any], _context: object = None) -> Mapping[str, str]:
    """Check the object of an event.

    Returns:
        What was done, as codes. It contains no name and no content of a file.

    Raises:
        ResultNotSentError: the result could not be reported.
    """
    parsed = parse_event(event)
    if parsed is None:
        return {"done": "ignored"}
    uploaded, request = parsed
    if isinstance(request, CheckRequest) and request.malware and os.environ.get("MALWARE_SCANNER") == "guardduty":
        _request_malware_result(uploaded)
    if isinstance(request, CheckRequest) and not request.check:
        return {"done": "requested"}
    with tempfile.TemporaryDirectory() as folder:
        try:
            uploaded, result = _check(uploaded, Path(folder))
        except ClientError as e:
            if e.response["Error"]["Code"] not in _GONE:
                raise
            # It was removed in the meantime.
            return {"done": "gone"}
    _send(uploaded, result)
    return {"done": "checked", "reason": result.reason or "none"}


def _check(uploaded: UploadedObject, folder: Path) -> tuple[UploadedObject, CheckOutcome]:
    source, cleaned = folder / "source", folder / "cleaned"
    version = {"VersionId": uploaded.version_id} if uploaded.version_id else {}
    response = _get_client("s3").get_object(Bucket=uploaded.bucket, Key=uploaded.key, **version)
    # An event without a version id means the newest one; from here on it is named.
    uploaded = UploadedObject(uploaded.bucket, uploaded.key, response["VersionId"])
    size, sha256 = int(response["ContentLength"]), hashlib.sha256()
    if size > MAX_FILE_BYTES:
        return uploaded, CheckOutcome(reason=RejectionReason.TOO_LARGE, size=size, sha256="")
    with source.open("wb") as out:
        for chunk in response["Body"].iter_chunks(_CHUNK_BYTES):
            out.write(chunk)
            sha256.update(chunk)
    found = _check_type(response["ContentType"], source, cleaned)
    if found.reason:
        return uploaded, CheckOutcome(reason=found.reason, size=size, sha256=sha256.hexdigest())
    copy = _store_cleaned(uploaded, cleaned, response["ContentType"])
    details = {**copy, "pages": found.pages, "removed": list(found.removed)}
    return uploaded, CheckOutcome(reason=None, size=size, sha256=sha256.hexdigest(), cleaned=details)


def _check_type(media_type: str, source: Path, cleaned: Path) -> SandboxResult:
    if media_type not in set(FileType):
        return SandboxResult(reason=RejectionReason.WRONG_TYPE)
    return check_in_sandbox(source, FileType(media_type), cleaned)


def _store_cleaned(uploaded: UploadedObject, cleaned: Path, media_type: str) -> Mapping[str, Any]:
    content = cleaned.read_bytes()
    stored = _get_client("s3").put_object(
        Bucket=uploaded.bucket, Key=uploaded.cleaned_key, Body=content, ContentType=media_type
    )
    return {
        "version_id": stored["VersionId"],
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _send(uploaded: UploadedObject, result: CheckOutcome) -> None:
    entry = {
        "Source": CHECK_SOURCE,
        "DetailType": DOCUMENT_CHECKED,
        "Detail": json.dumps(build_check_result(uploaded, result)),
    }
    response = _get_client("events").put_events(Entries=[entry])
    if response["FailedEntryCount"]:
        raise ResultNotSentError(response["Entries"][0].get("ErrorCode"))


def _request_malware_result(uploaded: UploadedObject) -> None:
    _get_client("guardduty").send_object_malware_scan(
        s3Object={"bucket": uploaded.bucket, "key": uploaded.key, "versionId": uploaded.version_id}
    )
