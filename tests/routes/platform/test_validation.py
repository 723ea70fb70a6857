"""What was sent is validated, and what is wrong is named without repeating it."""

import json
from typing import Annotated

import pytest
from chalice.app import MultiDict
from pydantic import Field

from chalicelib.errors import MalformedError
from chalicelib.routes.platform import validation
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.query_params import PageQuery
from chalicelib.routes.referrals.event_bodies import EventRequest
from chalicelib.routes.referrals.request_bodies import ReferralRequest
from tests.support.factories import build_referral_body


def test_a_repeated_parameter_is_refused():
    """Of two, one reader takes the first and another the last."""
    with pytest.raises(MalformedError) as refusal:
        validation.parse_query(PageQuery, MultiDict({"limit": ["7", "8"]}))

    assert refusal.value.code == "parameter_twice"


def pointers(model, raw):
    with pytest.raises(MalformedError) as refusal:
        validation.parse_body(model, raw)
    return [(fault.pointer, fault.code) for fault in refusal.value.errors]


def test_a_fault_points_into_the_body_that_was_sent():
    """In a choice by `type` too, whose name is in no body."""
    event = b'{"type": "stage.changed", "occurred_at": "2026-11-20T10:00:00Z", "data": {"stage": 1}}'

    assert pointers(EventRequest, event)[0][0] == "/data/stage"
    assert pointers(EventRequest, b'{"type": "x"}')[0][0] == "/type"
    assert pointers(EventRequest, b"{}")[0][0] == "/type"
    assert pointers(ReferralRequest, b'{"patient": 1}')[0][0] == "/patient"


class Anything(StrictModel):
    """A body with one field."""

    known: Annotated[int, Field(ge=0)] = 0


@pytest.mark.parametrize("name", ["lot", "ana_example_1961", "Ana Example", "x" * 41])
def test_the_name_of_an_unknown_field_is_never_repeated(name):
    """It is the sender's text, and may be a patient's. Several of them are one error."""
    raw = ('{"%s": 1, "%s2": 2}' % (name, name)).encode()  # noqa: UP031 braces are the point

    assert pointers(Anything, raw) == [("/\u2026", "extra_forbidden")]


def test_a_valid_body_is_read():
    """So that the refusals above mean something."""
    body = validation.parse_body(ReferralRequest, json.dumps(build_referral_body()).encode())

    assert body.patient.family_name == "Example"
