"""Deliveries in any order, some twice, end as in order: in memory, and on real tables."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib import catalogue
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.stage_changes import Setting
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import RefusedError
from tests.prove.claims import Budget, Progress, Result
from tests.prove.histories import (
    a_history,
    as_delivered,
    differing,
    state_in,
    state_of,
    webhook_id,
)
from tests.prove.spread import spread
from tests.prove.world import open_world
from tests.support.desk import Desk
from tests.support.journey import NOON, Inbox, a_change, a_referral, a_setting

MINUTES = 5.5
IN_MEMORY = 1_000_000
ON_TABLES = 50_000
_A_PART_IN_MEMORY = 25_000
_A_PART_ON_TABLES = 2_500


@dataclass(frozen=True, slots=True)
class Part:
    """So many deliveries, drawn from a seed."""

    seed: int
    deliveries: int
    engine: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a part came to; `naive` is how often the order of arrival ends elsewhere."""

    deliveries: int
    referrals: int
    wrong: Sequence[str]
    naive: int = 0


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """In memory first, then on tables."""
    for claim, search, full, a_part in (
        ("in memory", in_memory, IN_MEMORY, _A_PART_IN_MEMORY),
        ("through the tables", on_tables, ON_TABLES, _A_PART_ON_TABLES),
    ):
        wanted = budget.of(full, least=500)
        parts = [
            Part(budget.seed * 10**6 + n, min(a_part, wanted - n), budget.engine)
            for n in range(0, wanted, a_part)
        ]
        found: list[Found] = []
        for part in spread(search, parts):
            found.append(part)
            progress(sum(f.deliveries for f in found), wanted, claim)
        wrong = [wrong for part in found for wrong in part.wrong]
        naive = sum(part.naive for part in found)
        blind = ["blind: no order of arrival mattered"] if search is in_memory and not naive else []
        referrals = sum(part.referrals for part in found)
        lost = f"; taken in their order of arrival {naive:,} would end elsewhere" if naive else ""
        yield Result(
            claim=f"Deliveries shuffled and repeated end as in order, {claim}",
            tries=sum(part.deliveries for part in found),
            counterexamples=wrong + blind,
            figures=f"{referrals:,} referrals{lost}",
        )


def in_memory(part: Part) -> Found:
    """Fold each history in order and as it was delivered, as the product decides and parks."""
    taken = referrals = naive = 0
    wrong: list[str] = []
    setting = a_setting(catalogue.profile_for("breyanzi"))
    while taken < part.deliveries:
        seed = part.seed + referrals
        drawn = random.Random(seed)  # noqa: S311 to be repeated, not to be kept secret
        history = a_history(drawn, "ref_in_memory")
        deliveries = as_delivered(drawn, history)
        in_order = _submitted(setting).take(history)
        # What was taken before meets its own receipt.
        once = list(dict(deliveries).values())
        shuffled = _submitted(setting).take(once)
        differs = differing(state_in(in_order), state_in(shuffled))
        if in_order.parked or in_order.refused:
            differs.append("the history is not legal")
        if differs:
            wrong.append(f"seed {seed}: {', '.join(differs)}")
        naive += once[-1] is not history[-1]
        taken, referrals = taken + len(deliveries), referrals + 1
    return Found(taken, referrals, wrong, naive)


def _submitted(setting: Setting) -> Inbox:
    """An inbox right after the submission, which is history as well."""
    sent = a_change(Stage.SUBMITTED, NOON, event_id="evt_0", actor=Actor.PRACTICE)
    return Inbox(a_referral(Stage.DRAFT), setting).take([sent])


def on_tables(part: Part) -> Found:
    """Deliver each history out of order to the real stores; compare with the fold in order."""
    taken = referrals = 0
    wrong: list[str] = []
    setting = a_setting(catalogue.profile_for("breyanzi"))
    with open_world(part.engine) as world:
        desk = Desk(world.stores, now=NOON)
        while taken < part.deliveries:
            seed = part.seed + referrals
            drawn = random.Random(seed)  # noqa: S311 as above
            rid, stores = derived_id("ref", str(seed)), desk.stores
            desk.refer(rid, key=rid)
            in_order = Inbox(desk.referral(rid), setting, list(stores.referrals.history(rid)))
            history = a_history(drawn, rid)
            in_order.take(history)
            deliveries = as_delivered(drawn, history)
            refused = _deliver(desk, rid, deliveries)
            stored, parked = stores.referrals.get_with_parked(rid)
            assert stored is not None
            events = len(stores.referrals.history(rid))
            differs = differing(state_in(in_order), state_of(stored, len(parked), events=events))
            if differs or refused:
                wrong.append(f"seed {seed}: {', '.join([*differs, *refused])}")
            taken, referrals = taken + len(deliveries), referrals + 1
    return Found(taken, referrals, wrong)


def _deliver(desk: Desk, referral_id: str, deliveries: Sequence[tuple[int, object]]) -> list[str]:
    refused = []
    for number, event in deliveries:
        try:
            desk.deliver_event(event, webhook_id=webhook_id(referral_id, number))  # type: ignore[arg-type]
        except RefusedError as e:
            refused.append(e.code)
    return refused
