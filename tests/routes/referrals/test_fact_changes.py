"""Each side corrects its own facts while the referral is open, and the history keeps every value."""

from datetime import timedelta
from itertools import count

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from tests.support.aws_fakes import list_sent_mail
from tests.support.factories import build_referral_body

CONTACT = {"coordinator": "Jo Lund", "phone": "+14105550177", "email": "jo@harbor.example"}


ALIASES = (f"Calm Crane {n}" for n in count(1))


@pytest.fixture
def accepted(shared_api):
    """A referral that the center has accepted."""
    referral = shared_api.refer(patient__alias=next(ALIASES))
    shared_api.move_to(referral["referral_id"], "accepted")
    run_notices()
    return shared_api.practice.get(path_of(referral)).json


def path_of(referral):
    return f"/v1/referrals/{referral['referral_id']}"


def run_notices():
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())


def change(site, referral, **changes):
    """Change a referral in the version that the site reads now."""
    version = site.get(path_of(referral)).json["version"]
    return site.patch(path_of(referral), changes, version=version)


def list_changes(site, referral):
    return site.get(f"{path_of(referral)}/changes").json["items"]


def list_new_titles(site, before):
    """The titles of a member's notices that are not in `before`."""
    return [notice["title"] for notice in site.get("/v1/notices").json["items"] if notice["notice_id"] not in before]


def list_notice_ids(site):
    return {notice["notice_id"] for notice in site.get("/v1/notices").json["items"]}


@pytest.mark.parametrize(
    ("section", "changed"),
    [
        ("patient", {"phone": "+17135550199"}),
        ("patient", {"family_name": "Corrected"}),
        ("patient", {"caregiver": {"name": "Noa Example", "phone": "+17135550144", "relation": "sister"}}),
        ("insurance", {"payer": "New Health", "member_id": "XEX0003"}),
        ("clinical", {"ecog": 2}),
        ("consent_to_share", {"scope": "referral_packet"}),
        ("referring_provider", {"phone": "+17135550188"}),
    ],
)
def test_a_practice_corrects_its_facts_after_acceptance(shared_api, accepted, section, changed):
    """The change is stored, the status stays, and the center reads the new value."""
    answer = change(shared_api.practice, accepted, **{section: {**accepted[section], **changed}})

    read = shared_api.center.get(path_of(accepted)).json
    assert (answer.status, read["stage"]) == (200, "accepted")
    stored = {name: value for name, value in read[section].items() if name in changed}
    assert stored == changed
    assert read["version"] == accepted["version"] + 1


def test_each_change_keeps_the_value_before_and_after_who_and_when(shared_api, accepted):
    """Newest first, for both sides, with labels for people."""
    change(shared_api.practice, accepted, patient={**accepted["patient"], "phone": "+17135550199"})
    change(shared_api.practice, accepted, urgency="urgent", note="Call first.")

    newest, oldest = list_changes(shared_api.center, accepted)

    assert oldest["facts"] == [
        {"pointer": "/patient/phone", "label": "Patient's phone", "previous": "+17135550142", "new": "+17135550199"}
    ]
    assert [fact["pointer"] for fact in newest["facts"]] == ["/note", "/urgency"]
    assert (oldest["side"], oldest["actor_name"]) == ("practice", shared_api.members["practice"].name)
    assert oldest["changed_at"] <= newest["changed_at"]
    assert list_changes(shared_api.practice, accepted) == [newest, oldest]


def test_changes_come_in_pages(shared_api, accepted):
    """Like other lists."""
    for note in ("one", "two", "three"):
        change(shared_api.practice, accepted, note=note)

    first = shared_api.practice.get(f"{path_of(accepted)}/changes?limit=2").json
    second = shared_api.practice.get(f"{path_of(accepted)}/changes?limit=2&cursor={first['next_cursor']}").json

    notes = [item["facts"][0]["new"] for page in (first, second) for item in page["items"]]
    assert (notes, second["next_cursor"]) == (["three", "two", "one"], None)


def test_the_timeline_names_the_facts_without_their_values(shared_api, accepted):
    """The values are only on the page of changes."""
    change(shared_api.practice, accepted, patient={**accepted["patient"], "phone": "+17135550199"})

    events = shared_api.center.get(f"{path_of(accepted)}/events")

    newest = events.json["items"][0]
    assert (newest["type"], newest["stage_label"]) == ("facts.changed", "Patient's phone corrected")
    assert newest["data"]["facts"] == [{"pointer": "/patient/phone", "label": "Patient's phone"}]
    assert "7135550199" not in events.text
    assert "7135550142" not in events.text


def test_a_person_cannot_report_a_change_of_facts_as_an_event(shared_api, accepted):
    """Only a change itself makes that entry."""
    event = {"type": "facts.changed", "occurred_at": accepted["updated_at"], "data": {}}

    assert shared_api.practice.post(f"{path_of(accepted)}/events", event).status == 400


