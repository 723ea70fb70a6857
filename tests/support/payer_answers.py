"""Questions to payers, and answers built row by row, for tests that need no wire format."""

from dataclasses import replace
from datetime import UTC, date, datetime

from chalicelib.domain.coverage.payers import ConnectionKind, PayerSetup
from chalicelib.domain.coverage.question import BenefitsQuestion, CoveredPerson, Relationship
from chalicelib.domain.coverage.rejections import AnswerLoop, describe_rejection
from chalicelib.domain.coverage.rows import (
    AnsweredPerson,
    BenefitRow,
    ContactWay,
    DatedPeriod,
    PayerAnswer,
    Reference,
    RelatedEntity,
)

ASKED_ON = date(2026, 11, 10)
ANSWERED_AT = datetime(2026, 11, 10, 14, 5, tzinfo=UTC)

ANA = CoveredPerson(family_name="Example", given_name="Ana", birth_date=date(1961, 4, 2), sex="female")
LUIS = CoveredPerson(family_name="Example", given_name="Luis", birth_date=date(2012, 8, 9), sex="male")

PAYER = PayerSetup(
    payer_id="example-health",
    name="Example Health",
    names=("EXAMPLE HEALTH PPO",),
    kind=ConnectionKind.CORE_SOAP,
    address="http://127.0.0.1:1/core",
    electronic_id="99999",
    sender_id="CARTHUB",
    receiver_id="PAYERSIM",
    trace_origin="9CARTHUB01",
    out_of_network_phrases=("not in network",),
    production=False,
)


def a_question(**changes):
    """What the first practice asks about Ana Example, unless changed."""
    question = BenefitsQuestion(
        trace_id="C5F0A1",
        payer_id=PAYER.payer_id,
        provider_npi="1234567893",
        provider_name="Example Practice",
        patient=ANA,
        member_id="XEX0003",
        group="42",
        asked_on=ASKED_ON,
    )
    return replace(question, **changes)


def a_dependent_question(**changes):
    """A question about Luis, who is insured through Ana."""
    return a_question(patient=LUIS, subscriber=ANA, relationship=Relationship.CHILD, **changes)


def an_answer(*rows, **changes):
    """An answer about Ana with rows numbered from 1."""
    answer = PayerAnswer(
        trace_id="C5F0A1",
        answered_at=ANSWERED_AT,
        payer_name="EXAMPLE HEALTH",
        subscriber=AnsweredPerson(
            family_name="EXAMPLE", given_name="ANA", birth_date=ANA.birth_date, sex="F", member_id="XEX0003"
        ),
        rows=tuple(replace(row, number=number) for number, row in enumerate(rows, start=1)),
    )
    return replace(answer, **changes)


def a_row(code, *service_types, **values):
    """One row, by EB01 and EB03."""
    return BenefitRow(number=1, code=code, service_types=service_types, **values)


def a_date(code, first, last=None):
    """A date, by its X12 qualifier."""
    return DatedPeriod(code=code, first=date.fromisoformat(first), last=date.fromisoformat(last) if last else None)


def a_reference(code, value):
    """A number, by its X12 qualifier."""
    return Reference(code=code, value=value)


def an_entity(role, name, *, phone=None, entity_id=None):
    """A named organization, by its X12 entity code."""
    contacts = (ContactWay(kind="phone", value=phone),) if phone else ()
    return RelatedEntity(role=role, name=name, entity_id=entity_id, contacts=contacts)


def a_rejection(code, *, follow_up="C", loop=AnswerLoop.SUBSCRIBER):
    """A rejection, by AAA03."""
    return describe_rejection(code, follow_up=follow_up, loop=loop)
