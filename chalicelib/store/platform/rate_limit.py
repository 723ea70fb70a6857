"""The `allowances` table: what is left of each caller's limit, for all instances together.

A function instance draws tokens from the row and spends them from memory. The first draw is one
token; whoever spends a draw within its life draws twice as many the next time. So a lone call
costs one write unit, a busy sender one for every `MOST_AT_ONCE` calls, and a refused one none
until its pause is over.
"""

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable

MAX_TOKENS_PER_DRAW = 16
"""How many tokens one instance may hold back from the others."""

TOKENS_VALID_MS = 5_000
"""How long drawn tokens are good for: an instance that falls idle must not keep them."""

MAX_ATTEMPTS = 8
_CACHED_SUBJECTS = 2_000
_DAY_S = 86_400


@dataclass(slots=True)
class _LocalTokens:
    """What this instance holds for a caller, and what it last knew of the row. In ms."""

    tokens_left: int = 0
    tokens_drawn: int = 0
    valid_until: int = 0
    promised_until: int = 0
    refused_until: int = 0


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Hands out tokens; a row that is not there is a full bucket."""

    table: DynamoTable
    _local_tokens: dict[str, _LocalTokens] = field(default_factory=dict)

    def take_token(self, subject: str, limit: RateLimit, *, now: datetime) -> int:
        """Take one token. Returns 0, or after how many seconds to come again.

        Raises:
            UnavailableError: others took tokens so fast that no place was found.
        """
        at = int(now.timestamp() * 1000)
        held = self._get_local_tokens(subject)
        if at < held.refused_until:
            return -((at - held.refused_until) // 1000)
        if held.tokens_left > 0 and at < held.valid_until:
            held.tokens_left -= 1
            return 0
        spent_in_time = at < held.valid_until
        tokens = min(held.tokens_drawn * 2, MAX_TOKENS_PER_DRAW, limit.burst) if spent_in_time else 1
        return self._draw_tokens(subject, held, limit, at=at, tokens=tokens)

    def _draw_tokens(self, subject: str, local_tokens: _LocalTokens, limit: RateLimit, *, at: int, tokens: int) -> int:
        for _ in range(MAX_ATTEMPTS):
            if self._write_promise(subject, local_tokens, limit, at=at, tokens=tokens):
                # Two threads of one process may draw at once; neither loses what it drew.
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
        """Promise tokens, by the form that fits what was last known of the row."""
        cost = tokens * limit.token_interval_ms
        was_full = local_tokens.promised_until <= at
        if was_full:
            change = "SET promised_until = :until, expires_at = :end"
            when = "attribute_not_exists(subject) OR promised_until <= :at"
            values = {"until": at + cost, "at": at}
        else:
            # An addition and no comparison with what was read: instances never undo each other.
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
