"""Writing, changing and reading referrals: whose they are, and in which version."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import Role, TenantKind
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
from chalicelib.store.webhooks.idempotency import StoredResponse
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import CENTER, NOON, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.faults import FaultMode

STRANGERS = [
    pytest.param(build_member(OTHER_PRACTICE), id="another practice"),
    pytest.param(build_member(OTHER_CENTER), id="another center"),
    pytest.param(build_member(PRACTICE, role=Role.ADMIN), id="an administrator alone"),
    pytest.param(build_member(CENTER, role=Role.ADMIN), id="the center's administrator alone"),
    pytest.param(build_member(PRACTICE, kind=TenantKind.OPERATOR), id="an operator"),
]


def read(desk, member=None, referral_id="ref_1"):
    """Read a referral as a member does."""
    return referrals.read_referral(
        referral_id, member=member or build_member(PRACTICE), request_id="req_1", context=desk.context
    )


def timeline(desk, member=None, referral_id="ref_1"):
    """Read the timeline as a member does."""
    return referrals.list_timeline(
        referral_id, limit=10, start=None, member=member or build_member(PRACTICE), context=desk.context
    )


def outcomes(referral_id="ref_1"):
    """What the audit says of a referral."""
    chains = (referral_id, f"{referral_id}/reads")
    rows = [row for row in shelves.list_rows("audit") if row["referral_id"] in chains]
    return sorted((row["action"], row["outcome"]) for row in rows)


def test_a_draft_is_the_practices_alone(services):
    """Written, not sent: no event, nobody told, nothing in the center's list."""
    services.refer(submit=False)

    referral = services.get_referral()
    assert (referral.stage, referral.version, referral.is_with_center) == ("draft", 1, False)
    assert services.list_events() == []
    assert shelves.list_task_rows() == []
    assert outcomes() == [("referral.create", "allowed")]


def test_a_referral_that_is_sent_at_once_is_one_version(services):
    """Its draft is never seen by anybody."""
    services.refer()

    referral = services.get_referral()
    assert (referral.stage, referral.version) == ("submitted", 1)
    assert [event.event.stage for event in services.list_events()] == ["submitted"]
    assert outcomes() == [("event.submitted", "allowed")]


def test_a_centers_next_report_is_never_older_than_the_submission(services):
    """A feed stamps whole seconds by a clock of its own; the submission counts from its minute."""
    services.now = NOON.replace(second=59, microsecond=999_999)
    services.refer()

    assert services.deliver("received", at=NOON.replace(second=59)).status == "applied"


def test_an_alias_is_proposed_where_none_is_given(services):
    """Drawn from the id: it says nothing about the patient, and a repeat proposes the same."""
    services.refer(patient__alias=None)

    alias = services.get_referral().alias
    assert alias
    assert alias != "Blue Heron"
    assert "Example" not in alias


def test_the_same_post_again_is_the_same_referral(services):
    """With the same key: the first answer, and no second referral."""
    first = services.refer("ref_1")

    again = services.refer("ref_2")

    assert again == replace(first, replayed=True)
    assert services.stores.referrals.get("ref_2") is None


def test_a_key_that_was_used_for_another_referral_is_refused(services):
    """The body tells them apart."""
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
def test_only_a_practices_people_in_care_refer(services, member):
    """A center does not refer, nor does who only manages people."""
    with pytest.raises(ForbiddenError):
        services.refer(member=member)

    assert shelves.list_rows("referrals") == []


def test_what_is_not_known_is_named(services):
    """Product and center, both at once, and the values are not repeated."""
    with pytest.raises(MalformedError) as refusal:
        services.refer(product_id="miracle", center_id="ctr_unknown")

    assert [(f.pointer, f.code) for f in refusal.value.errors] == [
        ("/product_id", "unknown"),
        ("/center_id", "unknown"),
    ]
    assert "miracle" not in repr(refusal.value.errors)
    assert shelves.list_rows("referrals") == []


def test_an_incomplete_packet_is_not_sent(services):
    """Everything that is missing at once; nothing is stored, and the key stays free."""
    with pytest.raises(ConflictError) as refusal:
        services.refer(patient__zip=None, insurance=None)
    answer = services.refer()

    assert refusal.value.code == "packet_incomplete"
    assert [f.pointer for f in refusal.value.errors] == ["/patient/zip", "/insurance/payer", "/insurance/member_id"]
    assert not answer.replayed


def test_an_id_that_is_taken_is_not_overwritten(services):
    """128 random bits do not meet; if they did, the caller tries again."""
    services.refer("ref_1", key="key-1")

    with pytest.raises(UnavailableError):
        services.refer("ref_1", key="key-2", patient__family_name="Other")

    assert services.get_referral().details["patient"]["family_name"] == "Example"


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("referral_id", ["ref_1", "ref_unknown"])
def test_a_stranger_finds_nothing_to_read(services, stranger, referral_id):
    """The same for what is others' as for what is not; every try is in the audit."""
    services.refer()
    tries = (
        ("referral.read", lambda: read(services, stranger, referral_id)),
        ("referral.read_events", lambda: timeline(services, stranger, referral_id)),
    )
    for _, attempt in tries:
        with pytest.raises(NotFoundError):
            attempt()

    assert [o for o in outcomes(referral_id) if o[1] == "not_found"] == sorted(
        (action, "not_found") for action, _ in tries
    )


@pytest.mark.parametrize("member", [build_member(PRACTICE), build_member(CENTER)])
def test_both_sides_read_a_submitted_referral(services, member):
    """And each reading is in the audit with its request."""
    services.refer()

    assert read(services, member) == services.get_referral()
    events, _ = timeline(services, member)

    assert [event.event.stage for event in events] == ["submitted"]
    assert outcomes()[1:] == [("referral.read", "allowed"), ("referral.read_events", "allowed")]


def test_a_reading_that_cannot_be_recorded_is_none(services):
    """Without its row in the audit nobody sees a patient."""
    services.refer()

    dead = faults.plan_always("PutItem", FaultMode.SERVER_ERROR)

    with faults.inject_faults(dead), pytest.raises(UnavailableError):
        read(services)
