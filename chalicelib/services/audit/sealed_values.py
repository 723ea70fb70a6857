"""Values that only this product can have written: encrypted with a key that KMS guards.

Write access to a table is not enough to make one.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from chalicelib.store.all_stores import Stores

_ENCRYPTION_SCOPE = "service"


def seal_value(value: Mapping[str, Any], context: str, *, stores: Stores) -> bytes:
    """Encrypt a value for one place, its `context`."""
    return stores.encryption.encrypt(json.dumps(value).encode(), scope=_ENCRYPTION_SCOPE, context=context)


def open_sealed(ciphertext: object, context: str, *, stores: Stores) -> Any:
    """Decrypt what `seal_value` encrypted, from bytes or base64; None if it cannot be decrypted."""
    # A cold start does not need cryptography, so it is imported only here.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        raw = ciphertext if isinstance(ciphertext, bytes) else b64decode(str(ciphertext))
        return json.loads(stores.encryption.decrypt(raw, scope=_ENCRYPTION_SCOPE, context=context))
    except (InvalidTag, ValueError):
        return None
