"""The rate limit of each caller, shared by all function instances. It is a token bucket.

The table is named `allowances`. A function instance charges the caller's row for a call, and the same
write permits it a few more calls, which it charges with its next write. The first write permits no
other call. An instance that uses what was permitted before it expires gets twice as many calls the
next time. So a single call costs one write unit, a busy sender costs one write unit for every
`MAX_CALLS_PER_WRITE` calls, and a refused caller costs at most one until its pause is over.

Only calls that were made are charged, and no more than a second late. So a caller whose calls stay a
second's worth below the limit is never refused, in however many instances they run. A caller can exceed
the limit by the calls that instances have not charged yet.

The attribute `promised_until` is the time at which all charged tokens are restored.
"""

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import UnavailableError
from chalicelib.store.platform.dynamo import DynamoTable

MAX_CALLS_PER_WRITE = 16
"""How many calls one write permits at most. An instance can allow one less than that without a charge."""

PERMITTED_MS = 1_000
"""How long the permitted calls are valid, because other instances do not know of them."""

MAX_ATTEMPTS = 8
_CACHED_SUBJECTS = 2_000
_DAY_S = 86_400


@dataclass(slots=True)
class _Caller:
    """What this instance knows of a caller, and the row as it last read it. Times are in ms.

    On a laptop, requests of one caller run in several threads. They take turns.

    Attributes:
        permitted: How many more calls need no write.
        last_permit: How many calls the last write permitted.
        valid_until: The end of the permission.
        uncharged: How many calls were made without a charge.
        promised_until: The attribute of the row.
        refused_until: The end of a pause.
    """

    turn: Lock = field(default_factory=Lock)
    permitted: int = 0
    last_permit: int = 0
    valid_until: int = 0
    uncharged: int = 0
    promised_until: int = 0
    refused_until: int = 0


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Gives out tokens. A missing row is a full bucket."""

    table: DynamoTable
    _callers: dict[str, _Caller] = field(default_factory=dict)

    def take_token(self, subject: str, limit: RateLimit, *, now: datetime) -> int:
        """Take one token. Return 0, or the number of seconds after which to try again.

        Raises:
            UnavailableError: the row changed in a way that no instance changes it, or the table does not respond.
        """
        caller = self._get_caller(subject)
        with caller.turn:
            return self._take_token(subject, caller, limit, at=int(now.timestamp() * 1000))

    def _take_token(self, subject: str, caller: _Caller, limit: RateLimit, *, at: int) -> int:
        if at < caller.refused_until:
            return -((at - caller.refused_until) // 1000)
        is_valid = at < caller.valid_until
        if caller.permitted > 0 and is_valid:
            caller.permitted -= 1
            caller.uncharged += 1
            return 0
        wanted = min(caller.last_permit * 2, MAX_CALLS_PER_WRITE, limit.burst) if is_valid else 1
        return self._charge_call(subject, caller, limit, at=at, wanted=wanted)

    def _charge_call(self, subject: str, caller: _Caller, limit: RateLimit, *, at: int, wanted: int) -> int:
        """Charge this call and those before it, if there is room for `wanted` calls from this one on."""
        # Since the end of the permission, tokens of calls that no write has charged were restored too.
        uncharged = caller.uncharged * limit.token_interval_ms
        uncharged = max(0, uncharged - max(0, at - caller.valid_until))
        for _ in range(MAX_ATTEMPTS):
            latest = limit.compute_latest_ms(at, wanted) - uncharged
            if self._write_charge(
                subject, caller, limit, at=at, latest=latest, cost=uncharged + limit.token_interval_ms
            ):
                caller.permitted, caller.last_permit = wanted - 1, wanted
                caller.valid_until, caller.uncharged = at + PERMITTED_MS, 0
                return 0
            row = self.table.get({"subject": subject}) or {}
            caller.promised_until = row.get("promised_until", 0)
            if max(caller.promised_until, at) <= latest:
                continue
            if wanted == 1:
                return self._refuse(subject, caller, limit, at=at, uncharged=uncharged)
            wanted = 1
        raise UnavailableError("busy")

    def _refuse(self, subject: str, caller: _Caller, limit: RateLimit, *, at: int, uncharged: int) -> int:
        """Start a pause. Charge what was permitted before, so that no other instance permits it again."""
        pause = limit.compute_retry_after_s(max(caller.promised_until, at) + uncharged, at)
        caller.refused_until = at + pause * 1000
        no_limit = at + 2 * limit.burst * limit.token_interval_ms
        if uncharged and self._write_charge(subject, caller, limit, at=at, latest=no_limit, cost=uncharged):
            caller.uncharged = 0
        return pause

    def _write_charge(
        self, subject: str, caller: _Caller, limit: RateLimit, *, at: int, latest: int, cost: int
    ) -> bool:
        """Charge tokens with the conditional write that fits the row as it was last read.

        The row must not be charged beyond `latest` before. Times and `cost` are in ms.
        """
        if caller.promised_until <= at:
            if at > latest:
                return False
            change = "SET promised_until = :until, expires_at = :end"
            when = "attribute_not_exists(subject) OR promised_until <= :at"
            values = {"until": at + cost, "at": at}
        else:
            # Add to the value instead of comparing it with what was read, so instances never undo each other.
            change = "SET promised_until = promised_until + :cost, expires_at = :end"
            when = "promised_until > :at AND promised_until <= :latest"
            values = {"cost": cost, "at": at, "latest": latest}
        end = (at + limit.burst * limit.token_interval_ms) // 1000 + _DAY_S
        is_written = self.table.update({"subject": subject}, change, when=when, values={**values, "end": end})
        if is_written:
            caller.promised_until = max(caller.promised_until, at) + cost
        return is_written

    def _get_caller(self, subject: str) -> _Caller:
        if subject not in self._callers and len(self._callers) >= _CACHED_SUBJECTS:
            self._callers.clear()
        return self._callers.setdefault(subject, _Caller())
