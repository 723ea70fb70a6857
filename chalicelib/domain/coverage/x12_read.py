"""Reads what a payer sends back for a 270: a 271 for our question, or an acknowledgment (999, TA1)."""

import re
from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.coverage.rows import AttemptFailure, FailureKind, PayerAnswer
from chalicelib.domain.coverage.x12_envelope import VERSION, Interchange, Segment, read_interchange
from chalicelib.domain.coverage.x12_error import X12Error, X12Flaw
from chalicelib.domain.coverage.x12_loops import read_271

_ACKNOWLEDGMENT_GUIDE = "005010X231"
_NOTE_CODE = re.compile(r"[0-9A-Z]{1,3}", re.ASCII)

_TEST_ANSWER = AttemptFailure(
    kind=FailureKind.SET_UP,
    reason="test_answer",
    sentence="The payer answered with test data. The connection to this payer must be set up again.",
)
_OTHER_GUIDE = AttemptFailure(
    kind=FailureKind.SET_UP,
    reason="other_guide",
    sentence="The payer answered in another version of the format. The connection must be set up again.",
)
_ACKNOWLEDGED_ONLY = AttemptFailure(
    kind=FailureKind.RETRY,
    reason="acknowledged_only",
    sentence="The payer received the request and did not answer it. We keep trying.",
)


def read_x12_response(
    raw: bytes, *, trace_id: str, production: bool, answered_at: datetime
) -> PayerAnswer | AttemptFailure:
    """Read a response.

    Returns:
        The answer, or why this is none. Then the check stays open.

    Raises:
        X12Error: it is not a valid interchange, or not an answer to the question with this trace id.
    """
    interchange = read_interchange(raw)
    refused = _find_refusal(interchange)
    if refused:
        return refused
    if interchange.test_data and production:
        return _TEST_ANSWER
    if interchange.set_code == "999" or interchange.set_code is None:
        return _ACKNOWLEDGED_ONLY
    if interchange.set_code != "271" or interchange.guide != VERSION:
        return _OTHER_GUIDE
    return read_271(interchange.body, trace_id=trace_id, answered_at=answered_at)


def _find_refusal(interchange: Interchange) -> AttemptFailure | None:
    """Find an acknowledgment that refuses what we sent."""
    for segment in interchange.acknowledgments:
        if segment.get(4) == "R":
            return _build_refusal("ta1", segment.get(5))
    if interchange.set_code != "999":
        return None
    if not (interchange.guide or "").startswith(_ACKNOWLEDGMENT_GUIDE):
        raise X12Error(X12Flaw.VERSION)
    return _find_999_refusal(interchange.body)


def _find_999_refusal(body: Sequence[Segment]) -> AttemptFailure | None:
    if not body or body[0].name != "AK1" or body[-1].name != "AK9":
        raise X12Error(X12Flaw.ACKNOWLEDGMENT_STRUCTURE)
    for segment in body:
        if segment.name in {"IK5", "AK9"} and segment.require(1) not in {"A", "E", "P"}:
            return _build_refusal("999", segment.get(2) if segment.name == "IK5" else None)
    return None


def _build_refusal(kind: str, note: str | None) -> AttemptFailure:
    code = f"_{note}" if note and _NOTE_CODE.fullmatch(note) else ""
    return AttemptFailure(
        kind=FailureKind.OURS,
        reason=f"{kind}_rejected{code}",
        sentence="The payer could not read our request. We have been notified.",
    )
