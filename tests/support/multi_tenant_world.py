"""Many practices and centers with people in every role, and a patient between each two."""

import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain.identity.members import (
    ROLES_BY_TENANT_KIND,
    Member,
    Role,
    Tenant,
    TenantKind,
    build_membership_key,
)
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.webhooks.signature import sign_delivery
from chalicelib.services.notices.outbox_worker import run_job
from tests.support import bookings, factories, tokens
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.identity import AcceptingIdentity
from tests.support.in_memory_dynamodb import InMemoryDynamoDB
from tests.support.route_policy import build_fax_body
from tests.support.shared_clinic import open_shared_clinic

CANARY = re.compile(r"Canary-\w+|(?:ref|mem|irq|note|dir)_[a-z2-7]{26}|msg_\w+|ntc_\w+")
"""What belongs to someone in a response: names of patients, providers and payers, and ids that no one can guess."""

REQUEST_ID = "one-request-id-for-all"
_REQUESTS_PER_CENTER = 20
STAGES = ("received", "accepted", "consult_scheduled")


@dataclass(frozen=True)
class Person:
    """A person who sends requests, and every canary that the person may see."""

    member: Member
    site: ApiClient
    own: set[str] = field(default_factory=set)

    @property
    def tenant_id(self) -> str:
        """The person's tenant."""
        return self.member.tenant_id


@dataclass
class MultiTenantWorld:
    """All people, and what belongs to whom."""

    site: ApiClient
    people: list[Person] = field(default_factory=list)
    referrals: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Each referral's practice and center."""
    drafts: set[str] = field(default_factory=set)
    notices: dict[str, str] = field(default_factory=dict)
    """Each notice's reader."""
    cursors: dict[tuple[str, str], str] = field(default_factory=dict)
    """Cursors by the person who got one, and by path."""
    deliveries: dict[str, str] = field(default_factory=dict)
    """Each delivery's center."""
    requests: dict[str, str] = field(default_factory=dict)
    """Each information request's referral."""
    entries: dict[str, str] = field(default_factory=dict)
    """Each entry of a practice directory, and its practice."""
    documents: dict[str, str] = field(default_factory=dict)
    """Each document's referral."""
    slots: dict[str, str] = field(default_factory=dict)
    """Each consultation time's center."""
    patterns: dict[str, str] = field(default_factory=dict)
    """Each weekly pattern's center."""
    secrets: dict[str, bytes] = field(default_factory=dict)
    """Each center's webhook secret."""

    def can_see(self, person: Person, referral_id: str) -> bool:
        """Whether a referral is a tenant's own; drafts belong to the practice alone."""
        practice, center = self.referrals[referral_id]
        theirs = {practice} if referral_id in self.drafts else {practice, center}
        return person.tenant_id in theirs


def _tenants(practices: int, centers: int) -> list[Tenant]:
    """Build the organizations, each with its own name."""
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
def open_multi_tenant_world(practices: int, centers: int) -> Iterator[tuple[InMemoryDynamoDB, MultiTenantWorld]]:
    """Open a world whose tables are in memory, until the block ends."""
    from app import app

    memory = InMemoryDynamoDB()
    with (
        TemporaryDirectory() as folder,
        open_shared_clinic(Path(folder)),
        patch.object(wiring, "get_dynamodb_client", cache(lambda: memory)),
        patch.object(wiring, "get_credential_service", AcceptingIdentity),
    ):
        wiring.get_stores.cache_clear()
        yield memory, create_tenants(ApiClient(app), practices=practices, centers=centers)


def snapshot_protected(memory: InMemoryDynamoDB) -> dict[str, list[str]]:
    """Return what no other tenant may change: whole tables, and referrals except for parked deliveries.

    When people first came, and when secrets were last used, changes with what they do themselves.
    """
    own = ("joined_at", "last_used_at")
    people = ("members", "roster", "tenants")
    tables = (*people, "webhook_secrets", "notices", "keys", "idempotency", "slots")
    rows = {
        name: [str({k: v for k, v in row.items() if k not in own}) for row in memory.list_rows(name)] for name in tables
    }
    rows["referrals"] = [
        str(row) for row in memory.list_rows("referrals") if not row["item"]["S"].startswith("stranger#")
    ]
    return rows


