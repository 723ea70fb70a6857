"""Bodies and signed deliveries that are nearly right, created fast and the same for each seed."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from standardwebhooks import Webhook, WebhookVerificationError

from chalicelib.domain.webhooks.signature import MAX_SIGNATURES, sign_delivery, verify_signature
from chalicelib.errors import ApiError
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.validation import parse_body, validate_tolerantly
from chalicelib.routes.referrals.event_bodies import EventRequest
from chalicelib.routes.referrals.reported_events import parse_delivery_body
from chalicelib.routes.referrals.request_bodies import ReferralRequest
from tests.support import factories

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
"""The time of every delivery; the reference library reads the clock, which has to be fixed."""

SECRET = bytes(range(32))
_STAMP = int(NOW.timestamp())
_LIBRARY = Webhook(SECRET)
_ODD = (
    "", " ", ",", ".", "v1,", "v1a,", "=", "==", "\n", "\x00", "é", "\udcff", "٣", "-", "_", "+",
    "1e9", "nan", "1_7", "%00", "A" * 44, "v2,x", "/", "\u202e",
)  # fmt: skip
_TOKENS = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"NaN", b"-Infinity", b"1e999",
    b"0" * 40, b"9" * 20, b"\\ud800", b"\\u0000", b"\xff", b"\xf0\x9f\x92\x89", b"\x00",
    b"[" * 40, b'{"a":' * 20, b'"type": "stage.changed",', b'"data": {}', b"1.5", b"-0", b"\\",
    b"/*", b"  ", b'"2026-02-30"', b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31"', b"\xed\xa0\x80",
)  # fmt: skip

_AT = {"occurred_at": "2026-11-02T10:00:00-05:00", "sequence": 3}
_WORD = {"reason_code": "misrouted", "note": "x"}
_EVENTS = (
    {"type": "stage.changed", "data": {"stage": "infused", "part": 1, "of": 2, "note": "é",
                                       "local_date": "2026-11-02", "reason_code": None}},
    {"type": "hold.started", "data": {"until": "2026-12-01"} | _WORD},
    {"type": "hold.ended", "data": _WORD},
    {"type": "toxicity.noticed", "data": {"kind": "crs", "grade": 2}},
    {"type": "adverse_event.reported", "data": {"kind": "infection", "grade": 3, "status": "resolved",
                                                "resolved_on": "2026-11-01"} | _WORD},
    {"type": "relapse.reported", "data": {"status": "suspected"} | _WORD},
    {"type": "bridging.reported", "data": {"status": "completed", "by": "other", "regimen": "Pola-BR",
                                           "response": "stable_disease"} | _WORD},
    {"type": "plan.changed", "data": {"plan": "consultation", "starts_at": "2027-03-03T10:00:00-05:00",
                                      "mode": "telehealth", "place": "B4", "contact": "Desk"} | _WORD},
    {"type": "window.extended", "data": {"ends_on": "2026-12-24"} | _WORD},
    {"type": "withdrawal.requested", "data": _WORD},
    {"type": "referral.reopened", "data": _WORD},
    {"type": "event.corrected", "data": {"supersedes": "evt_x", "replacement": {
        "occurred_at": "2026-11-01T10:00:00Z", "data": {"stage": "received"}}}},
)  # fmt: skip
_BODIES: Sequence[bytes] = (
    json.dumps(factories.build_referral_body()).encode(),
    *(json.dumps(event | _AT | {"referral_id": "ref_" + "a" * 26}).encode() for event in _EVENTS),
)


@dataclass(frozen=True, slots=True)
class FuzzedDelivery:
    """A delivery as it arrives."""

    webhook_id: str
    timestamp: str
    signatures: str
    body: bytes

    @property
    def is_well_formed(self) -> bool:
        """Whether its spelling follows the specification, regardless of who signed it."""
        entries = self.signatures.split(" ")
        return bool(
            re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.webhook_id)
            and re.fullmatch(r"[0-9]{10}", self.timestamp, re.ASCII)
            and len(entries) <= MAX_SIGNATURES
            and all(re.fullmatch(r"v1,[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", e) for e in entries)
            and _is_text(self.body)
        )


def build_delivery(chance: Random) -> FuzzedDelivery:
    """Build a delivery with a valid signature, until one part of it is changed."""
    good = FuzzedDelivery(f"msg_{chance.getrandbits(32)}", str(_STAMP + chance.choice(_SHIFTS)), "", b"{}")
    body = chance.choice((b"{}", b"", b'{"a": "\xc3\xa9"}', b"\xff", b"x" * 99))
    made = sign_delivery(SECRET, webhook_id=good.webhook_id, timestamp=good.timestamp, body=body)
    result = {"webhook_id": good.webhook_id, "timestamp": good.timestamp, "signatures": made}
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        name = chance.choice(("webhook_id", "timestamp", "signatures", "signatures"))
        result[name] = chance.choice(_RESPELLINGS)(result[name], chance)
    return FuzzedDelivery(**result, body=body)


def compare_verdicts(sent: FuzzedDelivery) -> tuple[bool, str]:
    """Return our verdict and the reference library's: `accepts`, `refuses` or `stumbles`."""
    ours = verify_signature(
        webhook_id=sent.webhook_id,
        timestamp=sent.timestamp,
        signatures=sent.signatures,
        body=sent.body,
        secrets=(SECRET,),
        now=NOW,
    )
    return ours, _librarys(sent)


