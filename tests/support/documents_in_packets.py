"""Documents that were sent another way, for tests of what shows them."""

from chalicelib import wiring
from tests.support.api_client import ApiClient


def add_fax(site: ApiClient, referral_id: str, kind: str) -> None:
    """Record a document that was sent by fax today."""
    sent = {"channel": "fax", "sent_on": wiring.read_clock().date().isoformat(), "to": "+14105550188", "pages": 12}
    answer = site.post(f"/v1/referrals/{referral_id}/documents", {"kind": kind, "sent": sent})
    assert answer.status == 201, answer.text
