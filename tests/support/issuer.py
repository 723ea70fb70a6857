"""An issuer of access tokens, and how a verifier accepts its tokens."""

from datetime import UTC, datetime

from joserfc.jwk import RSAKey

from chalicelib.errors import UnauthenticatedError
from tests.support import tokens

NEW_KEY = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})


class JwksIssuer:
    """The issuer's document of keys, and how often it was read."""

    def __init__(self):
        self.keys = [tokens.KEY]
        self.trouble = None
        self.reads = 0

    def __call__(self):
        self.reads += 1
        if isinstance(self.trouble, Exception):
            raise self.trouble
        return tokens.build_jwks(*self.keys) if self.trouble is None else self.trouble


def get_now():
    """The time at which tokens are created."""
    return datetime.now(UTC)


def verify_subject(verifier, token, *, at=None):
    """Return the subject of a token."""
    return verifier.verify(token, now=at or get_now())


def is_refused(verifier, token, *, at=None):
    """Whether a token is refused, rather than accepted or causing an error."""
    try:
        verify_subject(verifier, token, at=at)
    except UnauthenticatedError:
        return True
    return False


def age_cache(verifier, seconds):
    """Make the stored keys older."""
    verifier._keys.read_at -= seconds
