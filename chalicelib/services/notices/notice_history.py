"""What is planned, was told and was left out of one referral, as one of its two sides sees it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.services.notices.overdue_alerts import list_upcoming_alerts
from chalicelib.services.notices.planned_list import NoticeState, PlannedNotice, list_planned_notices
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.mail_status import MailStatusEntry, load_mail_statuses
from chalicelib.store.notices.notices import SentNotice, format_due_time


class HistoryPosition(NamedTuple):
    """Where a line stands in the list, latest due first. A cursor is made of the last one's."""

    due: str
    outbox_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """Something that was told, is planned, or was left out.

    Attributes:
        due_on: The day of a notice of the plan, or of a clock ahead; what follows from an
            event has none.
        told: Who was told of the reader's own side.
    """

    position: HistoryPosition
    rule: str
    category: Category
    due_on: date | None
    sides: tuple[TenantKind, ...]
    state: NoticeState
    skip_reason: str | None = None
    recipients: tuple[SentNotice, ...] = ()


class HistoryPage(NamedTuple):
    """A part of the list, with the names and mails of those who were told."""

    rows: Sequence[HistoryRow]
    names: Mapping[str, str]
    mails: Mapping[str, MailStatusEntry]
    position: Mapping[str, Any] | None


def list_notice_history(
    referral_id: str, *, limit: int, start: Mapping[str, Any] | None, member: Member, context: RunContext
) -> HistoryPage:
    """A part of a referral's notices, what is due last first.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    action = "referral.read_notices"
    referral = get_visible_or_404(referral_id, member, action, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, action, context.now))
    after = HistoryPosition(**start) if start else None
    scheduled = list_planned_notices(referral, stores=context.stores)
    clock = list_upcoming_alerts(referral, context=context)
    plan = {each.task.outbox_id: each for each in (*scheduled, *clock)}
    sent_rows = list(_list_sent(referral_id, plan, member, after=after, enough=limit + 1, stores=context.stores))
    # A task of the plan that has told somebody here stands for itself, in the words it was told.
    heard_of = {line.position.outbox_id for line in sent_rows}
    silent = [_build_unsent_row(each, member.kind) for key, each in plan.items() if key not in heard_of]
    ahead = [line for line in (*sent_rows, *silent) if after is None or line.position < after]
    lines = sorted(ahead, key=lambda line: line.position, reverse=True)
    return _build_page(lines, limit, member, context.stores)


def _build_page(lines: Sequence[HistoryRow], limit: int, member: Member, stores: Stores) -> HistoryPage:
    page, more = lines[:limit], len(lines) > limit
    sent_notices = [each for line in page for each in line.recipients]
    people = stores.members.list_for_tenant(member.tenant_id) if sent_notices else ()
    return HistoryPage(
        page,
        {person.member_id: person.name for person in people},
        load_mail_statuses(stores.mails, [each.mail_id for each in sent_notices if each.mail_id]),
        page[-1].position._asdict() if more else None,
    )


def _list_sent(
    referral_id: str,
    plan: Mapping[str, PlannedNotice],
    member: Member,
    *,
    after: HistoryPosition | None,
    enough: int,
    stores: Stores,
) -> Iterator[HistoryRow]:
    """What the member's own side was told, until it is enough for a page.

    Of one instant always all, those of the page before too: whoever has heard of a task of the
    plan stands there.
    """
    rows = stores.notices.list_for_referral(referral_id, member.tenant_id, up_to=after.due if after else None)
    found = 0
    for _, of_one_instant in groupby(rows, key=lambda each: each.due):
        if found >= enough:
            return
        for line in _build_rows(sorted(of_one_instant, key=_get_position), plan, member.kind):
            found += after is None or line.position < after
            yield line


def _build_rows(
    rows: Sequence[SentNotice], plan: Mapping[str, PlannedNotice], side: TenantKind
) -> Iterator[HistoryRow]:
    """A line for each thing that was told; who leads is told of some in other words."""
    for place, same in groupby(rows, key=_get_position):
        recipients = tuple(sorted(same, key=lambda each: each.member_id))
        planned = plan.get(place.outbox_id)
        yield HistoryRow(
            position=place,
            rule=recipients[0].rule,
            category=recipients[0].category,
            due_on=planned.due_on if planned else None,
            sides=planned.sides if planned else (side,),
            state=_compute_sent_state(planned),
            recipients=recipients,
        )


def _compute_sent_state(planned: PlannedNotice | None) -> NoticeState:
    """Of what has told somebody. It may have failed before it told everybody."""
    is_parked = planned is not None and planned.state is NoticeState.FAILED
    return NoticeState.FAILED if is_parked else NoticeState.SENT


def _get_position(sent_notice: SentNotice) -> HistoryPosition:
    return HistoryPosition(sent_notice.due, sent_notice.outbox_id, sent_notice.title)


def _build_unsent_row(planned: PlannedNotice, side: TenantKind) -> HistoryRow:
    """What nobody of this side has heard of: in its own words for it, if it has any."""
    task = planned.task
    rules = {each: rule for each, rule in list_notice_rules(task) if not rule.leads} or dict(list_notice_rules(task))
    rule = rules.get(side) or next(iter(rules.values()))
    return HistoryRow(
        position=HistoryPosition(format_due_time(task.due_at), task.outbox_id, rule.title),
        rule=planned.rule,
        category=rule.category,
        due_on=planned.due_on,
        sides=planned.sides,
        state=planned.state,
        skip_reason=planned.skip_reason,
    )
