"""How far mails got, as people see it."""

import pytest

from chalicelib import mail
from chalicelib.domain.notices.mail_timing import MailTiming
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.mail_status import load_mail_statuses
from tests.support import sns_sender as posting
from tests.support.mail_helpers import CENTER_MEMBER, list_mail_rows, send_mail_event, set_preferences
from tests.support.service_driver import MINUTE, FailingMailer


@pytest.fixture
def services(services):
    """The desk, with a mail service that can be told to fail."""
    services.postbox = FailingMailer(error=UnavailableError())
    return services


def lives_of(driver, rows):
    return list(load_mail_statuses(driver.stores.mails, [row["outbox_id"] for row in rows]).values())


def test_a_mail_that_was_gathered_got_as_far_as_the_one_it_is_in(services):
    """Sent with it, and delivered when that is."""
    services.postbox.refused = "@"
    for n in range(4):
        services.refer(f"ref_{n}", key=f"key-{n}")
        services.run_queue(TaskQueue.EVENT)
    asked = list_mail_rows(kind="notice")
    services.postbox.refused = ""
    services.now += 5 * MINUTE
    services.run_queue(TaskQueue.EVENT)
    assert {(life.state, life.at) for life in lives_of(services, asked)} == {("sent", services.now)}
    [one] = list_mail_rows(kind="gathered")

    at = services.now + MINUTE
    send_mail_event(services, posting.build_ses_event("Delivery", one["outbox_id"], at=at, to=CENTER_MEMBER.email))

    assert len(asked) == 4
    assert {(life.state, life.at) for life in lives_of(services, asked)} == {("delivered", at)}


def test_a_mail_that_waits_tells_for_when(services):
    """Daily, at the reader's hour."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, time_zone="UTC", digest_hour=3)
    services.refer()

    services.run_queue(TaskQueue.EVENT)

    [life] = lives_of(services, list_mail_rows())
    assert (life.state, life.at.hour, life.at > services.now) == ("planned", 3, True)


def test_a_mail_that_is_not_sent_says_why(services):
    """Turned off while it waited."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, time_zone="UTC", digest_hour=3)
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.NEVER})
    [row] = list_mail_rows()
    services.now += 24 * 60 * MINUTE

    services.run_queue(TaskQueue.EVENT)

    [life] = lives_of(services, [row])
    assert life == ("skipped", services.now, "turned_off")


def test_a_mail_whose_template_fails_has_failed(services, monkeypatch):
    """Until somebody puts it back."""

    def broken(**_told):
        raise TemplateError("notice_waiting")

    monkeypatch.setattr(mail, "compose_notice_waiting", broken)
    services.refer()
    services.run_queue(TaskQueue.EVENT)

    [life] = lives_of(services, list_mail_rows())

    assert (life.state, life.at) == ("failed", services.now)


def test_a_mail_that_the_service_took_is_sent_before_we_say_so(services):
    """A run may have died in between; the service's own word stands."""
    services.postbox.refused = "@"
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    at = services.now + MINUTE
    claimed = lives_of(services, [row])[0].state

    send_mail_event(services, posting.build_ses_event("Send", row["outbox_id"], at=at, to=CENTER_MEMBER.email))

    assert (claimed, lives_of(services, [row])[0][:2]) == ("claimed", ("sent", at))


def test_a_mail_that_is_not_there_has_no_life(services):
    """Nothing is made up."""
    assert load_mail_statuses(services.stores.mails, ["mail_gone"]) == {}
