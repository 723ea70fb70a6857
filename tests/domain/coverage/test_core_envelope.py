"""The SOAP envelope: what is written into it, and what is refused in an answer."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.coverage.answer_error import AnswerError, AnswerFlaw
from chalicelib.domain.coverage.core_envelope import (
    CoreReply,
    build_core_request,
    find_envelope_failure,
    read_core_reply,
)
from chalicelib.domain.coverage.rows import FailureKind
from infra.payers import core

RESPONSE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    '<ns0:COREEnvelopeRealTimeResponse xmlns:ns0="http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd">'
    "<PayloadType>X12_271_Response_005010X279A1</PayloadType><ProcessingMode>RealTime</ProcessingMode>"
    "<Payload><![CDATA[ISA*00~]]></Payload><ErrorCode>\n  Success </ErrorCode><ErrorMessage/>"
    "</ns0:COREEnvelopeRealTimeResponse></s:Body></s:Envelope>"
)


def build(**changes):
    values = {
        "sender_id": "CARTHUB",
        "receiver_id": "PAYERSIM",
        "payload_id": "id-1",
        "sent_at": datetime(2026, 11, 28, 14, 5, tzinfo=UTC),
    }
    return build_core_request(b"ISA*00~", **{**values, **changes}).decode()


def refuse(text):
    with pytest.raises(AnswerError) as error:
        read_core_reply(text if isinstance(text, bytes) else text.encode())
    return error.value.reason


def test_a_request_holds_the_interchange_unchanged():
    assert core.read_field(build(), "Payload") == "ISA*00~"


def test_a_login_is_escaped():
    text = build(login=("A&B", "<p>\"w'd]]>"))

    assert core.read_field(text, "Username") == "A&B"
    assert core.read_field(text, "Password") == "<p>\"w'd]]>"


def test_without_a_login_the_header_is_empty():
    assert "Security" not in build()


def test_an_interchange_that_would_end_its_character_data_is_refused():
    with pytest.raises(ValueError, match="character data"):
        build_core_request(
            b"ISA]]>", sender_id="A", receiver_id="B", payload_id="C", sent_at=datetime(2026, 1, 1, tzinfo=UTC)
        )


def test_the_fields_of_an_answer_are_read():
    assert read_core_reply(RESPONSE.encode()) == CoreReply(
        payload_type="X12_271_Response_005010X279A1", payload="ISA*00~", error_code="Success"
    )


def test_prefixes_and_escapes_of_others_change_nothing():
    text = RESPONSE.replace("<![CDATA[ISA*00~]]>", "ISA*00&amp;~").replace("ns0:", "x:").replace("xmlns:ns0", "xmlns:x")

    assert read_core_reply(text.encode()).payload == "ISA*00&~"


def test_a_line_break_that_ends_the_last_segment_is_kept():
    text = RESPONSE.replace("ISA*00~]]>", "\n ISA*00\n]]>  ")

    assert read_core_reply(text.encode()).payload == "ISA*00\n"


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", AnswerFlaw.EMPTY),
        (" \n", AnswerFlaw.EMPTY),
        ("ISA*00*", AnswerFlaw.XML),
        (RESPONSE[:-4], AnswerFlaw.XML),
        (RESPONSE + "x", AnswerFlaw.XML),
        (RESPONSE.replace("ErrorCode>", "ErrorCode:x>"), AnswerFlaw.XML),
        ('<?xml version="1.0" encoding="no-such"?>' + RESPONSE, AnswerFlaw.XML),
        (b"\xff\xfe\x00", AnswerFlaw.XML),
        ("<html><body>Service unavailable</body></html>", AnswerFlaw.ENVELOPE),
        (RESPONSE.replace("<ErrorMessage/>", "<Payload>other</Payload>"), AnswerFlaw.ENVELOPE),
        ("<a>" * 40, AnswerFlaw.XML_DEPTH),
        ("<!DOCTYPE a>" + RESPONSE, AnswerFlaw.XML_DOCTYPE),
        ('<!DOCTYPE a [<!ENTITY b "ISA">]>' + RESPONSE.replace("ISA*00~", "&b;"), AnswerFlaw.XML_DOCTYPE),
        ('<!DOCTYPE a SYSTEM "file:///etc/hostname">' + RESPONSE, AnswerFlaw.XML_DOCTYPE),
        (RESPONSE.replace("<![CDATA[ISA*00~]]>", "&undefined;"), AnswerFlaw.XML),
    ],
)
def test_what_is_no_envelope_is_refused(text, flaw):
    assert refuse(text) is flaw


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("UnAuthorized", FailureKind.SET_UP, "core_unauthorized"),
        ("VersionMismatch", FailureKind.OURS, "core_versionmismatch"),
        ("PayloadIDRequired", FailureKind.OURS, "core_payloadidrequired"),
        ("SenderIDIllegal", FailureKind.OURS, "core_senderidillegal"),
        ("Sender", FailureKind.OURS, "core_sender"),
        ("Receiver", FailureKind.RETRY, "core_receiver"),
        ("SomethingElse", FailureKind.RETRY, "core_somethingelse"),
        ("ANA EXAMPLE XEX0003", FailureKind.RETRY, "core_other"),
    ],
)
def test_each_error_code_says_who_acts(code, kind, reason):
    failure = find_envelope_failure(CoreReply(error_code=code, payload="ISA"))

    assert failure
    assert (failure.kind, failure.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (("Sender",), FailureKind.OURS),
        (("Client",), FailureKind.OURS),
        (("Sender", "FailedAuthentication"), FailureKind.SET_UP),
        (("InvalidSecurity",), FailureKind.SET_UP),
        (("Receiver",), FailureKind.RETRY),
        (("Server",), FailureKind.RETRY),
        (("",), FailureKind.RETRY),
    ],
)
def test_each_fault_says_who_acts(codes, kind):
    failure = find_envelope_failure(CoreReply(fault_codes=codes))

    assert failure
    assert failure.kind is kind


def test_a_fault_is_read_in_both_versions_of_soap():
    fault = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault>'
        "<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:FailedAuthentication</s:Value></s:Subcode></s:Code>"
        "</s:Fault></s:Body></s:Envelope>"
    )
    older = "<Envelope><Body><Fault><faultcode>Client</faultcode></Fault></Body></Envelope>"

    assert read_core_reply(fault.encode()).fault_codes == ("Sender", "FailedAuthentication")
    assert read_core_reply(older.encode()).fault_codes == ("Client",)


@pytest.mark.parametrize("code", ["Success", ""])
def test_an_answer_without_payload_is_tried_again(code):
    failure = find_envelope_failure(CoreReply(error_code=code))

    assert failure
    assert failure.reason == "empty_payload"
    assert find_envelope_failure(CoreReply(error_code=code, payload="ISA")) is None


@given(st.binary(max_size=60), st.integers(0, len(RESPONSE)), st.integers(0, 30))
def test_damaged_envelopes_raise_only_our_error(inserted, start, length):
    raw = RESPONSE.encode()
    with contextlib.suppress(AnswerError):
        read_core_reply(raw[:start] + inserted + raw[start + length :])
