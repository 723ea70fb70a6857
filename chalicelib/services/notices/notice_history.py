"""The notices of one referral that are planned, sent or skipped, as one of its two sides sees them."""

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
    """The position of a row in the list, latest due first. A cursor has the position of the last row."""

    due: str
    outbox_id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """A notice that was sent, is planned, or was skipped.

    Attributes:
        due_on: The day of a planned notice or of an upcoming overdue alert. A notice that follows from
            an event has none.
        recipients: The members of the reader's own side who were notified.
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
    """One page of the list, with the names and emails of the members who were notified."""

    rows: Sequence[HistoryRow]
    names: Mapping[str, str]
    mails: Mapping[str, MailStatusEntry]
    position: Mapping[str, Any] | None


def list_notice_history(
    referral_id: str, *, limit: int, start: Mapping[str, Any] | None, member: Member, context: RunContext
) -> HistoryPage:
    """List one page of a referral's notices, latest due first.

    Raises:
        NotFoundError: no such referral, or it belongs to another tenant.
    """
    action = "referral.read_notices"
    referral = get_visible_or_404(referral_id, member, action, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, action, context.now))
    after = HistoryPosition(**start) if start else None
    scheduled = list_planned_notices(referral, stores=context.stores)
    upcoming = list_upcoming_alerts(referral, context=context)
    plan = {planned.task.outbox_id: planned for planned in (*scheduled, *upcoming)}
    sent_rows = list(_list_sent(referral_id, plan, member, after=after, enough=limit + 1, stores=context.stores))
    # A planned task that was sent to someone on this side is in the list as it was sent.
    sent_ids = {row.position.outbox_id for row in sent_rows}
    unsent_rows = [_build_unsent_row(planned, member.kind) for key, planned in plan.items() if key not in sent_ids]
    remaining = [row for row in (*sent_rows, *unsent_rows) if after is None or row.position < after]
    rows = sorted(remaining, key=lambda row: row.position, reverse=True)
    return _build_page(rows, limit, member, context.stores)


def _build_page(rows: Sequence[HistoryRow], limit: int, member: Member, stores: Stores) -> HistoryPage:
    page, has_more = rows[:limit], len(rows) > limit
    sent_notices = [notice for row in page for notice in row.recipients]
    members = stores.members.list_for_tenant(member.tenant_id) if sent_notices else ()
    return HistoryPage(
        page,
        {member.member_id: member.name for member in members},
        load_mail_statuses(stores.mails, [notice.mail_id for notice in sent_notices if notice.mail_id]),
        page[-1].position._asdict() if has_more else None,
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
    """List what was sent to the member's own side, until it is enough for a page.

    All notices of one time are read together, including those of the page before, because the row of a
    planned task must have all its recipients.
    """
    notices = stores.notices.list_for_referral(referral_id, member.tenant_id, up_to=after.due if after else None)
    count = 0
    for _, same_time in groupby(notices, key=lambda notice: notice.due):
        if count >= enough:
            return
        for row in _build_rows(sorted(same_time, key=_get_position), plan, member.kind):
            count += after is None or row.position < after
            yield row


def _build_rows(
    notices: Sequence[SentNotice], plan: Mapping[str, PlannedNotice], side: TenantKind
) -> Iterator[HistoryRow]:
    """Build a row for each notice. Administrators get some notices in other words, which makes another row."""
    for position, same_position in groupby(notices, key=_get_position):
        recipients = tuple(sorted(same_position, key=lambda notice: notice.member_id))
        planned = plan.get(position.outbox_id)
        yield HistoryRow(
            position=position,
            rule=recipients[0].rule,
            category=recipients[0].category,
            due_on=planned.due_on if planned else None,
            sides=planned.sides if planned else (side,),
            state=_compute_sent_state(planned),
            recipients=recipients,
        )


def _compute_sent_state(planned: PlannedNotice | None) -> NoticeState:
    """The state of a notice that was sent to someone. Its task may have failed before it notified everyone."""
    has_failed = planned is not None and planned.state is NoticeState.FAILED
    return NoticeState.FAILED if has_failed else NoticeState.SENT


def _get_position(sent_notice: SentNotice) -> HistoryPosition:
    return HistoryPosition(sent_notice.due, sent_notice.outbox_id, sent_notice.title)


def _build_unsent_row(planned: PlannedNotice, side: TenantKind) -> HistoryRow:
    """Build the row of a notice that was sent to no one on this side, in this side's words if it has any."""
    task = planned.task
    rules = {each: rule for each, rule in list_notice_rules(task) if not rule.admins_only} or dict(
        list_notice_rules(task)
    )
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
