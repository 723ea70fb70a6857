"""Adds products to a random history: what the practice requests, the center plans and gives, and what it corrects."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from tests.simulation.known_events import (
    AGAIN,
    ENDINGS,
    SPLIT_PRODUCT,
    KnownEvent,
    ReferralHistory,
    draw_days,
    get_known_at,
)


def draw_requested(drawn: random.Random, offered: Sequence[str], given: str) -> str | None:
    """Draw what the practice requests: mostly the product that is given later, or none, or another one."""
    return drawn.choice([given, given, None, drawn.choice(offered)])


def with_products(drawn: random.Random, course: ReferralHistory, news: Sequence[KnownEvent]) -> list[KnownEvent]:
    """Name products with the decision and the infusions, some of them late, and some wrong at first.

    A split dose is named as such at the latest with its first part, because the second one follows from it.
    """
    result = sorted(news, key=get_known_at)
    ended_at = next((each.at for each in result if each.what in ENDINGS), None)
    proceed = next((each for each in result if each.what == "center_proceed"), None)
    if proceed is None:
        return result
    decided = list(_name_planned(drawn, course, proceed, before=_find_next(result, proceed)))
    result[result.index(proceed)] = decided[0]
    result += decided[1:]
    infusions = [each for each in result if each.what == "infused"]
    if infusions:
        dates = [each for each in news if each.what == "corrected"]
        result = [each for each in result if each.what != "infused" and each not in dates]
        known = [each.product_id for each in decided if each.product_id and each.at < infusions[0].at]
        planned = known[-1] if known else course.requested
        result += _name_given(drawn, course, infusions, dates, planned=planned, next_at=_find_next(news, infusions[0]))
    return [each for each in result if ended_at is None or each.at <= ended_at or not _is_about_products(each)]


def _is_about_products(event: KnownEvent) -> bool:
    return event.what == "corrected" or event.what.endswith(AGAIN)


def _find_next(news: Sequence[KnownEvent], event: KnownEvent) -> datetime | None:
    """Return when the next status becomes known."""
    return min((each.at for each in news if each.at > event.at), default=None)


def _name_planned(
    drawn: random.Random, course: ReferralHistory, proceed: KnownEvent, *, before: datetime | None
) -> Iterator[KnownEvent]:
    """The decision, with a product or without, reported once more with any product, or corrected."""
    named = drawn.choice([None, course.product_id, *drawn.sample(course.offered, 2)])
    yield replace(proceed, product_id=named)
    match drawn.randrange(6):
        case 0 if before:
            at = proceed.at + drawn.uniform(0.1, 0.9) * (before - proceed.at)
            other = drawn.choice(course.offered)
            yield KnownEvent(what=f"center_proceed{AGAIN}", at=at, true_at=at, product_id=other)
        case 1:
            # It may be known after the infusion, and the number of its parts is a fact by then.
            other = drawn.choice([each for each in course.offered if (each == SPLIT_PRODUCT) is course.is_split])
            at = proceed.at + draw_days(drawn, 0.1, 30)
            yield KnownEvent(
                what="corrected", at=at, true_at=proceed.true_at, corrects="center_proceed", product_id=other
            )


def _name_given(
    drawn: random.Random,
    course: ReferralHistory,
    infusions: Sequence[KnownEvent],
    dates: Sequence[KnownEvent],
    *,
    planned: str | None,
    next_at: datetime | None,
) -> Iterator[KnownEvent]:
    """The infusions and their corrections, each with a product or without."""
    first, *others = infusions
    right = course.product_id
    if course.is_split:
        named = drawn.choice([None, right]) if planned == right else right
        yield replace(first, product_id=named)
        yield from (replace(each, product_id=drawn.choice([None, named])) for each in others)
        return
    named = drawn.choice([None, right, right, drawn.choice(course.offered)])
    yield replace(first, product_id=named)
    at = first.at + draw_days(drawn, 0.05, 20)
    if named is None and planned != right and drawn.random() < 0.4:
        yield KnownEvent(what=f"infused{AGAIN}", at=at, true_at=first.true_at, product_id=right)
        return
    if named and next_at and drawn.random() < 0.2:
        again = first.at + drawn.uniform(0.1, 0.9) * (next_at - first.at)
        yield KnownEvent(what=f"infused{AGAIN}", at=again, true_at=again, product_id=named)
    is_corrected = named != right and drawn.random() < 0.8
    known = KnownEvent(what="corrected", at=at, true_at=first.true_at, corrects="infused", product_id=right)
    believed, true_at = named, first.true_at
    for each in sorted([*dates, *([known] if is_corrected else ())], key=get_known_at):
        if each is known:
            believed = right
        else:
            true_at = each.true_at
        # A tired person corrects the date and leaves the product out.
        is_named = each is known or drawn.random() < 0.85
        yield replace(each, true_at=true_at, product_id=believed if is_named else None)
