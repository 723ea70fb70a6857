"""The sample members and the password that they all share."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.platform.ids import derive_id
from infra.world.places import CENTERS, OPERATOR, PRACTICES

DEMO_PASSWORD = "Fictional-World-1"  # noqa: S105 printed on purpose; only sample accounts use it

_ROLES = {
    TenantKind.PRACTICE: (Role.COORDINATOR, Role.PROVIDER, Role.ADMIN),
    TenantKind.CENTER: (Role.COORDINATOR, Role.CLINICIAN, Role.ADMIN),
}

JOINED_AT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
"""When the sample members first signed in."""

# One name for each member, in the order of the organizations and their roles.
_NAMES: Sequence[str] = json.loads(Path(__file__).with_name("names.json").read_text())["members"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMember:
    """A sample account.

    Attributes:
        handle: The name of the account on the command line, such as `willow-coordinator`.
    """

    handle: str
    name: str
    email: str
    tenant: Tenant
    roles: frozenset[Role]

    @property
    def password(self) -> str:
        """The sign-in password."""
        return DEMO_PASSWORD

    @property
    def role(self) -> str:
        """The roles and the organization, as text."""
        return f"{', '.join(sorted(self.roles))}, {self.tenant.name}"

    @property
    def member_id(self) -> str:
        """The same ID each time the sample data is created."""
        return derive_id("mem", "fictional world", self.handle)

    def to_member(self, subject: str) -> Member:
        """Convert to the member record of the product, with the ID that the identity service assigned."""
        return Member(
            member_id=self.member_id,
            subject=subject,
            tenant_id=self.tenant.tenant_id,
            kind=self.tenant.kind,
            name=self.name,
            email=self.email,
            roles=self.roles,
            joined_at=JOINED_AT,
        )


def _build_members() -> Iterator[DemoMember]:
    names = iter(_NAMES)
    for organization in (*PRACTICES, *CENTERS):
        for role in _ROLES[organization.kind]:
            yield DemoMember(
                handle=f"{organization.handle}-{role}",
                name=next(names),
                email=f"{role}@{organization.handle}.example",
                tenant=organization.tenant,
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
    """Find a member by handle or email address."""
    return _BY_NAME.get(name)


def find_member_by_role(organization: str, role: Role) -> DemoMember:
    """Return the member with this role at an organization."""
    return _BY_NAME[f"{organization}-{role}"]
