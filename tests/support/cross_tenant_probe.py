"""Random attempts of many people to read or change another tenant's data."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

from chalicelib.domain.identity.members import TenantKind
from tests.support import factories
from tests.support import route_policy as policy
from tests.support.api_client import ApiAnswer
from tests.support.multi_tenant_world import CANARY, REQUEST_ID, MultiTenantWorld, Person, send_signed_delivery

Pick: TypeAlias = Callable[[MultiTenantWorld, Person, Random], str]

NONEXISTENT_IDS = {
    "referral_id": "ref_" + "a" * 26,
    "member_id": "mem_" + "a" * 26,
    "notice_id": "ntc_20260101T000000000000_" + "a" * 26,
    "delivery_id": "msg_" + "a" * 16,
    "request_id": "irq_" + "a" * 26,
    "document_id": "doc_" + "a" * 26,
    "slot_id": "slot_" + "a" * 32,
    "pattern_id": "pat_" + "a" * 26,
    "center_id": "ctr_town_99",
    "entry_id": "dir_" + "a" * 26,
}
"""Ids that look like ours and belong to no one."""


def _foreign_referral(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([r for r in world.referrals if not world.can_see(who, r)])


def _foreign_member(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    others = [p.member.member_id for p in world.people if p.tenant_id != who.tenant_id]
    return chance.choice(others)


def _foreign_notice(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([n for n, whose in world.notices.items() if whose != who.member.member_id])


def _foreign_request(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([q for q, referral in world.requests.items() if not world.can_see(who, referral)])


def _foreign_document(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([d for d, referral in world.documents.items() if not world.can_see(who, referral)])


def _foreign_delivery(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([d for d, whose in world.deliveries.items() if whose != who.tenant_id])


def _foreign_center(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([c for c in world.secrets if c != who.tenant_id])


def _foreign_entry(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([e for e, whose in world.entries.items() if whose != who.tenant_id])


def _foreign_slot(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([s for s, whose in world.slots.items() if whose != who.tenant_id])


def _foreign_pattern(world: MultiTenantWorld, who: Person, chance: Random) -> str:
    return chance.choice([p for p, whose in world.patterns.items() if whose != who.tenant_id])


FOREIGN_IDS: Mapping[str, Pick] = {
    "referral_id": _foreign_referral,
    "member_id": _foreign_member,
    "notice_id": _foreign_notice,
    "delivery_id": _foreign_delivery,
    "request_id": _foreign_request,
    "document_id": _foreign_document,
    "center_id": _foreign_center,
    "entry_id": _foreign_entry,
    "slot_id": _foreign_slot,
    "pattern_id": _foreign_pattern,
}
"""By the name in the path. A route with another name fails until it is listed here."""

OPEN_TO_ALL = {
    ("GET", "/v1/centers/{center_id}"),
    ("GET", "/v1/centers/{center_id}/slots"),
    ("DELETE", "/v1/sessions"),
    ("POST", "/v1/sessions/password"),
    ("POST", "/v1/sessions/authenticator"),
    ("POST", "/v1/sessions/authenticator/confirm"),
    ("POST", "/v1/screens"),
    ("POST", "/v1/screens/chart-entries"),
    ("PUT", "/v1/me/notification-preferences"),
    ("POST", "/v1/notices/read"),
}
"""The directory and free consultation times are for everyone; sign-in, preferences and notices are the caller's
own; an eligibility check stores nothing, and a card's link belongs to no tenant."""

TARGETED_ROUTES = tuple(r for r in policy.GUARDED_ROUTES if "{" in r[1] and r not in OPEN_TO_ALL)
LIST_ROUTES = tuple(r for r in policy.GUARDED_ROUTES if "{" not in r[1] and r[0] == "GET")
"""Lists, counts and the caller's profile: they must contain nothing of others, whatever the filter says."""

AUDIT_TRAIL = ("GET", "/v1/audit")
"""It shows an organization the ids that its own people tried, and what became of each attempt."""


