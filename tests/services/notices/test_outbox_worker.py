"""Scheduled jobs: who is notified about what, once, also when a run is late or repeated."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals import report_event
from tests.support.factories import CENTER, NOON, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.new_worlds import open_services_after
from tests.support.planning import list_skipped
from tests.support.service_driver import LINK, MINUTE, STAGES_TO_LYMPHODEPLETION
from tests.support.stores import list_mail_rows

DAY = timedelta(days=1)
BOTH = sorted([build_member(PRACTICE).email, build_member(CENTER).email])


def move_to_infusion(services):
    """Submit a referral, move it to its infusion, and send the notices of the events and of day 0."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION, "infused")
    services.run_queue(TaskQueue.EVENT)
    services.run_queue(TaskQueue.PLAN)
    # The second notice waits for the end of the hour of the first one.
    services.run_queue(TaskQueue.EVENT, now=services.now + timedelta(hours=1))
    services.postbox.accepted.clear()
    return services


@pytest.fixture
def infused_services(stores):
    """A referral after its infusion, when the notices of the events and of day 0 were sent."""
    return open_services_after(move_to_infusion, stores)


def list_notice_titles(tenant, services):
    """The titles of a coordinator's notices, newest first."""
    notices, _ = services.stores.notices.list_page(build_member(tenant).member_id, limit=100, start=None)
    return [notice.title for notice in notices]


def on_day(days):
    """A time on a later day, in the morning of both sides."""
    return NOON + days * DAY + timedelta(hours=2)


def test_a_submission_notifies_the_center(services):
    """Only the members with access to patients: no administrator without it, and not the practice."""
    services.refer()

    counts = services.run_queue(TaskQueue.EVENT)

    assert services.postbox.list_recipients == [build_member(CENTER).email]
    assert (counts["done"], counts["mails"], counts["failed"]) == (1, 1, 0)


def test_an_email_has_only_the_alias_of_the_patient(services):
    """No name, no stage, no product, no center."""
    services.refer()

    services.run_queue(TaskQueue.EVENT)
    ((message, tag),) = services.postbox.accepted

    text = re.sub(r"/#/notices/\w+", "", f"{message.subject} {message.text} {message.html}").lower()
    assert "blue heron" in text
    assert LINK in text
    assert not [
        word
        for word in ("example,", "ana", "breyanzi", "lymphoma", "lbcl", "harbor", "submitted")
        if word in text.replace("blue heron", "").replace(LINK, "")
    ]
    assert tag == list_mail_rows()[0]["outbox_id"]


