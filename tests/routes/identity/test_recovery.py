"""What an administrator does for a member who cannot sign in."""

import secrets
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.domain.identity.members import Role, build_membership_key
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from infra.organizations import sign_in_reset
from tests.support import aws_fakes, factories, faults
from tests.support.identity import NEW_PASSWORD, PASSWORD
from tests.support.sign_in_driver import open_sign_in_driver
from tests.support.stores import list_rows
from tests.support.totp import compute_code

WAYS = ("invitation", "sign-in-reset")


@pytest.fixture(autouse=True)
def _without_earlier_requests(sign_in_clinic):
    aws_fakes.forget_rate_limits()


def ask(driver, way, *, admin=None, key=""):
    return (admin or driver.open_admin()).post(f"/v1/members/{driver.member.member_id}/{way}", None, key=key)


def test_an_expired_invitation_is_sent_again(sign_in_clinic):
    """O12: a temporary password is valid for seven days, and then an administrator sends a new one."""
    with open_sign_in_driver(sign_in_clinic, "OPTIONAL", permanent=False) as driver:
        driver.account.created_at -= timedelta(days=8).total_seconds()
        assert driver.sign_in().status == 401

        sent = ask(driver, "invitation")

        new = driver.pool.find_last_email(driver.email).secret
        opened = driver.answer(driver.sign_in(new).json, new_password=NEW_PASSWORD)
        assert (sent.status, sent.json["email"], opened.status) == (200, driver.email, 200)
        assert driver.sign_in(PASSWORD).status == 401


def test_an_invitation_for_someone_who_has_signed_in_changes_nothing(optional_mfa):
    """The response is the same, because the account can be older than the invitation."""
    sent = ask(optional_mfa, "invitation")

    assert sent.status == 200
    assert optional_mfa.pool.emails == []
    assert optional_mfa.sign_in().status == 200


def list_mails(member):
    """The states of the emails to a member, by kind and id."""
    rows = [row for row in list_rows("outbox") if row.get("member_id") == member.member_id and row["rule"] == "mail"]
    return {(row["kind"], row["outbox_id"]): row["state"] for row in rows}


def test_what_was_planned_for_a_person_is_sent_after_a_reset(optional_mfa):
    """An email that waits, and the weekly digest of the next Monday."""
    clinic, member = optional_mfa.clinic, optional_mfa.member
    for write in prepare_digest_writes(None, member, context=wiring.build_run_context()):
        clinic.stores.transactions.commit(write)
    referral_id = clinic.refer()["referral_id"]
    for stage in ("received", "accepted", "consult_scheduled"):
        # The first email is sent at once. The next one waits, so that it can be about several changes.
        clinic.move_to(referral_id, stage)
        process_queue(TaskQueue.EVENT, context=wiring.build_job_context())
    assert "planned" in list_mails(member).values()

    ask(optional_mfa, "sign-in-reset")
    next_week = wiring.build_job_context(wiring.read_clock() + timedelta(days=7))
    for queue in (TaskQueue.MAIL, TaskQueue.DIGEST, TaskQueue.MAIL):
        process_queue(queue, context=next_week)

    sent = list_mails(member)
    assert set(sent.values()) == {"done"}
    assert "digest" in {kind for kind, _ in sent}


def test_a_calendar_link_ends_with_a_reset(optional_mfa):
    """It may be on the lost phone. The person can create a new one."""
    address = optional_mfa.open_session().post("/v1/me/calendar", None).json["url"]
    path = address[address.index("/v1/") :]
    assert optional_mfa.anyone.get(path).status == 200

    ask(optional_mfa, "sign-in-reset")

    assert optional_mfa.anyone.get(path).status == 404
    assert optional_mfa.clinic.stores.calendar_feeds.get_created_at(optional_mfa.member.member_id) is None