def find_disagreement(sent: FuzzedDelivery) -> str:
    """Describe what is wrong with our verdict, compared with the library's; empty where they may differ.

    We are stricter about spellings and about more than 16 signatures, and we skip what makes the
    library fail.
    """
    ours, theirs = compare_verdicts(sent)
    if ours and theirs == "refuses":
        return f"only we accept {sent}"
    if sent.is_well_formed and ours is not (theirs == "accepts"):
        return f"well formed, and the library {theirs} {sent}"
    return ""


def build_body(chance: Random) -> bytes:
    """Change a few bytes of a valid body."""
    raw = chance.choice(_BODIES)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(raw) + 1)
        until = min(len(raw), at + chance.choice((0, 0, 1, 1, 4, 20)))
        with_ = chance.choice((b"", chance.choice(_TOKENS), raw[until : until + 12]))
        raw = raw[:at] + with_ + raw[until:]
    return raw


def check_body(raw: bytes) -> bool:
    """Try every reader of bodies. A refusal is not an error."""
    return sum(_is_read(reader, raw) for reader in (_referral, _report, _delivery)) > 0


def _is_read(reader: Callable[[bytes], object], raw: bytes) -> bool:
    try:
        reader(raw)
    except ApiError:
        return False
    return True


def _referral(raw: bytes) -> object:
    return parse_body(ReferralRequest, raw)


def _report(raw: bytes) -> object:
    return parse_body(EventRequest, raw)


def _delivery(raw: bytes) -> object:
    return validate_tolerantly(EventRequest, parse_delivery_body(strict_json.parse_json(raw))[1])[0]


def _librarys(sent: FuzzedDelivery) -> str:
    headers = {"webhook-id": sent.webhook_id, "webhook-timestamp": sent.timestamp, "webhook-signature": sent.signatures}
    try:
        _LIBRARY.verify(sent.body, headers, json_parse=False)
    except WebhookVerificationError:
        return "refuses"
    except Exception:  # noqa: BLE001 whatever it stumbles over; that it does is known
        return "stumbles"
    return "accepts"


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _cut(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + text[at + chance.choice((1, 2, 8)) :]


def _put_in(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_ODD) + text[at:]


def _changed(text: str, chance: Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chr(chance.choice((33, 48, 57, 65, 122, 160, 0x663))) + text[at + 1 :]


def _among_others(text: str, chance: Random) -> str:
    digest = b64encode(chance.randbytes(chance.choice((31, 32, 32, 33)))).decode()
    others = [chance.choice((f"v1,{digest}", f"v1a,{digest}", f"v2,{digest}", "x", ""))]
    others *= chance.choice((1, 1, 2, 15, 16, 17))
    others.insert(chance.randrange(len(others) + 1), text)
    return " ".join(others)


def _as_it_is(text: str, _chance: Random) -> str:
    return text


_SHIFTS = (0, 0, 0, 0, 299, -299, 300, -300, 301, -301, 10**6)
_RESPELLINGS: Sequence[Callable[[str, Random], str]] = (
    _cut, _put_in, _changed, _among_others, _among_others, _as_it_is,
)  # fmt: skip
