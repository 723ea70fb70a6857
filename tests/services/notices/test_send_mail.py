"""Sending email: merged after an outage, and only to recipients who may still get it."""

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
from tests.support import sns_sender
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
    """Services with a mail service that can fail."""
    services.postbox = FailingMailer(error=UnavailableError())
    return services


def test_six_hours_without_email_end_in_one_merged_email(services):
    """There are six referrals in that time. No task fails, and one email has the number of notices and the delay."""
    services.postbox.refused = "@"
    failed = 0
    for n in range(72):
        if n % 12 == 0:
            services.refer(f"ref_{n}", key=f"key-{n}", patient__alias=f"Blue Heron {n}")
        failed += services.run_queue(TaskQueue.EVENT)["failed"]
        services.now += 5 * MINUTE
    services.postbox.refused = ""

    counts = services.run_queue(TaskQueue.EVENT)
    again = services.restart().run_queue(TaskQueue.EVENT, now=services.now + HOUR)

    assert failed >= 72
    assert (counts["mails"], again["mails"]) == (1, 0)
    assert list_subjects(services) == ["6 new notices about 6 patients in the CAR T Referral Dashboard"]
    lines = services.postbox.accepted[0][0].text.splitlines()
    assert [line for line in lines if line.endswith(": 1 new notice")] == [
        f"- Blue Heron {n}: 1 new notice" for n in range(0, 72, 12)
    ]
    assert "This email is late. It was due November 2, 2026" in services.postbox.accepted[0][0].text
    assert {row["state"] for row in list_mail_rows()} == {"done"}


def test_an_email_about_several_patients_counts_the_notices_of_each(services):
    """By alias."""
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


def test_a_run_stops_after_three_refusals(services):
    """The other emails stay due and unclaimed."""
    services.postbox.refused = "@"
    for n in range(3):
        member = build_member(CENTER, n=n + 20)
        services.stores.members.add(member)
    services.refer()

    counts = services.run_queue(TaskQueue.EVENT)

    assert counts["failed"] == 3
    assert len([row for row in list_mail_rows() if "fence" not in row]) == 1


def test_a_critical_email_is_not_merged(services):
    """After an outage it is sent separately, before the others; older news about a patient who died is not sent."""
    services.postbox.refused = "@"
    for n in range(5):
        services.refer(f"ref_{n}", key=f"key-{n}", patient__alias="Blue Heron" if n == 0 else None)
    services.run_queue(TaskQueue.EVENT)
    services.deliver("deceased", referral_id="ref_0")
    services.run_queue(TaskQueue.EVENT)
    services.postbox.refused = ""

    services.run_queue(TaskQueue.EVENT)

    to_center = [m.subject for m, _ in services.postbox.accepted if m.to == CENTER_MEMBER.email]
    assert to_center == [CRITICAL_SUBJECT, "4 new notices about 4 patients in the CAR T Referral Dashboard"]


def test_a_template_that_fails_for_one_email_fails_only_that_one(services, monkeypatch):
    """At once, because another attempt would not help. The others are sent."""
    real = mail.compose_notice_waiting

    def broken(**values):
        if values["alias"] == "Red Kite":
            raise TemplateError("notice_waiting")
        return real(**values)

    monkeypatch.setattr(mail, "compose_notice_waiting", broken)
    for n, alias in enumerate(["Blue Heron", "Red Kite", "Grey Owl"]):
        services.refer(f"ref_{n}", key=f"key-{n}", patient__alias=alias)

    counts = services.run_queue(TaskQueue.EVENT)

    [failed_task] = services.stores.outbox.list_failed()
    assert (counts["mails"], counts["parked"]) == (2, 1)
    assert (failed_task.referral_id, failed_task.error) == ("ref_1", "TemplateError")


def read_notice(driver):
    """The recipient reads the notice in the dashboard before the daily hour."""
    [row] = list_mail_rows()
    assert driver.stores.notices.mark_read(
        member_id=CENTER_MEMBER.member_id, notice_id=row["notice_ids"][0], now=driver.now
    )


@pytest.mark.parametrize(
    ("act", "skip_reason"),
    [
        (lambda driver: disable_member(driver, CENTER_MEMBER), "not_a_member"),
        (read_notice, "read"),
        (lambda driver: driver.deliver("redirected"), None),
        (lambda driver: set_preferences(driver, timings={Category.STATUS_UPDATE: MailTiming.NEVER}), "turned_off"),
    ],
    ids=["disabled", "read", "still visible", "turned off"],
)
def test_the_recipient_of_an_email_is_checked_when_it_is_sent(services, act, skip_reason):
    """It was planned for the daily hour. Changes until then count."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, digest_hour=16, time_zone="UTC")
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    act(services)

    services.run_queue(TaskQueue.EVENT, now=services.now.replace(hour=16))

    assert {row.get("why") for row in list_mail_rows(member_id=CENTER_MEMBER.member_id)} == {skip_reason}
    assert (CENTER_MEMBER.email in services.postbox.list_recipients) is (skip_reason is None)


def test_a_referral_that_went_to_another_center_is_not_emailed(services, monkeypatch):
    """Its former center can no longer see it."""
    set_preferences(services, timings={Category.STATUS_UPDATE: MailTiming.DAILY}, digest_hour=16, time_zone="UTC")
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    redirected = replace(services.get_referral(), center_id="ctr_mesa")
    monkeypatch.setattr(type(services.stores.referrals), "open_item", lambda *_, **__: redirected)

    services.run_queue(TaskQueue.MAIL, now=services.now.replace(hour=16))

    assert [row["why"] for row in list_mail_rows()] == ["not_visible"]
    assert services.postbox.accepted == []


def test_an_email_that_ses_accepted_is_not_sent_again(services):
    """The run crashed before it marked the email. An SES event shows the next run that it was accepted."""
    services.refer()
    services.postbox.refused, services.postbox.error = "@", SystemExit()
    with pytest.raises(SystemExit):
        services.run_queue(TaskQueue.EVENT)
    [row] = list_mail_rows()
    services.postbox.refused = ""
    send_mail_event(
        services, sns_sender.build_ses_event("Send", row["outbox_id"], at=services.now, to=CENTER_MEMBER.email)
    )

    services.restart().run_queue(TaskQueue.EVENT, now=services.now + LEASE_DURATION)

    assert services.postbox.accepted == []
    assert [row["state"] for row in list_mail_rows()] == ["done"]
