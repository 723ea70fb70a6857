"""How signatures are compared: all with all, in constant time, and no more than a few."""

import hmac
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.webhooks.signature import MAX_SIGNATURES, sign_delivery, verify_signature

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
SENT: dict[str, Any] = {"webhook_id": "msg_1", "timestamp": str(int(NOW.timestamp())), "body": b"{}"}
SECRET, OTHER_SECRET = bytes(range(32)), bytes(range(1, 33))
GOOD = sign_delivery(SECRET, **SENT)


def another(number):
    """A well-formed signature of somebody else's."""
    return sign_delivery(bytes([number]) * 32, **SENT)


def accepted(*signatures, secrets=(SECRET,)):
    """Whether a delivery with these signatures is taken."""
    return verify_signature(signatures=" ".join(signatures), secrets=secrets, now=NOW, **SENT)


def test_every_signature_is_compared_with_every_secret_in_constant_time(monkeypatch):
    """Neither the time nor an early match tells anything of a secret."""
    compared = []
    real = hmac.compare_digest

    def watched(mine, theirs):
        compared.append((mine, theirs))
        return real(mine, theirs)

    monkeypatch.setattr(hmac, "compare_digest", watched)

    assert accepted(GOOD, another(0), secrets=(SECRET, OTHER_SECRET))
    assert len(compared) == 4


def test_as_many_signatures_as_a_rotation_may_need_are_looked_at():
    """Sixteen of them, and not one more."""
    others = [another(number) for number in range(MAX_SIGNATURES)]

    assert MAX_SIGNATURES == 16
    assert accepted(*others[1:], GOOD)
    assert not accepted(*others, GOOD)
