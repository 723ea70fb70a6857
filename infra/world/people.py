"""People of the fictional world, and the password that they all share."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.referrals.events import derive_id
from infra.world.places import CENTERS, OPERATOR, PRACTICES

DEMO_PASSWORD = "Fictional-World-1"  # noqa: S105 printed on purpose; only a fictional world takes it

_JOBS = {
    TenantKind.PRACTICE: (Role.COORDINATOR, Role.PROVIDER, Role.ADMIN),
    TenantKind.CENTER: (Role.COORDINATOR, Role.CLINICIAN, Role.ADMIN),
}

# One a member, in the order of the places and their jobs; a person more is a name more.
_NAMES: Sequence[str] = json.loads(Path(__file__).with_name("names.json").read_text())["members"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMember:
    """A person who can sign in.

    Attributes:
        handle: What the command line calls the person, as `willow-coordinator`.
    """

    handle: str
    name: str
    email: str
    tenant: Tenant
    roles: frozenset[Role]

    @property
    def password(self) -> str:
        """What the person signs in with."""
        return DEMO_PASSWORD

    @property
    def role(self) -> str:
        """The person's job, for somebody who chooses whom to be."""
        return f"{', '.join(sorted(self.roles))}, {self.tenant.name}"

    @property
    def member_id(self) -> str:
        """Stable from one seeding to the next."""
        return derive_id("mem", "fictional world", self.handle)

    def to_member(self, subject: str) -> Member:
        """The member as the product keeps it, under the identity service's id."""
        return Member(
            member_id=self.member_id,
            subject=subject,
            tenant_id=self.tenant.tenant_id,
            kind=self.tenant.kind,
            name=self.name,
            email=self.email,
            roles=self.roles,
        )


def _build_members() -> Iterator[DemoMember]:
    names = iter(_NAMES)
    for place in (*PRACTICES, *CENTERS):
        for role in _JOBS[place.kind]:
            yield DemoMember(
                handle=f"{place.handle}-{role}",
                name=next(names),
                email=f"{role}@{place.handle}.example",
                tenant=place.tenant,
                roles=frozenset({role}),
            )
    yield DemoMember(
        handle="operator",
        name=next(names),
        email="operator@cart.example",
        tenant=OPERATOR,
        roles=frozenset({Role.OPERATOR}),
    )


MEMBERS: Sequence[DemoMember] = tuple(_build_members())

_BY_NAME = {name: member for member in MEMBERS for name in (member.handle, member.email)}


def find_member(name: str) -> DemoMember | None:
    """A member by handle or mail address."""
    return _BY_NAME.get(name)


def find_member_by_role(organization: str, role: Role) -> DemoMember:
    """The member who does one job at a place."""
    return _BY_NAME[f"{organization}-{role}"]
