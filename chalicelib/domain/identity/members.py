"""Members and their organizations (tenants): the only source of who can see what.

A person can have several memberships, each in another organization, with its own roles and its own name.
A member is one membership: whatever a request reads or writes belongs to its organization.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from chalicelib.domain.referrals.stages import Actor

if TYPE_CHECKING:
    from chalicelib.domain.referrals.referral import Referral

ORGANIZATION_LOCKED = (
    "Access of your organization is locked. Your administrator can ask the operator of this service why."
)
"""The message of the error that members of a locked organization get."""


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


class MemberStatus(StrEnum):
    """Whether a member can use the product, as far as their own organization can know.

    Only what happened in this membership counts. An account can be older than the invitation, and an organization does
    not learn that a person also uses another one.
    """

    ACTIVE = "active"
    INVITED = "invited"
    INVITATION_ENDED = "invitation_ended"
    DISABLED = "disabled"
    NOT_KNOWN = "not_known"
    """The person was invited before this was stored, and has not come back since."""


INVITATION_VALID_FOR = timedelta(days=7)
"""How long the temporary password of an invitation works. The template gives the user pool the same number."""

CARE_ROLES = frozenset({Role.PROVIDER, Role.COORDINATOR, Role.CLINICIAN})
"""Roles that work with patients. An administrator without one of them manages members and sees no patient."""


_PERSON_END = "#"
"""What separates the person's id from the rest of a membership's key. The identity service's ids are UUIDs."""

_UNUSABLE_PREFIX = "invited:"
"""Prefix of the keys that releases up to 0.3 gave to second memberships. They do not name the person."""


def build_membership_key(person: str, member_id: str) -> str:
    """Build the key of a person's second or later membership. The key of the first one is the person's id."""
    return f"{person}{_PERSON_END}{member_id}"


def get_person(key: str) -> str:
    """Return the identity service's own id of the person of a membership's key."""
    return key.partition(_PERSON_END)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in a tenant.

    Attributes:
        subject: The key of the membership. For the first membership of a person it is the identity service's
            own id of the person (`sub`), for later ones see `build_membership_key`.
        active: False for a disabled member. Every request of a disabled member is rejected.
        locked: True while the operator has locked the organization. Every request is rejected then, too.
        sessions_ended_at: Sessions that began before this time have ended, in Unix seconds; 0 if none was ended.
        ended_sessions: The ids of the sessions that ended in that second, and may have begun in it.
        version: Increases by one with each write; the ETag.
        invited_at: When the last invitation was sent; None for an invitation of a release up to 0.4.
        joined_at: When the person first used this membership with this account; None if that is not known.
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
    locked: bool = False
    version: int = 1
    sessions_ended_at: int = 0
    ended_sessions: tuple[str, ...] = ()
    invited_at: datetime | None = None
    joined_at: datetime | None = None
    unknown_attributes: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def person(self) -> str:
        """The identity service's own id of the person (`sub`)."""
        return get_person(self.subject)

    @property
    def names_person(self) -> bool:
        """Whether the person can use the membership. Another invitation replaces one that does not name its person."""
        return not self.subject.startswith(_UNUSABLE_PREFIX)

    @property
    def has_access(self) -> bool:
        """Whether requests of this member are accepted at all."""
        return self.active and not self.locked

    @property
    def has_clinical_access(self) -> bool:
        """Whether this member works with patients."""
        return bool(self.roles & CARE_ROLES)

    @property
    def is_admin(self) -> bool:
        """Whether this member manages the members of the tenant."""
        return Role.ADMIN in self.roles

    @property
    def invitation_ends_at(self) -> datetime | None:
        """Until when the temporary password works; None if the person has joined, or if that is not known."""
        return self.invited_at + INVITATION_VALID_FOR if self.invited_at and not self.joined_at else None

    def get_status(self, now: datetime) -> MemberStatus:
        """Whether the member can use the product."""
        if not self.active:
            return MemberStatus.DISABLED
        if self.joined_at:
            return MemberStatus.ACTIVE
        if self.invitation_ends_at is None:
            return MemberStatus.NOT_KNOWN
        return MemberStatus.INVITED if now < self.invitation_ends_at else MemberStatus.INVITATION_ENDED

    @property
    def actor(self) -> Actor:
        """The side for which this member updates a referral."""
        return Actor(self.kind.value)

    def with_account(self, person: str) -> "Member":
        """The membership after the person got a new account, in which no session began yet."""
        is_first = self.subject == self.person
        return replace(
            self,
            subject=person if is_first else build_membership_key(person, self.member_id),
            version=self.version + 1,
            sessions_ended_at=0,
            ended_sessions=(),
        )

    def has_open_session(self, session_id: str, *, signed_in_at: int) -> bool:
        """Whether a session of this person is still open. Times are in Unix seconds."""
        return signed_in_at >= self.sessions_ended_at and session_id not in self.ended_sessions

    def can_see(self, referral: "Referral") -> bool:
        """Whether this member's tenant can see the referral.

        A center sees the referrals submitted to it, never a draft that names it.
        """
        return self.belongs_to(referral.practice_id, referral.center_id if referral.is_with_center else None)

    def belongs_to(self, practice_id: str, center_id: str | None) -> bool:
        """Whether this member's tenant is the practice, or the center that a referral was submitted to."""
        if self.kind is TenantKind.PRACTICE:
            return practice_id == self.tenant_id
        return self.kind is TenantKind.CENTER and center_id is not None and center_id == self.tenant_id

    def treats(self, practice_id: str, center_id: str | None) -> bool:
        """Whether this member works with the patients of a referral between these two organizations."""
        return self.has_clinical_access and self.belongs_to(practice_id, center_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A practice or a center, as the other side and the emails name it."""

    tenant_id: str
    kind: TenantKind
    name: str
    time_zone: str
