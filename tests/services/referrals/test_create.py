"""Create and read referrals: who can do it, and which version results."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role, TenantKind
from chalicelib.domain.referrals.alias import propose_alias
from chalicelib.errors import (
    ConflictError,
    ForbiddenError,
    IdempotencyKeyReusedError,
    MalformedError,
    NotFoundError,
    UnavailableError,
)
from chalicelib.services.referrals import create as intake
from chalicelib.services.referrals import read_and_amend as referrals
from chalicelib.store.platform.idempotency import StoredResponse
from tests.support import faults
from tests.support.factories import CENTER, NOON, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.faults import FaultMode
from tests.support.stores import list_rows, list_task_rows

MEMBERS_WITHOUT_ACCESS = [
    pytest.param(build_member(OTHER_PRACTICE), id="another practice"),
    pytest.param(build_member(OTHER_CENTER), id="another center"),
    pytest.param(build_member(PRACTICE, role=Role.ADMIN), id="an administrator without a clinical role"),
    pytest.param(build_member(CENTER, role=Role.ADMIN), id="the center's administrator without a clinical role"),
    pytest.param(build_member(PRACTICE, kind=TenantKind.OPERATOR), id="an operator"),
]


KNOWN, UNKNOWN = f"ref_{'a' * 26}", f"ref_{'b' * 26}"
"""Ids that a referral can have. Others are recorded under one name."""


def read(services, member=None, referral_id="ref_1"):
    """Read a referral as a member."""
    referral, _ = referrals.read_referral(
        referral_id,
        read_more=lambda _referral: None,
        member=member or build_member(PRACTICE),
        request_id="req_1",
        context=services.context,
    )
    return referral


def read_timeline(services, member=None, referral_id="ref_1"):
    """Read the timeline as a member."""
    return referrals.list_timeline(
        referral_id, limit=10, start=None, member=member or build_member(PRACTICE), context=services.context
    )


def list_audit_outcomes(referral_id="ref_1"):
    """The actions and outcomes in the audit trail of a referral."""
    chains = (referral_id, f"{referral_id}/reads")
    rows = [row for row in list_rows("audit") if row["referral_id"] in chains]
    return sorted((row["action"], row["outcome"]) for row in rows)


def test_a_draft_is_visible_only_to_its_practice(services):
    """No event, no notice, and nothing in the center's list."""
    services.refer(submit=False)

    referral = services.get_referral()
    assert (referral.stage, referral.version, referral.is_with_center) == ("draft", 1, False)
    assert services.list_events() == []
    assert list_task_rows() == []
    assert list_audit_outcomes() == [("referral.create", "allowed")]


def test_a_referral_submitted_at_once_has_one_version(services):
    """No one ever sees its draft."""
    services.refer()

    referral = services.get_referral()
    assert (referral.stage, referral.version) == ("submitted", 1)
    assert [event.event.stage for event in services.list_events()] == ["submitted"]
    assert list_audit_outcomes() == [("event.submitted", "allowed")]


def test_a_centers_report_in_the_same_minute_is_not_older_than_the_submission(services):
    """A center's system reports whole seconds of its own clock, so the submission counts from its minute."""
    services.now = NOON.replace(second=59, microsecond=999_999)
    services.refer()

    assert services.deliver("received", at=NOON.replace(second=59)).status == "applied"


def test_an_alias_is_proposed_if_none_is_given(services):
    """It comes from the id: it reveals nothing about the patient, and a repeat proposes the same one."""
    services.refer("ref_2", patient__alias=None)

    alias = services.get_referral("ref_2").alias
    assert alias == propose_alias("ref_2")
    assert alias != "Blue Heron"
    assert "Example" not in alias


def test_a_repeated_post_returns_the_same_referral(services):
    """With the same key: the first response, and no second referral."""
    first = services.refer("ref_1")

    again = services.refer("ref_2")

    assert again == replace(first, replayed=True)
    assert services.stores.referrals.get("ref_2") is None


