"""What tests of email share: recipients, states, and the events of the mail service."""

from dataclasses import replace
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices import ses_events as mail_events
from chalicelib.domain.notices.mail_timing import Preferences
from chalicelib.services.notices import weekly_digest as digests
from chalicelib.services.notices.ses_feedback import record_mail_event
from tests.support import stores as store_tools
from tests.support.factories import CENTER, build_member
from tests.support.service_driver import ServiceDriver

CENTER_MEMBER = build_member(CENTER)
"""The coordinator of the center, who is notified of each submission."""

CRITICAL_SUBJECT = "Blue Heron: critical notice in the CAR T Referral Dashboard"


def list_mail_rows(**wanted: Any) -> list[dict[str, Any]]:
    """Return the rows of emails that match, oldest first."""
    rows = sorted(store_tools.list_mail_rows(), key=lambda row: row["planned_for"])
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def list_subjects(driver: ServiceDriver) -> list[str]:
    """Return the subjects that were emailed."""
    return [message.subject for message, _ in driver.postbox.accepted]


def set_preferences(driver: ServiceDriver, member: Member = CENTER_MEMBER, **chosen: Any) -> None:
    """Save a member's email preferences."""
    version = driver.stores.recipients.get_preferences(member.member_id).version
    assert digests.save_preferences(member, Preferences(**chosen), version=version, context=driver.context)


def send_mail_event(driver: ServiceDriver, event: dict[str, Any]) -> None:
    """Report an event of the mail service."""
    record_mail_event(mail_events.parse_mail_event(event), context=driver.context)


def disable_member(driver: ServiceDriver, member: Member) -> None:
    """Disable a member."""
    gone = replace(member, active=False, version=member.version + 1)
    driver.stores.transactions.commit(driver.stores.members.prepare_save(gone))
