"""Refusing whoever comes too often, so that nobody else waits for it."""

from datetime import datetime

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import RateLimitedError
from chalicelib.store.all_stores import Stores


def enforce_rate_limit(subject: str, limit: RateLimit | None, *, stores: Stores, now: datetime) -> None:
    """Take one call out of what `subject` may make.

    Raises:
        TooManyError: nothing is left; says when to come again.
    """
    if limit is None:
        return
    pause = stores.rate_limits.take_token(subject, limit, now=now)
    if pause:
        raise RateLimitedError("slow_down", "More requests than one may make.", retry_after_s=pause)
