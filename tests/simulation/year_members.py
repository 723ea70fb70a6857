"""The people of a year: tenants in several zones, and their email preferences."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.identity.members import Member, Role, Tenant
from chalicelib.domain.notices.mail_timing import MailTiming, Preferences, QuietHours
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.store.all_stores import Stores
from tests.simulation.known_events import CENTERS, PRACTICES, PRODUCTS
from tests.support import factories

_TURNED_OFF = (
    {Category.WINDOW: MailTiming.DAILY, Category.STATUS_UPDATE: MailTiming.DAILY},
    {Category.FOLLOW_UP: MailTiming.NEVER, Category.CHECK_IN: MailTiming.AT_ONCE},
    {Category.WINDOW: MailTiming.NEVER},
)


@dataclass(frozen=True)
class YearMembers:
    """The members of each tenant, and their email preferences."""

    people: Mapping[str, Sequence[Member]]
    wishes: Mapping[str, Preferences]

    @cached_property
    def zones(self) -> Mapping[str, ZoneInfo]:
        """The time zone of each member."""
        zones = {tenant.tenant_id: ZoneInfo(tenant.time_zone) for tenant in (*PRACTICES, *CENTERS)}
        return {member.member_id: zones[tenant_id] for tenant_id, people in self.people.items() for member in people}

    def wants_mail(self, member_id: str, category: str) -> bool:
        """Whether a member wants email of a category."""
        usual = MailTiming.NEVER if category == "check_in" else MailTiming.AT_ONCE
        chosen = self.wishes[member_id].timings.get(Category(category), usual)
        return category == "critical" or chosen is not MailTiming.NEVER


def create_members(stores: Stores, drawn: random.Random) -> YearMembers:
    """Create the practices and the centers, with one or two people each."""
    people: dict[str, list[Member]] = {}
    wishes: dict[str, Preferences] = {}
    tenants = (*PRACTICES, *CENTERS)
    for tenant in tenants:
        factories.add_tenants(stores, [tenant], facts=_list_facts(tenant))
    for tenant in tenants:
        people[tenant.tenant_id] = list(_people_of(tenant, drawn))
        factories.add_members(stores, people[tenant.tenant_id])
        for member in people[tenant.tenant_id]:
            wishes[member.member_id] = _wishes(drawn)
            _, saving = stores.recipients.prepare_save(member.member_id, wishes[member.member_id], version=0)
            stores.transactions.commit(saving)
    return YearMembers(people, wishes)


def _list_facts(tenant: Tenant) -> Mapping[str, Any]:
    """A center's entry in the directory, with its own products."""
    [offer] = factories.CENTER_FACTS["products"]
    offers = [offer | {"product_id": each} for each in PRODUCTS.get(tenant.tenant_id, ())]
    return factories.CENTER_FACTS | {"products": offers}


def _people_of(tenant: Tenant, drawn: random.Random) -> Sequence[Member]:
    """A coordinator, and in some places one who is also its administrator."""
    both = frozenset({Role.COORDINATOR, Role.ADMIN})
    second = replace(factories.build_member(tenant, n=2), roles=both)
    return [factories.build_member(tenant), *([second] if drawn.random() < 0.3 else [])]


def _wishes(drawn: random.Random) -> Preferences:
    quiet = QuietHours(time(21), time(6, 30)) if drawn.random() < 0.3 else None
    timings = drawn.choice([{}, {}, *_TURNED_OFF])
    return Preferences(timings=timings, digest_hour=drawn.randrange(24), quiet_hours=quiet)
