"""Keyed marks of names, by which a list is searched without opening what is sealed.

A referral carries the marks of every beginning of the patient's names twice, each with the key
of the tenant that searches: its practice's, and once it was sent its center's. They stand in the
tenant's own list index, where DynamoDB filters by them.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable

from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

BLIND_INDEX_BYTES = 3
"""Of a fingerprint. In a list of 10,000, one search in some 30 meets a false mark; what is found
is opened and looked at again. Fewer bytes cost less to keep, and tell a thief less."""

BLIND_INDEX_ATTRIBUTES = {"by_practice": "practice_names", "by_center": "center_names"}
"""Where the marks stand that each index is searched by."""


def build_blind_indexes(prefixes: Iterable[str], *, encryption: EnvelopeEncryption, scope: str) -> str:
    """The marks of beginnings, one behind the other in an order that tells nothing."""
    return "".join(sorted(compute_name_index(each, encryption=encryption, scope=scope) for each in prefixes))


def compute_name_index(prefix: str, *, encryption: EnvelopeEncryption, scope: str) -> str:
    """The mark of one beginning, four characters."""
    return urlsafe_b64encode(encryption.compute_blind_index(prefix, scope=scope)[:BLIND_INDEX_BYTES]).decode()
