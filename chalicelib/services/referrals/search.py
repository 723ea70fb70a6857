"""Lists: a tenant's own referrals, narrowed, a page at a time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.name_search import is_found, looked_up
from chalicelib.domain.referrals.stages import FACTS, Owner, Phase
from chalicelib.domain.referrals.worklists import RULES, Reader, Worklist, is_late
from chalicelib.errors import ForbiddenError
from chalicelib.services.referrals.unread import IsNews
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.referrals.items import Summary

READS_PER_PAGE = 20
"""How many queries a page of a filtered list may take before it is handed out part filled."""

ROWS_PER_SEARCH = 1000
"""How many rows of the index DynamoDB looks through at once for a name: half a megabyte."""

Position = Mapping[str, Any] | None
"""Where a list goes on: a key of its index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list is narrowed to.

    `equal` are attributes of the index; the others are looked at in each row: `q` is the
    beginning of names, `late` is about the clock, and a worklist is a rule.
    """

    equal: Mapping[str, str]
    since: datetime | None = None
    q: str | None = None
    late: bool | None = None
    worklist: Worklist | None = None


def list_page(
    filter_: Filter,
    *,
    limit: int,
    start: Position,
    member: Member,
    stores: Stores,
    now: datetime,
    is_news: IsNews = lambda _row: False,
) -> tuple[Sequence[Summary], Position]:
    """A page of the member's own tenant's referrals, latest change first.

    A page is short only when a filter left out what was read; `next` tells whether more comes.
    """
    index = index_of(member)
    reader = reader_of(member, stores=stores, now=now)
    named = looked_up(filter_.q or "")
    found: list[Summary] = []
    for _ in range(READS_PER_PAGE):
        page = stores.referrals.page(
            index=index,
            tenant_id=member.tenant_id,
            limit=ROWS_PER_SEARCH if named else limit - len(found),
            start=start,
            since=filter_.since,
            where=filter_.equal,
            named=named,
        )
        start = page.next_key
        for n, row in enumerate(page.items, start=1):
            summary = stores.referrals.items.summary(row)
            if _matches(summary, filter_, reader, is_news):
                found.append(summary)
            if len(found) == limit and n < len(page.items):
                start = stores.referrals.position(row, index=index)
                break
        if start is None or len(found) >= limit:
            break
    stores.audit.append(
        AuditEntry(
            referral_id=f"list#{member.member_id}",
            at=now,
            actor_id=member.member_id,
            tenant_id=member.tenant_id,
            action="referral.list",
        )
    )
    return found, start


def counts(
    *, member: Member, stores: Stores, now: datetime, is_news: IsNews = lambda _row: False
) -> tuple[Mapping[Phase, int], Mapping[Worklist, int]]:
    """How many referrals of the tenant are in each phase and on each worklist."""
    index = index_of(member)
    reader = reader_of(member, stores=stores, now=now)
    phases: Counter[Phase] = Counter()
    worklists: Counter[Worklist] = Counter()
    for row in stores.referrals.summaries(index=index, tenant_id=member.tenant_id):
        phases[FACTS[row.standing.stage].phase] += 1
        worklists.update(name for name, on in RULES.items() if on(row.standing, reader))
        worklists[Worklist.CHANGED_SINCE_SEEN] += is_news(row)
    return phases, worklists


def reader_of(member: Member, *, stores: Stores, now: datetime) -> Reader:
    """The member as a reader of lists: by the calendar of their own place."""
    tenant = stores.tenants.known(member.kind, member.tenant_id)
    zone = tenant.time_zone if tenant else "UTC"
    return Reader(side=Owner(member.kind.value), now=now, time_zone=zone)


def _matches(row: Summary, filter_: Filter, reader: Reader, is_news: IsNews) -> bool:
    if filter_.late is not None and is_late(row.standing, reader) is not filter_.late:
        return False
    if filter_.worklist is Worklist.CHANGED_SINCE_SEEN:
        if not is_news(row):
            return False
    elif filter_.worklist and not RULES[filter_.worklist](row.standing, reader):
        return False
    return is_found(filter_.q, row.names) if filter_.q else True


def index_of(member: Member) -> str:
    """The index that the referrals of the member's own tenant are listed by.

    Raises:
        ForbiddenError: the member works with no patients.
    """
    if not member.cares or member.kind is TenantKind.OPERATOR:
        raise ForbiddenError("not_for_your_role", "Only people who care for patients see them.")
    return "by_practice" if member.kind is TenantKind.PRACTICE else "by_center"