def test_a_draft_has_no_history(shared_api):
    """No other organization has seen it."""
    draft = shared_api.refer(submit=False)

    change(shared_api.practice, draft, note="n")

    assert list_changes(shared_api.practice, draft) == []


def test_a_change_without_a_difference_makes_no_version(shared_api, accepted):
    """Nothing is unread, and nothing is in the history."""
    answer = change(shared_api.practice, accepted, insurance=accepted["insurance"])

    assert (answer.status, answer.json["version"]) == (200, accepted["version"])
    assert list_changes(shared_api.practice, accepted) == []


def test_the_center_enters_its_coordinator_and_contact(shared_api, accepted):
    """The practice reads them with the referral and is notified of the phone."""
    before = list_notice_ids(shared_api.practice)

    answer = change(shared_api.center, accepted, center_contact=CONTACT)
    run_notices()

    assert answer.status == 200
    assert shared_api.practice.get(path_of(accepted)).json["center_contact"] == CONTACT
    assert list_new_titles(shared_api.practice, before) == ["The center changed its phone for this patient"]


@pytest.mark.parametrize("stage", ["accepted", "consult_scheduled"])
def test_a_side_cannot_change_the_facts_of_the_other(shared_api, accepted, stage):
    """Nothing of such a request is stored."""
    if stage != "accepted":
        shared_api.move_to(accepted["referral_id"], stage)

    by_center = change(shared_api.center, accepted, urgency="urgent", center_contact=CONTACT)
    by_practice = change(shared_api.practice, accepted, urgency="urgent", center_contact=CONTACT)

    assert (by_center.status, by_center.json["code"]) == (403, "practice_only")
    assert (by_practice.status, by_practice.json["code"]) == (403, "center_only")
    read = shared_api.practice.get(path_of(accepted)).json
    assert (read["urgency"], read["center_contact"]) == ("routine", None)


def test_each_reader_sees_what_it_may_change(shared_api, accepted):
    """The dashboard offers exactly that."""
    practice, center = (
        site.get(path_of(accepted)).json["can_change"] for site in (shared_api.practice, shared_api.center)
    )

    assert center == ["center_contact"]
    assert {"patient", "insurance", "clinical", "consent_to_share", "referring_provider"} <= set(practice)
    assert "center_contact" not in practice


@pytest.mark.parametrize("ending", ["declined", "deceased"])
def test_a_closed_referral_cannot_be_changed(shared_api, accepted, ending):
    """By either side."""
    shared_api.move_to(accepted["referral_id"], ending)

    by_practice = change(shared_api.practice, accepted, note="late")
    by_center = change(shared_api.center, accepted, center_contact=CONTACT)

    assert {(a.status, a.json["code"]) for a in (by_practice, by_center)} == {(409, "referral_closed")}
    assert shared_api.practice.get(path_of(accepted)).json["can_change"] == []


def test_of_two_people_who_change_one_version_the_second_is_refused(shared_api, accepted):
    """Whichever side they are on; the first change stays."""
    first = shared_api.practice.patch(path_of(accepted), {"note": "first"}, version=accepted["version"])
    second = shared_api.center.patch(path_of(accepted), {"center_contact": CONTACT}, version=accepted["version"])

    assert (first.status, second.status, second.json["code"]) == (200, 412, "stale")
    read = shared_api.practice.get(path_of(accepted)).json
    assert (read["note"], read["center_contact"]) == ("first", None)


@pytest.mark.parametrize(
    ("section", "changed", "title"),
    [
        ("patient", {"phone": "+17135550199"}, "The practice changed the patient's phone"),
        ("patient", {"caregiver": None}, "The practice changed the caregiver"),
        ("insurance", {"payer": "New Health"}, "The practice changed the insurance"),
        ("consent_to_share", {"on": "2026-09-01"}, "The practice changed the consent to share"),
        ("referring_provider", {"phone": "+17135550188"}, "The practice changed the referring provider's phone"),
    ],
)
def test_the_center_is_notified_of_a_change_that_matters(shared_api, accepted, section, changed, title):
    """In the dashboard, and by an email that has only the alias."""
    before, sent = list_notice_ids(shared_api.center), len(list_sent_mail())

    change(shared_api.practice, accepted, **{section: {**accepted[section], **changed}})
    run_notices()
    run_job(TaskQueue.MAIL, context=wiring.build_job_context(wiring.read_clock() + timedelta(hours=8)))

    assert list_new_titles(shared_api.center, before) == [title]
    mails = [str(vars(mail)) for mail in list_sent_mail()[sent:]]
    assert any(accepted["alias"] in mail for mail in mails)
    assert not any(word in mail for mail in mails for word in ("changed the", "Example", "+1713"))


