"""Edit a referral: until when, in which version, and by whom."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, ForbiddenError, MalformedError, NotFoundError, PreconditionFailedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals import amend as referrals
from tests.support import faults
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION
from tests.support.stores import list_rows


def amend(services, changes, *, version=1, member=None, referral_id="ref_1"):
    """Edit a referral as a member."""
    return referrals.amend_referral(
        referral_id,
        changes,
        version=version,
        member=member or build_member(PRACTICE),
        context=RunContext(services.stores, services.now + MINUTE),
    )


def test_a_draft_can_be_edited(services):
    """Whole sections change, the others stay, and the version increases by one."""
    services.refer(submit=False)

    changed = amend(services, {"note": "n", "urgency": "urgent", "center_id": "ctr_mesa"})

    assert changed == replace(services.get_referral(), audit_chain_head=changed.audit_chain_head)
    assert (changed.version, changed.urgency, changed.center_id) == (2, "urgent", "ctr_mesa")
    assert changed.details["note"] == "n"
    assert changed.details["patient"]["family_name"] == "Example"
    assert "referral.amend" in {row["action"] for row in list_rows("audit")}


def test_an_edit_of_an_old_version_is_refused(services):
    """Another write came first; nothing of the edit is stored."""
    services.refer(submit=False)
    amend(services, {"note": "first"})

    with pytest.raises(PreconditionFailedError):
        amend(services, {"note": "second"}, version=1)

    assert services.get_referral().details["note"] == "first"


def test_one_of_two_edits_at_once_is_refused(services):
    """Both read version 1; the transaction accepts one."""
    services.refer(submit=False)
    other = services.restart()
    interruption = faults.plan_interruption("TransactWriteItems", lambda: amend(other, {"note": "faster"}))

    with faults.inject_faults(interruption), pytest.raises(PreconditionFailedError):
        amend(services, {"note": "slower"})

    assert services.get_referral().details["note"] == "faster"
    assert services.get_referral().version == 2


def test_an_edit_cannot_overwrite_an_event_at_the_same_time(services):
    """The center declined while the practice was editing."""
    services.refer()
    services.move_to("received", "info_requested")
    interruption = faults.plan_interruption("TransactWriteItems", lambda: services.restart().deliver("declined"))
    services.now += MINUTE

    with faults.inject_faults(interruption), pytest.raises(PreconditionFailedError):
        amend(services, {"note": "late"}, version=3)

    assert services.get_referral().stage is Stage.DECLINED
    assert services.get_referral().details["note"] is None


@pytest.mark.parametrize("stages", [[], ["received"], ["accepted"], STAGES_TO_LYMPHODEPLETION])
def test_an_open_referral_can_be_edited(services, stages):
    """Before and after the center works on it; the stage stays."""
    services.refer()
    services.move_to(*stages)
    before = services.get_referral()

    changed = amend(services, {"note": "n"}, version=before.version)

    assert (changed.details["note"], changed.stage, changed.version) == ("n", before.stage, before.version + 1)


@pytest.mark.parametrize("stage", ["declined", "deceased"])
def test_a_closed_referral_cannot_be_edited(services, stage):
    """Its facts are history. The refusal is in the audit trail."""
    services.refer()
    services.move_to(stage)

    with pytest.raises(ConflictError) as refusal:
        amend(services, {"note": "n"}, version=services.get_referral().version)

    assert refusal.value.code == "referral_closed"
    assert ("referral.amend", "referral_closed") in {(row["action"], row["outcome"]) for row in list_rows("audit")}


def test_a_requested_edit_can_change_everything_except_the_center(services):
    """A submitted referral stays with its center."""
    services.refer()
    services.move_to("received", "info_requested")

    changed = amend(services, {"note": "the answer", "center_id": "ctr_harbor"}, version=3)
    with pytest.raises(ConflictError) as refusal:
        amend(services, {"center_id": "ctr_mesa"}, version=4)

    assert changed.details["note"] == "the answer"
    assert refusal.value.code == "center_fixed"


def test_an_edit_with_an_unknown_product_is_refused(services):
    """The same as for a new referral."""
    services.refer(submit=False)

    with pytest.raises(MalformedError):
        amend(services, {"product_id": "miracle"})


def test_a_center_cannot_edit_a_referral(services):
    """It can see the referral, so the error is that its role cannot do this."""
    services.refer()

    with pytest.raises(ForbiddenError):
        amend(services, {"note": "n"}, member=build_member(CENTER))


@pytest.mark.parametrize("member", [build_member(OTHER_PRACTICE), build_member(OTHER_CENTER)])
@pytest.mark.parametrize("referral_id", [f"ref_{'a' * 26}", f"ref_{'b' * 26}"], ids=["known", "unknown"])
def test_a_member_without_access_cannot_edit(services, member, referral_id):
    """The same error for an existing and an unknown referral. The attempt is in the audit trail."""
    services.refer(f"ref_{'a' * 26}")

    with pytest.raises(NotFoundError):
        amend(services, {"note": "n"}, member=member, referral_id=referral_id)

    (row,) = [row for row in list_rows("audit") if row["outcome"] == "not_found"]
    assert (row["referral_id"], row["action"]) == (f"{referral_id}/reads", "referral.amend")
    assert services.get_referral(f"ref_{'a' * 26}").version == 1
