"""Searches for an order of deliveries, with some twice, that ends elsewhere: in memory, and on real tables."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib import catalog
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import ReferralEvent
from chalicelib.domain.referrals.stage_changes import DecisionContext
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import ConflictError
from tests.simulation.feed_histories import (
    HistoryKind,
    build_webhook_id,
    draw_history,
    get_inbox_state,
    get_state,
    list_differences,
    select_ending_state,
    shuffle_deliveries,
)
from tests.simulation.proof_world import open_proof_world
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.workers import run_parts
from tests.support.referral_values import NOON, InMemoryInbox, build_context, build_referral, build_stage_change
from tests.support.service_driver import ServiceDriver

MINUTES = 45
"""Each delivery is decided by a replay of the whole history: 2.7 ms of processor time, measured 2026-11-30."""
IN_MEMORY = 1_000_000
ON_TABLES = 50_000
_A_PART_IN_MEMORY = 25_000
_A_PART_ON_TABLES = 2_500


KINDS = tuple(HistoryKind)
KINDS_ON_TABLES = tuple(kind for kind in HistoryKind if kind is not HistoryKind.ENDING)
"""On tables, a refused delivery can be sent again only as another one, with another id."""


@dataclass(frozen=True, slots=True)
class DeliveryPart:
    """A number of deliveries, drawn from a seed."""

    seed: int
    deliveries: int
    engine: str


@dataclass(frozen=True, slots=True)
class DeliveryPartResult:
    """The result of a part; `naive` is how often the order of arrival ends elsewhere."""

    deliveries: int
    referrals: int
    wrong: Sequence[str]
    naive: int = 0


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Search in memory first, then on tables."""
    for claim, search, full, a_part in (
        ("in memory", check_in_memory, IN_MEMORY, _A_PART_IN_MEMORY),
        ("through the tables", check_on_tables, ON_TABLES, _A_PART_ON_TABLES),
    ):
        wanted = budget.scale(full, least=500)
        parts = [
            DeliveryPart(budget.seed * 10**6 + n, min(a_part, wanted - n), budget.engine)
            for n in range(0, wanted, a_part)
        ]
        found: list[DeliveryPartResult] = []
        for part in run_parts(search, parts):
            found.append(part)
            progress(sum(f.deliveries for f in found), wanted, claim)
        wrong = [wrong for part in found for wrong in part.wrong]
        naive = sum(part.naive for part in found)
        blind = ["blind: no order of arrival mattered"] if search is check_in_memory and not naive else []
        referrals = sum(part.referrals for part in found)
        lost = f"; taken in their order of arrival {naive:,} would end elsewhere" if naive else ""
        yield SectionResult(
            claim=f"Shuffled and repeated deliveries end like ordered ones, {claim}",
            tries=sum(part.deliveries for part in found),
            counterexamples=wrong + blind,
            figures=f"{referrals:,} referrals{lost}",
        )


def _build_setting() -> DecisionContext:
    profile = catalog.get_monitoring_profile("breyanzi")
    return build_context(profile, get_profile=catalog.get_monitoring_profile)


def check_in_memory(part: DeliveryPart) -> DeliveryPartResult:
    """Replay each history in order and as it was delivered, as the product decides and parks."""
    taken = referrals = naive = 0
    wrong: list[str] = []
    setting = _build_setting()
    while taken < part.deliveries:
        seed = part.seed + referrals
        drawn = random.Random(seed)  # noqa: S311 to be repeated, not to be kept secret
        kind = KINDS[seed % len(KINDS)]
        history = draw_history(drawn, "ref_in_memory", kind)
        deliveries = shuffle_deliveries(drawn, history)
        # A repeat meets its own idempotency record.
        once = list(dict(deliveries).values())
        check = _compare_ended if kind.is_ended else _compare
        differs = check(setting, history, once)
        if differs:
            wrong.append(f"seed {seed}, {kind}: {', '.join(differs)}")
        naive += once[-1] is not history[-1]
        taken, referrals = taken + len(deliveries), referrals + 1
    return DeliveryPartResult(taken, referrals, wrong, naive)


def _compare(
    setting: DecisionContext, history: Sequence[ReferralEvent], deliveries: Sequence[ReferralEvent]
) -> list[str]:
    """Return how the state differs from that of the ordered history, in which everything is legal."""
    in_order = _submitted(setting).receive(history)
    shuffled = _submitted(setting).receive(deliveries)
    differs = list_differences(get_inbox_state(in_order), get_inbox_state(shuffled))
    if in_order.parked or in_order.rejected:
        differs.append("the history is not legal")
    return differs


def _compare_ended(
    setting: DecisionContext, history: Sequence[ReferralEvent], deliveries: Sequence[ReferralEvent]
) -> list[str]:
    """Return how the ending differs, after the sender has sent again what was refused, while something is accepted."""
    in_order, shuffled = _submitted(setting), _submitted(setting)
    for inbox, events in ((in_order, history), (shuffled, deliveries)):
        sent: list[ReferralEvent] = []
        waiting = list(events)
        while waiting != sent:
            inbox.receive(waiting)
            sent, waiting = waiting, [e for e in waiting if e not in inbox.history and e not in inbox.parked]
    return list_differences(*(select_ending_state(get_inbox_state(inbox)) for inbox in (in_order, shuffled)))


def _submitted(setting: DecisionContext) -> InMemoryInbox:
    """Return an inbox right after the submission, which is an event too."""
    sent = build_stage_change(Stage.SUBMITTED, NOON, event_id="evt_0", actor=Actor.PRACTICE)
    return InMemoryInbox(build_referral(Stage.DRAFT), setting).receive([sent])


def check_on_tables(part: DeliveryPart) -> DeliveryPartResult:
    """Deliver each history out of order to the real stores, and compare with the replay in order."""
    taken = referrals = 0
    wrong: list[str] = []
    setting = _build_setting()
    with open_proof_world(part.engine) as world:
        driver = ServiceDriver(world.stores, now=NOON)
        while taken < part.deliveries:
            seed = part.seed + referrals
            drawn = random.Random(seed)  # noqa: S311 as above
            rid, stores = derive_id("ref", str(seed)), driver.stores
            driver.refer(rid, key=rid)
            in_order = InMemoryInbox(driver.get_referral(rid), setting, list(stores.referrals.list_history(rid)))
            kind = KINDS_ON_TABLES[seed % len(KINDS_ON_TABLES)]
            history = draw_history(drawn, rid, kind)
            in_order.receive(history)
            deliveries = shuffle_deliveries(drawn, history)
            refused = _deliver(driver, rid, deliveries)
            stored, parked = stores.referrals.get_with_parked(rid)
            assert stored is not None
            events = len(stores.referrals.list_history(rid))
            states = [get_inbox_state(in_order), get_state(stored, len(parked), events=events)]
            if kind.is_ended:
                # A step that is dated after a death is refused for good.
                states, refused = [select_ending_state(state) for state in states], []
            differs = list_differences(*states)
            if differs or refused:
                wrong.append(f"seed {seed}, {kind}: {', '.join([*differs, *refused])}")
            taken, referrals = taken + len(deliveries), referrals + 1
    return DeliveryPartResult(taken, referrals, wrong)


def _deliver(driver: ServiceDriver, referral_id: str, deliveries: Sequence[tuple[int, object]]) -> list[str]:
    refused = []
    for number, event in deliveries:
        try:
            driver.deliver_event(event, webhook_id=build_webhook_id(referral_id, number))  # type: ignore[arg-type]
        except ConflictError as e:
            refused.append(e.code)
    return refused
