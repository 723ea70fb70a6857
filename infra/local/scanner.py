"""The malware scanner of a local run: it knows the EICAR test file, and reports as GuardDuty does.

GuardDuty does not exist in the local cloud. This scanner gets the same events, reads the same version of
an object, and sends the same result, from a source of its own that the product accepts too.
"""

import json
import re
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.session import get_session

from chalicelib.domain.documents.check_events import OBJECT_SCANNED, CheckRequest, UploadedObject, parse_event

SOURCE = "cart.scanner"

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test file of every scanner, in two halves, so that a scanner does not report this repository.

Source: eicar.org, "Anti Malware Testfile" (68 bytes; read 2026-11)."""

FAILING_MARKER = b"CART-LOCAL-SCAN" + b"-FAILS"
"""A file with this text is never scanned to an end, so that one can see what happens then."""

_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_MAX_STREAM_BYTES = 1024 * 1024
"""How much of each stream of a PDF is decoded."""

_OUTCOMES = {"clean": "NO_THREATS_FOUND", "infected": "THREATS_FOUND", "failed": "FAILED"}


@cache
def _get_client(service: str) -> Any:
    return get_session().create_client(service)


def handle(event: Mapping[str, Any], _context: object = None) -> str:
    """Scan the object of an event and send the result. Return the result as a word."""
    parsed = parse_event(event)
    if parsed is None:
        return "ignored"
    uploaded, request = parsed
    if isinstance(request, CheckRequest) and not request.malware:
        return "ignored"
    version = {"VersionId": uploaded.version_id} if uploaded.version_id else {}
    s3 = _get_client("s3")
    try:
        found = s3.get_object(Bucket=uploaded.bucket, Key=uploaded.key, **version)
    except (s3.exceptions.NoSuchKey, s3.exceptions.ClientError):
        return "gone"
    result = find_malware(found["Body"].read())
    _send(UploadedObject(uploaded.bucket, uploaded.key, found["VersionId"]), result)
    return result


def find_malware(content: bytes) -> str:
    """Search for the test file, also inside the compressed streams of a PDF."""
    if FAILING_MARKER in content:
        return "failed"
    parts = [content, *(_decode(stream) for stream in _STREAM.findall(content))]
    return "infected" if any(EICAR in part for part in parts) else "clean"


def _decode(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, _MAX_STREAM_BYTES)
    except zlib.error:
        return b""


def _send(uploaded: UploadedObject, result: str) -> None:
    threats = [{"name": "EICAR-Test-File"}] if result == "infected" else None
    detail = {
        "schemaVersion": "1.0",
        "scanStatus": "FAILED" if result == "failed" else "COMPLETED",
        "resourceType": "S3_OBJECT",
        "s3ObjectDetails": {
            "bucketName": uploaded.bucket,
            "objectKey": uploaded.key,
            "versionId": uploaded.version_id,
        },
        "scanResultDetails": {"scanResultStatus": _OUTCOMES[result], "threats": threats},
    }
    entry = {"Source": SOURCE, "DetailType": OBJECT_SCANNED, "Detail": json.dumps(detail)}
    _get_client("events").put_events(Entries=[entry])