def test_an_idempotency_key_of_another_referral_is_refused(services):
    """The bodies differ."""
    services.refer()
    member = build_member(PRACTICE)
    other = services.build_request(member, "POST /v1/referrals", "key-1", body=b"{}  ")

    with pytest.raises(IdempotencyKeyReusedError):
        intake.create_referral(
            intake.NewReferral(
                details=dict(services.get_referral().details),
                alias=None,
                product_id=None,
                center_id=None,
                urgency="routine",
            ),
            submit=False,
            referral_id="ref_2",
            member=member,
            request=other,
            build_response=lambda _: StoredResponse(status=201, headers={}, body={}),
            context=services.context,
        )


@pytest.mark.parametrize(
    "member", [build_member(CENTER), build_member(PRACTICE, role=Role.ADMIN)], ids=["center", "admin"]
)
def test_only_clinical_members_of_a_practice_can_refer(services, member):
    """Not a center, and not a member who is only an administrator."""
    with pytest.raises(ForbiddenError):
        services.refer(member=member)

    assert list_rows("referrals") == []


def test_an_unknown_product_and_center_are_both_named(services):
    """In one error, without repeating the values."""
    with pytest.raises(MalformedError) as refusal:
        services.refer(product_id="miracle", center_id="ctr_unknown")

    assert [(f.pointer, f.code) for f in refusal.value.errors] == [
        ("/product_id", "unknown"),
        ("/center_id", "unknown"),
    ]
    assert "miracle" not in repr(refusal.value.errors)
    assert list_rows("referrals") == []


def test_an_incomplete_referral_cannot_be_submitted(services):
    """One error names everything that is missing; nothing is stored, and the key stays free."""
    with pytest.raises(ConflictError) as refusal:
        services.refer(patient__zip=None, insurance=None)
    response = services.refer()

    assert refusal.value.code == "packet_incomplete"
    assert [f.pointer for f in refusal.value.errors] == ["/patient/zip", "/insurance/payer", "/insurance/member_id"]
    assert not response.replayed


def test_an_existing_referral_id_is_not_overwritten(services):
    """128 random bits do not collide; if they did, the caller would try again."""
    services.refer("ref_1", key="key-1")

    with pytest.raises(UnavailableError):
        services.refer("ref_1", key="key-2", patient__family_name="Other")

    assert services.get_referral().details["patient"]["family_name"] == "Example"


@pytest.mark.parametrize("member", MEMBERS_WITHOUT_ACCESS)
@pytest.mark.parametrize("referral_id", [KNOWN, UNKNOWN], ids=["known", "unknown"])
def test_a_member_without_access_cannot_read(services, member, referral_id):
    """The same error for an existing and an unknown referral. Every attempt is in the audit trail."""
    services.refer(KNOWN)
    attempts = (
        ("referral.read", lambda: read(services, member, referral_id)),
        ("referral.read_events", lambda: read_timeline(services, member, referral_id)),
    )
    for _, attempt in attempts:
        with pytest.raises(NotFoundError):
            attempt()

    assert [o for o in list_audit_outcomes(referral_id) if o[1] == "not_found"] == sorted(
        (action, "not_found") for action, _ in attempts
    )


@pytest.mark.parametrize("member", [build_member(PRACTICE), build_member(CENTER)])
def test_practice_and_center_can_read_a_submitted_referral(services, member):
    """And the audit trail has each read with its request."""
    services.refer()

    assert read(services, member) == services.get_referral()
    events, _ = read_timeline(services, member)

    assert [event.event.stage for event in events] == ["submitted"]
    assert list_audit_outcomes()[1:] == [("referral.read", "allowed"), ("referral.read_events", "allowed")]


def test_a_read_without_an_audit_row_fails(services):
    """If the audit row cannot be written, no one sees the patient."""
    services.refer()

    outage = faults.plan_always("PutItem", FaultMode.SERVER_ERROR)

    with faults.inject_faults(outage), pytest.raises(UnavailableError):
        read(services)
