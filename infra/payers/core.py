"""How a simulated payer reads and writes the CAQH CORE real-time envelope."""

import re
import uuid
from datetime import UTC, datetime
from xml.sax.saxutils import escape, unescape

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_CORE = "http://www.caqh.org/SOAP/WSDL/CORERule2.2.0.xsd"
_REQUIRED = ("PayloadType", "ProcessingMode", "PayloadID", "TimeStamp", "SenderID", "ReceiverID", "CORERuleVersion")
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)


def read_field(message: str, name: str) -> str | None:
    """The text of the only element with this name, with any prefix."""
    found = re.findall(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>(.*?)</(?:\w+:)?{name}>", message, re.DOTALL)
    if len(found) != 1:
        return None
    data = _CDATA.fullmatch(found[0])
    return data[1] if data else unescape(found[0].strip())


def find_error(message: str, *, login: tuple[str, str] | None) -> str | None:
    """The error code with which a payer refuses an envelope; None if it is right."""
    if login and (read_field(message, "Username"), read_field(message, "Password")) != login:
        return "UnAuthorized"
    for name in (*_REQUIRED, "Payload"):
        if not read_field(message, name):
            return f"{name}Required"
    if read_field(message, "CORERuleVersion") != "2.2.0":
        return "VersionMismatch"
    if read_field(message, "PayloadType") != "X12_270_Request_005010X279A1":
        return "PayloadTypeIllegal"
    return None


def write_reply(message: str, *, payload_type: str, payload: str, error: str = "Success") -> str:
    """Write the answer to an envelope."""
    fields = {
        "PayloadType": payload_type,
        "ProcessingMode": "RealTime",
        "PayloadID": str(uuid.uuid4()),
        "TimeStamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "SenderID": read_field(message, "ReceiverID") or "",
        "ReceiverID": read_field(message, "SenderID") or "",
        "CORERuleVersion": "2.2.0",
    }
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    data = f"<Payload><![CDATA[{payload}]]></Payload>" if payload else "<Payload/>"
    return (
        f'<s:Envelope xmlns:s="{_SOAP}"><s:Body><ns0:COREEnvelopeRealTimeResponse xmlns:ns0="{_CORE}">'
        f"{members}{data}<ErrorCode>{error}</ErrorCode><ErrorMessage>{error}</ErrorMessage>"
        "</ns0:COREEnvelopeRealTimeResponse></s:Body></s:Envelope>"
    )
