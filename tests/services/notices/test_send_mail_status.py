"""The status of emails, as people see it."""

import pytest

from chalicelib import mail
from chalicelib.domain.notices.mail_timing import MailTiming
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.mail_status import load_mail_statuses
from tests.support import sns_sender
from tests.support.mail_helpers import CENTER_MEMBER, list_mail_rows, send_mail_event, set_preferences
from tests.support.service_driver import MINUTE, FailingMailer


@pytest.fixture
def services(services):
    """Services with a mail service that can fail."""
    services.postbox = FailingMailer(error=UnavailableError())
    return services


def load_statuses(driver, rows):
    return list(load_mail_statuses(driver.stores.mails, [row["outbox_id"] for row in rows]).values())


def test_a_merged_email_has_the_status_of_the_email_it_was_merged_into(services):
    """It is sent and delivered with that email."""
    services.postbox.refused = "@"
    for n in range(4):
        services.refer(f"ref_{n}", key=f"key-{n}")
        services.run_queue(TaskQueue.EVENT)
    rows = list_mail_rows(kind="notice")
    services.postbox.refused = ""
    services.now += 5 * MINUTE
    services.run_queue(TaskQueue.EVENT)
    assert {(status.state, status.at) for status in load_statuses(services, rows)} == {("sent", services.now)}
    [merged] = list_mail_rows(kind="gathered")

    at = services.now + MINUTE
    send_mail_event(
        services, sns_sender.build_ses_event("Delivery", merged["outbox_id"], at=at, to=CENTER_MEMBER.email)
    )

    assert len(rows) == 4
    assert {(status.state, status.at) for status in load_statuses(services, rows)} == {("delivered", at)}


def test_a_planned_email_has_the_time_at_which_it_will_be_sent(services):
    """A daily email, at the hour of the recipient."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, time_zone="UTC", digest_hour=3)
    services.refer()

    services.run_queue(TaskQueue.EVENT)

    [status] = load_statuses(services, list_mail_rows())
    assert (status.state, status.at.hour, status.at > services.now) == ("planned", 3, True)


def test_a_skipped_email_has_its_reason(services):
    """The category was turned off while it waited."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, time_zone="UTC", digest_hour=3)
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.NEVER})
    [row] = list_mail_rows()
    services.now += 24 * 60 * MINUTE

    services.run_queue(TaskQueue.EVENT)

    [status] = load_statuses(services, [row])
    assert status == ("skipped", services.now, "turned_off")


def test_an_email_with_a_broken_template_has_failed(services, monkeypatch):
    """Until a person retries it."""

    def broken(**_values):
        raise TemplateError("notice_waiting")

    monkeypatch.setattr(mail, "compose_notice_waiting", broken)
    services.refer()
    services.run_queue(TaskQueue.EVENT)

    [status] = load_statuses(services, list_mail_rows())

    assert (status.state, status.at) == ("failed", services.now)


def test_an_ses_event_makes_a_claimed_email_sent(services):
    """A run may have crashed before it marked the email, so the SES event counts."""
    services.postbox.refused = "@"
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    at = services.now + MINUTE
    claimed = load_statuses(services, [row])[0].state

    send_mail_event(services, sns_sender.build_ses_event("Send", row["outbox_id"], at=at, to=CENTER_MEMBER.email))

    assert (claimed, load_statuses(services, [row])[0][:2]) == ("claimed", ("sent", at))


def test_an_unknown_email_has_no_status(services):
    """Nothing is invented."""
    assert load_mail_statuses(services.stores.mails, ["mail_gone"]) == {}
