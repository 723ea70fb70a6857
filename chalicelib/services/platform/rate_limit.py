"""Refusing whoever comes too often, so that nobody else waits for it."""

from datetime import datetime

from chalicelib.domain.platform.rate_limit import Limit
from chalicelib.errors import TooManyError
from chalicelib.store.all_stores import Stores


def require_room(subject: str, limit: Limit | None, *, stores: Stores, now: datetime) -> None:
    """Take one call out of what `subject` may make.

    Raises:
        TooManyError: nothing is left; says when to come again.
    """
    if limit is None:
        return
    pause = stores.allowances.take(subject, limit, now=now)
    if pause:
        raise TooManyError("slow_down", "More requests than one may make.", retry_after_s=pause)
