"""Code that signs and sends a test event. The dashboard, the API reference and docs/center-integrators.md show it."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = {"curl": "curl and openssl", "python": "Python", "javascript": "JavaScript"}
"""The languages, with their names for display."""

EXAMPLE_URL: Final = "https://referrals.example/v1/webhooks/centers/ctr_…"
"""The address in the samples, where the address of a center belongs."""

EXAMPLE_SECRET: Final = "whsec_…"  # noqa: S105 no secret, but its place
"""What a person replaces with a secret. The product shows a secret only once, and never in a sample."""


@cache
def load_samples() -> Mapping[str, str]:
    """Load the samples, by language."""
    return {language: (files(__name__) / f"{language}.txt").read_text(encoding="utf-8") for language in LANGUAGES}
