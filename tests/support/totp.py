"""An authenticator app: the 6-digit codes of a secret (RFC 6238, as Cognito uses it)."""

import base64
import hashlib
import hmac
import struct
import time

STEP_S = 30


def compute_code(secret: str, *, step: int | None = None) -> str:
    """Compute the code of a base32 secret for a 30-second step; for the current one if `step` is None."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = get_step() if step is None else step
    digest = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def get_step() -> int:
    """The number of the current step."""
    return int(time.time() // STEP_S)
