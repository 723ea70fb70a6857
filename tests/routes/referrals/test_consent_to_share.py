"""The consent to share: its basis, dates and scope, an old one, and what a withdrawal means."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support.aws_fakes import list_sent_mail
from tests.support.factories import build_referral_body
from tests.support.referral_values import build_audit_entry


def path_of(referral):
    return f"/v1/referrals/{referral['referral_id']}"


def day(days):
    """The date some days from now."""
    return (wiring.read_clock() + timedelta(days=days)).date().isoformat()


def change_consent(site, referral, **consent):
    version = site.get(path_of(referral)).json["version"]
    return site.patch(path_of(referral), {"consent_to_share": consent}, version=version)


def run_notices():
    for queue, hours in ((TaskQueue.EVENT, 0), (TaskQueue.MAIL, 8)):
        run_job(queue, context=wiring.build_job_context(wiring.read_clock() + timedelta(hours=hours)))


@pytest.mark.parametrize("field", ["on", "withdrawn_on"])
def test_a_future_date_is_refused_by_name(shared_api, field):
    """In a new referral and in a change."""
    referral = shared_api.refer()

    answer = change_consent(shared_api.practice, referral, given=True, **{field: day(3)})

    [error] = answer.json["errors"]
    assert (answer.status, error["pointer"]) == (400, f"/consent_to_share/{field}")
    assert error["message"] == "This date is in the future. Enter a past date."


def test_a_new_referral_with_a_future_consent_is_refused(shared_api):
    """Dated 2027 in 2026, for example."""
    body = build_referral_body(consent_to_share={"given": True, "on": day(200)})

    answer = shared_api.practice.post("/v1/referrals", body)

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/consent_to_share/on")


def test_an_old_consent_is_asked_about(shared_api):
    """The same request with the confirmation is accepted."""
    old = {"given": True, "on": day(-5 * 365)}

    asked = shared_api.practice.post("/v1/referrals", build_referral_body(consent_to_share=old))
    sent = shared_api.practice.post("/v1/referrals", build_referral_body(consent_to_share=old | {"confirmed": True}))

    [error] = asked.json["errors"]
    assert (asked.status, asked.json["code"]) == (409, "confirm_old_consent")
    assert (error["pointer"], error["code"]) == ("/consent_to_share/on", "confirm")
    assert (sent.status, sent.json["stage"]) == (201, "submitted")


def test_an_old_consent_does_not_block_other_corrections(shared_api):
    """Only a consent that changes is asked about."""
    old = {"given": True, "on": day(-500), "confirmed": True}
    referral = shared_api.refer(consent_to_share=old)

    answer = shared_api.practice.patch(path_of(referral), {"note": "n"}, version=1)

    assert answer.status == 200


@pytest.mark.parametrize("basis", ["treatment", "state_law"])
def test_another_basis_completes_the_packet(shared_api, basis):
    """Sharing for treatment does not always need a consent."""
    referral = shared_api.refer(consent_to_share={"given": False, "basis": basis})

    assert referral["packet"]["complete"]
    assert (referral["stage"], referral["consent_state"]) == ("submitted", "recorded")


@pytest.mark.parametrize("field", ["expires_on", "withdrawn_on"])
def test_dates_that_contradict_each_other_are_refused_by_name(shared_api, field):
    """An end before the beginning."""
    referral = shared_api.refer()

    answer = change_consent(shared_api.practice, referral, given=True, on=day(-10), **{field: day(-20)})

    assert (answer.status, answer.json["code"]) == (400, "contradictory")
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/consent_to_share/{field}"]


@pytest.mark.parametrize("stages", [[], ["accepted"], ["accepted", "consult_scheduled"]])
def test_a_withdrawal_is_recorded_at_any_open_stage(shared_api, stages):
    """Both sides read it, and the status stays: the care team decides what follows."""
    referral = shared_api.refer()
    shared_api.move_to(referral["referral_id"], *stages)
    stage = shared_api.get_stage(referral["referral_id"])

    answer = change_consent(shared_api.practice, referral, **referral["consent_to_share"], withdrawn_on=day(-1))

    for site in (shared_api.practice, shared_api.center):
        read = site.get(path_of(referral)).json
        assert (read["consent_state"], read["stage"]) == ("withdrawn", stage)
        assert read["consent_to_share"]["withdrawn_on"] == day(-1)
    assert answer.status == 200


def test_no_longer_given_is_a_withdrawal(shared_api):
    """Dated on the day when it was recorded."""
    referral = shared_api.refer()

    answer = change_consent(shared_api.practice, referral, given=False)

    assert answer.json["consent_state"] == "withdrawn"
    assert answer.json["consent_to_share"]["withdrawn_on"] is not None


def test_the_center_is_notified_of_a_withdrawal_at_once_and_gets_no_routine_email_after_it(shared_api):
    """The withdrawal is critical. Later notices are in the dashboard only, for the center."""
    referral = shared_api.refer(patient__alias="Withdrawn Wren")
    run_notices()
    sent = len(list_sent_mail())

    change_consent(shared_api.practice, referral, **referral["consent_to_share"], withdrawn_on=day(0))
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    at_once = [str(vars(mail)) for mail in list_sent_mail()[sent:]]
    patient = {**referral["patient"], "phone": "+17135550111"}
    version = shared_api.practice.get(path_of(referral)).json["version"]
    shared_api.practice.patch(path_of(referral), {"patient": patient}, version=version)
    sent = len(list_sent_mail())
    run_notices()

    titles = [
        notice["title"]
        for notice in shared_api.center.get("/v1/notices").json["items"]
        if notice["referral_id"] == referral["referral_id"]
    ]
    to_center = [mail for mail in at_once if shared_api.members["center"].email in mail]
    assert sum("Withdrawn Wren" in mail for mail in to_center) == 1
    assert titles[:2] == ["The practice changed the patient's phone", "The patient withdrew consent to share"]
    assert not any("Withdrawn Wren" in str(vars(mail)) for mail in list_sent_mail()[sent:])
    assert shared_api.center.get(f"{path_of(referral)}/events").json["items"][1]["stage_label"] == (
        "Consent to share withdrawn"
    )


def test_a_withdrawal_by_mistake_is_corrected(shared_api):
    """The history keeps it, and the center is notified."""
    referral = shared_api.refer()
    consent = referral["consent_to_share"]
    change_consent(shared_api.practice, referral, **consent, withdrawn_on=day(0))

    answer = change_consent(shared_api.practice, referral, **consent)

    assert answer.json["consent_state"] == "recorded"
    newest = shared_api.center.get(f"{path_of(referral)}/changes").json["items"][0]
    assert newest["facts"] == [
        {
            "pointer": "/consent_to_share/withdrawn_on",
            "label": "Withdrawal of consent",
            "previous": day(0),
            "new": None,
        }
    ]


def test_a_consent_of_an_earlier_release_is_read(shared_api):
    """It has only whether it was given, and when."""
    referral_id = shared_api.refer()["referral_id"]
    stores = wiring.get_stores()
    stored = stores.referrals.get(referral_id)
    assert stored is not None

    assert stored.details["consent_to_share"]["given"] is True
    old = {**stored.details, "consent_to_share": {"given": True, "on": "2026-08-03"}}
    earlier = replace(stored, details=old, version=stored.version + 1)
    stores.transactions.commit(*stores.referrals.prepare_save(earlier, build_audit_entry(earlier)))

    read = shared_api.center.get(f"/v1/referrals/{referral_id}").json
    assert read["consent_to_share"] == {"given": True, "on": "2026-08-03"}
    assert (read["consent_state"], read["packet"]["complete"]) == ("recorded", True)
