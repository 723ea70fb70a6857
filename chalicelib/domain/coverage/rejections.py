"""Why a payer could not answer (AAA segments): who acts, and a sentence in plain words.

Source:
    X12 005010X279A1, AAA03 and AAA04 by loop, as two clearing houses publish them: Optum, "AAA error codes,
    requests and possible resolutions"; Stedi, "AAA eligibility errors in plain English". Read 2026-11-28.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class RejectionKind(StrEnum):
    """Who can do something about a rejection."""

    RETRY = "retry"
    """No one: the payer is busy and is asked again."""
    SET_UP = "set_up"
    """An administrator or operator: the practice or our access is not known to the payer."""
    OURS = "ours"
    """An engineer: what we sent is not complete."""
    CORRECT = "correct"
    """The practice: correct what was entered, and check again."""
    CALL = "call"
    """The practice: only a call to the payer helps."""


class AnswerLoop(StrEnum):
    """Which part of an answer a rejection is about."""

    SOURCE = "source"
    RECEIVER = "receiver"
    SUBSCRIBER = "subscriber"
    DEPENDENT = "dependent"
    BENEFIT = "benefit"
    """One row only; the other rows count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One reason of a payer. Field names are stored.

    Attributes:
        code: AAA03, as the payer sent it.
        follow_up: AAA04, as the payer sent it; None if it sent none.
        loop: What it is about.
        kind: Who can do something about it.
        sentence: For people.
        pointer: The fact to correct, as a pointer into the body of a referral; None if no single fact.
        then_call: Whether to call the payer if what was entered is right.
        ask_again_today: Whether the same question with today's date can help. Once.
        retry_after_days: The payer asks for this pause; None if it does not.
    """

    code: str
    follow_up: str | None
    loop: AnswerLoop
    kind: RejectionKind
    sentence: str
    pointer: str | None = None
    then_call: bool = False
    ask_again_today: bool = False
    retry_after_days: int | None = None


OUT_OF_NETWORK = "35"
"""The provider who asks is not in the plan's network."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: RejectionKind
    sentence: str
    pointer: str | None = None
    then_call: bool = False
    ask_again_today: bool = False


_RETRY, _SET_UP, _OURS = RejectionKind.RETRY, RejectionKind.SET_UP, RejectionKind.OURS
_CORRECT, _CALL = RejectionKind.CORRECT, RejectionKind.CALL

_NO_ANSWER = _Meaning(_RETRY, "The payer did not answer. We keep trying.")
_NPI_UNKNOWN = _Meaning(
    _SET_UP,
    "The payer does not know this practice's NPI, or does not let it ask. Ask your administrator to enroll it.",
    "/referring_provider/npi",
)
_INCOMPLETE = _Meaning(_OURS, "We sent an incomplete request. We have been notified.")
_NOT_FOUND_HINT = "Check the member ID, name, and date of birth. If they are right, call the payer."
_BIRTH_DATE = "/patient/birth_date"
_MEMBER_ID = "/insurance/member_id"
_NAME = "/patient/family_name"
_SEX = "/patient/sex"

