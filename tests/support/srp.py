"""Sign-in by Secure Remote Password, as Cognito's own client libraries do it: the password is never sent.

Source: SRP-6a (RFC 5054) with the group of RFC 3526 section 5, and the key derivation of `amazon-cognito-identity-js`.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
_GENERATOR = 2


def sign_in(client: Any, *, client_id: str, pool_id: str, email: str, password: str, now: datetime) -> Any:
    """Sign in with Cognito's API alone, and return what it answers to the proof."""
    private = secrets.randbelow(_PRIME)
    public = pow(_GENERATOR, private, _PRIME)
    asked = client.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_SRP_AUTH",
        AuthParameters={"USERNAME": email, "SRP_A": format(public, "x")},
    )["ChallengeParameters"]
    person, pool = asked["USER_ID_FOR_SRP"], pool_id.partition("_")[2]
    theirs, salt = int(asked["SRP_B"], 16), int(asked["SALT"], 16)
    scrambler = _hash(_pad(public), _pad(theirs))
    secret = _hash(_pad(salt), hashlib.sha256(f"{pool}{person}:{password}".encode()).digest())
    multiplier = _hash(_pad(_PRIME), _pad(_GENERATOR))
    base = (theirs - multiplier * pow(_GENERATOR, secret, _PRIME)) % _PRIME
    shared = pow(base, private + scrambler * secret, _PRIME)
    extracted = hmac.digest(_pad(scrambler), _pad(shared), "sha256")
    key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
    stamp = f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now.year}"
    message = f"{pool}{person}".encode() + base64.b64decode(asked["SECRET_BLOCK"]) + stamp.encode()
    return client.respond_to_auth_challenge(
        ClientId=client_id,
        ChallengeName="PASSWORD_VERIFIER",
        ChallengeResponses={
            "USERNAME": person,
            "TIMESTAMP": stamp,
            "PASSWORD_CLAIM_SECRET_BLOCK": asked["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, message, "sha256")).decode(),
        },
    )


def _pad(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")