@pytest.mark.parametrize("changes", [{"note": "n"}, {"urgency": "urgent"}])
def test_other_changes_notify_no_one(shared_api, accepted, changes):
    """They are unread changes on the center's list."""
    before = list_notice_ids(shared_api.center)

    change(shared_api.practice, accepted, **changes)
    run_notices()

    assert list_new_titles(shared_api.center, before) == []
    assert shared_api.center.get(path_of(accepted)).json["changed_since_seen"] is True


def test_several_facts_in_one_change_are_one_notice(shared_api, accepted):
    """With a title that names none of them alone."""
    before = list_notice_ids(shared_api.center)

    change(
        shared_api.practice,
        accepted,
        patient={**accepted["patient"], "phone": "+17135550199"},
        insurance={**accepted["insurance"], "payer": "New Health"},
    )
    run_notices()

    assert list_new_titles(shared_api.center, before) == ["The practice changed contact, insurance or consent details"]


def test_a_read_of_the_changes_is_in_the_audit_trail(shared_api, accepted):
    """Like every read of a referral; a refused change is too."""
    list_changes(shared_api.center, accepted)
    shared_api.practice.patch(path_of(accepted), {"note": "n"}, version=99)

    admin = shared_api.get_client_for(shared_api.members["practice_admin"])
    rows = admin.get(f"{path_of(accepted)}/audit").json["items"]
    outcomes = {(row["action"], row["outcome"]) for row in rows}
    assert ("referral.read_changes", "allowed") in outcomes
    assert ("referral.amend", "stale") in outcomes


def test_a_correction_of_an_event_keeps_the_changes(shared_api, accepted):
    """A replay of the status does not touch the facts."""
    change(shared_api.practice, accepted, note="kept")
    events = shared_api.center.get(f"{path_of(accepted)}/events").json["items"]
    wrong = next(event for event in events if event["stage"] == "accepted")
    shared_api.move_to(accepted["referral_id"], "consult_scheduled")

    answer = shared_api.center.post(
        f"{path_of(accepted)}/events",
        {
            "type": "event.corrected",
            "occurred_at": wiring.read_clock().isoformat(),
            "data": {
                "supersedes": wrong["event_id"],
                "replacement": {"occurred_at": wrong["occurred_at"], "data": {"stage": "accepted"}},
            },
        },
    )
    again = change(shared_api.practice, accepted, note="and again")

    assert answer.status in {200, 409}
    assert again.json["note"] == "and again"
    assert [item["facts"][0]["new"] for item in list_changes(shared_api.center, accepted)] == ["and again", "kept"]


def test_a_change_cannot_be_superseded_by_a_correction(shared_api, accepted):
    """It is not a status: the next change corrects it."""
    change(shared_api.practice, accepted, note="n")
    [changed] = [
        e for e in shared_api.practice.get(f"{path_of(accepted)}/events").json["items"] if e["type"] == "facts.changed"
    ]
    correction = {
        "type": "event.corrected",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"supersedes": changed["event_id"]},
    }

    answer = shared_api.practice.post(f"{path_of(accepted)}/events", correction)

    assert (answer.status, answer.json["code"]) == (409, "not_correctable")


def test_an_alias_in_a_change_is_checked(shared_api, accepted):
    """The error names the field and repeats nothing."""
    patient = {**accepted["patient"], "alias": "Ana from Houston"}

    answer = change(shared_api.practice, accepted, patient=patient)

    [error] = answer.json["errors"]
    assert (answer.status, error["pointer"], error["code"]) == (400, "/patient/alias", "alias_has_name")
    assert "Houston" not in answer.text


def test_a_name_that_is_the_alias_needs_another_alias(shared_api):
    """A corrected name must not be in email."""
    referral = shared_api.refer(patient__alias="Umber Ibis")
    patient = {**referral["patient"], "family_name": "Ibis"}

    refused = change(shared_api.practice, referral, patient=patient)
    accepted = change(shared_api.practice, referral, patient=patient | {"alias": "Umber Kite"})

    assert (refused.status, refused.json["code"]) == (400, "alias_has_name")
    assert (accepted.status, accepted.json["alias"]) == (200, "Umber Kite")


def test_the_body_of_a_new_referral_is_checked_too(shared_api):
    """Each kind of alias that reveals something, on the first request."""
    for alias, code in (
        ("Ana Example", "alias_has_name"),
        ("04/02/1961 MM", "alias_has_date"),
        ("A-1009", "alias_has_number"),
        ("DLBCL pt", "alias_has_disease"),
        ("Breyanzi pt", "alias_has_product"),
    ):
        answer = shared_api.practice.post("/v1/referrals", build_referral_body(patient__alias=alias, submit=False))
        assert (answer.status, answer.json["code"]) == (400, code)
