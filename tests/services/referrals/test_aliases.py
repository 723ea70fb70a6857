"""An alias is used by one open referral of a practice at a time, whatever happens at the same moment."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.events import Reopened
from chalicelib.errors import ConflictError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.amend import amend_referral
from tests.support import faults
from tests.support.factories import OTHER_PRACTICE, PRACTICE, build_member
from tests.support.referral_values import build_event
from tests.support.service_driver import ALIAS, MINUTE
from tests.support.stores import list_rows


def rename(services, alias, *, referral_id):
    referral = services.get_referral(referral_id)
    return amend_referral(
        referral_id,
        {"alias": alias},
        version=referral.version,
        member=build_member(PRACTICE),
        context=RunContext(services.stores, services.now + MINUTE),
    )


def test_a_patient_who_is_referred_twice_may_have_the_same_alias(services):
    """To two centers, or by mistake: email is still about one person."""
    services.refer(patient__alias=ALIAS)
    services.refer("ref_2", key="key-2", patient__alias=ALIAS)

    assert services.get_referral("ref_2").alias == services.get_referral("ref_1").alias


@pytest.mark.parametrize("spelling", [ALIAS, "blue heron", "Blue-Heron"])
def test_an_alias_of_an_open_referral_is_refused(services, spelling):
    """In every spelling, for a new referral and for a draft."""
    services.refer(submit=False)

    for submit in (True, False):
        with pytest.raises(ConflictError) as refusal:
            services.refer("ref_2", key="key-2", patient__family_name="Sample", submit=submit, patient__alias=spelling)
        assert refusal.value.code == "alias_in_use"
        assert [error.pointer for error in refusal.value.errors] == ["/patient/alias"]
    assert services.stores.referrals.get("ref_2") is None


def test_another_practice_can_use_the_alias(services):
    """Its emails go to other people."""
    services.refer()

    services.refer(
        "ref_2", key="key-2", patient__family_name="Sample", member=build_member(OTHER_PRACTICE), patient__alias=ALIAS
    )

    assert services.get_referral("ref_2").alias == ALIAS


def test_the_alias_of_a_closed_referral_is_free(services):
    """The new referral of the same patient can keep it."""
    services.refer()
    services.move_to("declined")

    services.refer("ref_2", key="key-2", patient__family_name="Sample", patient__alias=ALIAS)
    with pytest.raises(ConflictError):
        services.refer("ref_3", key="key-3", patient__alias=ALIAS)

    assert services.get_referral("ref_2").alias == ALIAS


def test_a_referral_that_is_reopened_gets_another_alias_if_its_own_is_in_use(services):
    """Two open referrals must not share one."""
    services.refer()
    services.move_to("declined")
    services.refer("ref_2", key="key-2", patient__family_name="Sample", patient__alias=ALIAS)
    services.now += MINUTE

    services.deliver_event(
        build_event(Reopened, at=services.now, referral_id="ref_1", note="By mistake."), webhook_id="reopen"
    )

    aliases = {services.get_referral(name).alias for name in ("ref_1", "ref_2")}
    assert services.get_referral("ref_1").stage.value == "submitted"
    assert ALIAS in aliases
    assert len(aliases) == 2


def test_a_referral_that_is_reopened_keeps_an_alias_that_is_free(services):
    """People know the patient by it."""
    services.refer()
    services.move_to("declined")
    services.now += MINUTE

    services.deliver_event(
        build_event(Reopened, at=services.now, referral_id="ref_1", note="By mistake."), webhook_id="reopen"
    )

    assert services.get_referral("ref_1").alias == ALIAS


def test_of_two_referrals_at_the_same_moment_one_gets_the_alias(services):
    """The transaction of the slower one fails, and it is refused."""
    other = services.restart()
    faster = faults.plan_interruption(
        "TransactWriteItems",
        lambda: other.refer("ref_2", key="key-2", patient__family_name="Sample", patient__alias=ALIAS),
    )

    with faults.inject_faults(faster), pytest.raises(ConflictError) as refusal:
        services.refer()

    assert refusal.value.code == "alias_in_use"
    assert services.get_referral("ref_2").alias == ALIAS
    assert services.stores.referrals.get("ref_1") is None


def test_of_two_changes_at_the_same_moment_one_gets_the_alias(services):
    """Both referrals stay, with different aliases."""
    services.refer()
    services.refer("ref_2", key="key-2", patient__family_name="Sample")
    other = services.restart()
    faster = faults.plan_interruption("TransactWriteItems", lambda: rename(other, "Grey Gull", referral_id="ref_2"))

    with faults.inject_faults(faster), pytest.raises(ConflictError) as refusal:
        rename(services, "Grey Gull", referral_id="ref_1")

    assert refusal.value.code == "alias_in_use"
    assert services.get_referral("ref_1").alias == ALIAS


def test_an_alias_that_was_given_up_is_free(services):
    """At once."""
    services.refer()
    rename(services, "Grey Gull", referral_id="ref_1")

    services.refer("ref_2", key="key-2", patient__family_name="Sample", patient__alias=ALIAS)

    assert services.get_referral("ref_2").alias == ALIAS


def test_a_repeat_of_a_request_finds_its_own_referral(services):
    """And not that its alias is in use."""
    first = services.refer(patient__alias="Grey Gull")

    again = services.refer("ref_2", patient__alias="Grey Gull")

    assert again == replace(first, replayed=True)


def test_a_proposed_alias_is_never_in_use(services, monkeypatch):
    """Also if the first proposals are taken."""
    proposals = iter([ALIAS, "Example Owl", "Grey Gull"])
    monkeypatch.setattr("chalicelib.services.referrals.aliases.propose_alias", lambda *_: next(proposals))
    services.refer()

    services.refer("ref_2", key="key-2", patient__family_name="Sample")

    assert services.get_referral("ref_2").alias == "Grey Gull"


def test_no_row_has_an_alias_in_clear_text(services):
    """Only its keyed hash, which differs by practice."""
    services.refer()
    services.refer(
        "ref_2", key="key-2", patient__family_name="Sample", member=build_member(OTHER_PRACTICE), patient__alias=ALIAS
    )

    keys = [row["referral_id"] for row in list_rows("referrals") if row["item"] == "alias"]

    assert len({key.rpartition("#")[2] for key in keys}) == 2
    assert not any("heron" in key.casefold() for key in keys)
