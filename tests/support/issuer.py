"""An issuer of access tokens, and helpers that verify its tokens."""

from datetime import UTC, datetime

from joserfc.jwk import RSAKey

from chalicelib.errors import UnauthenticatedError
from tests.support import tokens

NEW_KEY = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})


class JwksIssuer:
    """The issuer's JWKS document, and how often it was read."""

    def __init__(self):
        self.keys = [tokens.KEY]
        self.failure = None
        self.reads = 0

    def __call__(self):
        self.reads += 1
        if isinstance(self.failure, Exception):
            raise self.failure
        return tokens.build_jwks(*self.keys) if self.failure is None else self.failure


def get_now():
    """The time at which tokens are issued."""
    return datetime.now(UTC)


def verify_subject(verifier, token, *, at=None):
    """Verify a token and return its subject."""
    return verifier.verify(token, now=at or get_now())


def is_refused(verifier, token, *, at=None):
    """Whether a token is refused, without any other error."""
    try:
        verify_subject(verifier, token, at=at)
    except UnauthenticatedError:
        return True
    return False


def age_cache(verifier, seconds):
    """Make the cached keys older by some seconds."""
    verifier._keys.read_at -= seconds
