"""Changing what a practice sends: how long, in which version, and by whom."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, ForbiddenError, MalformedError, NotFoundError, PreconditionFailedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import read_and_amend as referrals
from tests.support import faults
from tests.support import stores as shelves
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION


def amend(desk, changes, *, version=1, member=None, referral_id="ref_1"):
    """Change a referral as a member does."""
    return referrals.amend_referral(
        referral_id,
        changes,
        version=version,
        member=member or build_member(PRACTICE),
        context=RunContext(desk.stores, desk.now + MINUTE),
    )


def test_a_draft_can_be_changed(services):
    """Whole sections; what is not named stays; one version on."""
    services.refer(submit=False)

    changed = amend(services, {"note": "n", "urgency": "urgent", "center_id": "ctr_mesa"})

    assert changed == replace(services.get_referral(), audit_chain_head=changed.audit_chain_head)
    assert (changed.version, changed.urgency, changed.center_id) == (2, "urgent", "ctr_mesa")
    assert changed.details["note"] == "n"
    assert changed.details["patient"]["family_name"] == "Example"
    assert "referral.amend" in {row["action"] for row in shelves.list_rows("audit")}


def test_a_change_of_an_old_version_is_refused(services):
    """Somebody else wrote since; nothing of it is stored."""
    services.refer(submit=False)
    amend(services, {"note": "first"})

    with pytest.raises(PreconditionFailedError):
        amend(services, {"note": "second"}, version=1)

    assert services.get_referral().details["note"] == "first"


def test_of_two_changes_at_once_one_is_refused(services):
    """Both read version 1; the transaction lets one through."""
    services.refer(submit=False)
    other = services.restart()
    quicker = faults.plan_interruption("TransactWriteItems", lambda: amend(other, {"note": "quicker"}))

    with faults.inject_faults(quicker), pytest.raises(PreconditionFailedError):
        amend(services, {"note": "slower"})

    assert services.get_referral().details["note"] == "quicker"
    assert services.get_referral().version == 2


def test_a_change_and_a_move_at_once_do_not_undo_each_other(services):
    """The center asked for information while the practice was still reading."""
    services.refer()
    services.move_to("received", "info_requested")
    moves = faults.plan_interruption("TransactWriteItems", lambda: services.restart().deliver("declined"))
    services.now += MINUTE

    with faults.inject_faults(moves), pytest.raises(PreconditionFailedError):
        amend(services, {"note": "late"}, version=3)

    assert services.get_referral().stage is Stage.DECLINED
    assert services.get_referral().details["note"] is None


@pytest.mark.parametrize("stages", [["received"], ["accepted"], STAGES_TO_LYMPHODEPLETION, ["declined"]])
def test_what_the_center_works_with_is_not_changed(services, stages):
    """From its receipt on, but for an answer to a question."""
    services.refer()
    services.move_to(*stages)

    with pytest.raises(ConflictError) as refusal:
        amend(services, {"note": "n"}, version=services.get_referral().version)

    assert refusal.value.code == "not_editable"


def test_an_answer_to_a_question_changes_anything_but_the_center(services):
    """A referral that was submitted stays with its center."""
    services.refer()
    services.move_to("received", "info_requested")

    changed = amend(services, {"note": "the answer", "center_id": "ctr_harbor"}, version=3)
    with pytest.raises(ConflictError) as refusal:
        amend(services, {"center_id": "ctr_mesa"}, version=4)

    assert changed.details["note"] == "the answer"
    assert refusal.value.code == "center_fixed"


def test_a_change_names_only_what_is_known(services):
    """As a new referral does."""
    services.refer(submit=False)

    with pytest.raises(MalformedError):
        amend(services, {"product_id": "miracle"})


def test_a_center_does_not_change_what_the_practice_sends(services):
    """It sees it, so it is told that this is not for its role."""
    services.refer()

    with pytest.raises(ForbiddenError):
        amend(services, {"note": "n"}, member=build_member(CENTER))


@pytest.mark.parametrize("stranger", [build_member(OTHER_PRACTICE), build_member(OTHER_CENTER)])
@pytest.mark.parametrize("referral_id", ["ref_1", "ref_unknown"])
def test_a_stranger_finds_nothing_to_change(services, stranger, referral_id):
    """The same for what is others' as for what is not; the try is in the audit."""
    services.refer()

    with pytest.raises(NotFoundError):
        amend(services, {"note": "n"}, member=stranger, referral_id=referral_id)

    (row,) = [row for row in shelves.list_rows("audit") if row["outcome"] == "not_found"]
    assert (row["referral_id"], row["action"]) == (f"{referral_id}/reads", "referral.amend")
    assert services.get_referral().version == 1
