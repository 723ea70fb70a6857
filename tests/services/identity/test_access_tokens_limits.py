"""How long tokens and keys are trusted, in figures that were settled once."""

from chalicelib.services.identity.access_tokens import LEEWAY_S, MAX_TOKEN_LIFETIME_S
from chalicelib.services.platform.jwks_cache import JWKS_CACHE_S, JWKS_REFRESH_INTERVAL_S, MAX_TOKEN_CHARS


def test_the_figures_are_those_that_were_settled():
    """Each has its reason where it stands; a change of one is a decision."""
    assert (MAX_TOKEN_CHARS, LEEWAY_S, MAX_TOKEN_LIFETIME_S) == (8192, 60, 24 * 60 * 60)
    assert (JWKS_CACHE_S, JWKS_REFRESH_INTERVAL_S) == (60 * 60, 60)
