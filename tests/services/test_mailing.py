"""Sending mails: after an outage, one by one, and only to those who may still have them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import mail
from chalicelib.domain.notices.mail_timing import Timing
from chalicelib.domain.notices.notice_rules import Category, Lane
from chalicelib.domain.referrals.events import HoldStarted
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.leases import LEASE
from tests.support import posting
from tests.support.desk import MINUTE, Refusing
from tests.support.factories import CENTER, a_member
from tests.support.journey import an_event
from tests.support.letters import CRITICAL, MINE, choose, happened, mails, shut_out, subjects

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(desk):
    """The desk, with a mail service that can be told to fail."""
    desk.postbox = Refusing(error=UnavailableError())
    return desk


def test_six_hours_without_mail_end_in_one_mail(desk):
    """Six referrals meanwhile; nothing is parked, and one mail says how much, and how late."""
    desk.postbox.refused = "@"
    failed = 0
    for n in range(72):
        if n % 12 == 0:
            desk.refer(f"ref_{n}", key=f"key-{n}")
        failed += desk.work_off(Lane.EVENT)["failed"]
        desk.now += 5 * MINUTE
    desk.postbox.refused = ""

    counts = desk.work_off(Lane.EVENT)
    again = desk.anew().work_off(Lane.EVENT, now=desk.now + HOUR)

    assert failed >= 72
    assert (counts["mails"], again["mails"]) == (1, 0)
    assert subjects(desk) == ["6 new notices about 6 patients in the CAR T Referral Dashboard"]
    lines = desk.postbox.taken[0][0].text.splitlines()
    assert lines.count("- Blue Heron: 1 new notice") == 6
    assert "This mail is late. It was due on November 2, 2026" in desk.postbox.taken[0][0].text
    assert {row["state"] for row in mails()} == {"done"}


def test_a_mail_about_several_patients_says_how_much_there_is_about_each(desk):
    """By their aliases; whoever is still to be told of one finds it by that."""
    desk.postbox.refused = "@"
    for n, alias in enumerate(["Blue Heron", "Red Kite", "Grey Owl", "Snowy Egret"]):
        desk.refer(f"ref_{n}", key=f"key-{n}", patient__alias=alias)
    desk.work_off(Lane.EVENT)
    desk.now += HOUR
    hold = an_event(HoldStarted, at=desk.now, referral_id="ref_1")
    desk.deliver_event(hold, webhook_id="hold")
    desk.postbox.refused = ""

    desk.work_off(Lane.EVENT)

    [text] = [message.text for message, _ in desk.postbox.taken if message.to == MINE.email]
    assert sorted(line for line in text.splitlines() if line.startswith("- ")) == [
        "- Blue Heron: 1 new notice",
        "- Grey Owl: 1 new notice",
        "- Red Kite: 2 new notices",
        "- Snowy Egret: 1 new notice",
    ]


def test_a_service_that_is_down_is_asked_three_times_a_run(desk):
    """Then the run leaves the rest as it is."""
    desk.postbox.refused = "@"
    for n in range(3):
        member = a_member(CENTER, n=n + 20)
        desk.stores.members.add(member)
    desk.refer()

    counts = desk.work_off(Lane.EVENT)

    assert counts["failed"] == 3
    assert len([row for row in mails() if "fence" not in row]) == 1


def test_what_is_critical_is_not_gathered(desk):
    """After an outage it is mailed by itself, before the rest."""
    desk.postbox.refused = "@"
    for n in range(5):
        desk.refer(f"ref_{n}", key=f"key-{n}")
    desk.work_off(Lane.EVENT)
    desk.deliver("deceased", referral_id="ref_0")
    desk.work_off(Lane.EVENT)
    desk.postbox.refused = ""

    desk.work_off(Lane.EVENT)

    to_center = [m.subject for m, _ in desk.postbox.taken if m.to == MINE.email]
    assert to_center == [
        CRITICAL,
        "5 new notices about 5 patients in the CAR T Referral Dashboard",
    ]


def test_a_template_that_fails_for_one_mail_parks_that_one(desk, monkeypatch):
    """At once, for no try would be better; the others go."""
    real = mail.notice_waiting

    def broken(**told):
        if told["alias"] == "Red Kite":
            raise TemplateError("notice_waiting")
        return real(**told)

    monkeypatch.setattr(mail, "notice_waiting", broken)
    for n, alias in enumerate(["Blue Heron", "Red Kite", "Grey Owl"]):
        desk.refer(f"ref_{n}", key=f"key-{n}", patient__alias=alias)

    counts = desk.work_off(Lane.EVENT)

    [aside] = desk.stores.outbox.parked()
    assert (counts["mails"], counts["parked"]) == (2, 1)
    assert (aside.referral_id, aside.error) == ("ref_1", "TemplateError")


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda desk: shut_out(desk, MINE), "not_a_member"),
        (lambda desk: desk.deliver("redirected"), None),
        (lambda desk: choose(desk, timings={Category.JOURNEY: Timing.NEVER}), "turned_off"),
    ],
    ids=["disabled", "still theirs", "turned off"],
)
def test_whom_a_mail_is_for_is_looked_up_when_it_is_sent(desk, meanwhile, why):
    """Planned for the digest hour; what has changed until then counts."""
    choose(desk, timings={Category.JOURNEY: Timing.DAILY}, digest_hour=16, time_zone="UTC")
    desk.refer()
    desk.work_off(Lane.EVENT)
    meanwhile(desk)

    desk.work_off(Lane.EVENT, now=desk.now.replace(hour=16))

    assert {row.get("why") for row in mails(member_id=MINE.member_id)} == {why}
    assert (MINE.email in desk.postbox.addressees) is (why is None)


def test_a_referral_that_went_elsewhere_is_not_mailed_of(desk, monkeypatch):
    """It is not its recipient's to see any more."""
    choose(desk, timings={Category.JOURNEY: Timing.DAILY}, digest_hour=16, time_zone="UTC")
    desk.refer()
    desk.work_off(Lane.EVENT)
    elsewhere = replace(desk.referral(), center_id="ctr_mesa")
    monkeypatch.setattr(type(desk.stores.referrals), "get", lambda *_: elsewhere)

    desk.work_off(Lane.MAIL, now=desk.now.replace(hour=16))

    assert [row["why"] for row in mails()] == ["not_visible"]
    assert desk.postbox.taken == []


def test_what_was_read_meanwhile_is_not_mailed(desk):
    """Its reader was in the dashboard before the digest hour."""
    choose(desk, timings={Category.JOURNEY: Timing.DAILY}, digest_hour=16, time_zone="UTC")
    desk.refer()
    desk.work_off(Lane.EVENT)
    [row] = mails()
    desk.stores.notices.mark_read(
        member_id=MINE.member_id, notice_id=row["notice_ids"][0], now=desk.now
    )

    desk.work_off(Lane.EVENT, now=desk.now.replace(hour=16))

    assert [row["why"] for row in mails()] == ["read"]
    assert desk.postbox.taken == []


def test_a_mail_that_the_service_says_it_took_is_not_sent_again(desk):
    """The run died before its mark; its successor is told by the event."""
    desk.refer()
    desk.postbox.refused, desk.postbox.error = "@", SystemExit()
    with pytest.raises(SystemExit):
        desk.work_off(Lane.EVENT)
    [row] = mails()
    desk.postbox.refused = ""
    happened(desk, posting.event("Send", row["outbox_id"], at=desk.now, to=MINE.email))

    desk.anew().work_off(Lane.EVENT, now=desk.now + LEASE)

    assert desk.postbox.taken == []
    assert [row["state"] for row in mails()] == ["done"]
