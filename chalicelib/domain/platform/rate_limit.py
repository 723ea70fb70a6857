"""How often one caller may come: a burst, and what comes back of it each second.

A token bucket, told by one number: until when everything that was taken will have come back.
With `spacing_ms` for each token, a full bucket is one whose time has passed, and an empty one
is promised `burst` tokens ahead.
"""

import math
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`burst` calls at once, and `per_second` of them again with each second."""

    burst: int
    per_second: float

    @classmethod
    def parse(cls, text: str) -> "RateLimit | None":
        """A limit as a setting spells it, `burst/per second`; nothing for no limit."""
        if not text:
            return None
        burst, _, per_second = text.partition("/")
        return cls(int(burst), float(per_second))

    @property
    def token_interval_ms(self) -> int:
        """How long one token takes to come back."""
        return math.ceil(1000 / self.per_second)

    def compute_latest_ms(self, now_ms: int, tokens: int) -> int:
        """Until when may be promised already if `tokens` are to be taken now."""
        return now_ms + (self.burst - tokens) * self.token_interval_ms

    def compute_retry_after_s(self, promised_until_ms: int, now_ms: int) -> int:
        """After how many seconds somebody who was refused should come again.

        Not at the first token: when a tenth of the burst is back, so that of many who wait
        those who obey are not refused over and over.
        """
        worth_it = max(1, self.burst // 10)
        return max(1, math.ceil((promised_until_ms - self.compute_latest_ms(now_ms, worth_it)) / 1000))


MAX_PARKED_PER_REFERRAL = 200
"""How many deliveries of one center may wait for one referral. The whole journey has 31 stages;
a feed that repeats itself under new ids fills six of them before it is stopped."""

_DAY_S = timedelta(days=1).total_seconds()

UNKNOWN_REFERRALS_PER_CENTER = RateLimit(burst=2_000, per_second=2_000 / _DAY_S)
"""How many deliveries of one center may wait for referrals that are not known to be its own: as
many as come back in the day that each of them waits. Such a delivery overtook its referral by
seconds; thousands of them are a fault, or a search for ids."""
