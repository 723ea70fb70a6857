"""Refusing whoever comes too often, so that nobody else waits for it."""

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import RateLimitedError
from chalicelib.services.platform.run_context import RunContext


def enforce_rate_limit(subject: str, limit: RateLimit | None, *, context: RunContext) -> None:
    """Take one call out of what `subject` may make.

    Raises:
        TooManyError: nothing is left; says when to come again.
    """
    if limit is None:
        return
    pause = context.stores.rate_limits.take_token(subject, limit, now=context.now)
    if pause:
        raise RateLimitedError("slow_down", "More requests than one may make.", retry_after_s=pause)
