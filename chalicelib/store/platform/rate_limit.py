"""The rate limit of each caller, shared by all function instances. It is a token bucket.

The table is named `allowances`. A function instance draws tokens from the caller's row and spends
them from memory. The first draw is one token. An instance that spends its draw before the tokens
expire draws twice as many the next time. So a single call costs one write unit, a busy sender costs
one write unit for every `MAX_TOKENS_PER_DRAW` calls, and a refused caller costs none until its
pause is over.

The attribute `promised_until` is the time until which tokens are already given out.
"""

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable

MAX_TOKENS_PER_DRAW = 16
"""How many tokens one instance can hold back from the others."""

TOKENS_VALID_MS = 5_000
"""How long drawn tokens are valid, because an instance that becomes idle must not keep them."""

MAX_ATTEMPTS = 8
_CACHED_SUBJECTS = 2_000
_DAY_S = 86_400


@dataclass(slots=True)
class _LocalTokens:
    """The tokens that this instance holds for a caller, and the row as it last read it. Times are in ms."""

    tokens_left: int = 0
    tokens_drawn: int = 0
    valid_until: int = 0
    promised_until: int = 0
    refused_until: int = 0


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Gives out tokens. A missing row is a full bucket."""

    table: DynamoTable
    _local_tokens: dict[str, _LocalTokens] = field(default_factory=dict)

    def take_token(self, subject: str, limit: RateLimit, *, now: datetime) -> int:
        """Take one token. Return 0, or the number of seconds after which to try again.

        Raises:
            UnavailableError: other instances took tokens so fast that every attempt failed.
        """
        at = int(now.timestamp() * 1000)
        local_tokens = self._get_local_tokens(subject)
        if at < local_tokens.refused_until:
            return -((at - local_tokens.refused_until) // 1000)
        if local_tokens.tokens_left > 0 and at < local_tokens.valid_until:
            local_tokens.tokens_left -= 1
            return 0
        spent_in_time = at < local_tokens.valid_until
        tokens = min(local_tokens.tokens_drawn * 2, MAX_TOKENS_PER_DRAW, limit.burst) if spent_in_time else 1
        return self._draw_tokens(subject, local_tokens, limit, at=at, tokens=tokens)

    def _draw_tokens(self, subject: str, local_tokens: _LocalTokens, limit: RateLimit, *, at: int, tokens: int) -> int:
        for _ in range(MAX_ATTEMPTS):
            if self._write_promise(subject, local_tokens, limit, at=at, tokens=tokens):
                # Two threads of one process can draw at once; neither loses the tokens that it drew.
                kept = local_tokens.tokens_left if at < local_tokens.valid_until else 0
                local_tokens.tokens_left = max(0, kept) + tokens - 1
                local_tokens.tokens_drawn, local_tokens.valid_until = tokens, at + TOKENS_VALID_MS
                return 0
            row = self.table.get({"subject": subject}) or {}
            local_tokens.promised_until = row.get("promised_until", 0)
            if local_tokens.promised_until <= limit.compute_latest_ms(at, tokens):
                continue
            if tokens == 1:
                pause = limit.compute_retry_after_s(local_tokens.promised_until, at)
                local_tokens.refused_until = at + pause * 1000
                return pause
            tokens = 1
        raise UnavailableError("busy")

    def _write_promise(
        self, subject: str, local_tokens: _LocalTokens, limit: RateLimit, *, at: int, tokens: int
    ) -> bool:
        """Promise tokens with the conditional write that fits the row as it was last read."""
        cost = tokens * limit.token_interval_ms
        was_full = local_tokens.promised_until <= at
        if was_full:
            change = "SET promised_until = :until, expires_at = :end"
            when = "attribute_not_exists(subject) OR promised_until <= :at"
            values = {"until": at + cost, "at": at}
        else:
            # Add to the value instead of comparing it with what was read, so instances never undo each other.
            change = "SET promised_until = promised_until + :cost, expires_at = :end"
            when = "promised_until > :at AND promised_until <= :latest"
            values = {"cost": cost, "at": at, "latest": limit.compute_latest_ms(at, tokens)}
        end = (at + limit.burst * limit.token_interval_ms) // 1000 + _DAY_S
        drawn = self.table.update({"subject": subject}, change, when=when, values={**values, "end": end})
        if drawn:
            local_tokens.promised_until = max(local_tokens.promised_until, at) + cost
        return drawn

    def _get_local_tokens(self, subject: str) -> _LocalTokens:
        if subject not in self._local_tokens and len(self._local_tokens) >= _CACHED_SUBJECTS:
            self._local_tokens.clear()
        return self._local_tokens.setdefault(subject, _LocalTokens())
