"""Reads the JSON answer of a clearing house into the same rows as a 271.

The reader is tolerant: a code that no list knows stays as it is, and a member that it does not know is
left alone. A member of another type is an error, because it would be read as "not stated".

Source:
    As in `clearinghouse_write`; X12 qualifiers by the names that clearing houses give them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.coverage.answer_error import AnswerError, AnswerFlaw
from chalicelib.domain.coverage.json_values import (
    JsonObject,
    get_day,
    get_number,
    get_object,
    get_objects,
    get_text,
    get_texts,
    parse_day,
    parse_object,
)
from chalicelib.domain.coverage.rejections import AnswerLoop, Rejection, describe_rejection
from chalicelib.domain.coverage.rows import (
    MAX_MESSAGE_CHARS,
    MAX_ROWS,
    AnsweredPerson,
    AttemptFailure,
    BenefitRow,
    ContactWay,
    DatedPeriod,
    FailureKind,
    PayerAnswer,
    Reference,
    RelatedEntity,
)

_STATUS_CODES = frozenset({"1", "2", "3", "4", "5", "6", "7", "8"})

_DATE_CODES: Mapping[str, str] = {
    "benefit": "292",
    "benefitBegin": "348",
    "benefitEnd": "349",
    "coordinationOfBenefits": "290",
    "eligibility": "307",
    "eligibilityBegin": "356",
    "eligibilityEnd": "357",
    "plan": "291",
    "planBegin": "346",
    "planEnd": "347",
}

_REFERENCE_CODES: Mapping[str, str] = {
    "groupNumber": "6P",
    "healthInsuranceClaimNumber": "F6",
    "hicNumber": "F6",
    "insurancePolicyNumber": "IG",
    "medicaidRecipientIdentificationNumber": "NQ",
    "memberId": "1W",
    "planNumber": "18",
    "priorAuthorizationNumber": "G1",
}

_ROLE_CODES: Mapping[str, str] = {
    "payer": "PR",
    "primary payer": "PRP",
    "provider": "1P",
    "secondary payer": "SEP",
    "tertiary payer": "TTP",
    "utilization management organization": "X3",
}

_CONTACT_KINDS: Mapping[str, str] = {
    "electronic mail": "email",
    "facsimile": "fax",
    "fax": "fax",
    "telephone": "phone",
    "uniform resource locator (url)": "url",
    "url": "url",
}

_FOLLOW_UPS: Mapping[str, str] = {
    "please correct and resubmit": "C",
    "resubmission not allowed": "N",
    "please resubmit original transaction": "P",
    "resubmission allowed": "R",
    "do not resubmit; inquiry initiated to a third party": "S",
    "please wait 30 days and resubmit": "W",
    "please wait 10 days and resubmit": "X",
    "do not resubmit; we will hold your request and respond again shortly": "Y",
}
"""AAA04 by the words that clearing houses write for it."""

_LOCATION = re.compile(r"2[01][01]0([A-D])", re.ASCII)
_LOOPS = {
    "A": AnswerLoop.SOURCE,
    "B": AnswerLoop.RECEIVER,
    "C": AnswerLoop.SUBSCRIBER,
    "D": AnswerLoop.DEPENDENT,
}

_UNKNOWN_SHAPE = AttemptFailure(
    kind=FailureKind.SET_UP,
    reason="unknown_shape",
    sentence="The clearing house answered in another format. The connection to this payer must be set up again.",
)


def read_json_answer(
    raw: bytes, *, trace_id: str, control_number: int, answered_at: datetime
) -> PayerAnswer | AttemptFailure:
    """Read an answer. An answer can hold only errors, with a status of 200.

    Raises:
        AnswerError: it is not readable, or answers another request.
    """
    document = parse_object(raw)
    if "plans" in document and "benefitsInformation" not in document:
        return _UNKNOWN_SHAPE
    _check_control_number(document, control_number)
    subscriber, dependents = get_object(document, "subscriber"), get_objects(document, "dependents")
    if len(dependents) > 1:
        raise AnswerError(AnswerFlaw.JSON_SHAPE)
    payer = get_object(document, "payer")
    rows = _read_rows(document)
    return PayerAnswer(
        trace_id=trace_id,
        answered_at=answered_at,
        payer_name=get_text(payer, "name") or get_text(payer, "entityName"),
        payer_contacts=_read_contacts(payer),
        subscriber=_read_person(subscriber) if subscriber else None,
        dependent=_read_person(dependents[0]) if dependents else None,
        dates=_read_dates(get_object(document, "planDateInformation")),
        references=_read_references(get_object(document, "planInformation")),
        rows=tuple(rows[:MAX_ROWS]),
        rejections=tuple(_read_rejections(document, subscriber, dependents)),
        rows_left_out=max(0, len(rows) - MAX_ROWS),
    )


def _check_control_number(document: JsonObject, control_number: int) -> None:
    """Check that this answers our request, also if leading zeros got lost."""
    answered = get_text(document, "controlNumber") or ""
    if not answered.isascii() or not answered.isdigit() or len(answered) > 9 or int(answered) != control_number:
        raise AnswerError(AnswerFlaw.CONTROL_NUMBER)


def _read_rows(document: JsonObject) -> Sequence[BenefitRow]:
    """Read the rows. The plan's status comes from its own list only if no row says it."""
    rows = [_read_row(each) for each in get_objects(document, "benefitsInformation")]
    if not any(row.code in _STATUS_CODES for row in rows):
        rows = [*(_read_status(each) for each in get_objects(document, "planStatus")), *rows]
    return [replace(row, number=number) for number, row in enumerate(rows, start=1)]


