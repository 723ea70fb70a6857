"""Writes the 270: the question of a benefits check as X12 005010X279A1.

Source:
    The loops of the guide, as two independent parsers accept them: information source, information
    receiver, subscriber, dependent.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from chalicelib.domain.coverage.payers import AttemptIds, PayerSetup
from chalicelib.domain.coverage.plain_ascii import fold_to_x12
from chalicelib.domain.coverage.question import BenefitsQuestion, CoveredPerson, Relationship
from chalicelib.domain.coverage.x12_envelope import VERSION
from chalicelib.domain.coverage.x12_error import X12Error, X12Flaw

_ELEMENT, _REPETITION, _COMPONENT, _TERMINATOR = "*", "^", ":", "~"
_WRITABLE = re.compile(r"[A-Z0-9 \-'.,]*", re.ASCII)
_MAX_CONTROL_NUMBER = 999_999_999
_TRACE_ORIGIN_CHARS = 10
_ID_CHARS = 15

_SEX_CODES = {"female": "F", "male": "M"}
_RELATIONSHIP_CODES = {Relationship.SPOUSE: "01", Relationship.CHILD: "19", Relationship.OTHER: "34"}
"""INS02. Source: 005010X279A1, loop 2100D."""


def write_270(question: BenefitsQuestion, payer: PayerSetup, ids: AttemptIds) -> bytes:
    """Write one question as a complete interchange.

    Raises:
        X12Error: a value cannot be written, so nothing must be sent.
    """
    _check_setup(payer, ids)
    body = [
        ("BHT", "0022", "13", question.trace_id, f"{ids.sent_at:%Y%m%d}", f"{ids.sent_at:%H%M%S}"),
        ("HL", "1", "", "20", "1"),
        ("NM1", "PR", "2", _fold(payer.name, 60), "", "", "", "", "PI", _fold_id(payer.electronic_id)),
        ("HL", "2", "1", "21", "1"),
        ("NM1", "1P", "2", _fold(question.provider_name, 60), "", "", "", "", "XX", question.provider_npi),
        *_write_people(question, payer),
    ]
    st = ("ST", "270", "0001", VERSION)
    se = ("SE", str(len(body) + 2), "0001")
    date_text, time_text = f"{ids.sent_at:%Y%m%d}", f"{ids.sent_at:%H%M}"
    gs = ("GS", "HS", payer.sender_id, payer.receiver_id, date_text, time_text, "1", "X", VERSION)
    control_number = f"{ids.control_number:09d}"
    trailers = [("GE", "1", "1"), ("IEA", "1", control_number)]
    isa = _ELEMENT.join(
        (
            "ISA", "00", " " * 10, "00", " " * 10, "ZZ", payer.sender_id.ljust(_ID_CHARS), "ZZ",
            payer.receiver_id.ljust(_ID_CHARS), date_text[2:], time_text, _REPETITION, "00501", control_number,
            "0", "P" if payer.production else "T", _COMPONENT,
        )
    )  # fmt: skip
    segments = [gs, st, *body, se, *trailers]
    return "".join([isa, _TERMINATOR, *map(_write_segment, segments)]).encode("ascii")


def _write_people(question: BenefitsQuestion, payer: PayerSetup) -> Sequence[tuple[str, ...]]:
    """Write the subscriber, and the dependent if the patient is one. The trace and the question follow the patient."""
    trace = ("TRN", "1", question.trace_id, payer.trace_origin)
    service_types = _REPETITION.join(question.service_types)
    ask = [("DTP", "291", "D8", _write_date(question.asked_on)), ("EQ", service_types)]
    holder = question.policy_holder
    dependent = question.is_for_dependent
    subscriber = [
        ("HL", "3", "2", "22", "1" if dependent else "0"),
        *([] if dependent else [trace]),
        ("NM1", "IL", "1", *_write_name(holder), "", "", "", "MI", _fold_id(question.member_id)),
        *([("REF", "6P", _fold_id(question.group))] if payer.send_group and question.group else []),
        _write_demographics(holder),
    ]
    if not dependent:
        return [*subscriber, *ask]
    return [
        *subscriber,
        ("HL", "4", "3", "23", "0"),
        trace,
        ("NM1", "03", "1", *_write_name(question.patient)),
        _write_demographics(question.patient),
        ("INS", "N", _RELATIONSHIP_CODES[question.relationship]),
        *ask,
    ]


def _write_name(person: CoveredPerson) -> tuple[str, str]:
    return _fold(person.family_name, 60), _fold(person.given_name, 35)


def _write_demographics(person: CoveredPerson) -> tuple[str, ...]:
    if person.birth_date is None:
        raise X12Error(X12Flaw.BIRTH_DATE_MISSING)
    return ("DMG", "D8", _write_date(person.birth_date), _SEX_CODES.get(person.sex or "", ""))


def _write_date(day: date) -> str:
    return f"{day:%Y%m%d}".rjust(8, "0")


def _write_segment(elements: Iterable[str]) -> str:
    """Write one segment without empty elements at its end.

    Raises:
        X12Error: a value holds a character that could be a delimiter. Repetitions were joined before.
    """
    written = list(elements)
    while not written[-1]:
        written.pop()
    if not all(_WRITABLE.fullmatch(each) for value in written for each in value.split(_REPETITION)):
        raise X12Error(X12Flaw.UNWRITABLE)
    return _ELEMENT.join(written) + _TERMINATOR


def _fold(text: str, limit: int) -> str:
    folded = fold_to_x12(text)
    if not folded:
        raise X12Error(X12Flaw.VALUE_MISSING)
    if len(folded) > limit:
        raise X12Error(X12Flaw.VALUE_TOO_LONG)
    return folded


def _fold_id(text: str) -> str:
    """Fold an id. Spaces in it are only for people."""
    return _fold(text.replace(" ", ""), 80)


def _check_setup(payer: PayerSetup, ids: AttemptIds) -> None:
    """Check what the configuration and the counter bring; a name with a delimiter would move all that follows."""
    if not 1 <= ids.control_number <= _MAX_CONTROL_NUMBER:
        raise X12Error(X12Flaw.CONTROL_NUMBER)
    for text in (payer.sender_id, payer.receiver_id):
        if not _WRITABLE.fullmatch(text) or not 2 <= len(text.strip()) <= _ID_CHARS:
            raise X12Error(X12Flaw.SETUP)
    if len(payer.trace_origin) != _TRACE_ORIGIN_CHARS:
        raise X12Error(X12Flaw.SETUP)
