"""Reads the loops of a 271: source, receiver, subscriber, dependent, and the benefit rows of the patient.

The order of segments is part of their meaning: a date belongs to the row before it. A segment at a place
where the guide has none is therefore an error, never skipped.

Source:
    X12 005010X279A1 271, loops 2000A to 2120D.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from chalicelib.domain.coverage.rejections import AnswerLoop, Rejection, describe_rejection
from chalicelib.domain.coverage.rows import (
    MAX_MESSAGE_CHARS,
    MAX_ROWS,
    AnsweredPerson,
    BenefitRow,
    ContactWay,
    DatedPeriod,
    PayerAnswer,
    Reference,
    RelatedEntity,
)
from chalicelib.domain.coverage.x12_envelope import Segment
from chalicelib.domain.coverage.x12_error import X12Error, X12Flaw

_LEVELS = ("20", "21", "22", "23")
_LOOPS = {
    "20": AnswerLoop.SOURCE,
    "21": AnswerLoop.RECEIVER,
    "22": AnswerLoop.SUBSCRIBER,
    "23": AnswerLoop.DEPENDENT,
}

# Segments of each part in the guide's order; a segment can repeat and can be left out.
_NAME_ORDER = {
    "20": ("HL", "AAA", "NM1", "PER", "AAA"),
    "21": ("HL", "NM1", "REF", "N3", "N4", "AAA", "PRV"),
    "22": ("HL", "TRN", "NM1", "REF", "N3", "N4", "AAA", "PRV", "DMG", "INS", "HI", "DTP", "MPI"),
    "23": ("HL", "TRN", "NM1", "REF", "N3", "N4", "AAA", "PRV", "DMG", "INS", "HI", "DTP", "MPI"),
}
_ROW_ORDER = ("EB", "HSD", "REF", "DTP", "AAA", "MSG", "III", "LS")
_ENTITY_ORDER = ("NM1", "N3", "N4", "PER", "PRV")
_NOT_REPEATED = frozenset({"HL", "NM1", "N3", "N4", "DMG", "INS", "HI", "MPI", "EB", "LS"})

_CONTACT_KINDS = {"TE": "phone", "WP": "phone", "FX": "fax", "EM": "email", "UR": "url", "EX": "extension"}
_NUMBER = re.compile(r"-?(\d{1,18}\.?\d{0,18}|\.\d{1,18})", re.ASCII)
_DATE = re.compile(r"\d{8}", re.ASCII)
_PLACE_OF_SERVICE = "ZZ"


@dataclass(slots=True)
class _Level:
    """One HL loop: the segments before its first row, and its rows."""

    code: str
    head: list[Segment] = field(default_factory=list)
    rows: list[list[Segment]] = field(default_factory=list)

    def find(self, name: str) -> Segment | None:
        return next((each for each in self.head if each.name == name), None)

    def list_all(self, name: str) -> Sequence[Segment]:
        return [each for each in self.head if each.name == name]


def read_271(body: Sequence[Segment], *, trace_id: str, answered_at: datetime) -> PayerAnswer:
    """Read a 271.

    Args:
        body: The segments between ST and SE.
        trace_id: Of the question.
        answered_at: When it arrived.

    Raises:
        X12Error: the order of segments is not the guide's, a value is not readable, or the answer
            belongs to another question.
    """
    if not body or body[0].name != "BHT" or body[0].get(2) != "11":
        raise X12Error(X12Flaw.NO_ANSWER, body[0].number if body else None)
    levels = _split_levels(body[1:])
    subscriber, dependent = levels.get("22"), levels.get("23")
    patient = dependent or subscriber
    _check_trace(body[0], patient, trace_id)
    rows = [_read_row(segments, number) for number, segments in enumerate(patient.rows, start=1)] if patient else []
    source = levels["20"]
    payer = source.find("NM1")
    return PayerAnswer(
        trace_id=trace_id,
        answered_at=answered_at,
        payer_name=_join_name(payer) if payer else None,
        payer_contacts=tuple(way for each in source.list_all("PER") for way in _read_contacts(each)),
        subscriber=_read_person(subscriber) if subscriber else None,
        dependent=_read_person(dependent) if dependent else None,
        dates=_read_dates((dependent.list_all("DTP") if dependent else []) or _list_subscriber(subscriber, "DTP")),
        references=tuple(
            _read_reference(each)
            for each in (*(dependent.list_all("REF") if dependent else ()), *_list_subscriber(subscriber, "REF"))
        ),
        rows=tuple(rows[:MAX_ROWS]),
        rejections=tuple(
            _read_rejection(each, _LOOPS[level.code]) for level in levels.values() for each in level.list_all("AAA")
        ),
        rows_left_out=max(0, len(rows) - MAX_ROWS),
    )


def _list_subscriber(subscriber: _Level | None, name: str) -> Sequence[Segment]:
    return subscriber.list_all(name) if subscriber else []


def _split_levels(segments: Sequence[Segment]) -> dict[str, _Level]:
    """Split the body by its HL segments, which must name their parents in order and each level once."""
    levels: dict[str, _Level] = {}
    level = None
    for segment in segments:
        if segment.name == "HL":
            level = _open_level(segment, levels)
            levels[level.code] = level
        if level is None:
            raise X12Error(X12Flaw.ORDER, segment.number)
        if segment.name == "EB":
            level.rows.append([])
        (level.rows[-1] if level.rows else level.head).append(segment)
    if not levels:
        raise X12Error(X12Flaw.NO_ANSWER)
    for each in levels.values():
        _check_head(each)
    return levels


def _open_level(segment: Segment, levels: dict[str, _Level]) -> _Level:
    code = segment.require(3)
    number = len(levels) + 1
    if number > len(_LEVELS) or code != _LEVELS[number - 1]:
        raise X12Error(X12Flaw.ORDER, segment.number)
    parent = str(number - 1) if number > 1 else None
    if segment.require(1) != str(number) or segment.get(2) != parent:
        raise X12Error(X12Flaw.HIERARCHY, segment.number)
    return _Level(code)


def _check_head(level: _Level) -> None:
    _check_order(level.head, _NAME_ORDER[level.code])
    if level.rows and level.code not in {"22", "23"}:
        raise X12Error(X12Flaw.ORDER, level.rows[0][0].number)
    if level.code == "21" and not level.find("NM1"):
        raise X12Error(X12Flaw.NAME_MISSING, level.head[0].number)


def _check_order(segments: Sequence[Segment], order: Sequence[str]) -> None:
    """Check that segments come in the guide's order, each at one of its places."""
    place = 0
    before = None
    for segment in segments:
        repeats = segment.name == before and segment.name not in _NOT_REPEATED
        start = place if repeats or before is None else place + 1
        try:
            place = order.index(segment.name, start)
        except ValueError:
            raise X12Error(X12Flaw.ORDER, segment.number) from None
        before = segment.name