@dataclass
class CrossTenantProbe:
    """Attempts, one after another, and what was wrong with their responses."""

    world: MultiTenantWorld
    chance: Random
    found: list[str] = field(default_factory=list)
    answers_for_unknown: dict[tuple[Any, ...], ApiAnswer] = field(default_factory=dict)
    tried: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The ids that the people and the system of each organization named."""

    def try_once(self) -> None:
        """Let a person try something."""
        who = self.chance.choice(self.world.people)
        ways = (self.probe_target, self._wide, self._cursor, self._continued, self._as_someone_else, self._fed)
        # A center's events for others' referrals are parked, and would slow down everything after them.
        (way,) = self.chance.choices(ways, weights=(60, 25, 7, 7, 7, 1))
        way(who)

    def probe_target(self, who: Person) -> None:
        """Read or write another tenant's resource: the response must be as if it did not exist."""
        route = self.chance.choice(TARGETED_ROUTES)
        names = [name for name in FOREIGN_IDS if f"{{{name}}}" in route[1]]
        theirs = {name: FOREIGN_IDS[name](self.world, who, self.chance) for name in names}
        if "delivery_id" in theirs and who.member.kind is TenantKind.CENTER:
            # Another center's delivery under the caller's own center id.
            theirs["center_id"] = self.chance.choice([who.tenant_id, theirs["center_id"]])
        body = self._body(route)
        answer = self._send(who, route, theirs, body)
        twin = {n: theirs[n] if theirs[n] == who.tenant_id else NONEXISTENT_IDS[n] for n in names}
        key = (who.member.member_id, route, json.dumps(body), *twin.items())
        if key not in self.answers_for_unknown:
            self.answers_for_unknown[key] = self._send(who, route, twin, body)
        self._judge(who, route, answer, self.answers_for_unknown[key])
        if answer.status < 300:
            self.found.append(f"{who.member.name}: {route} {theirs} answered {answer.status}")

    def list_foreign_ids(self, tenant_id: str) -> set[str]:
        """List the ids that an organization named and that are not its own. Which centers exist is no secret."""
        referrals = {each for each, sides in self.world.referrals.items() if tenant_id in sides}
        people = {person.member.member_id for person in self.world.people if person.tenant_id == tenant_id}
        return self.tried[tenant_id].difference(referrals, people, self.world.secrets)

    def list_refusals(self, who: Person) -> Iterator[tuple[str, str, str]]:
        """Read the whole trail of an administrator's organization: the subject, action and outcome of each refusal."""
        path: str | None = AUDIT_TRAIL[1] + "?limit=100"
        while path:
            page = who.site.get(path).json
            for row in page["items"]:
                if row["outcome"] != "allowed":
                    yield row["subject"], row["action"], row["outcome"]
            cursor = page["next_cursor"]
            path = f"{AUDIT_TRAIL[1]}?limit=100&cursor={cursor}" if cursor else None

    def _send(self, who: Person, route: policy.Route, ids: Mapping[str, str], body: Any) -> ApiAnswer:
        headers = {"Idempotency-Key": "k", "If-Match": '"1"', "X-Request-Id": REQUEST_ID}
        self.tried[who.tenant_id].update(ids.values())
        return who.site.send(route[0], route[1].format(**ids) + policy.QUERIES.get(route, ""), body, headers=headers)

    def _wide(self, who: Person) -> None:
        """Read the caller's own lists, with filters that name another tenant's data."""
        route = self.chance.choice(LIST_ROUTES)
        query = ""
        if route == ("GET", "/v1/referrals"):
            q = f"Canary-{self.chance.randrange(len(self.world.referrals))}"
            center = _foreign_center(self.world, who, self.chance)
            query = self.chance.choice(
                ["", f"?q={q}&limit=100", f"?center_id={center}", "?stage=submitted&limit=100",
                 "?worklist=needs_my_action", "?late=false", "?phase=referral&limit=3"]
            )  # fmt: skip
        answer = who.site.get(route[1] + query, **{"X-Request-Id": REQUEST_ID})
        self._judge(who, route, answer, answer)

    def _cursor(self, who: Person) -> None:
        """Continue another person's list."""
        given = [g for g in self.world.cursors if g[0] != who.member.member_id]
        owner, path = self.chance.choice(given)
        cursor = self.world.cursors[owner, path]
        bare = self.chance.choice([path.partition("?")[0], "/v1/referrals", "/v1/notices"])
        answer = who.site.get(f"{bare}?limit=1&cursor={cursor}", **{"X-Request-Id": REQUEST_ID})
        self._judge(who, ("GET", bare), answer, answer)
        if answer.status < 300:
            self.found.append(f"{who.member.name}: the cursor of {owner} for {path} was taken")

    def _continued(self, who: Person) -> None:
        """Refer a patient as the continuation of another tenant's referral."""
        route = ("POST", "/v1/referrals")
        ids = (_foreign_referral(self.world, who, self.chance), NONEXISTENT_IDS["referral_id"])
        self.tried[who.tenant_id].update(ids)
        bodies = [factories.build_referral_body(center_id=None, submit=False, continues=each) for each in ids]
        answers = [self._send(who, route, {}, body) for body in bodies]
        self._judge(who, route, *answers)
        if answers[0].status < 300:
            self.found.append(f"{who.member.name}: went on from another's referral")

    def _as_someone_else(self, who: Person) -> None:
        """Act with a membership of another person."""
        route = self.chance.choice(LIST_ROUTES)
        others = [p.member for p in self.world.people if p.member.person != who.member.person]
        ids = (self.chance.choice(others).member_id, NONEXISTENT_IDS["member_id"])
        # The refusal is in the trail of the person's first organization, because no membership is in use.
        for each in self.world.people:
            if each.member.person == who.member.person:
                self.tried[each.tenant_id].update(ids)
        answers = [
            who.site.with_membership(member_id).get(route[1], **{"X-Request-Id": REQUEST_ID}) for member_id in ids
        ]
        self._judge(who, route, *answers)
        if answers[0].status != 403:
            self.found.append(f"{who.member.name}: {route} was answered as another person")

    def _fed(self, who: Person) -> None:
        """Send an event for a referral that is not the center's, or under another center's id."""
        center = self.chance.choice(sorted(self.world.secrets))
        foreign = [r for r, sides in self.world.referrals.items() if center not in sides]
        route = ("POST", "/v1/webhooks/centers/{center_id}")
        about = [self.chance.choice(foreign), NONEXISTENT_IDS["referral_id"]]
        self.tried[center].update(about)
        self._judge(who, route, *(send_signed_delivery(self.world, center, r, "accepted") for r in about))
        other = self.chance.choice([c for c in self.world.secrets if c != center])
        answer = send_signed_delivery(self.world, center, about[0], "accepted", at=other)
        if answer.status != 401:
            self.found.append(f"{center}'s signature was taken for {other}'s")

    def _judge(self, who: Person, route: policy.Route, answer: ApiAnswer, for_unknown: ApiAnswer) -> None:
        """Whether a response reveals that something exists, or what it contains."""
        if _get_visible_parts(answer) != _get_visible_parts(for_unknown):
            self.found.append(
                f"{who.member.name}: {route} answers differently than for an unknown id: {answer.text[:200]}"
            )
        if answer.status >= 500:
            self.found.append(f"{who.member.name}: {route} answered {answer.status}")
        result = set(CANARY.findall(answer.text)) - who.own
        if route == AUDIT_TRAIL:
            result -= self.tried[who.tenant_id]
        # A parked delivery is answered with the id that it was sent with.
        if result and answer.status != 202:
            self.found.append(f"{who.member.name}: {route} reveals {sorted(result)}")

    def _body(self, route: policy.Route) -> Any:
        if route == ("POST", "/v1/referrals/{referral_id}/events"):
            return self.chance.choice(_events())
        return policy.build_body(route, unique="nobody")


def _events() -> list[dict[str, Any]]:
    """Return events of several kinds. One of the sides may report each of them."""
    at = {"occurred_at": "2026-11-20T10:00:00-05:00"}
    stages = ("received", "accepted", "declined", "withdrawn", "died")
    return [
        *({"type": "stage.changed", "data": {"stage": stage}} | at for stage in stages),
        {"type": "hold.started"} | at,
        {"type": "withdrawal.requested"} | at,
        {"type": "referral.reopened", "data": {"note": "x"}} | at,
        {"type": "event.corrected", "data": {"supersedes": "evt_" + "a" * 26}} | at,
    ]


def _get_visible_parts(answer: ApiAnswer) -> tuple[int, dict[str, str], str]:
    """Return a response without the ids that a parked delivery is answered with."""
    waits = answer.status == 202
    text = re.sub(r"(ref|evt)_[a-z2-7]{26}", "…", answer.text) if waits else answer.text
    return answer.status, answer.headers, text
