"""Members and their organizations (tenants): the only source of who can see what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor


class TenantKind(StrEnum):
    """The two sides of a referral, and the organization that operates the service."""

    PRACTICE = "practice"
    CENTER = "center"
    OPERATOR = "operator"


class Role(StrEnum):
    """What a member does in the tenant."""

    PROVIDER = "provider"
    COORDINATOR = "coordinator"
    CLINICIAN = "clinician"
    ADMIN = "admin"
    OPERATOR = "operator"


ROLES_BY_TENANT_KIND: Mapping[TenantKind, frozenset[Role]] = {
    TenantKind.PRACTICE: frozenset({Role.PROVIDER, Role.COORDINATOR, Role.ADMIN}),
    TenantKind.CENTER: frozenset({Role.CLINICIAN, Role.COORDINATOR, Role.ADMIN}),
    TenantKind.OPERATOR: frozenset({Role.OPERATOR}),
}
"""The roles that members of each kind of organization can have."""

CARE_ROLES = frozenset({Role.PROVIDER, Role.COORDINATOR, Role.CLINICIAN})
"""Roles that work with patients. An administrator without one of them manages members and sees no patient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in a tenant.

    Attributes:
        subject: The identity service's own id of the person (`sub`).
        active: False for a disabled member. Every request of a disabled member is rejected.
        version: Increases by one with each write; the ETag.
        unknown_attributes: What a newer release stored in the member's row, which is written back unchanged.
    """

    member_id: str
    subject: str
    tenant_id: str
    kind: TenantKind
    name: str
    email: str
    roles: frozenset[Role]
    active: bool = True
    version: int = 1
    unknown_attributes: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def has_clinical_access(self) -> bool:
        """Whether this member works with patients."""
        return bool(self.roles & CARE_ROLES)

    @property
    def is_admin(self) -> bool:
        """Whether this member manages the members of the tenant."""
        return Role.ADMIN in self.roles

    @property
    def actor(self) -> Actor:
        """The side for which this member updates a referral."""
        return Actor(self.kind.value)

    def can_see(self, referral: Referral) -> bool:
        """Whether this member's tenant can see the referral.

        A center sees the referrals submitted to it, never a draft that names it.
        """
        if self.kind is TenantKind.PRACTICE:
            return referral.practice_id == self.tenant_id
        if self.kind is TenantKind.CENTER:
            return referral.is_with_center and referral.center_id == self.tenant_id
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A practice or a center, as the other side and the emails name it."""

    tenant_id: str
    kind: TenantKind
    name: str
    time_zone: str
