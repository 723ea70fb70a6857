"""What administrators see about each person: who has come, whose email bounces, and who has a second step."""

import secrets
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from chalicelib import wiring
from chalicelib.domain.identity.members import INVITATION_VALID_FOR, Role, Tenant, TenantKind, build_membership_key
from chalicelib.store.notices.recipients import Suppression, SuppressionReason
from tests.support import factories
from tests.support.sign_in_driver import add_member, open_sign_in_driver

MEMBERS = "/v1/members"
SECOND_STEPS = "/v1/members/second-steps"


class Practice:
    """A practice of its own, so that its list has only the people of one test."""

    def __init__(self, clinic):
        self.clinic = clinic
        self.driver: Any = None
        self.coordinator: Any = None
        self.tenant = Tenant(
            tenant_id=f"prc_{secrets.token_hex(6)}",
            kind=TenantKind.PRACTICE,
            name="Alder Oncology",
            time_zone="UTC",
        )
        factories.add_tenants(clinic.stores, [self.tenant])
        self.admin = self.add(role=Role.ADMIN, name="Admin")
        self.site = clinic.get_client_for(self.admin)

    def add(self, **changed):
        """Store a member of the practice."""
        n = secrets.randbelow(10**12)
        member = factories.build_member(self.tenant, n=n, **{"subject": f"sub-{n}"} | changed)
        self.clinic.stores.members.add(member)
        return member

    def read(self, member):
        """What the list says about a member."""
        return next(each for each in self.site.get(MEMBERS).json["items"] if each["member_id"] == member.member_id)

    def read_second_steps(self, query=""):
        """What the identity service says about the members, by member."""
        answer = self.site.get(f"{SECOND_STEPS}{query}")
        assert answer.status == 200
        return {each["member_id"]: each["second_step"] for each in answer.json["items"]}


@pytest.fixture
def practice(sign_in_clinic):
    return Practice(sign_in_clinic)


@pytest.fixture
def accounts(monkeypatch):
    """An identity service that gives everyone an account."""

    class Accounts:
        def create_account(self, email, *, pool_id):  # noqa: ARG002 the product passes it by name
            return f"sub-{email}"

        def send_invitation_again(self, email):
            pass

    monkeypatch.setattr(wiring, "get_identity_service", Accounts)
    monkeypatch.setattr(wiring, "get_credential_service", Accounts)


def invite(practice):
    body = {"name": "New Person", "email": f"{secrets.token_hex(6)}@alder.example", "roles": ["coordinator"]}
    member_id = practice.site.post(MEMBERS, body).json["member_id"]
    return practice.clinic.stores.members.get_by_member_id(practice.tenant.tenant_id, member_id)


@pytest.mark.usefixtures("accounts")
def test_an_invited_person_has_seven_days(practice):
    member = invite(practice)

    listed = practice.read(member)

    assert listed["status"] == "invited"
    assert listed["invitation_ends_at"].startswith(f"{member.invited_at + timedelta(days=7):%Y-%m-%dT%H:%M}")


def test_after_seven_days_the_invitation_has_ended(practice):
    member = practice.add(invited_at=wiring.read_clock() - INVITATION_VALID_FOR)

    assert practice.read(member)["status"] == "invitation_ended"


@pytest.mark.usefixtures("accounts")
def test_an_invitation_that_is_sent_again_starts_again(practice):
    member = practice.add(invited_at=wiring.read_clock() - timedelta(days=30))

    assert practice.site.post(f"{MEMBERS}/{member.member_id}/invitation", None).status == 200

    assert practice.read(member)["status"] == "invited"


@pytest.mark.usefixtures("accounts")
def test_a_person_who_has_come_is_active(practice):
    member = invite(practice)

    practice.clinic.get_client_for(member).get("/v1/me")

    listed = practice.read(member)
    assert (listed["status"], listed["invitation_ends_at"]) == ("active", None)


@pytest.mark.usefixtures("accounts")
def test_a_repeated_invitation_does_not_undo_that_a_person_has_come(practice):
    member = invite(practice)
    practice.clinic.get_client_for(member).get("/v1/me")

    practice.site.post(f"{MEMBERS}/{member.member_id}/invitation", None)

    assert practice.read(member)["status"] == "active"


def test_a_disabled_person_is_disabled(practice):
    member = practice.add(active=False, invited_at=wiring.read_clock())

    listed = practice.read(member)

    assert (listed["status"], listed["invitation_ends_at"]) == ("disabled", None)


def test_nothing_is_claimed_about_an_invitation_that_was_not_stored(practice):
    """Rows of earlier releases do not say whether the person has come."""
    assert practice.read(practice.add())["status"] == "not_known"


def test_a_further_membership_is_invited_until_it_is_used(practice):
    """A person with an account elsewhere looks like a new one. This does not reveal who uses another organization."""
    person = practice.add().subject
    member_id = f"mem_{secrets.token_hex(8)}"
    further = practice.add(
        subject=build_membership_key(person, member_id), member_id=member_id, invited_at=wiring.read_clock()
    )

    assert practice.read(further)["status"] == "invited"


def test_a_change_of_roles_keeps_when_a_person_came(practice):
    member = practice.add(joined_at=wiring.read_clock())

    practice.site.patch(f"{MEMBERS}/{member.member_id}", {"roles": ["provider"]}, version=1)

    assert practice.read(member)["status"] == "active"


