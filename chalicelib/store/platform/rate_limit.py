"""The `allowances` table: what is left of each caller's limit, for all instances together.

A function instance draws tokens from the row and spends them from memory. The first draw is one
token; whoever spends a draw within its life draws twice as many the next time. So a lone call
costs one write unit, a busy sender one for every `MOST_AT_ONCE` calls, and a refused one none
until its pause is over.
"""

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.platform.rate_limit import Limit
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import Table

MOST_AT_ONCE = 16
"""How many tokens one instance may hold back from the others."""

LIFE_MS = 5_000
"""How long drawn tokens are good for: an instance that falls idle must not keep them."""

TRIES = 8
_KEPT_SUBJECTS = 2_000
_DAY_S = 86_400


@dataclass(slots=True)
class _Held:
    """What this instance holds for a caller, and what it last knew of the row. In ms."""

    left: int = 0
    drawn: int = 0
    until: int = 0
    promised_until: int = 0
    refused_until: int = 0


@dataclass(frozen=True, slots=True)
class Allowances:
    """Hands out tokens; a row that is not there is a full bucket."""

    table: Table
    _held: dict[str, _Held] = field(default_factory=dict)

    def take(self, subject: str, limit: Limit, *, now: datetime) -> int:
        """Take one token. Returns 0, or after how many seconds to come again.

        Raises:
            UnavailableError: others took tokens so fast that no place was found.
        """
        at = int(now.timestamp() * 1000)
        held = self._of(subject)
        if at < held.refused_until:
            return -((at - held.refused_until) // 1000)
        if held.left > 0 and at < held.until:
            held.left -= 1
            return 0
        spent_in_time = at < held.until
        wanted = min(held.drawn * 2, MOST_AT_ONCE, limit.burst) if spent_in_time else 1
        return self._drawn(subject, held, limit, at=at, wanted=wanted)

    def _drawn(self, subject: str, held: _Held, limit: Limit, *, at: int, wanted: int) -> int:
        for _ in range(TRIES):
            if self._draw(subject, held, limit, at=at, tokens=wanted):
                # Two threads of one process may draw at once; neither loses what it drew.
                kept = held.left if at < held.until else 0
                held.left = max(0, kept) + wanted - 1
                held.drawn, held.until = wanted, at + LIFE_MS
                return 0
            row = self.table.get({"subject": subject}) or {}
            held.promised_until = row.get("promised_until", 0)
            if held.promised_until <= limit.latest_ms(at, wanted):
                continue
            if wanted == 1:
                pause = limit.pause_s(held.promised_until, at)
                held.refused_until = at + pause * 1000
                return pause
            wanted = 1
        raise UnavailableError("busy")

    def _draw(self, subject: str, held: _Held, limit: Limit, *, at: int, tokens: int) -> bool:
        """Promise tokens, by the form that fits what was last known of the row."""
        cost = tokens * limit.spacing_ms
        was_full = held.promised_until <= at
        if was_full:
            change = "SET promised_until = :until, expires_at = :end"
            when = "attribute_not_exists(subject) OR promised_until <= :at"
            values = {"until": at + cost, "at": at}
        else:
            # An addition and no comparison with what was read: instances never undo each other.
            change = "SET promised_until = promised_until + :cost, expires_at = :end"
            when = "promised_until > :at AND promised_until <= :latest"
            values = {"cost": cost, "at": at, "latest": limit.latest_ms(at, tokens)}
        end = (at + limit.burst * limit.spacing_ms) // 1000 + _DAY_S
        drawn = self.table.update(
            {"subject": subject}, change, when=when, values={**values, "end": end}
        )
        if drawn:
            held.promised_until = max(held.promised_until, at) + cost
        return drawn

    def _of(self, subject: str) -> _Held:
        if subject not in self._held and len(self._held) >= _KEPT_SUBJECTS:
            self._held.clear()
        return self._held.setdefault(subject, _Held())
