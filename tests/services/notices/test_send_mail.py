"""Sending mails: after an outage, one by one, and only to those who may still have them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import mail
from chalicelib.domain.notices.mail_timing import MailTiming
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.events import HoldStarted
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.leases import LEASE_DURATION
from tests.support import sns_sender as posting
from tests.support.factories import CENTER, build_member
from tests.support.mail_helpers import (
    CENTER_MEMBER,
    CRITICAL_SUBJECT,
    disable_member,
    list_mail_rows,
    list_subjects,
    send_mail_event,
    set_preferences,
)
from tests.support.referral_values import build_event
from tests.support.service_driver import MINUTE, FailingMailer

HOUR = timedelta(hours=1)


@pytest.fixture
def services(services):
    """The desk, with a mail service that can be told to fail."""
    services.postbox = FailingMailer(error=UnavailableError())
    return services


def test_six_hours_without_mail_end_in_one_mail(services):
    """Six referrals meanwhile; nothing is parked, and one mail says how much, and how late."""
    services.postbox.refused = "@"
    failed = 0
    for n in range(72):
        if n % 12 == 0:
            services.refer(f"ref_{n}", key=f"key-{n}")
        failed += services.run_queue(TaskQueue.EVENT)["failed"]
        services.now += 5 * MINUTE
    services.postbox.refused = ""

    counts = services.run_queue(TaskQueue.EVENT)
    again = services.restart().run_queue(TaskQueue.EVENT, now=services.now + HOUR)

    assert failed >= 72
    assert (counts["mails"], again["mails"]) == (1, 0)
    assert list_subjects(services) == ["6 new notices about 6 patients in the CAR T Referral Dashboard"]
    lines = services.postbox.accepted[0][0].text.splitlines()
    assert lines.count("- Blue Heron: 1 new notice") == 6
    assert "This email is late. It was due November 2, 2026" in services.postbox.accepted[0][0].text
    assert {row["state"] for row in list_mail_rows()} == {"done"}


def test_a_mail_about_several_patients_says_how_much_there_is_about_each(services):
    """By their aliases; whoever is still to be told of one finds it by that."""
    services.postbox.refused = "@"
    for n, alias in enumerate(["Blue Heron", "Red Kite", "Grey Owl", "Snowy Egret"]):
        services.refer(f"ref_{n}", key=f"key-{n}", patient__alias=alias)
    services.run_queue(TaskQueue.EVENT)
    services.now += HOUR
    hold = build_event(HoldStarted, at=services.now, referral_id="ref_1")
    services.deliver_event(hold, webhook_id="hold")
    services.postbox.refused = ""

    services.run_queue(TaskQueue.EVENT)

    [text] = [message.text for message, _ in services.postbox.accepted if message.to == CENTER_MEMBER.email]
    assert sorted(line for line in text.splitlines() if line.startswith("- ")) == [
        "- Blue Heron: 1 new notice",
        "- Grey Owl: 1 new notice",
        "- Red Kite: 2 new notices",
        "- Snowy Egret: 1 new notice",
    ]


def test_a_service_that_is_down_is_asked_three_times_a_run(services):
    """Then the run leaves the rest as it is."""
    services.postbox.refused = "@"
    for n in range(3):
        member = build_member(CENTER, n=n + 20)
        services.stores.members.add(member)
    services.refer()

    counts = services.run_queue(TaskQueue.EVENT)

    assert counts["failed"] == 3
    assert len([row for row in list_mail_rows() if "fence" not in row]) == 1


def test_what_is_critical_is_not_gathered(services):
    """After an outage it is mailed by itself, before the rest."""
    services.postbox.refused = "@"
    for n in range(5):
        services.refer(f"ref_{n}", key=f"key-{n}")
    services.run_queue(TaskQueue.EVENT)
    services.deliver("deceased", referral_id="ref_0")
    services.run_queue(TaskQueue.EVENT)
    services.postbox.refused = ""

    services.run_queue(TaskQueue.EVENT)

    to_center = [m.subject for m, _ in services.postbox.accepted if m.to == CENTER_MEMBER.email]
    assert to_center == [CRITICAL_SUBJECT, "5 new notices about 5 patients in the CAR T Referral Dashboard"]


def test_a_template_that_fails_for_one_mail_parks_that_one(services, monkeypatch):
    """At once, for no try would be better; the others go."""
    real = mail.compose_notice_waiting

    def broken(**result):
        if result["alias"] == "Red Kite":
            raise TemplateError("notice_waiting")
        return real(**result)

    monkeypatch.setattr(mail, "compose_notice_waiting", broken)
    for n, alias in enumerate(["Blue Heron", "Red Kite", "Grey Owl"]):
        services.refer(f"ref_{n}", key=f"key-{n}", patient__alias=alias)

    counts = services.run_queue(TaskQueue.EVENT)

    [aside] = services.stores.outbox.list_failed()
    assert (counts["mails"], counts["parked"]) == (2, 1)
    assert (aside.referral_id, aside.error) == ("ref_1", "TemplateError")


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda driver: disable_member(driver, CENTER_MEMBER), "not_a_member"),
        (lambda driver: driver.deliver("redirected"), None),
        (lambda driver: set_preferences(driver, timings={Category.STATUS_UPDATE: MailTiming.NEVER}), "turned_off"),
    ],
    ids=["disabled", "still theirs", "turned off"],
)
def test_whom_a_mail_is_for_is_looked_up_when_it_is_sent(services, meanwhile, why):
    """Planned for the digest hour; what has changed until then counts."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, digest_hour=16, time_zone="UTC")
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    meanwhile(services)

    services.run_queue(TaskQueue.EVENT, now=services.now.replace(hour=16))

    assert {row.get("why") for row in list_mail_rows(member_id=CENTER_MEMBER.member_id)} == {why}
    assert (CENTER_MEMBER.email in services.postbox.list_recipients) is (why is None)


def test_a_referral_that_went_elsewhere_is_not_mailed_of(services, monkeypatch):
    """It is not its recipient's to see any more."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, digest_hour=16, time_zone="UTC")
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    elsewhere = replace(services.get_referral(), center_id="ctr_mesa")
    monkeypatch.setattr(type(services.stores.referrals), "get", lambda *_: elsewhere)

    services.run_queue(TaskQueue.MAIL, now=services.now.replace(hour=16))

    assert [row["why"] for row in list_mail_rows()] == ["not_visible"]
    assert services.postbox.accepted == []


def test_what_was_read_meanwhile_is_not_mailed(services):
    """Its reader was in the dashboard before the digest hour."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, digest_hour=16, time_zone="UTC")
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    services.stores.notices.mark_read(
        member_id=CENTER_MEMBER.member_id, notice_id=row["notice_ids"][0], now=services.now
    )

    services.run_queue(TaskQueue.EVENT, now=services.now.replace(hour=16))

    assert [row["why"] for row in list_mail_rows()] == ["read"]
    assert services.postbox.accepted == []


def test_a_mail_that_the_service_says_it_took_is_not_sent_again(services):
    """The run died before its mark; its successor is told by the event."""
    services.refer()
    services.postbox.refused, services.postbox.error = "@", SystemExit()
    with pytest.raises(SystemExit):
        services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    services.postbox.refused = ""
    send_mail_event(
        services, posting.build_ses_event("Send", row["outbox_id"], at=services.now, to=CENTER_MEMBER.email)
    )

    services.restart().run_queue(TaskQueue.EVENT, now=services.now + LEASE_DURATION)

    assert services.postbox.accepted == []
    assert [row["state"] for row in list_mail_rows()] == ["done"]
