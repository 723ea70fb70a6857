"""A person moves a referral: for the own side, once, and told at once what is missing."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, IdempotencyKeyReusedError, NotFoundError
from tests.support import stores as shelves
from tests.support.factories import CENTER, NOON, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION


def test_a_person_moves_a_referral_for_the_own_side(submitted_services):
    """A center's coordinator accepts, a practice's withdraws."""
    told = submitted_services.report("accepted")
    submitted_services.now += MINUTE
    also_told = submitted_services.report("withdrawn", member=build_member(PRACTICE))

    assert told.body == {"status": "applied", "stage": "accepted"}
    assert also_told.body == {"status": "applied", "stage": "withdrawn"}
    assert [e.event.actor_name for e in submitted_services.list_events()][1:] == [
        build_member(CENTER).name,
        build_member(PRACTICE).name,
    ]


def test_a_persons_repeat_is_a_replay(submitted_services):
    """The kept answer, and nothing written."""
    first = submitted_services.report("accepted")
    before = shelves.dump_tables()

    again = submitted_services.report("accepted")

    assert again == replace(first, replayed=True)
    assert shelves.dump_tables() == before


def test_a_persons_repeat_is_a_replay_even_when_the_move_is_no_longer_legal(submitted_services):
    """The referral has gone on, or has ended, since the first answer was lost."""
    submitted_services.report("accepted")
    submitted_services.move_to("consult_scheduled", "declined")

    again = submitted_services.report("accepted", at=submitted_services.now + MINUTE)

    assert again.body == {"status": "applied", "stage": "accepted"}
    assert again.replayed


def test_a_key_with_another_body_is_refused(submitted_services):
    """Whether the second move would be legal or not."""
    submitted_services.report("accepted")

    with pytest.raises(IdempotencyKeyReusedError):
        submitted_services.report("consult_scheduled", body=b'{"other": 1}', at=submitted_services.now + MINUTE)
    with pytest.raises(IdempotencyKeyReusedError):
        submitted_services.report("submitted", body=b'{"other": 1}', at=submitted_services.now + MINUTE)
    assert len(submitted_services.list_events()) == 2


def test_a_person_is_told_at_once_that_something_is_missing(submitted_services):
    """Nothing is parked for a person, and the key is still free for a later try."""
    with pytest.raises(ConflictError) as refusal:
        submitted_services.report("infused")
    assert refusal.value.code == "not_legal_yet"
    assert submitted_services.list_parked_stages() == []
    submitted_services.move_to(*STAGES_TO_LYMPHODEPLETION)

    told = submitted_services.report("infused", at=submitted_services.now + MINUTE)

    assert told.body == {"status": "applied", "stage": "infused"}


@pytest.mark.parametrize("stranger", [OTHER_PRACTICE, OTHER_CENTER])
def test_a_stranger_is_told_that_there_is_nothing(submitted_services, stranger):
    """The same for a referral of others as for none; both tries are in the audit."""
    for referral_id in ("ref_1", "ref_unknown"):
        with pytest.raises(NotFoundError):
            submitted_services.report("accepted", member=build_member(stranger), referral_id=referral_id)

    denied = [row for row in shelves.list_rows("audit") if row["outcome"] == "not_found"]
    assert sorted(row["referral_id"] for row in denied) == ["ref_1/reads", "ref_unknown/reads"]
    assert {row["tenant_id"] for row in denied} == {stranger.tenant_id}
    assert submitted_services.get_referral().stage is Stage.SUBMITTED


def test_a_refused_try_is_in_the_audit(submitted_services):
    """With who tried what, and why not."""
    with pytest.raises(ConflictError):
        submitted_services.report("withdrawn")

    (row,) = [row for row in shelves.list_rows("audit") if row["outcome"] != "allowed"]
    assert (row["action"], row["outcome"]) == ("event.withdrawn", "not_your_move")
    assert row["actor_id"] == build_member(CENTER).member_id


def test_an_incomplete_draft_is_not_submitted(services):
    """Everything that is missing is named at once, and nothing is written but the audit."""
    services.refer(submit=False, patient__phone=None, clinical__ecog=None)

    with pytest.raises(ConflictError) as refusal:
        services.report("submitted", member=build_member(PRACTICE))

    assert [f.pointer for f in refusal.value.errors] == ["/patient/phone", "/clinical/ecog"]
    assert services.get_referral().stage is Stage.DRAFT
    assert services.list_events() == []


def test_a_submission_wakes_what_a_center_sent_too_early(services):
    """Submitted by the report of a person, after the center's delivery was quicker."""
    services.refer(submit=False)
    services.deliver("received", at=NOON + MINUTE)

    services.report("submitted", member=build_member(PRACTICE), at=NOON)

    assert services.get_referral().stage is Stage.RECEIVED
    assert services.list_parked_stages() == []