def create_tenants(site: ApiClient, *, practices: int, centers: int) -> MultiTenantWorld:
    """Fill the tables behind a client."""
    world, stores = MultiTenantWorld(site), wiring.get_stores()
    tenants = _tenants(practices, centers)
    factories.add_tenants(stores, tenants)
    for tenant in tenants:
        members = [factories.build_member(tenant, role=role) for role in sorted(ROLES_BY_TENANT_KIND[tenant.kind])]
        factories.add_members(stores, members)
        world.people += [Person(member, site.with_token(tokens.create_token(member.subject))) for member in members]
        if tenant.kind is TenantKind.CENTER:
            world.secrets[tenant.tenant_id] = factories.create_webhook_secret(stores, tenant, now=wiring.read_clock())
    _add_person_of_two(world, tenants[0], tenants[-1])
    for center in [t for t in tenants if t.kind is TenantKind.CENTER]:
        _publish_times(world, center)
    for practice in [t for t in tenants if t.kind is TenantKind.PRACTICE]:
        for center in [t for t in tenants if t.kind is TenantKind.CENTER]:
            _refer(world, practice, center)
    _save_views(world)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    for someone in world.people:
        _remember(world, someone)
    return world


def _add_person_of_two(world: MultiTenantWorld, first: Tenant, second: Tenant) -> None:
    """Add one person with a membership in each of two tenants. Each membership acts like a person of its own."""
    store, token = wiring.get_stores().members, tokens.create_token("sub-of-two")
    member = factories.build_member(first, n=2, subject="sub-of-two")
    further = factories.build_member(second, n=2)
    further = replace(further, subject=build_membership_key("sub-of-two", further.member_id))
    wiring.get_stores().transactions.commit(*store.prepare_add(member))
    wiring.get_stores().transactions.commit(*store.prepare_add_later(further))
    for each in (member, further):
        world.people.append(Person(each, world.site.with_token(token).with_membership(each.member_id)))


def find_person(world: MultiTenantWorld, tenant_id: str, role: Role = Role.COORDINATOR) -> Person:
    """Return a person of a tenant."""
    return next(p for p in world.people if p.tenant_id == tenant_id and role in p.member.roles)