def _read_status(status: JsonObject) -> BenefitRow:
    return BenefitRow(
        number=0,
        code=_require_text(status, "statusCode"),
        service_types=get_texts(status, "serviceTypeCodes"),
        plan_name=get_text(status, "planDetails"),
    )


def _read_row(benefit: JsonObject) -> BenefitRow:
    procedure = get_object(benefit, "compositeMedicalProcedureIdentifier")
    places = [get_object(benefit, "eligibilityAdditionalInformation")]
    places += get_objects(benefit, "eligibilityAdditionalInformationList")
    return BenefitRow(
        number=0,
        code=_require_text(benefit, "code"),
        level=get_text(benefit, "coverageLevelCode"),
        service_types=get_texts(benefit, "serviceTypeCodes"),
        insurance_type=get_text(benefit, "insuranceTypeCode"),
        plan_name=get_text(benefit, "planCoverage"),
        period=get_text(benefit, "timeQualifierCode"),
        amount=get_number(benefit, "benefitAmount"),
        percent=get_number(benefit, "benefitPercent"),
        quantity_code=get_text(benefit, "quantityQualifierCode"),
        quantity=get_number(benefit, "benefitQuantity"),
        authorization=get_text(benefit, "authOrCertIndicator"),
        in_network=get_text(benefit, "inPlanNetworkIndicatorCode"),
        procedure=_join_procedure(procedure),
        places_of_service=tuple(
            code
            for each in places
            if get_text(each, "codeListQualifierCode") == "ZZ" and (code := get_text(each, "industryCode"))
        ),
        messages=tuple(_read_messages(benefit)),
        dates=_read_dates(get_object(benefit, "benefitsDateInformation")),
        references=_read_references(get_object(benefit, "benefitsAdditionalInformation")),
        entities=tuple(_read_entities(benefit)),
        rejections=tuple(_read_aaa(benefit, AnswerLoop.BENEFIT)),
    )


def _require_text(values: JsonObject, name: str) -> str:
    text = get_text(values, name)
    if text is None:
        raise AnswerError(AnswerFlaw.JSON_SHAPE)
    return text


def _join_procedure(procedure: JsonObject) -> str | None:
    code = get_text(procedure, "procedureCode")
    kind = get_text(procedure, "productOrServiceIDQualifierCode")
    return f"{kind}:{code}" if kind and code else code


def _read_messages(benefit: JsonObject) -> Iterator[str]:
    left = MAX_MESSAGE_CHARS
    for each in get_objects(benefit, "additionalInformation"):
        text = get_text(each, "description")
        if text and left > 0:
            yield text[:left]
            left -= len(text)


