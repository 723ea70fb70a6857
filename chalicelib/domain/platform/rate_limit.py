"""Rate limits: how many requests one caller may send, as a burst and per second.

A token bucket, stored as one number: the time at which all used tokens are restored. One token
takes `token_interval_ms`, so the bucket is full if that time has passed, and empty if it is
`burst` tokens in the future.
"""

import math
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`burst` requests at once, of which `per_second` are restored each second."""

    burst: int
    per_second: float

    @classmethod
    def parse(cls, text: str) -> "RateLimit | None":
        """Parse a setting such as `1000/20` (burst/per second); an empty text means no limit."""
        if not text:
            return None
        burst, _, per_second = text.partition("/")
        return cls(int(burst), float(per_second))

    @property
    def token_interval_ms(self) -> int:
        """How long it takes to restore one token."""
        return math.ceil(1000 / self.per_second)

    def compute_latest_ms(self, now_ms: int, tokens: int) -> int:
        """Compute the latest restore time of a bucket from which `tokens` can be taken now."""
        return now_ms + (self.burst - tokens) * self.token_interval_ms

    def compute_retry_after_s(self, restored_at_ms: int, now_ms: int) -> int:
        """Compute after how many seconds a rejected caller should retry.

        Not when the first token is restored, but when a tenth of the burst is, so that many
        waiting callers who respect Retry-After are not rejected again and again.
        """
        enough_tokens = max(1, self.burst // 10)
        return max(1, math.ceil((restored_at_ms - self.compute_latest_ms(now_ms, enough_tokens)) / 1000))


MAX_PARKED_PER_REFERRAL = 200
"""How many deliveries of one center may be parked for one referral. A center can report 31 stages, so
a system that sends all of them again and again under new ids is stopped after six times."""

_DAY_S = timedelta(days=1).total_seconds()

UNKNOWN_REFERRALS_PER_CENTER = RateLimit(burst=2_000, per_second=2_000 / _DAY_S)
"""How many deliveries of one center may be parked for unknown referrals: as many as are restored
in the day that each stays parked. Normally such a delivery arrives a few seconds before its
referral; thousands of them are a defect, or an attempt to guess ids."""

_HOUR_S = timedelta(hours=1).total_seconds()

MESSAGES_PER_MEMBER = RateLimit(burst=30, per_second=30 / _HOUR_S)
"""How many messages one member can send: 30 at once, and then 30 an hour. Each one notifies a whole
team, so a program that sends without end must stop early. This product's proposal."""

COVERAGE_CHECKS_PER_MEMBER = RateLimit(burst=30, per_second=30 / _HOUR_S)
"""The same for electronic benefits checks: payers block providers that ask without end."""

INFORMATION_REQUESTS_PER_MEMBER = RateLimit(burst=30, per_second=30 / _HOUR_S)
"""The same for information requests, their answers and their closing, each counted on its own."""

DOCUMENTS_PER_MEMBER = RateLimit(burst=60, per_second=60 / _HOUR_S)
"""How many documents one member can add: twice what a referral can have at once, and then 60 an hour."""

TIME_REQUESTS_PER_MEMBER = RateLimit(burst=30, per_second=30 / _HOUR_S)
"""The same for questions to a center for a consultation time."""

RESET_CODES_PER_ADDRESS = RateLimit(burst=3, per_second=3 / _HOUR_S)
"""How many codes for a forgotten password one address can ask for, with or without an account: 3 at once, and then
3 an hour. It is below Cognito's own limit of 5, which would show that an account exists."""

INVITATIONS_PER_MEMBER = RateLimit(burst=5, per_second=5 / _HOUR_S)
"""How often one person can be invited again, or get a new account."""

PACKETS_PER_MEMBER = RateLimit(burst=60, per_second=120 / _HOUR_S)
"""How many PDFs of referrals one member can make: a worklist of 60 at once, and then 120 an hour. Each one takes
a tenth of a second of a function with much memory. This product's proposal."""

INSIGHTS_PER_MEMBER = RateLimit(burst=30, per_second=120 / _HOUR_S)
"""How often one member can read the insights: each time reads the whole list of the organization. This product's
proposal."""
