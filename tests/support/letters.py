"""What tests of mails share: whom they are for, what became of them, what is told of them."""

from dataclasses import replace
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices import ses_events as mail_events
from chalicelib.domain.notices.mail_timing import Preferences
from chalicelib.services.notices import weekly_digest as digests
from chalicelib.services.notices.ses_feedback import take
from tests.support import shelves
from tests.support.desk import Desk
from tests.support.factories import CENTER, a_member

MINE = a_member(CENTER)
"""The coordinator of the center, who is told of each submission."""

CRITICAL = "Blue Heron: please read a notice now, in the CAR T Referral Dashboard"


def mails(**wanted: Any) -> list[dict[str, Any]]:
    """The rows of mails that are as wanted, oldest first."""
    rows = sorted(shelves.mails(), key=lambda row: row["planned_for"])
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def subjects(desk: Desk) -> list[str]:
    """What was mailed."""
    return [message.subject for message, _ in desk.postbox.taken]


def choose(desk: Desk, member: Member = MINE, **chosen: Any) -> None:
    """Let a member choose how to be mailed."""
    version = desk.stores.recipients.preferences(member.member_id).version
    assert digests.choose(
        member, Preferences(**chosen), version=version, stores=desk.stores, now=desk.now
    )


def happened(desk: Desk, event: dict[str, Any]) -> None:
    """Let the mail service tell something."""
    take(mail_events.read(event), stores=desk.stores, now=desk.now)


def shut_out(desk: Desk, member: Member) -> None:
    """Disable a member."""
    gone = replace(member, active=False, version=member.version + 1)
    desk.stores.ledger.commit(desk.stores.members.saving(gone))
