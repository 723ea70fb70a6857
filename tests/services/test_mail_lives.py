"""How far mails got, as people see it."""

import pytest

from chalicelib import mail
from chalicelib.domain.notices.mail_timing import Timing
from chalicelib.domain.notices.notice_rules import Category, Lane
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.store.notices.mail_status import lives
from tests.support import posting
from tests.support.desk import MINUTE, Refusing
from tests.support.letters import MINE, choose, happened, mails


@pytest.fixture
def desk(desk):
    """The desk, with a mail service that can be told to fail."""
    desk.postbox = Refusing(error=UnavailableError())
    return desk


def lives_of(desk, rows):
    return list(lives(desk.stores.mails, [row["outbox_id"] for row in rows]).values())


def test_a_mail_that_was_gathered_got_as_far_as_the_one_it_is_in(desk):
    """Sent with it, and delivered when that is."""
    desk.postbox.refused = "@"
    for n in range(4):
        desk.refer(f"ref_{n}", key=f"key-{n}")
        desk.work_off(Lane.EVENT)
    asked = mails(kind="notice")
    desk.postbox.refused = ""
    desk.now += 5 * MINUTE
    desk.work_off(Lane.EVENT)
    assert {(life.state, life.at) for life in lives_of(desk, asked)} == {("sent", desk.now)}
    [one] = mails(kind="gathered")

    at = desk.now + MINUTE
    happened(desk, posting.event("Delivery", one["outbox_id"], at=at, to=MINE.email))

    assert len(asked) == 4
    assert {(life.state, life.at) for life in lives_of(desk, asked)} == {("delivered", at)}


def test_a_mail_that_waits_tells_for_when(desk):
    """Daily, at the reader's hour."""
    choose(desk, timings={Category.JOURNEY: Timing.DAILY}, time_zone="UTC", digest_hour=3)
    desk.refer()

    desk.work_off(Lane.EVENT)

    [life] = lives_of(desk, mails())
    assert (life.state, life.at.hour, life.at > desk.now) == ("planned", 3, True)


def test_a_mail_that_is_not_sent_says_why(desk):
    """Turned off while it waited."""
    choose(desk, timings={Category.JOURNEY: Timing.DAILY}, time_zone="UTC", digest_hour=3)
    desk.refer()
    desk.work_off(Lane.EVENT)
    choose(desk, timings={Category.JOURNEY: Timing.NEVER})
    [row] = mails()
    desk.now += 24 * 60 * MINUTE

    desk.work_off(Lane.EVENT)

    [life] = lives_of(desk, [row])
    assert life == ("skipped", desk.now, "turned_off")


def test_a_mail_whose_template_fails_has_failed(desk, monkeypatch):
    """Until somebody puts it back."""

    def broken(**_told):
        raise TemplateError("notice_waiting")

    monkeypatch.setattr(mail, "notice_waiting", broken)
    desk.refer()
    desk.work_off(Lane.EVENT)

    [life] = lives_of(desk, mails())

    assert (life.state, life.at) == ("failed", desk.now)


def test_a_mail_that_the_service_took_is_sent_before_we_say_so(desk):
    """A run may have died in between; the service's own word stands."""
    desk.postbox.refused = "@"
    desk.refer()
    desk.work_off(Lane.EVENT)
    [row] = mails()
    at = desk.now + MINUTE
    claimed = lives_of(desk, [row])[0].state

    happened(desk, posting.event("Send", row["outbox_id"], at=at, to=MINE.email))

    assert (claimed, lives_of(desk, [row])[0][:2]) == ("claimed", ("sent", at))


def test_a_mail_that_is_not_there_has_no_life(desk):
    """Nothing is made up."""
    assert lives(desk.stores.mails, ["mail_gone"]) == {}
