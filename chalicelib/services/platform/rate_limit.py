"""Refuse a caller that sends too many requests, so that other callers do not have to wait."""

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import RateLimitedError
from chalicelib.services.platform.run_context import RunContext


def enforce_rate_limit(subject: str, limit: RateLimit | None, *, context: RunContext) -> None:
    """Count one call against the limit of `subject`.

    Raises:
        RateLimitedError: the limit is reached; says when to retry.
    """
    if limit is None:
        return
    retry_after_s = context.stores.rate_limits.take_token(subject, limit, now=context.now)
    if retry_after_s:
        raise RateLimitedError(
            "slow_down", "Too many requests. Wait a moment, then try again.", retry_after_s=retry_after_s
        )