def _check_trace(bht: Segment, patient: _Level | None, trace_id: str) -> None:
    """Check that this answers our question.

    A payer repeats the trace where it was sent: with the patient. A refusal that does not reach the
    patient has no trace, so the id of the transaction counts, which a real-time answer repeats.
    """
    traces = [each for each in patient.list_all("TRN") if each.get(1) == "2"] if patient else []
    if traces:
        if not any(each.get(2) == trace_id for each in traces):
            raise X12Error(X12Flaw.OTHER_TRACE, traces[0].number)
        return
    if patient and (patient.rows or not patient.find("AAA")):
        raise X12Error(X12Flaw.NO_TRACE, patient.head[0].number)
    # Without a patient, nothing of a person can be mixed up, so a payer may leave the id out.
    if bht.get(3) != trace_id and (patient or bht.get(3)):
        raise X12Error(X12Flaw.OTHER_TRACE, bht.number)


def _read_person(level: _Level) -> AnsweredPerson:
    name, demographics = level.find("NM1"), level.find("DMG")
    if name is None:
        raise X12Error(X12Flaw.NAME_MISSING, level.head[0].number)
    return AnsweredPerson(
        family_name=name.get(3),
        given_name=name.get(4),
        middle_name=name.get(5),
        birth_date=_read_birth_date(demographics) if demographics else None,
        sex=demographics.get(3) if demographics else None,
        member_id=name.get(9) if name.get(8) == "MI" else None,
    )


def _read_birth_date(demographics: Segment) -> date | None:
    text = demographics.get(2)
    if text is None:
        return None
    if demographics.get(1) != "D8":
        raise X12Error(X12Flaw.DATE, demographics.number)
    return _read_day(text, demographics)


