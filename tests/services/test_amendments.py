"""Changing what a practice sends: how long, in which version, and by whom."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import (
    ForbiddenError,
    MalformedError,
    NotFoundError,
    RefusedError,
    StaleError,
)
from chalicelib.services.referrals import read_and_amend as referrals
from tests.support import faults, shelves
from tests.support.desk import MINUTE, TO_CONDITIONED
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, a_member


def amend(desk, changes, *, version=1, member=None, referral_id="ref_1"):
    """Change a referral as a member does."""
    return referrals.amend(
        referral_id,
        changes,
        version=version,
        member=member or a_member(PRACTICE),
        stores=desk.stores,
        now=desk.now + MINUTE,
    )


def test_a_draft_can_be_changed(desk):
    """Whole sections; what is not named stays; one version on."""
    desk.refer(submit=False)

    changed = amend(desk, {"note": "n", "urgency": "urgent", "center_id": "ctr_mesa"})

    assert changed == replace(desk.referral(), audited=changed.audited)
    assert (changed.version, changed.urgency, changed.center_id) == (2, "urgent", "ctr_mesa")
    assert changed.details["note"] == "n"
    assert changed.details["patient"]["family_name"] == "Example"
    assert "referral.amend" in {row["action"] for row in shelves.rows("audit")}


def test_a_change_of_an_old_version_is_refused(desk):
    """Somebody else wrote since; nothing of it is stored."""
    desk.refer(submit=False)
    amend(desk, {"note": "first"})

    with pytest.raises(StaleError):
        amend(desk, {"note": "second"}, version=1)

    assert desk.referral().details["note"] == "first"


def test_of_two_changes_at_once_one_is_refused(desk):
    """Both read version 1; the transaction lets one through."""
    desk.refer(submit=False)
    other = desk.anew()
    quicker = faults.meanwhile("TransactWriteItems", lambda: amend(other, {"note": "quicker"}))

    with faults.injected(quicker), pytest.raises(StaleError):
        amend(desk, {"note": "slower"})

    assert desk.referral().details["note"] == "quicker"
    assert desk.referral().version == 2


def test_a_change_and_a_move_at_once_do_not_undo_each_other(desk):
    """The center asked for information while the practice was still reading."""
    desk.refer()
    desk.move_to("received", "info_requested")
    moves = faults.meanwhile("TransactWriteItems", lambda: desk.anew().deliver("declined"))
    desk.now += MINUTE

    with faults.injected(moves), pytest.raises(StaleError):
        amend(desk, {"note": "late"}, version=3)

    assert desk.referral().stage is Stage.DECLINED
    assert desk.referral().details["note"] is None


@pytest.mark.parametrize("stages", [["received"], ["accepted"], TO_CONDITIONED, ["declined"]])
def test_what_the_center_works_with_is_not_changed(desk, stages):
    """From its receipt on, but for an answer to a question."""
    desk.refer()
    desk.move_to(*stages)

    with pytest.raises(RefusedError) as refusal:
        amend(desk, {"note": "n"}, version=desk.referral().version)

    assert refusal.value.code == "not_editable"


def test_an_answer_to_a_question_changes_anything_but_the_center(desk):
    """A referral that was submitted stays with its center."""
    desk.refer()
    desk.move_to("received", "info_requested")

    changed = amend(desk, {"note": "the answer", "center_id": "ctr_harbor"}, version=3)
    with pytest.raises(RefusedError) as refusal:
        amend(desk, {"center_id": "ctr_mesa"}, version=4)

    assert changed.details["note"] == "the answer"
    assert refusal.value.code == "center_fixed"


def test_a_change_names_only_what_is_known(desk):
    """As a new referral does."""
    desk.refer(submit=False)

    with pytest.raises(MalformedError):
        amend(desk, {"product_id": "miracle"})


def test_a_center_does_not_change_what_the_practice_sends(desk):
    """It sees it, so it is told that this is not for its role."""
    desk.refer()

    with pytest.raises(ForbiddenError):
        amend(desk, {"note": "n"}, member=a_member(CENTER))


@pytest.mark.parametrize("stranger", [a_member(OTHER_PRACTICE), a_member(OTHER_CENTER)])
@pytest.mark.parametrize("referral_id", ["ref_1", "ref_unknown"])
def test_a_stranger_finds_nothing_to_change(desk, stranger, referral_id):
    """The same for what is others' as for what is not; the try is in the audit."""
    desk.refer()

    with pytest.raises(NotFoundError):
        amend(desk, {"note": "n"}, member=stranger, referral_id=referral_id)

    (row,) = [row for row in shelves.rows("audit") if row["outcome"] == "not_found"]
    assert (row["referral_id"], row["action"]) == (f"{referral_id}/reads", "referral.amend")
    assert desk.referral().version == 1
