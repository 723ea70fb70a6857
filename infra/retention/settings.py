"""How long each kind of row is kept: settings of a deployment, stored in one row of the table `jobs`.

- Closed referrals, 11 years. Source: 10A N.C. Admin. Code 13B .3903, hospitals keep a record for 11 years after the
  discharge, and a minor's until age 30 (healthinfolaw.org, as of January 2016, read 2026-11). Most states require 5
  to 10 years, some more than 11, such as Massachusetts of its hospitals.
- Everything else, 6 years. Source: 45 CFR 164.316(b)(2)(i), documentation is kept for 6 years (text as of June 20,
  2026, read 2026-11).

State law and contracts differ, so an operator asks counsel before changing any of these.
"""

from collections.abc import Mapping
from enum import StrEnum

from chalicelib.store.platform.dynamo import DynamoTable

_ROW = "setting#retention"
"""The key of the row. No job has this name."""

_YEAR = 366


class RetainedKind(StrEnum):
    """A kind of row with a retention period."""

    CLOSED_REFERRALS = "closed_referrals"
    """A closed referral with everything about it, from the day when it was closed."""
    NOTICES = "notices"
    """Notices in the dashboard, from the day when they were written."""
    EMAILS = "emails"
    """Records of email that was sent or skipped, from the day when it was due."""
    TASKS = "tasks"
    """Finished tasks, from the day when they were due."""
    DELIVERIES = "deliveries"
    """Updates from centers' systems in the log, from the day when they arrived."""


DEFAULT_DAYS: Mapping[RetainedKind, int] = {
    RetainedKind.CLOSED_REFERRALS: 11 * _YEAR,
    RetainedKind.NOTICES: 6 * _YEAR,
    RetainedKind.EMAILS: 6 * _YEAR,
    RetainedKind.TASKS: 6 * _YEAR,
    RetainedKind.DELIVERIES: 6 * _YEAR,
}

MIN_DAYS: Mapping[RetainedKind, int] = {
    # The shortest rules for physicians' records are five years; less is a typing error.
    RetainedKind.CLOSED_REFERRALS: 5 * _YEAR,
    RetainedKind.NOTICES: 90,
    RetainedKind.EMAILS: 90,
    RetainedKind.TASKS: 90,
    # A center's system repeats an update for days, and its team asks about one for weeks.
    RetainedKind.DELIVERIES: 90,
}

MINORS_KEPT_UNTIL_AGE = 30
"""The records of a patient who was a minor are kept until this birthday. Source: as above, .3903."""


class RetentionError(ValueError):
    """A setting is not valid. The message is shown to the operator."""


def read_settings(table: DynamoTable) -> Mapping[RetainedKind, int]:
    """Read the days for which each kind is kept, from the table `jobs`."""
    stored = table.get({"job": _ROW}) or {}
    return {kind: int(stored.get(kind, default)) for kind, default in DEFAULT_DAYS.items()}


def save_setting(table: DynamoTable, kind: RetainedKind, days: int) -> None:
    """Store the days for which a kind is kept.

    Raises:
        RetentionError: it is shorter than any rule allows.
    """
    if days < MIN_DAYS[kind]:
        raise RetentionError(f"{kind} must be kept for {MIN_DAYS[kind]:,} days or longer.")
    table.put({"job": _ROW} | {str(each): number for each, number in read_settings(table).items()} | {str(kind): days})
