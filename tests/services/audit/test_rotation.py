"""The audit trail is verified part by part, and what was found stays visible until a round finds nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.services.audit.checkpoints import write_checkpoint
from chalicelib.services.audit.rotation import RotationPart, RotationState, load_rotation, verify_next_part
from chalicelib.services.platform.run_context import RunContext
from tests.support import factories
from tests.support.api_driver import ApiDriver
from tests.support.metric_lines import parse_metrics, record_metrics
from tests.support.tampering import apply_tampering, read_rows

REFERRALS = 3


def after_steps(count: int) -> Callable[[], bool]:
    """A run that has time for some steps."""
    left = iter([True] * count)
    return lambda: next(left, False)


def verify(api: ApiDriver, *, steps: int = 1000, later: timedelta = timedelta()) -> RotationState:
    context = RunContext(api.stores, wiring.read_clock() + later)
    return verify_next_part(has_time=after_steps(steps), context=context)


@pytest.fixture
def trail(api: ApiDriver) -> ApiDriver:
    """Referrals with writes and reads, and checkpoints that have counted them."""
    write_checkpoint(context=RunContext(api.stores, wiring.read_clock() - timedelta(minutes=5)))
    for _ in range(REFERRALS):
        referral_id = api.refer()["referral_id"]
        api.center.get(f"/v1/referrals/{referral_id}")
        api.other_practice.get(f"/v1/referrals/{referral_id}")
    api.practice.get("/v1/referrals")
    for minutes in (10, 20):
        write_checkpoint(context=RunContext(api.stores, wiring.read_clock() + timedelta(minutes=minutes)))
    return api


def test_a_round_verifies_every_chain_and_checkpoint_once(trail: ApiDriver):
    """As many rows as the table has, however many runs it takes."""
    chains = {chain for chain, _ in read_rows()}
    states = [verify(trail, steps=1) for _ in range(30)]

    assert states[-1] == load_rotation(stores=trail.stores)
    assert (states[-1].part, states[-1].progress, states[-1].broken) == (RotationPart.DONE, 100, 0)
    assert (states[-1].chains, states[-1].rows, states[-1].checkpoints) == (len(chains), len(read_rows()), 3)
    assert [state.progress for state in states] == sorted(state.progress for state in states)


def test_a_run_goes_on_inside_the_referrals_of_a_practice(trail: ApiDriver, monkeypatch):
    """A practice can have more referrals than one run can verify."""
    query = type(trail.stores.referrals.table).query
    pages = {"limit": 1}
    monkeypatch.setattr(
        type(trail.stores.referrals.table), "query", lambda table, *a, **more: query(table, *a, **(more | pages))
    )
    verify(trail, steps=1)
    half = verify(trail, steps=1)
    assert (half.part, half.chains, half.tenant_id) == (RotationPart.REFERRALS, 2, factories.PRACTICE.tenant_id)

    done = [verify(trail, steps=1) for _ in range(60)][-1]

    assert (done.part, done.broken) == (RotationPart.DONE, 0)
    assert done.chains == len({chain for chain, _ in read_rows()})


@pytest.mark.parametrize("ending", ["", "/reads"], ids=["writes", "reads"])
def test_a_removed_row_is_counted_until_a_round_finds_nothing(trail: ApiDriver, ending: str):
    """Also in the round after it, so that an alarm does not end by itself."""
    before = read_rows()
    chain = next(chain for chain, number in before if number == 2 and chain.endswith("/reads"))
    chain = chain.removesuffix("/reads") + ending
    last = max(number for each, number in before if each == chain)
    after = {place: row for place, row in before.items() if place != (chain, last)}

    with apply_tampering(before, after):
        broken = verify(trail)
    repaired = verify(trail, steps=1, later=timedelta(days=1))
    clean = verify(trail, later=timedelta(days=1))
    next_round = verify(trail, later=timedelta(days=2))

    assert broken.broken > 0
    assert (repaired.last_broken, clean.last_broken) == (broken.broken, broken.broken)
    assert (next_round.broken, next_round.last_broken) == (0, 0)


def test_a_round_begins_once_a_day(trail: ApiDriver):
    """A small deployment would otherwise read its whole trail every five minutes."""
    first = verify(trail)

    assert verify(trail, later=timedelta(hours=23)) == first
    assert verify(trail, later=timedelta(hours=25)).started_at > first.started_at


def test_the_metrics_say_what_was_found_and_how_far_the_round_is(trail: ApiDriver):
    """Without the names of chains."""
    with record_metrics() as output:
        verify(trail, steps=1)
        trail.stores.audit_heads.keep(ChainHead(2, "0" * 64), at=wiring.read_clock())
        verify(trail, later=timedelta(days=1))
        verify(trail, later=timedelta(days=2))

    values = [line.values for line in parse_metrics(output.getvalue())]
    assert [each["AuditVerified"] for each in values] == [[33], [100], [100]]
    assert [each["AuditBroken"][0] > 0 for each in values] == [False, False, True]


def test_a_forged_state_starts_the_round_again(trail: ApiDriver):
    """Write access to the table is not enough to skip a part."""
    verify(trail)
    trail.stores.audit_rotation.save(b"all is well")

    assert load_rotation(stores=trail.stores) is None
    assert verify(trail).rows == len(read_rows())
