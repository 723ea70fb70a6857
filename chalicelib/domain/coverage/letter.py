"""A letter of medical necessity, filled from what the provider entered. A person edits it before it is sent.

It states no fact that is not in the record. What is not known stays a visible blank: `[…]`. Why other
treatments do not fit, the payer's criteria and the literature are for the writer, and are never invented.

Source:
    The parts of public sample letters for cell therapies (read 2026-11-28).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chalicelib.domain.platform.dates import format_date

BLANK = "[…]"
"""What a person must still fill in. A letter with a blank can be saved, and not marked as final."""

_BLANK_START = "[…"

MAX_LETTER_CHARS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """What a letter can say, from the record.

    Attributes:
        details: The referral's sections, with the names of the API.
        diagnosis: The words of the diagnosis code.
        product_name: The planned product; None if none is named.
        label: The product's labeled indications for the disease, each in the words of the label's own row.
        label_as_of: The date of the label that was read.
        case_number: The payer's case number.
        written_on: The day at the practice.
    """

    details: Mapping[str, Any]
    practice_name: str
    center_name: str | None
    urgency: str
    diagnosis: str | None
    product_name: str | None
    label: Sequence[str]
    label_as_of: date | None
    case_number: str | None
    appeal_to: str | None
    denial_words: str | None
    written_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterVersion:
    """A saved version of a letter. Field names are stored."""

    version: int
    text: str
    is_final: bool
    saved_at: datetime
    saved_by: str


def has_blanks(text: str) -> bool:
    """Whether something is still to be filled in."""
    return _BLANK_START in text


def fill_letter(facts: LetterFacts) -> str:
    """Fill a letter. Parts that are not in the record are blanks with what belongs there."""
    parts = (
        _list_head(facts),
        _list_patient(facts),
        _list_request(facts),
        _list_history(facts),
        _list_reasons(facts),
        _list_end(facts),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _blank(what: str) -> str:
    return f"{_BLANK_START} {what}]"


def _list_head(facts: LetterFacts) -> Iterator[str]:
    insurance = facts.details.get("insurance") or {}
    yield format_date(facts.written_on)
    yield ""
    yield insurance.get("payer") or _blank("payer")
    yield facts.appeal_to or _blank("department, address or fax")
    yield ""
    yield f"Re: {facts.product_name or _blank('product')}, request for authorization"


def _list_patient(facts: LetterFacts) -> Iterator[str]:
    patient, insurance = facts.details.get("patient") or {}, facts.details.get("insurance") or {}
    names = " ".join(filter(None, (patient.get("given_name"), patient.get("family_name"))))
    yield f"Patient: {names or _blank('name')}"
    yield f"Date of birth: {_format_day(patient.get('birth_date')) or _blank('date of birth')}"
    yield f"Member ID: {insurance.get('member_id') or _blank('member ID')}"
    yield f"Group: {insurance.get('group') or _blank('group number')}"
    yield f"Case number: {facts.case_number or _blank('case number')}"
    code = (facts.details.get("clinical") or {}).get("icd10")
    diagnosis = facts.diagnosis or _blank("diagnosis in words")
    yield f"Diagnosis: {diagnosis}, ICD-10-CM {code or _blank('code')}"


def _list_request(facts: LetterFacts) -> Iterator[str]:
    yield "To the medical director:"
    yield ""
    center = facts.center_name or _blank("treatment center")
    yield f"I request authorization of {facts.product_name or _blank('product')} for this patient at {center}."
    yield f"Site of care: {_blank('inpatient or outpatient')}"
    yield f"Urgency: {'urgent' if facts.urgency == 'urgent' else 'standard'}"
    if facts.label and facts.label_as_of:
        yield ""
        yield f"The label of {facts.product_name} (as of {format_date(facts.label_as_of)}) names:"
        yield from (f"- {row}" for row in facts.label)
        yield f"The indication that this request is about: {_blank('indication')}"
    if facts.denial_words:
        yield ""
        yield f"Your letter of denial says: “{facts.denial_words}”"


def _list_history(facts: LetterFacts) -> Iterator[str]:
    clinical = facts.details.get("clinical") or {}
    yield "Treatment so far:"
    lines = clinical.get("prior_lines") or []
    for line in lines:
        yield f"- Line {line['line']}: {line['regimen']}{_describe_line(line)}"
    if not lines:
        yield f"- {_blank('lines of therapy with dates and responses')}"
    ecog = clinical.get("ecog")
    yield f"ECOG performance status: {ecog if ecog is not None else _blank('ECOG')}"


def _describe_line(line: Mapping[str, Any]) -> str:
    started, ended = _format_day(line.get("started_on")), _format_day(line.get("ended_on"))
    dates = f", {started or _blank('start')} to {ended or _blank('end')}"
    response = line.get("response")
    outcome = f", response: {response.replace('_', ' ')}" if response else f", response: {_blank('response')}"
    event = _format_day(line.get("event_on"))
    return f"{dates}{outcome}{f' ({event})' if event else ''}"


def _list_reasons(_: LetterFacts) -> Iterator[str]:
    yield f"Why other treatments do not fit: {_blank('your reasons')}"
    yield f"The payer's criteria, and where the record meets each: {_blank('policy, criterion, place in the record')}"
    yield f"Literature: {_blank('references')}"
    yield f"Enclosures: {_blank('documents')}"


def _list_end(facts: LetterFacts) -> Iterator[str]:
    provider = facts.details.get("referring_provider") or {}
    yield f"I am available for a peer-to-peer call at {provider.get('phone') or _blank('phone')}."
    yield ""
    yield "Sincerely,"
    yield ""
    yield _blank("signature")
    yield f"{provider.get('name') or _blank('name')}, {_blank('credentials')}"
    yield facts.practice_name
    yield f"NPI {provider.get('npi') or _blank('NPI')}"


def _format_day(text: str | None) -> str | None:
    """A full date in words; a year or a month stays as it was entered."""
    if not text:
        return None
    return format_date(date.fromisoformat(text)) if len(text) == len("2026-11-28") else text
