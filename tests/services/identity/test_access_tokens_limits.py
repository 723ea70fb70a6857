"""The limits for tokens and keys have their agreed values."""

from chalicelib.services.identity.access_tokens import LEEWAY_S, MAX_TOKEN_LIFETIME_S
from chalicelib.services.platform.jwks_cache import JWKS_CACHE_S, JWKS_REFRESH_INTERVAL_S, MAX_TOKEN_CHARS


def test_the_limits_have_their_agreed_values():
    """Each has its reason in the code; a change is a decision."""
    assert (MAX_TOKEN_CHARS, LEEWAY_S, MAX_TOKEN_LIFETIME_S) == (8192, 60, 24 * 60 * 60)
    assert (JWKS_CACHE_S, JWKS_REFRESH_INTERVAL_S) == (60 * 60, 60)