@pytest.mark.parametrize("mfa", ["OPTIONAL", "ON"])
def test_a_lost_authenticator_is_replaced(sign_in_clinic, mfa):
    """S4: with a temporary password by email, everything is set up again, and the membership is the same."""
    with open_sign_in_driver(sign_in_clinic, mfa) as driver:
        driver.enroll()

        reset = ask(driver, "sign-in-reset")

        temporary = driver.pool.find_last_email(driver.email).secret
        response = driver.answer(driver.sign_in(temporary).json, new_password=NEW_PASSWORD)
        if mfa == "ON":
            response = driver.answer(response.json, code=compute_code(response.json["secret"]))
        me = driver.anyone.with_token(response.json["access_token"]).get("/v1/me")

    assert reset.status == 200
    assert (me.status, me.json["member_id"]) == (200, driver.member.member_id)


def test_a_reset_ends_the_earlier_account(optional_mfa):
    """Its password, its sessions and the authenticator that someone else may have now."""
    optional_mfa.enroll()
    client, refresh = optional_mfa.open_session(), optional_mfa.pool.refresh_tokens

    ask(optional_mfa, "sign-in-reset")

    assert client.get("/v1/me").status == 403
    assert optional_mfa.sign_in(PASSWORD).status == 401
    for token in list(refresh):
        assert optional_mfa.anyone.post("/v1/sessions/refresh", {"refresh_token": token}, key=None).status == 401


def test_a_member_is_listed_once_after_a_reset(optional_mfa):
    """With the same id, name and roles, and a new version."""
    before = optional_mfa.reload_member()

    ask(optional_mfa, "sign-in-reset")

    listed = optional_mfa.open_admin().get("/v1/members").json["items"]
    (found,) = [row for row in listed if row["email"] == optional_mfa.email]
    assert (found["member_id"], found["name"]) == (before.member_id, before.name)
    assert found["version"] == before.version + 1
    assert optional_mfa.clinic.stores.members.get_by_subject(before.subject) is None


@pytest.mark.parametrize("way", WAYS)
def test_a_repeated_request_has_one_effect(sign_in_clinic, way):
    """A second email would make the password in the first one worthless."""
    with open_sign_in_driver(sign_in_clinic, "OPTIONAL", permanent=False) as driver:
        answers = [ask(driver, way, key="one-key-for-both") for _ in range(2)]

        assert [answer.status for answer in answers] == [200, 200]
        assert answers[1].headers["idempotent-replayed"] == "true"
        assert len(driver.pool.emails) == 1


def test_a_reset_that_was_interrupted_is_completed_by_the_next_one(optional_mfa, monkeypatch):
    """The earlier account is gone and the new one exists; the membership follows."""
    stores = optional_mfa.clinic.stores
    with monkeypatch.context() as outage:
        outage.setattr(type(stores.members), "prepare_move", lambda *_, **__: 1 / 0)
        assert ask(optional_mfa, "sign-in-reset").status == 500

    again = ask(optional_mfa, "sign-in-reset")

    temporary = optional_mfa.pool.find_last_email(optional_mfa.email).secret
    response = optional_mfa.answer(optional_mfa.sign_in(temporary).json, new_password=NEW_PASSWORD)
    assert again.status == 200
    assert optional_mfa.anyone.with_token(response.json["access_token"]).get("/v1/me").status == 200


@pytest.mark.parametrize("way", WAYS)
def test_only_an_administrator_of_the_members_organization_can_do_it(optional_mfa, way):
    """For everyone else, the member does not exist or the role does not allow it; nothing is sent."""
    clinic = optional_mfa.clinic
    callers = {"practice": 403, "center_admin": 404, "operator": 403}

    answers = {
        handle: ask(optional_mfa, way, admin=clinic.get_client_for(clinic.members[handle])).status for handle in callers
    }

    assert answers == callers
    assert optional_mfa.pool.calls == []


