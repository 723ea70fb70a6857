"""Many practices and centers with people in every role, and a patient between each two."""

import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain.identity.members import ROLES_OF, Member, Role, Tenant, TenantKind
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.webhooks.signature import sign
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import factories, tokens
from tests.support.memory import Memory
from tests.support.site import Answer, Site
from tests.support.world import open_world

CANARY = re.compile(r"Canary-\w+|ref_[a-z2-7]{26}|mem_[a-z2-7]{26}|msg_\w+|ntc_\w+")
"""What an answer may hold of somebody's: names of patients, and ids that nobody can guess."""

REQUEST_ID = "one-request-id-for-all"
MOVES = ("received", "accepted", "consult_scheduled")


@dataclass(frozen=True)
class Person:
    """Somebody who asks, and every canary that is theirs to see."""

    member: Member
    site: Site
    own: set[str] = field(default_factory=set)

    @property
    def tenant_id(self) -> str:
        """For whom."""
        return self.member.tenant_id


@dataclass
class Town:
    """Who is there, and what belongs to whom."""

    site: Site
    people: list[Person] = field(default_factory=list)
    referrals: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Each referral's practice and center."""
    drafts: set[str] = field(default_factory=set)
    notices: dict[str, str] = field(default_factory=dict)
    """Each notice's reader."""
    cursors: dict[tuple[str, str], str] = field(default_factory=dict)
    """Cursors by who was given one, and for which path."""
    deliveries: dict[str, str] = field(default_factory=dict)
    """Each delivery's center."""
    secrets: dict[str, bytes] = field(default_factory=dict)
    """What each center signs with."""

    def sees(self, person: Person, referral_id: str) -> bool:
        """Whether a referral is a tenant's own, drafts being the practice's alone."""
        practice, center = self.referrals[referral_id]
        theirs = {practice} if referral_id in self.drafts else {practice, center}
        return person.tenant_id in theirs


def _tenants(practices: int, centers: int) -> list[Tenant]:
    """The organisations, each with a name of its own."""
    kinds = [TenantKind.PRACTICE] * practices + [TenantKind.CENTER] * centers
    return [
        Tenant(
            tenant_id=f"{'prc' if kind is TenantKind.PRACTICE else 'ctr'}_town_{n}",
            kind=kind,
            name=f"{kind} {n}".title(),
            time_zone="America/Chicago",
        )
        for n, kind in enumerate(kinds)
    ]


@contextmanager
def open_town(practices: int, centers: int) -> Iterator[tuple[Memory, Town]]:
    """A town whose tables are in memory, until the block ends."""
    from app import app

    memory = Memory()
    with (
        TemporaryDirectory() as folder,
        open_world(Path(folder)),
        patch.object(wiring, "dynamodb", cache(lambda: memory)),
    ):
        wiring.stores.cache_clear()
        yield memory, settle(Site(app), practices=practices, centers=centers)


def kept(memory: Memory) -> dict[str, list[str]]:
    """What no stranger may change: whole tables, and of referrals all but what waits apart."""
    people = ("members", "roster", "tenants")
    tables = (*people, "webhook_secrets", "notices", "keys", "idempotency")
    rows = {name: list(map(str, memory.rows(name))) for name in tables}
    rows["referrals"] = [
        str(row) for row in memory.rows("referrals") if not row["item"]["S"].startswith("stranger#")
    ]
    return rows


