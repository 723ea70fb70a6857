"""Members report events: for their own organization, once, and with an immediate error if something is missing."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, IdempotencyKeyReusedError, NotFoundError
from tests.support.factories import CENTER, NOON, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION
from tests.support.stores import dump_tables, list_rows


def test_members_report_events_of_their_own_side(submitted_services):
    """A center's coordinator accepts, and a practice's coordinator withdraws."""
    accepted = submitted_services.report("accepted")
    submitted_services.now += MINUTE
    withdrawn = submitted_services.report("withdrawn", member=build_member(PRACTICE))

    assert accepted.body == {"status": "applied", "stage": "accepted"}
    assert withdrawn.body == {"status": "applied", "stage": "withdrawn"}
    assert [e.event.actor_name for e in submitted_services.list_events()][1:] == [
        build_member(CENTER).name,
        build_member(PRACTICE).name,
    ]


def test_a_repeated_report_returns_the_stored_response(submitted_services):
    """And nothing is written."""
    first = submitted_services.report("accepted")
    before = dump_tables()

    again = submitted_services.report("accepted")

    assert again == replace(first, replayed=True)
    assert dump_tables() == before


def test_a_repeated_report_returns_the_stored_response_after_the_stage_changed(submitted_services):
    """The first response was lost, and the referral has changed or ended since."""
    submitted_services.report("accepted")
    submitted_services.move_to("consult_scheduled", "declined")

    again = submitted_services.report("accepted", at=submitted_services.now + MINUTE)

    assert again.body == {"status": "applied", "stage": "accepted"}
    assert again.replayed


def test_an_idempotency_key_with_another_body_is_refused(submitted_services):
    """Whether or not the second event would be possible."""
    submitted_services.report("accepted")

    with pytest.raises(IdempotencyKeyReusedError):
        submitted_services.report("consult_scheduled", body=b'{"other": 1}', at=submitted_services.now + MINUTE)
    with pytest.raises(IdempotencyKeyReusedError):
        submitted_services.report("submitted", body=b'{"other": 1}', at=submitted_services.now + MINUTE)
    assert len(submitted_services.list_events()) == 2


def test_a_members_early_event_is_refused_and_not_parked(submitted_services):
    """The idempotency key stays free for a later attempt."""
    with pytest.raises(ConflictError) as refusal:
        submitted_services.report("infused")
    assert refusal.value.code == "not_legal_yet"
    assert submitted_services.list_parked_stages() == []
    submitted_services.move_to(*STAGES_TO_LYMPHODEPLETION)

    response = submitted_services.report("infused", at=submitted_services.now + MINUTE)

    assert response.body == {"status": "applied", "stage": "infused"}


@pytest.mark.parametrize("tenant", [OTHER_PRACTICE, OTHER_CENTER])
def test_a_member_of_another_tenant_gets_not_found(submitted_services, tenant):
    """The same for an existing and an unknown referral. Both attempts are in the audit trail."""
    for referral_id in ("ref_1", "ref_unknown"):
        with pytest.raises(NotFoundError):
            submitted_services.report("accepted", member=build_member(tenant), referral_id=referral_id)

    denied = [row for row in list_rows("audit") if row["outcome"] == "not_found"]
    assert sorted(row["referral_id"] for row in denied) == ["ref_1/reads", "ref_unknown/reads"]
    assert {row["tenant_id"] for row in denied} == {tenant.tenant_id}
    assert submitted_services.get_referral().stage is Stage.SUBMITTED


def test_a_refused_event_is_in_the_audit_trail(submitted_services):
    """With the member, the event and the reason."""
    with pytest.raises(ConflictError):
        submitted_services.report("withdrawn")

    (row,) = [row for row in list_rows("audit") if row["outcome"] != "allowed"]
    assert (row["action"], row["outcome"]) == ("event.withdrawn", "not_your_move")
    assert row["actor_id"] == build_member(CENTER).member_id


def test_an_incomplete_draft_cannot_be_submitted(services):
    """All missing fields are named in one error, and only the audit row is written."""
    services.refer(submit=False, patient__phone=None, clinical__ecog=None)

    with pytest.raises(ConflictError) as refusal:
        services.report("submitted", member=build_member(PRACTICE))

    assert [f.pointer for f in refusal.value.errors] == ["/patient/phone", "/clinical/ecog"]
    assert services.get_referral().stage is Stage.DRAFT
    assert services.list_events() == []


def test_a_submission_applies_deliveries_that_came_before_it(services):
    """A member submits after the center's delivery arrived."""
    services.refer(submit=False)
    services.deliver("received", at=NOON + MINUTE)

    services.report("submitted", member=build_member(PRACTICE), at=NOON)

    assert services.get_referral().stage is Stage.RECEIVED
    assert services.list_parked_stages() == []
