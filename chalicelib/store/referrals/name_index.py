"""The blind index of patient names: search a list by name without decrypting it.

A referral stores a keyed hash of every prefix of the patient's names twice, with the key of each
tenant that searches: its practice's, and after it was sent also its center's. They are part of the
tenant's own list index, where DynamoDB filters by them.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable

from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption

BLIND_INDEX_BYTES = 3
"""How many bytes of a hash are kept. In a list of 10,000, about one search in 30 finds a false match,
so each match is decrypted and checked again. Fewer bytes cost less storage and reveal less to a
thief."""

BLIND_INDEX_ATTRIBUTES = {"by_practice": "practice_names", "by_center": "center_names"}
"""The attribute that has the blind indexes, by list index."""


def build_blind_indexes(prefixes: Iterable[str], *, encryption: EnvelopeEncryption, scope: str) -> str:
    """Compute the blind indexes of prefixes as one text, in an order that reveals nothing."""
    return "".join(sorted(compute_name_index(prefix, encryption=encryption, scope=scope) for prefix in prefixes))


def compute_name_index(prefix: str, *, encryption: EnvelopeEncryption, scope: str) -> str:
    """Compute the blind index of one prefix: four characters."""
    return urlsafe_b64encode(encryption.compute_blind_index(prefix, scope=scope)[:BLIND_INDEX_BYTES]).decode()