@pytest.fixture
def leaving_admin(optional_mfa):
    """An administrator of the practice whom another one removes, and no other test uses."""
    member = factories.build_member(role=Role.ADMIN, n=secrets.randbelow(10**12))
    optional_mfa.clinic.stores.members.add(member)
    return member


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("change", [{"active": False}, {"roles": ["coordinator"]}], ids=["disabled", "demoted"])
def test_an_administrator_who_was_just_removed_is_refused(optional_mfa, leaving_admin, way, change):
    """Between the read and the commit: nothing is recorded as done, and another administrator can complete it."""
    others = optional_mfa.open_admin()
    interruption = faults.plan_interruption(
        "TransactWriteItems", lambda: others.patch(f"/v1/members/{leaving_admin.member_id}", change, version=1)
    )

    with faults.inject_faults(interruption):
        refused = ask(optional_mfa, way, admin=optional_mfa.clinic.get_client_for(leaving_admin))

    assert (refused.status, refused.json["code"]) == (403, "admin_only")
    assert [outcome for _, outcome in optional_mfa.list_actions()] == ["admin_only"]
    assert ask(optional_mfa, way).status == 200


@pytest.mark.parametrize("way", WAYS)
def test_an_administrator_whose_other_roles_just_changed_can_still_act(optional_mfa, leaving_admin, way):
    """The check fails at first, because the row has another version."""
    others = optional_mfa.open_admin()
    change = {"roles": ["admin", "coordinator"]}
    interruption = faults.plan_interruption(
        "TransactWriteItems", lambda: others.patch(f"/v1/members/{leaving_admin.member_id}", change, version=1)
    )

    with faults.inject_faults(interruption):
        done = ask(optional_mfa, way, admin=optional_mfa.clinic.get_client_for(leaving_admin))

    assert done.status == 200
    assert [outcome for _, outcome in optional_mfa.list_actions()] == ["allowed"]


@pytest.mark.parametrize("way", WAYS)
def test_a_disabled_member_gets_no_email(optional_mfa, way):
    """An administrator enables the member first."""
    admin = optional_mfa.open_admin()
    admin.patch(f"/v1/members/{optional_mfa.member.member_id}", {"active": False}, version=1)

    refused = ask(optional_mfa, way)

    assert (refused.status, refused.json["code"]) == (409, "member_disabled")
    assert optional_mfa.pool.calls == []


def test_administrators_cannot_reset_themselves(optional_mfa):
    """They would sign themselves out, perhaps as the last administrator."""
    admin = optional_mfa.clinic.members["practice_admin"]

    refused = optional_mfa.open_admin().post(f"/v1/members/{admin.member_id}/sign-in-reset", None)

    assert (refused.status, refused.json["code"]) == (409, "not_yourself")


def join(driver, tenant, **changed):
    """Make the person a member of a further organization, and return the member."""
    n = secrets.randbelow(10**12)
    member = factories.build_member(tenant, role=Role.COORDINATOR, n=n, email=driver.email, **changed)
    member = replace(member, subject=build_membership_key(driver.member.person, member.member_id))
    stores = driver.clinic.stores
    stores.transactions.commit(*stores.members.prepare_add_later(member))
    return member


def set_active(driver, member, *, active):
    """Let an administrator of the center disable or enable a member."""
    admin = driver.clinic.get_client_for(driver.clinic.members["center_admin"])
    path = f"/v1/members/{member.member_id}"
    return admin.patch(path, {"active": active}, version=1 if not active else 2)


def test_no_administrator_resets_a_person_of_another_organization(optional_mfa):
    """The account opens both. Nothing happens to it, and the attempt leaves an audit row."""
    elsewhere = join(optional_mfa, factories.CENTER)

    refused = ask(optional_mfa, "sign-in-reset")

    assert (refused.status, refused.json["code"]) == (409, "uses_another_organization")
    assert "Ask the operator" in refused.json["detail"]
    assert optional_mfa.pool.calls == []
    assert optional_mfa.list_actions() == [("member.reset_sign_in", "uses_another_organization")]
    opened = optional_mfa.open_session()
    assert opened.with_membership(elsewhere.member_id).get("/v1/me").status == 200


