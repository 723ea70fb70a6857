"""What one active referral uses in a month, and how its work is spread over the day.

The first figures are those of the study of operations at revision ae39913 (2026-11-28): counted by DynamoDB's
documented rules on the items that the product writes, for a referral on its way from submission to infusion.
`docs/storage.md` has the figures of each action. The others are assumptions; change them for your own patients.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The use of one active referral in a month.

    Attributes:
        wru: Write units of DynamoDB.
        rru: Read units.
        requests: Of people, of centers' systems, and of SES about emails.
        emails: Emails that are sent.
        events_per_email: What SES reports about an email: sent, and delivered.
        gb_seconds: Of the API function for one request, with 1 GB of memory.
        log_kb: Log lines of one request: of the gateway and of the function.
        stored_kb: Rows of a referral with its events, tasks, notices and audit rows, for good.
        active_months: How long a referral is active. Afterward its rows stay.
        referrals_per_member: How many active referrals one person who signs in looks after.
    """

    wru: float = 238
    rru: float = 392
    requests: float = 65
    emails: float = 6
    events_per_email: float = 2
    gb_seconds: float = 0.065
    log_kb: float = 2.06
    stored_kb: float = 29.6
    active_months: float = 4
    referrals_per_member: float = 100


WORKING_DAYS = 22
"""Of a month."""

WORKING_SECONDS = WORKING_DAYS * 8 * 3600
"""Of a month, with eight hours a day."""

PEAK = 4
"""The busiest minutes have so many times the requests of the average working hour."""

METRIC_LINE_KB = 0.4
"""The line with which a request is counted, with `Monitoring=full`."""

JOB_GB_SECONDS = 7_500
"""Of all jobs in a month with nothing to do: 15,000 runs of a second with 512 MB."""

JOB_RUNS = 15_000
JOB_RRU = 100_000
"""What the runs of the jobs read in a month with nothing to do."""

SENDING_SHARE = 195 / 300
"""The part of the time in which a job sends email: a run of the relay begins every 300 seconds, and begins no
email in the last 45 of its 240."""
