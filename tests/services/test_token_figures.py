"""How long tokens and keys are trusted, in figures that were settled once."""

from chalicelib.services.identity.access_tokens import (
    KEYS_KEPT_S,
    LEEWAY_S,
    LONGEST_LIFE_S,
    MAX_TOKEN_CHARS,
    REFRESH_PAUSE_S,
)


def test_the_figures_are_those_that_were_settled():
    """Each has its reason where it stands; a change of one is a decision."""
    assert (MAX_TOKEN_CHARS, LEEWAY_S, LONGEST_LIFE_S) == (8192, 60, 24 * 60 * 60)
    assert (KEYS_KEPT_S, REFRESH_PAUSE_S) == (60 * 60, 60)
