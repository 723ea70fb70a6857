"""What is planned, was told and was left out of one referral, as one of its two sides sees it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.notice_rules import Category, told_by
from chalicelib.services.notices.overdue_alerts import alarms_to_come
from chalicelib.services.notices.planned_list import NoticeState, PlannedNotice, planned_notices
from chalicelib.services.referrals.access import entry_of_member, seen
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.mail_status import MailLife, lives
from chalicelib.store.notices.notices import Told, spelled_due


class Place(NamedTuple):
    """Where a line stands in the list, latest due first. A cursor is made of the last one's."""

    due: str
    outbox_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that was told, is planned, or was left out.

    Attributes:
        due_on: The day of a notice of the plan, or of a clock ahead; what follows from an
            event has none.
        told: Who was told of the reader's own side.
    """

    place: Place
    rule: str
    category: Category
    due_on: date | None
    sides: tuple[TenantKind, ...]
    state: NoticeState
    why: str | None = None
    told: tuple[Told, ...] = ()


class Listing(NamedTuple):
    """A part of the list, with the names and mails of those who were told."""

    lines: Sequence[Line]
    names: Mapping[str, str]
    mails: Mapping[str, MailLife]
    position: Mapping[str, Any] | None


def listing(
    referral_id: str,
    *,
    limit: int,
    start: Mapping[str, Any] | None,
    member: Member,
    stores: Stores,
    now: datetime,
) -> Listing:
    """A part of a referral's notices, what is due last first.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    action = "referral.read_notices"
    referral = seen(referral_id, member, action, stores=stores, now=now)
    stores.audit.append(entry_of_member(referral, member, action, now))
    after = Place(**start) if start else None
    scheduled = planned_notices(referral, stores=stores)
    clock = alarms_to_come(referral, stores=stores, now=now)
    plan = {each.task.outbox_id: each for each in (*scheduled, *clock)}
    told = list(_told(referral_id, plan, member, after=after, enough=limit + 1, stores=stores))
    # A task of the plan that has told somebody here stands for itself, in the words it was told.
    heard_of = {line.place.outbox_id for line in told}
    silent = [_silent(each, member.kind) for key, each in plan.items() if key not in heard_of]
    ahead = [line for line in (*told, *silent) if after is None or line.place < after]
    lines = sorted(ahead, key=lambda line: line.place, reverse=True)
    return _listing(lines, limit, member, stores)


def _listing(lines: Sequence[Line], limit: int, member: Member, stores: Stores) -> Listing:
    page, more = lines[:limit], len(lines) > limit
    told = [each for line in page for each in line.told]
    people = stores.members.of_tenant(member.tenant_id) if told else ()
    return Listing(
        page,
        {person.member_id: person.name for person in people},
        lives(stores.mails, [each.mail_id for each in told if each.mail_id]),
        page[-1].place._asdict() if more else None,
    )


def _told(
    referral_id: str,
    plan: Mapping[str, PlannedNotice],
    member: Member,
    *,
    after: Place | None,
    enough: int,
    stores: Stores,
) -> Iterator[Line]:
    """What the member's own side was told, until it is enough for a page.

    Of one instant always all, those of the page before too: whoever has heard of a task of the
    plan stands there.
    """
    rows = stores.notices.of_referral(
        referral_id, member.tenant_id, up_to=after.due if after else None
    )
    found = 0
    for _, of_one_instant in groupby(rows, key=lambda each: each.due):
        if found >= enough:
            return
        for line in _lines(sorted(of_one_instant, key=_place), plan, member.kind):
            found += after is None or line.place < after
            yield line


def _lines(
    rows: Sequence[Told], plan: Mapping[str, PlannedNotice], side: TenantKind
) -> Iterator[Line]:
    """A line for each thing that was told; who leads is told of some in other words."""
    for place, same in groupby(rows, key=_place):
        told = tuple(sorted(same, key=lambda each: each.member_id))
        planned = plan.get(place.outbox_id)
        yield Line(
            place=place,
            rule=told[0].rule,
            category=told[0].category,
            due_on=planned.due_on if planned else None,
            sides=planned.sides if planned else (side,),
            state=_state(planned),
            told=told,
        )


def _state(planned: PlannedNotice | None) -> NoticeState:
    """Of what has told somebody. It may have failed before it told everybody."""
    is_parked = planned is not None and planned.state is NoticeState.PARKED
    return NoticeState.PARKED if is_parked else NoticeState.TOLD


def _place(told: Told) -> Place:
    return Place(told.due, told.outbox_id, told.title)


def _silent(planned: PlannedNotice, side: TenantKind) -> Line:
    """What nobody of this side has heard of: in its own words for it, if it has any."""
    task = planned.task
    rules = {each: rule for each, rule in told_by(task) if not rule.leads} or dict(told_by(task))
    rule = rules.get(side) or next(iter(rules.values()))
    return Line(
        place=Place(spelled_due(task.due_at), task.outbox_id, rule.title),
        rule=planned.rule,
        category=rule.category,
        due_on=planned.due_on,
        sides=planned.sides,
        state=planned.state,
        why=planned.why,
    )