def test_the_queue_applies_parked_events_that_a_crashed_run_left(services, monkeypatch):
    """The run committed the event, and crashed before it applied the parked one."""
    services.refer()
    services.run_queue(TaskQueue.EVENT)
    services.deliver("consult_scheduled", webhook_id="early")
    assert services.list_parked_stages() == ["consult_scheduled"]
    with monkeypatch.context() as crash:
        crash.setattr(report_event, "apply_parked_if_time", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            services.deliver("accepted", webhook_id="late")

    services.run_queue(TaskQueue.EVENT)

    assert services.list_parked_stages() == []
    assert services.get_referral().stage is Stage.CONSULT_SCHEDULED


def test_later_runs_send_no_notice_again(infused_services):
    """Not the second, not the third, and not one many hours later."""
    day_7 = on_day(7)
    infused_services.run_queue(TaskQueue.PLAN, now=day_7)
    sent = list(infused_services.postbox.accepted)

    later = [infused_services.restart().run_queue(TaskQueue.PLAN, now=day_7 + n * MINUTE) for n in (0, 1, 600)]

    assert len(sent) == 2
    assert infused_services.postbox.accepted == sent
    assert [counts["mails"] for counts in later] == [0, 0, 0]


def test_each_planned_day_notifies_both_sides(infused_services):
    """Days 7, 14, 21 and 28: two emails each. Nothing on the days between."""
    sent = {}
    for day in range(29):
        before = len(infused_services.postbox.accepted)
        infused_services.run_queue(TaskQueue.PLAN, now=on_day(day))
        sent[day] = infused_services.postbox.list_recipients if len(infused_services.postbox.accepted) > before else []
        infused_services.postbox.accepted.clear()

    assert {day: recipients for day, recipients in sent.items() if recipients} == dict.fromkeys((7, 14, 21, 28), BOTH)


def test_a_late_run_sends_everything_once(infused_services):
    """The job did not run for a month. Each side gets one email about all notices."""
    counts = infused_services.run_queue(TaskQueue.PLAN, now=on_day(29))

    assert counts["mails"] == 2
    assert infused_services.postbox.list_recipients == BOTH
    assert all("5 new notices" in message.subject for message, _ in infused_services.postbox.accepted)
    assert infused_services.run_queue(TaskQueue.PLAN, now=on_day(29) + MINUTE)["mails"] == 0


@pytest.mark.parametrize(
    ("minutes", "is_shown", "mails"),
    [(-1, False, 0), (0, True, 0), (7 * 60 - 1, True, 0), (7 * 60, True, 1), (8 * 60, True, 2), (23 * 60, True, 2)],
)
def test_a_planned_day_is_the_local_day_of_the_center(infused_services, minutes, is_shown, mails):
    """Day 7 starts at midnight in New York; the notice is there from then on. Each reader's email comes at 7 AM."""
    midnight = NOON.replace(month=11, day=9, hour=5)

    counts = infused_services.run_queue(TaskQueue.PLAN, now=midnight + timedelta(minutes=minutes))

    titles = list_notice_titles(PRACTICE, infused_services)
    assert ("Label minimum for daily monitoring ends today" in titles) is is_shown
    assert counts["mails"] == mails


def test_monitoring_starts_once(infused_services):
    """On the day after the infusion. A second run has nothing to do."""
    first = infused_services.run_queue(TaskQueue.PLAN, now=on_day(1))
    again = infused_services.run_queue(TaskQueue.PLAN, now=on_day(1))

    assert infused_services.get_referral().stage is Stage.MONITORING
    # The start of monitoring, and the check-in, for which no one gets an email.
    assert (first["done"], first["mails"], again["done"]) == (2, 0, 0)
    starts = [e.event for e in infused_services.list_events() if e.event.stage is Stage.MONITORING]
    assert [(c.actor.value, c.recorded_at) for c in starts] == [("system", on_day(1))]


def test_a_run_for_a_future_day_does_not_make_later_reports_late(infused_services):
    """The start of monitoring has the time of the infusion, not of the run."""
    infused_services.run_queue(TaskQueue.PLAN, now=on_day(40))

    assert infused_services.deliver("window_complete", at=infused_services.now + MINUTE).status == "applied"


def test_monitoring_that_the_center_reported_does_not_start_again(infused_services):
    """The task is skipped."""
    infused_services.move_to("monitoring")

    counts = infused_services.run_queue(TaskQueue.PLAN, now=on_day(1))

    assert counts["skipped"] == 1
    assert [e.event.stage.value for e in infused_services.list_events()].count("monitoring") == 1


def test_after_a_death_no_planned_notice_is_sent(infused_services):
    """The death itself is sent at once. Each planned task is skipped with the reason, up to the 15th year."""
    infused_services.move_to("deceased")
    infused_services.run_queue(TaskQueue.EVENT)
    assert infused_services.postbox.list_recipients == BOTH

    counts = infused_services.run_queue(TaskQueue.PLAN, now=on_day(16 * 365))

    assert counts == counts | {"mails": 0, "done": 0, "skipped": 28}
    assert set(list_skipped().values()) == {"closed"}
    assert len(infused_services.postbox.accepted) == 2


def test_a_disabled_member_is_not_notified(services):
    """Members are looked up when the notice is sent, not when it was planned."""
    services.refer()
    member = build_member(CENTER)
    disabled = replace(member, active=False, version=member.version + 1)
    services.stores.transactions.commit(services.stores.members.prepare_save(disabled))

    counts = services.run_queue(TaskQueue.EVENT)

    assert services.postbox.accepted == []
    assert counts["done"] == 1


def test_a_member_who_joined_later_is_notified(infused_services):
    """The recipients are the current members with their current addresses."""
    newcomer = build_member(PRACTICE, n=2)
    infused_services.stores.members.add(newcomer)

    infused_services.run_queue(TaskQueue.PLAN, now=on_day(7))

    assert newcomer.email in infused_services.postbox.list_recipients


def test_a_member_who_moved_to_another_practice_is_not_notified(infused_services):
    """The notice belongs to the practice, not to the person."""
    member = build_member(PRACTICE)
    moved = replace(member, tenant_id=OTHER_PRACTICE.tenant_id, version=member.version + 1)
    infused_services.stores.transactions.commit(infused_services.stores.members.prepare_save(moved))

    infused_services.run_queue(TaskQueue.PLAN, now=on_day(7))

    assert infused_services.postbox.list_recipients == [build_member(CENTER).email]


def test_each_notice_is_also_in_the_dashboard(infused_services):
    """With the title of its rule and the alias, newest first."""
    infused_services.run_queue(TaskQueue.PLAN, now=on_day(21))

    notices, _ = infused_services.stores.notices.list_page(build_member(PRACTICE).member_id, limit=10, start=None)

    newest = notices[0]
    assert newest.title == "Return to your practice in 7 days: schedule the visit and labs"
    assert (newest.alias, newest.referral_id, newest.rule) == ("Blue Heron", "ref_1", "handback_near")
    assert notices == sorted(notices, key=lambda n: n.notice_id, reverse=True)


def test_a_window_that_opens_late_is_planned_from_the_infusion(services):
    """The last part of the infusion is reported after monitoring started."""
    services.refer()
    services.move_to(*STAGES_TO_LYMPHODEPLETION)
    services.deliver("infused", at=services.now + MINUTE, part=1, of=2)
    services.deliver("monitoring", at=services.now + 3 * MINUTE)
    services.deliver("infused", at=services.now + 2 * MINUTE, part=2, of=2)
    services.run_queue(TaskQueue.EVENT)
    services.postbox.accepted.clear()

    counts = services.run_queue(TaskQueue.PLAN, now=on_day(7))

    window = services.get_referral().window
    assert window is not None
    assert window.infused_on == date(2026, 11, 2)
    # Both sides get day 7. The email of the center also has day 0.
    assert counts["mails"] == 2