def _read_row(segments: Sequence[Segment], number: int) -> BenefitRow:
    head, entities = _split_entities(segments)
    eb = head[0]
    procedure = eb.list_components(13)
    return BenefitRow(
        number=number,
        code=eb.require(1),
        level=eb.get(2),
        service_types=eb.list_repeats(3),
        insurance_type=eb.get(4),
        plan_name=eb.get(5),
        period=eb.get(6),
        amount=_read_number(eb, 7),
        percent=_read_number(eb, 8),
        quantity_code=eb.get(9),
        quantity=_read_number(eb, 10),
        authorization=eb.get(11),
        in_network=eb.get(12),
        procedure=":".join(procedure[:2]) or None,
        places_of_service=tuple(
            each.require(2) for each in head if each.name == "III" and each.get(1) == _PLACE_OF_SERVICE
        ),
        messages=_read_messages(head),
        dates=_read_dates([each for each in head if each.name == "DTP"]),
        references=tuple(_read_reference(each) for each in head if each.name == "REF"),
        entities=tuple(entities),
        rejections=tuple(_read_rejection(each, AnswerLoop.BENEFIT) for each in head if each.name == "AAA"),
    )


def _split_entities(segments: Sequence[Segment]) -> tuple[Sequence[Segment], Sequence[RelatedEntity]]:
    """Split a row at its LS segment: what is about the row, and the entities between LS and LE."""
    starts = [place for place, each in enumerate(segments) if each.name == "LS"]
    if not starts:
        _check_order(segments, _ROW_ORDER)
        return segments, []
    head, inner = segments[: starts[0]], segments[starts[0] + 1 :]
    _check_order(segments[: starts[0] + 1], _ROW_ORDER)
    if not inner or inner[-1].name != "LE" or len(starts) > 1:
        raise X12Error(X12Flaw.ORDER, segments[starts[0]].number)
    if inner[-1].get(1) != segments[starts[0]].get(1):
        raise X12Error(X12Flaw.LOOP_IDENTIFIER, inner[-1].number)
    return head, list(_read_entities(inner[:-1]))


def _read_entities(segments: Sequence[Segment]) -> Iterator[RelatedEntity]:
    groups: list[list[Segment]] = []
    for segment in segments:
        if segment.name == "NM1":
            groups.append([])
        if not groups:
            raise X12Error(X12Flaw.ORDER, segment.number)
        groups[-1].append(segment)
    for group in groups:
        _check_order(group, _ENTITY_ORDER)
        name = group[0]
        yield RelatedEntity(
            role=name.require(1),
            name=_join_name(name),
            id_code=name.get(8),
            entity_id=name.get(9),
            contacts=tuple(way for each in group if each.name == "PER" for way in _read_contacts(each)),
        )


def _join_name(name: Segment) -> str | None:
    """The name of an organization, or of a person in the order in which it is said."""
    places = (4, 5, 3, 7) if name.get(2) == "1" else (3,)
    return " ".join(part for place in places if (part := name.get(place))) or None


def _read_contacts(per: Segment) -> Iterator[ContactWay]:
    for place in (3, 5, 7):
        code, value = per.get(place), per.get(place + 1)
        if code and value:
            yield ContactWay(kind=_CONTACT_KINDS.get(code, code), value=value)


def _read_reference(ref: Segment) -> Reference:
    return Reference(code=ref.require(1), value=ref.require(2), description=ref.get(3))


def _read_rejection(aaa: Segment, loop: AnswerLoop) -> Rejection:
    return describe_rejection(aaa.require(3), follow_up=aaa.get(4), loop=loop)


def _read_dates(segments: Sequence[Segment]) -> tuple[DatedPeriod, ...]:
    return tuple(_read_period(each) for each in segments)


def _read_period(dtp: Segment) -> DatedPeriod:
    code, form, text = dtp.require(1), dtp.require(2), dtp.require(3)
    if form == "D8":
        return DatedPeriod(code=code, first=_read_day(text, dtp))
    first, separator, last = text.partition("-")
    if form != "RD8" or not separator:
        raise X12Error(X12Flaw.DATE, dtp.number)
    period = DatedPeriod(code=code, first=_read_day(first, dtp), last=_read_day(last, dtp))
    if period.last and period.last < period.first:
        raise X12Error(X12Flaw.DATE, dtp.number)
    return period


def _read_day(text: str, segment: Segment) -> date:
    if not _DATE.fullmatch(text):
        raise X12Error(X12Flaw.DATE, segment.number)
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise X12Error(X12Flaw.DATE, segment.number) from None


def _read_number(segment: Segment, place: int) -> Decimal | None:
    text = segment.get(place)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise X12Error(X12Flaw.NUMBER, segment.number)
    return Decimal(text)


def _read_messages(segments: Sequence[Segment]) -> tuple[str, ...]:
    """The messages of a row, together at most `MAX_MESSAGE_CHARS`."""
    kept, left = [], MAX_MESSAGE_CHARS
    for segment in segments:
        text = (segment.get(1) or "") if segment.name == "MSG" else ""
        if text and left > 0:
            kept.append(text[:left])
            left -= len(text)
    return tuple(kept)