def _refer(world: MultiTenantWorld, practice: Tenant, center: Tenant) -> None:
    by, number = find_person(world, practice.tenant_id), len(world.referrals)
    for submit in (True, False):
        body = factories.build_referral_body(
            patient__family_name=f"Canary-{number}{'s' if submit else 'd'}",
            patient__given_name=f"Canary-{number}{'s' if submit else 'd'}g",
            note=f"Canary-{number}{'s' if submit else 'd'}n",
            referring_provider__name=f"Canary-{practice.tenant_id}v",
            insurance__payer=f"Canary-{number}{'s' if submit else 'd'}p",
            center_id=center.tenant_id,
            submit=submit,
        )
        answer = by.site.post("/v1/referrals", body)
        assert answer.status == 201, answer.text
        referral_id = answer.json["referral_id"]
        world.referrals[referral_id] = (practice.tenant_id, center.tenant_id)
        world.drafts |= set() if submit else {referral_id}
    submitted = next(r for r in reversed(world.referrals) if r not in world.drafts)
    for stage in STAGES[: 1 + number // 2 % len(STAGES)]:
        answer = send_signed_delivery(world, center.tenant_id, submitted, stage, note=f"Canary-{number}e")
        assert answer.status == 200, answer.text
    _talk(world, submitted, by, find_person(world, center.tenant_id), number)
    fax = build_fax_body(note=f"Canary-{number}x")
    answer = by.site.post(f"/v1/referrals/{submitted}/documents", fax)
    assert answer.status == 201, answer.text
    world.documents[answer.json["document"]["document_id"]] = submitted


def _talk(world: MultiTenantWorld, referral_id: str, practice: Person, center: Person, number: int) -> None:
    """Send a message from each side, and ask for information, as often as one person of a center may."""
    if sum(center.tenant_id in world.referrals[each] for each in world.requests.values()) >= _REQUESTS_PER_CENTER:
        return
    path = f"/v1/referrals/{referral_id}"
    for person in (practice, center):
        assert person.site.post(f"{path}/messages", {"text": f"Canary-{number}m"}).status == 201
    result = {"outcome": "unable_to_verify", "how": "portal", "conditions": f"Canary-{number}v"}
    version = practice.site.get(f"{path}/coverage").json["version"]
    answer = practice.site.patch(f"{path}/coverage", {"move": "result_recorded", **result}, version=version)
    assert answer.status == 200, answer.text
    letter = {"text": f"Canary-{number}l"}
    assert practice.site.put(f"{path}/coverage/letter", letter, version=0).status == 200
    answer = center.site.post(f"{path}/information-requests", {"text": f"Canary-{number}q"})
    assert answer.status == 201, answer.text
    world.requests[answer.json["request_id"]] = referral_id


def _publish_times(world: MultiTenantWorld, center: Tenant) -> None:
    site, path = find_person(world, center.tenant_id).site, f"/v1/centers/{center.tenant_id}"
    slot = site.post(f"{path}/slots", bookings.build_slot_body())
    pattern = site.post(f"{path}/slot-patterns", bookings.build_pattern_body())
    assert (slot.status, pattern.status) == (201, 201), slot.text + pattern.text
    world.slots[slot.json["slot_id"]] = world.patterns[pattern.json["pattern_id"]] = center.tenant_id


def _save_views(world: MultiTenantWorld) -> None:
    """Save views of each person's own, and let one person of each tenant share some."""
    shared = set()
    for number, person in enumerate(world.people):
        if person.site.get("/v1/views").status != 200:
            continue
        views = {"mine": f"Canary-{number}own"} | (
            {"shared": f"Canary-{number}all"} if person.tenant_id not in shared else {}
        )
        for owner, name in views.items():
            answer = person.site.put(f"/v1/views/{owner}", factories.build_views_body(name), version=0)
            assert answer.status == 200, answer.text
        shared.add(person.tenant_id)


def send_signed_delivery(
    world: MultiTenantWorld, center_id: str, referral_id: str, stage: str, *, at: str = "", **data: str
) -> ApiAnswer:
    """Send a stage change as a center's system does, signed with that center's secret."""
    event = {
        "type": "stage.changed",
        "referral_id": referral_id,
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"stage": stage, **data},
    }
    raw, stamp = json.dumps(event).encode(), str(int(time.time()))
    webhook_id = f"msg_{secrets.token_hex(8)}"
    world.deliveries[webhook_id] = center_id
    secret = world.secrets[center_id]
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": sign_delivery(secret, webhook_id=webhook_id, timestamp=stamp, body=raw),
        "X-Request-Id": REQUEST_ID,
    }
    path = f"/v1/webhooks/centers/{at or center_id}"
    return world.site.send("POST", path, raw, headers=headers)


def _remember(world: MultiTenantWorld, who: Person) -> None:
    """Record every canary that a person gets, and the owners of the ids and cursors among them."""
    for path in _own_paths(world, who):
        answer = who.site.get(path)
        result = CANARY.findall(answer.text)
        who.own.update(result)
        world.notices |= {each: who.member.member_id for each in result if each.startswith("ntc_")}
        world.entries |= {each: who.tenant_id for each in result if each.startswith("dir_")}
        if answer.status == 200 and answer.json.get("next_cursor"):
            world.cursors[who.member.member_id, path] = answer.json["next_cursor"]


def _own_paths(world: MultiTenantWorld, who: Person) -> Iterator[str]:
    yield from (
        "/v1/me",
        "/v1/members",
        "/v1/views",
        "/v1/practice-directory",
        "/v1/insights?period=all&grouping=center",
    )
    yield f"/v1/centers/{who.tenant_id}/deliveries?limit=100"
    for limit in (1, 100):
        yield from (f"/v1/notices?limit={limit}", f"/v1/referrals?limit={limit}")
    for referral_id in world.referrals:
        if world.can_see(who, referral_id):
            base = f"/v1/referrals/{referral_id}"
            yield from (base, f"{base}/events?limit=1", f"{base}/events?limit=100", f"{base}/consultation")
            yield from (f"{base}/notices?limit=1", f"{base}/audit", f"{base}/information-requests")
            yield from (f"{base}/messages?limit=1", f"{base}/messages?limit=100", f"{base}/documents")
            yield from (f"{base}/messages?limit=1", f"{base}/messages?limit=100")
            yield from (f"{base}/coverage", f"{base}/coverage/letter", f"{base}/coverage-checks")
