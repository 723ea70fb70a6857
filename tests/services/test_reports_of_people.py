"""A person moves a referral: for the own side, once, and told at once what is missing."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import KeyReusedError, NotFoundError, RefusedError
from tests.support import shelves
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.factories import (
    CENTER,
    NOON,
    OTHER_CENTER,
    OTHER_PRACTICE,
    PRACTICE,
    a_member,
)


def test_a_person_moves_a_referral_for_the_own_side(referred):
    """A center's coordinator accepts, a practice's withdraws."""
    told = referred.report("accepted")
    referred.now += MINUTE
    also_told = referred.report("withdrawn", member=a_member(PRACTICE))

    assert told.body == {"status": "applied", "stage": "accepted"}
    assert also_told.body == {"status": "applied", "stage": "withdrawn"}
    assert [e.event.actor_name for e in referred.events()][1:] == [
        a_member(CENTER).name,
        a_member(PRACTICE).name,
    ]


def test_a_persons_repeat_is_a_replay(referred):
    """The kept answer, and nothing written."""
    first = referred.report("accepted")
    before = shelves.dump()

    again = referred.report("accepted")

    assert again == replace(first, replayed=True)
    assert shelves.dump() == before


def test_a_persons_repeat_is_a_replay_even_when_the_move_is_no_longer_legal(referred):
    """The referral has gone on, or has ended, since the first answer was lost."""
    referred.report("accepted")
    referred.move_to("consult_scheduled", "declined")

    again = referred.report("accepted", at=referred.now + MINUTE)

    assert again.body == {"status": "applied", "stage": "accepted"}
    assert again.replayed


def test_a_key_with_another_body_is_refused(referred):
    """Whether the second move would be legal or not."""
    referred.report("accepted")

    with pytest.raises(KeyReusedError):
        referred.report("consult_scheduled", body=b'{"other": 1}', at=referred.now + MINUTE)
    with pytest.raises(KeyReusedError):
        referred.report("submitted", body=b'{"other": 1}', at=referred.now + MINUTE)
    assert len(referred.events()) == 2


def test_a_person_is_told_at_once_that_something_is_missing(referred):
    """Nothing is parked for a person, and the key is still free for a later try."""
    with pytest.raises(RefusedError) as refusal:
        referred.report("infused")
    assert refusal.value.code == "not_legal_yet"
    assert referred.waiting() == []
    referred.move_to(*TO_CONDITIONED)

    told = referred.report("infused", at=referred.now + MINUTE)

    assert told.body == {"status": "applied", "stage": "infused"}


@pytest.mark.parametrize("stranger", [OTHER_PRACTICE, OTHER_CENTER])
def test_a_stranger_is_told_that_there_is_nothing(referred, stranger):
    """The same for a referral of others as for none; both tries are in the audit."""
    for referral_id in ("ref_1", "ref_unknown"):
        with pytest.raises(NotFoundError):
            referred.report("accepted", member=a_member(stranger), referral_id=referral_id)

    denied = [row for row in shelves.rows("audit") if row["outcome"] == "not_found"]
    assert sorted(row["referral_id"] for row in denied) == ["ref_1/reads", "ref_unknown/reads"]
    assert {row["tenant_id"] for row in denied} == {stranger.tenant_id}
    assert referred.referral().stage is Stage.SUBMITTED


def test_a_refused_try_is_in_the_audit(referred):
    """With who tried what, and why not."""
    with pytest.raises(RefusedError):
        referred.report("withdrawn")

    (row,) = [row for row in shelves.rows("audit") if row["outcome"] != "allowed"]
    assert (row["action"], row["outcome"]) == ("event.withdrawn", "not_your_move")
    assert row["actor_id"] == a_member(CENTER).member_id


def test_an_incomplete_draft_is_not_submitted(desk):
    """Everything that is missing is named at once, and nothing is written but the audit."""
    desk.refer(submit=False, patient__phone=None, clinical__ecog=None)

    with pytest.raises(RefusedError) as refusal:
        desk.report("submitted", member=a_member(PRACTICE))

    assert [f.pointer for f in refusal.value.faults] == ["/patient/phone", "/clinical/ecog"]
    assert desk.referral().stage is Stage.DRAFT
    assert desk.events() == []


def test_a_submission_wakes_what_a_center_sent_too_early(desk):
    """Submitted by the report of a person, after the center's delivery was quicker."""
    desk.refer(submit=False)
    desk.deliver("received", at=NOON + MINUTE)

    desk.report("submitted", member=a_member(PRACTICE), at=NOON)

    assert desk.referral().stage is Stage.RECEIVED
    assert desk.waiting() == []