def test_a_person_whose_email_bounces_is_marked(practice):
    member = practice.add()
    bounced = Suppression(SuppressionReason.BOUNCED, factories.NOON)
    practice.clinic.stores.recipients.suppress_address(member, member.email, bounced)

    assert practice.read(member)["mail_problem"] == {"reason": "bounced", "since": "2026-11-02T12:00:00Z"}


def test_a_person_whose_email_arrives_is_not_marked(practice):
    assert practice.read(practice.add())["mail_problem"] is None


@pytest.fixture
def pool_practice(optional_mfa):
    """A practice with one coordinator, whose account is in the strict user pool."""
    practice = Practice(optional_mfa.clinic)
    practice.driver = optional_mfa
    practice.coordinator = add_member(optional_mfa.clinic, optional_mfa.pool.add("a@alder.example", "Long-Password-1"),
                                      tenant=practice.tenant)  # fmt: skip
    return practice


def find_account(practice):
    return practice.driver.pool.find(practice.coordinator.person)


def test_a_person_without_an_authenticator_has_no_second_step(pool_practice):
    assert pool_practice.read_second_steps()[pool_practice.coordinator.member_id] == "not_set_up"


def test_a_person_with_an_authenticator_has_a_second_step(pool_practice):
    account = find_account(pool_practice)
    account.secret, account.uses_totp = "JBSWY3DPEHPK3PXP", True

    assert pool_practice.read_second_steps()[pool_practice.coordinator.member_id] == "on"


def test_a_person_without_an_account_is_not_known(pool_practice):
    """Such as the administrator of the test, who is in no user pool."""
    assert pool_practice.read_second_steps()[pool_practice.admin.member_id] == "not_known"


@pytest.mark.parametrize("changed", [{"active": False}, {"invited_at": factories.NOON}])
def test_no_one_is_asked_about_a_person_who_is_disabled_or_has_not_come(pool_practice, changed):
    """The account of someone who has not come can be of a person of another organization."""
    member = pool_practice.add(**changed)

    assert member.member_id not in pool_practice.read_second_steps()


def test_the_pages_have_each_person_once(pool_practice):
    for name in ("B", "C"):
        pool_practice.add(name=name)
    whole = list(pool_practice.read_second_steps())

    found, cursor = [], ""
    for _ in whole:
        answer = pool_practice.site.get(f"{SECOND_STEPS}?limit=1{cursor}").json
        found += [each["member_id"] for each in answer["items"]]
        cursor = f"&cursor={answer['next_cursor']}"

    assert (found, answer["next_cursor"]) == (whole, None)


def test_a_page_asks_about_twenty_five_people_at_most(pool_practice):
    for _ in range(25):
        pool_practice.add()
    pool_practice.driver.pool.calls.clear()

    answer = pool_practice.site.get(SECOND_STEPS)

    assert (len(answer.json["items"]), len(pool_practice.driver.pool.calls)) == (25, 25)


def test_a_page_that_takes_too_long_ends_early(pool_practice, monkeypatch):
    """And the next one goes on."""
    monkeypatch.setattr(wiring, "build_time_check", lambda _seconds: lambda: False)

    answer = pool_practice.site.get(SECOND_STEPS).json

    assert len(answer["items"]) == 1
    assert answer["next_cursor"]


def break_identity_service(monkeypatch, *, after=0):
    """Let the identity service stop responding after some people."""
    service = wiring.get_credential_service()
    answers: list[bool] = []

    class Client:
        exceptions = service.client().exceptions

        def admin_get_user(self, **_request):
            if len(answers) >= after:
                raise ConnectTimeoutError(endpoint_url="cognito")
            answers.append(True)
            return {"UserStatus": "CONFIRMED", "UserMFASettingList": ["SOFTWARE_TOKEN_MFA"]}

    broken = type(service)(client=Client, client_id=service.client_id, pool_id=service.pool_id)
    monkeypatch.setattr(wiring, "get_credential_service", lambda: broken)


def test_an_outage_of_the_identity_service_is_not_taken_for_no_second_step(pool_practice, monkeypatch):
    break_identity_service(monkeypatch)

    assert pool_practice.site.get(SECOND_STEPS).status == 503


def test_a_page_that_an_outage_interrupts_has_what_is_known(pool_practice, monkeypatch):
    break_identity_service(monkeypatch, after=1)

    answer = pool_practice.site.get(SECOND_STEPS).json

    assert [each["second_step"] for each in answer["items"]] == ["on"]
    assert answer["next_cursor"]


def test_the_list_of_members_needs_no_identity_service(pool_practice, monkeypatch):
    break_identity_service(monkeypatch)

    assert pool_practice.site.get(MEMBERS).status == 200


def test_an_answer_without_an_account_is_not_known(pool_practice, monkeypatch):
    """An answer that cannot be read is not an answer without second steps."""
    break_identity_service(monkeypatch, after=9)
    monkeypatch.setattr(
        wiring.get_credential_service().client, "admin_get_user", lambda _self, **_request: {"ResponseMetadata": {}}
    )

    assert set(pool_practice.read_second_steps().values()) == {"not_known"}


def test_a_site_without_a_second_step_asks_for_nothing(sign_in_clinic):
    with open_sign_in_driver(sign_in_clinic, "OFF"):
        answer = Practice(sign_in_clinic).site.get(SECOND_STEPS).json

    assert answer == {"items": [], "available": False, "required": False, "next_cursor": None}


def test_only_administrators_see_second_steps(practice):
    coordinator = practice.clinic.get_client_for(practice.add())

    assert coordinator.get(SECOND_STEPS).status == 403