def test_the_refusal_does_not_name_the_other_organization(optional_mfa):
    """It says only that there is one, in either direction."""
    elsewhere = join(optional_mfa, factories.CENTER)
    center_admin = optional_mfa.clinic.get_client_for(optional_mfa.clinic.members["center_admin"])

    for admin, member, other in (
        (optional_mfa.open_admin(), optional_mfa.member, factories.CENTER),
        (center_admin, elsewhere, factories.PRACTICE),
    ):
        refused = admin.post(f"/v1/members/{member.member_id}/sign-in-reset", None)
        assert refused.json["code"] == "uses_another_organization"
        assert other.name not in refused.text
        assert other.tenant_id not in refused.text


def test_a_membership_that_ended_elsewhere_moves_to_the_new_account(optional_mfa):
    """Then the person has one organization. The other one can enable the member again."""
    elsewhere = join(optional_mfa, factories.CENTER)
    set_active(optional_mfa, elsewhere, active=False)

    reset = ask(optional_mfa, "sign-in-reset")

    person = optional_mfa.reload_member().person
    memberships = optional_mfa.clinic.stores.members.list_for_person(person)
    assert reset.status == 200
    assert [each.member_id for each in memberships] == [optional_mfa.member.member_id, elsewhere.member_id]


@pytest.mark.parametrize("change", ["joins", "is enabled"])
def test_a_reset_is_refused_if_the_person_just_got_access_elsewhere(optional_mfa, change):
    """Between the read and the commit. The membership there is not moved, and the next request gets 409."""
    if change == "is enabled":
        elsewhere = join(optional_mfa, factories.CENTER)
        set_active(optional_mfa, elsewhere, active=False)
    act = {
        "joins": lambda: join(optional_mfa, factories.CENTER),
        "is enabled": lambda: set_active(optional_mfa, elsewhere, active=True),
    }

    with faults.inject_faults(faults.plan_interruption("TransactWriteItems", act[change])):
        interrupted = ask(optional_mfa, "sign-in-reset")

    assert (interrupted.status, interrupted.json["code"]) == (503, "busy")
    assert optional_mfa.reload_member().person == optional_mfa.member.person
    assert ask(optional_mfa, "sign-in-reset").json["code"] == "uses_another_organization"


def test_the_operator_resets_a_person_of_several_organizations(optional_mfa):
    """Every membership moves, and each organization finds the operator in its trail."""
    clinic, elsewhere = optional_mfa.clinic, join(optional_mfa, factories.CENTER)

    sign_in_reset.reset_sign_in(
        elsewhere,
        delete_account=wiring.get_credential_service().delete_account,
        create_account=lambda email: wiring.get_identity_service().create_account(
            email, pool_id=wiring.get_settings().identity_pool_id
        ),
        by="operator:jo",
        context=wiring.build_run_context(),
    )

    temporary = optional_mfa.pool.find_last_email(optional_mfa.email).secret
    session = optional_mfa.answer(optional_mfa.sign_in(temporary).json, new_password=NEW_PASSWORD)
    person = optional_mfa.anyone.with_token(session.json["access_token"])
    both = [optional_mfa.member.member_id, elsewhere.member_id]
    assert [each["member_id"] for each in person.get("/v1/memberships").json["items"]] == both
    for member_id in both:
        row = next(clinic.stores.audit_log.list_chained_rows(f"member#{member_id}/reads"))
        assert (row["actor_id"], row["action"]) == ("operator:jo", "member.reset_sign_in")


@pytest.mark.parametrize("way", WAYS)
def test_an_inbox_cannot_be_filled(optional_mfa, way):
    """Five emails at once, and then one every 12 minutes."""
    statuses = [ask(optional_mfa, way).status for _ in range(6)]

    assert statuses == [200] * 5 + [429]
    with time_machine.travel(wiring.read_clock() + timedelta(minutes=13)):
        assert ask(optional_mfa, way).status == 200


@pytest.mark.parametrize(("way", "action"), [*zip(WAYS, ("member.invite_again", "member.reset_sign_in"), strict=True)])
def test_recovery_leaves_an_audit_row(optional_mfa, way, action):
    """Which administrator let whom start again."""
    ask(optional_mfa, way)

    assert optional_mfa.list_actions() == [(action, "allowed")]