def _read_dates(values: JsonObject) -> tuple[DatedPeriod, ...]:
    """Read the named dates that are single days or periods; other members, such as lists, are left alone."""
    found = []
    for name in values:
        if isinstance(values[name], str | int) and (text := get_text(values, name)):
            start, end = _split_period(text)
            first, last = parse_day(start), parse_day(end) if end else None
            if last and last < first:
                raise AnswerError(AnswerFlaw.DATE)
            found.append(DatedPeriod(code=_DATE_CODES.get(name, name), first=first, last=last))
    return tuple(found)


def _split_period(text: str) -> tuple[str, str]:
    """Split a period such as "20260101-20261231". A day with hyphens is no period."""
    if len(text) == 17 and text[8] == "-":
        return text[:8], text[9:]
    if len(text) == 21 and text[10] == "-":
        return text[:10], text[11:]
    return text, ""


def _read_references(values: JsonObject) -> tuple[Reference, ...]:
    return tuple(
        Reference(code=_REFERENCE_CODES.get(name, name), value=text)
        for name in values
        if isinstance(values[name], str | int) and (text := get_text(values, name))
    )


def _read_entities(benefit: JsonObject) -> Iterator[RelatedEntity]:
    """Read the entities of a row. Some answers repeat the first one under an older name."""
    entities = get_objects(benefit, "benefitsRelatedEntities")
    single = get_object(benefit, "benefitsRelatedEntity")
    for each in entities or ([single] if single else []):
        role = _require_text(each, "entityIdentifier")
        names = [get_text(each, name) for name in ("entityFirstname", "entityMiddlename", "entityName")]
        yield RelatedEntity(
            role=_ROLE_CODES.get(role.casefold(), role),
            name=" ".join(filter(None, names)) or None,
            id_code=get_text(each, "entityIdentification"),
            entity_id=get_text(each, "entityIdentificationValue"),
            contacts=_read_contacts(each),
        )


def _read_contacts(values: JsonObject) -> tuple[ContactWay, ...]:
    contacts = get_objects(get_object(values, "contactInformation"), "contacts")
    ways = [(get_text(each, "communicationMode"), get_text(each, "communicationNumber")) for each in contacts]
    return tuple(
        ContactWay(kind=_CONTACT_KINDS.get(mode.casefold(), mode), value=value)
        for mode, value in ways
        if mode and value
    )


def _read_person(person: JsonObject) -> AnsweredPerson:
    return AnsweredPerson(
        family_name=get_text(person, "lastName"),
        given_name=get_text(person, "firstName"),
        middle_name=get_text(person, "middleName"),
        birth_date=get_day(person, "dateOfBirth"),
        sex=(get_text(person, "gender") or "")[:1] or None,
        member_id=get_text(person, "memberId"),
    )


def _read_rejections(
    document: JsonObject, subscriber: JsonObject, dependents: Sequence[JsonObject]
) -> Iterator[Rejection]:
    """Read the rejections where they are, and those of the common list that are nowhere else."""
    placed = [
        *_read_aaa(get_object(document, "payer"), AnswerLoop.SOURCE),
        *_read_aaa(get_object(document, "provider"), AnswerLoop.RECEIVER),
        *_read_aaa(subscriber, AnswerLoop.SUBSCRIBER),
        *(found for each in dependents for found in _read_aaa(each, AnswerLoop.DEPENDENT)),
    ]
    yield from placed
    codes = {each.code for each in placed}
    for each in get_objects(document, "errors"):
        location = _LOCATION.search(get_text(each, "location") or "")
        loop = _LOOPS[location[1]] if location else AnswerLoop.SUBSCRIBER
        rejection = _describe(each, loop)
        if rejection.code not in codes:
            yield rejection


def _read_aaa(values: JsonObject, loop: AnswerLoop) -> Iterator[Rejection]:
    return (_describe(each, loop) for each in get_objects(values, "aaaErrors"))


def _describe(error: JsonObject, loop: AnswerLoop) -> Rejection:
    action = get_text(error, "followupAction")
    follow_up = _FOLLOW_UPS.get(action.casefold().rstrip("."), action) if action else None
    return describe_rejection(_require_text(error, "code"), follow_up=follow_up, loop=loop)
