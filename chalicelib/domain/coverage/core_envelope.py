"""The CAQH CORE real-time envelope: one X12 interchange in a SOAP 1.2 message.

Source:
    CAQH CORE Connectivity Rule vC2.2.0, May 2020, real-time message structure and error codes; a clearing
    house's public description of the same endpoint. Read 2026-11-28.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.parsers import expat
from xml.sax.saxutils import escape

from chalicelib.domain.coverage.answer_error import AnswerError, AnswerFlaw
from chalicelib.domain.coverage.rows import AttemptFailure, FailureKind

MEDIA_TYPE = 'application/soap+xml; charset=utf-8; action="RealTimeTransaction"'
PAYLOAD_TYPE = "X12_270_Request_005010X279A1"
RULE_VERSION = "2.2.0"
MAX_DEPTH = 30

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_CORE = "http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd"
_SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"  # noqa: S105 the name of a format

_RESPONSE = "COREEnvelopeRealTimeResponse"
_FIELDS = frozenset({"PayloadType", "Payload", "ErrorCode", "PayloadID"})
_CODE = re.compile(r"[A-Za-z]{1,40}", re.ASCII)

_RETRIED = "The payer could not process the request. We keep trying."
_REFUSED = "The payer refused our access. The connection to this payer must be set up again."
_NOT_READ = "The payer could not read our request. We have been notified."


@dataclass(frozen=True, slots=True)
class CoreReply:
    """What an envelope holds. Values are stripped; what is missing is empty."""

    payload_type: str = ""
    payload: str = ""
    error_code: str = ""
    fault_codes: tuple[str, ...] = ()


def build_core_request(
    payload: bytes,
    *,
    sender_id: str,
    receiver_id: str,
    payload_id: str,
    sent_at: datetime,
    login: tuple[str, str] | None = None,
) -> bytes:
    """Build the message around an interchange.

    Args:
        login: Name and password for a UsernameToken; None if a client certificate identifies us.

    Raises:
        ValueError: the interchange would end the character data that it is written in.
    """
    text = payload.decode("ascii")
    if "]]>" in text:
        raise ValueError("the payload cannot be written as character data")
    fields = {
        "PayloadType": PAYLOAD_TYPE,
        "ProcessingMode": "RealTime",
        "PayloadID": payload_id,
        "TimeStamp": f"{sent_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "SenderID": sender_id,
        "ReceiverID": receiver_id,
        "CORERuleVersion": RULE_VERSION,
    }
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{_SOAP}">{_build_header(login)}<soapenv:Body>'
        f'<ns1:COREEnvelopeRealTimeRequest xmlns:ns1="{_CORE}">{members}'
        f"<Payload><![CDATA[{text}]]></Payload></ns1:COREEnvelopeRealTimeRequest>"
        "</soapenv:Body></soapenv:Envelope>"
    ).encode()


def _build_header(login: tuple[str, str] | None) -> str:
    if login is None:
        return "<soapenv:Header/>"
    name, password = login
    return (
        f'<soapenv:Header><wsse:Security soapenv:mustUnderstand="true" xmlns:wsse="{_SECURITY}">'
        f"<wsse:UsernameToken><wsse:Username>{escape(name)}</wsse:Username>"
        f'<wsse:Password Type="{_PASSWORD_TEXT}">{escape(password)}</wsse:Password>'
        "</wsse:UsernameToken></wsse:Security></soapenv:Header>"
    )


def read_core_reply(raw: bytes) -> CoreReply:
    """Read the answer to a real-time request, or a SOAP fault.

    Only elements and text are read: a document type, and with it every entity of its own, is refused.

    Raises:
        AnswerError: it is not such an answer.
    """
    if not raw.strip():
        raise AnswerError(AnswerFlaw.EMPTY)
    reader = _ReplyReader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.open_element
    parser.EndElementHandler = reader.close_element
    parser.CharacterDataHandler = reader.add_text
    try:
        parser.Parse(raw, True)  # noqa: FBT003 expat's own signature
    except (expat.ExpatError, LookupError, ValueError) as e:
        raise AnswerError(AnswerFlaw.XML) from e
    return reader.build()


@dataclass(slots=True)
class _ReplyReader:
    """Collects the fields of the response and the codes of a fault while expat reads."""

    path: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    fault_codes: list[list[str]] = field(default_factory=list)
    seen_reply: bool = False

    def refuse_doctype(self, *_: object) -> None:
        raise AnswerError(AnswerFlaw.XML_DOCTYPE)

    def open_element(self, name: str, _attributes: Mapping[str, str]) -> None:
        self.path.append(name.rpartition(" ")[2])
        if len(self.path) > MAX_DEPTH:
            raise AnswerError(AnswerFlaw.XML_DEPTH)
        if self.path[-1] in {_RESPONSE, "Fault"}:
            self.seen_reply = True
        if self._is_field():
            if self.path[-1] in self.texts:
                raise AnswerError(AnswerFlaw.ENVELOPE)
            self.texts[self.path[-1]] = []
        if self._is_fault_code():
            self.fault_codes.append([])

    def close_element(self, _name: str) -> None:
        self.path.pop()

    def add_text(self, text: str) -> None:
        if self._is_field():
            self.texts[self.path[-1]].append(text)
        elif self._is_fault_code():
            self.fault_codes[-1].append(text)

    def build(self) -> CoreReply:
        if not self.seen_reply:
            raise AnswerError(AnswerFlaw.ENVELOPE)
        values = {name: "".join(parts).strip() for name, parts in self.texts.items()}
        # A line break can be the terminator of the last segment.
        payload = "".join(self.texts.get("Payload", ())).lstrip().rstrip(" \t")
        return CoreReply(
            payload_type=values.get("PayloadType", ""),
            payload=payload,
            error_code=values.get("ErrorCode", ""),
            fault_codes=tuple("".join(parts).strip().rpartition(":")[2] for parts in self.fault_codes),
        )

    def _is_field(self) -> bool:
        return len(self.path) > 1 and self.path[-2] == _RESPONSE and self.path[-1] in _FIELDS

    def _is_fault_code(self) -> bool:
        """Whether this is a code of a fault: `Value` in SOAP 1.2, `faultcode` in SOAP 1.1."""
        return "Fault" in self.path and self.path[-1] in {"Value", "faultcode"}


def find_envelope_failure(reply: CoreReply) -> AttemptFailure | None:
    """Find why an envelope brings no interchange; None if it does."""
    if reply.fault_codes:
        return _describe_fault(reply.fault_codes)
    code = reply.error_code
    if code in {"", "Success"}:
        if reply.payload:
            return None
        return AttemptFailure(kind=FailureKind.RETRY, reason="empty_payload", sentence=_RETRIED)
    reason = f"core_{code.lower()}" if _CODE.fullmatch(code) else "core_other"
    if code == "UnAuthorized":
        return AttemptFailure(kind=FailureKind.SET_UP, reason=reason, sentence=_REFUSED)
    if code in {"VersionMismatch", "Sender"} or code.endswith(("Required", "Illegal")):
        return AttemptFailure(kind=FailureKind.OURS, reason=reason, sentence=_NOT_READ)
    return AttemptFailure(kind=FailureKind.RETRY, reason=reason, sentence=_RETRIED)


def _describe_fault(codes: tuple[str, ...]) -> AttemptFailure:
    if any("authentic" in code.lower() or "security" in code.lower() for code in codes):
        return AttemptFailure(kind=FailureKind.SET_UP, reason="fault_security", sentence=_REFUSED)
    if codes[0] in {"Sender", "Client", "VersionMismatch", "MustUnderstand"}:
        return AttemptFailure(kind=FailureKind.OURS, reason="fault_sender", sentence=_NOT_READ)
    return AttemptFailure(kind=FailureKind.RETRY, reason="fault_receiver", sentence=_RETRIED)