_MEANINGS: Mapping[str, _Meaning] = {
    "42": _NO_ANSWER,
    "80": _NO_ANSWER,
    "79": _Meaning(_SET_UP, "This payer is not set up for electronic checks. Call the payer."),
    "41": _NPI_UNKNOWN,
    "43": _NPI_UNKNOWN,
    "44": _NPI_UNKNOWN,
    "50": _NPI_UNKNOWN,
    "51": _NPI_UNKNOWN,
    "04": _INCOMPLETE,
    "15": _INCOMPLETE,
    "T4": _INCOMPLETE,
    "58": _Meaning(_CORRECT, "The payer needs a date of birth. Enter it and check again.", _BIRTH_DATE),
    "71": _Meaning(_CORRECT, "The payer has another date of birth. Correct it and check again.", _BIRTH_DATE),
    "64": _Meaning(_CORRECT, "The payer does not know this patient ID. Correct it and check again.", _MEMBER_ID),
    "72": _Meaning(_CORRECT, "The payer does not know this member ID. Correct it and check again.", _MEMBER_ID),
    "65": _Meaning(_CORRECT, "The payer has another patient name. Correct it and check again.", _NAME),
    "73": _Meaning(_CORRECT, "The payer has another name for this member. Correct it and check again.", _NAME),
    "66": _Meaning(_CORRECT, "The payer has another sex for the patient. Correct it and check again.", _SEX),
    "74": _Meaning(_CORRECT, "The payer has another sex for this member. Correct it and check again.", _SEX),
    "75": _Meaning(_CORRECT, f"The payer has no such member. {_NOT_FOUND_HINT}", _MEMBER_ID, then_call=True),
    "67": _Meaning(_CORRECT, f"The payer has no such patient. {_NOT_FOUND_HINT}", _MEMBER_ID, then_call=True),
    "77": _Meaning(
        _CORRECT,
        f"The payer knows the subscriber, but not this patient. {_NOT_FOUND_HINT}",
        "/insurance/subscriber",
        then_call=True,
    ),
    "68": _Meaning(_CORRECT, f"The payer has more than one such patient. {_NOT_FOUND_HINT}", _NAME, then_call=True),
    "76": _Meaning(_CORRECT, f"The payer has more than one such member. {_NOT_FOUND_HINT}", _MEMBER_ID, then_call=True),
    "78": _Meaning(
        _CORRECT,
        "The member is not in this group. Check the group number. If it is right, call the payer.",
        "/insurance/group",
        then_call=True,
    ),
    OUT_OF_NETWORK: _Meaning(_CALL, "The practice is out of this plan's network. Call the payer."),
    "52": _Meaning(
        _CORRECT,
        "The provider was not enrolled with this payer on the day asked for. Check the NPI.",
        "/referring_provider/npi",
        then_call=True,
    ),
    "56": _Meaning(_OURS, "The payer refused the date of our request. We have been notified."),
    "57": _Meaning(_OURS, "The payer refused the date of our request. We have been notified."),
    "60": _Meaning(_CORRECT, "The date of birth is after the day asked for. Correct it and check again.", _BIRTH_DATE),
    "61": _Meaning(
        _CORRECT,
        "The payer has a date of death before the day asked for. Check the member ID. If it is right, call the payer.",
        _MEMBER_ID,
        then_call=True,
    ),
    "62": _Meaning(_OURS, "The payer does not answer for this date.", ask_again_today=True),
    "63": _Meaning(_OURS, "The payer does not answer for a date in the future.", ask_again_today=True),
    "33": _Meaning(_CALL, "The payer could not read this part of the request. Ask by phone."),
    "53": _Meaning(_CALL, "The payer does not answer about this benefit for this kind of provider. Ask by phone."),
    "54": _Meaning(_CALL, "The payer does not answer about this kind of service. Ask by phone."),
    "55": _Meaning(_CALL, "The payer does not answer about this service. Ask by phone."),
    "69": _Meaning(_CALL, "The payer says that this service does not fit the patient's age. Ask by phone."),
    "70": _Meaning(_CALL, "The payer says that this service does not fit the patient's sex. Ask by phone."),
    "98": _Meaning(_CALL, "The payer lists this service as experimental. Ask by phone."),
    "AE": _Meaning(_CALL, "The plan needs an authorization from the primary care provider. Ask by phone."),
    "AF": _Meaning(_CALL, "The payer needs a diagnosis code that it accepts. Ask by phone."),
    "AG": _Meaning(_CALL, "The payer needs a diagnosis or procedure code that it accepts. Ask by phone."),
}

_NO_REPEAT = frozenset({"C", "N", "S", "Y"})
"""AAA04 values after which the same request must not be sent again: correct first, not allowed, a third
party was asked, the payer answers later."""

_DO_NOT_REPEAT = "The payer could not answer, and asks us not to repeat the request. Call the payer."

_MAX_CODE_CHARS = 10
_MAX_FOLLOW_UP_CHARS = 100
"""X12 codes have two characters; JSON can send anything."""

_PAUSE_DAYS: Mapping[str, int] = {"W": 30, "X": 10}
"""AAA04 values that ask for a pause, in days."""


def describe_rejection(code: str, *, follow_up: str | None, loop: AnswerLoop) -> Rejection:
    """Describe what a rejection means. A code that is not on the list is kept, and means to call.

    The payer's `follow_up` can only stop a retry. It never starts one that our own rule does not allow.
    """
    code = code[:_MAX_CODE_CHARS]
    meaning = _MEANINGS.get(code) or _Meaning(
        _CALL, f"The payer could not answer (reason {code}). Call the payer and give this reason."
    )
    kind, sentence = meaning.kind, meaning.sentence
    if loop is AnswerLoop.BENEFIT and code not in _MEANINGS:
        sentence = f"The payer could not answer about this benefit (reason {code}). Ask by phone."
    pause = _PAUSE_DAYS.get(follow_up or "")
    if kind is _RETRY and (follow_up in _NO_REPEAT or pause):
        kind = _CALL
        sentence = f"The payer asks us to wait {pause} days. Call the payer." if pause else _DO_NOT_REPEAT
    return Rejection(
        code=code,
        follow_up=follow_up[:_MAX_FOLLOW_UP_CHARS] if follow_up else None,
        loop=loop,
        kind=kind,
        sentence=sentence,
        pointer=meaning.pointer,
        then_call=meaning.then_call,
        ask_again_today=meaning.ask_again_today and follow_up not in _NO_REPEAT - {"C"} and not pause,
        retry_after_days=pause,
    )