def settle(site: Site, *, practices: int, centers: int) -> Town:
    """Fill the tables that the site stands in front of."""
    town, stores = Town(site), wiring.stores()
    tenants = _tenants(practices, centers)
    for tenant in tenants:
        is_center = tenant.kind is TenantKind.CENTER
        stores.tenants.add(tenant, factories.CENTER_FACTS if is_center else {})
        for role in sorted(ROLES_OF[tenant.kind]):
            member = factories.a_member(tenant, role=role)
            stores.members.add(member)
            town.people.append(Person(member, site.as_(tokens.token(member.subject))))
        if is_center:
            made = stores.secrets.making(tenant.tenant_id, now=wiring.now())
            stores.ledger.commit(*made.writes)
            town.secrets[tenant.tenant_id] = made.value
    for practice in [t for t in tenants if t.kind is TenantKind.PRACTICE]:
        for center in [t for t in tenants if t.kind is TenantKind.CENTER]:
            _refer(town, practice, center)
    run_job(Lane.EVENT, **wiring.job())
    for someone in town.people:
        _remember(town, someone)
    return town


def person(town: Town, tenant_id: str, role: Role = Role.COORDINATOR) -> Person:
    """Somebody of a tenant."""
    return next(p for p in town.people if p.tenant_id == tenant_id and role in p.member.roles)


def _refer(town: Town, practice: Tenant, center: Tenant) -> None:
    by, number = person(town, practice.tenant_id), len(town.referrals)
    for submit in (True, False):
        body = factories.a_referral_body(
            patient__family_name=f"Canary-{number}{'s' if submit else 'd'}",
            patient__given_name=f"Canary-{number}{'s' if submit else 'd'}g",
            note=f"Canary-{number}{'s' if submit else 'd'}n",
            center_id=center.tenant_id,
            submit=submit,
        )
        answer = by.site.post("/v1/referrals", body)
        assert answer.status == 201, answer.text
        referral_id = answer.json["referral_id"]
        town.referrals[referral_id] = (practice.tenant_id, center.tenant_id)
        town.drafts |= set() if submit else {referral_id}
    submitted = next(r for r in reversed(town.referrals) if r not in town.drafts)
    for stage in MOVES[: 1 + number // 2 % len(MOVES)]:
        answer = deliver(town, center.tenant_id, submitted, stage, note=f"Canary-{number}e")
        assert answer.status == 200, answer.text


def deliver(
    town: Town, center_id: str, referral_id: str, stage: str, *, at: str = "", **data: str
) -> Answer:
    """Push a stage as a center's system does, signed with that center's secret."""
    event = {
        "type": "stage.changed",
        "referral_id": referral_id,
        "occurred_at": wiring.now().isoformat(),
        "data": {"stage": stage, **data},
    }
    raw, stamp = json.dumps(event).encode(), str(int(time.time()))
    webhook_id = f"msg_{secrets.token_hex(8)}"
    town.deliveries[webhook_id] = center_id
    secret = town.secrets[center_id]
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": sign(secret, webhook_id=webhook_id, timestamp=stamp, body=raw),
        "X-Request-Id": REQUEST_ID,
    }
    path = f"/v1/webhooks/centers/{at or center_id}"
    return town.site.send("POST", path, raw, headers=headers)


def _remember(town: Town, who: Person) -> None:
    """Keep every canary that a person is told of, and whose the ids and cursors among them are."""
    for path in _own_paths(town, who):
        answer = who.site.get(path)
        told = CANARY.findall(answer.text)
        who.own.update(told)
        town.notices |= {each: who.member.member_id for each in told if each.startswith("ntc_")}
        if answer.status == 200 and answer.json.get("next_cursor"):
            town.cursors[who.member.member_id, path] = answer.json["next_cursor"]


def _own_paths(town: Town, who: Person) -> Iterator[str]:
    yield from ("/v1/me", "/v1/members")
    yield f"/v1/centers/{who.tenant_id}/deliveries?limit=100"
    for limit in (1, 100):
        yield from (f"/v1/notices?limit={limit}", f"/v1/referrals?limit={limit}")
    for referral_id in town.referrals:
        if town.sees(who, referral_id):
            base = f"/v1/referrals/{referral_id}"
            yield from (base, f"{base}/events?limit=1", f"{base}/events?limit=100")
            yield from (f"{base}/notices?limit=1", f"{base}/audit")
