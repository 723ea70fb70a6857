"""Gives a person a new account in place of a lost one, whatever organizations the person belongs to.

Administrators reset the sign-in of people who belong to their organization only. The operator does it for everyone
else. An interrupted run is completed by a repeat.
"""

from collections.abc import Callable, Sequence

from chalicelib.domain.identity.members import Member, Tenant
from chalicelib.services.identity.recovery import prepare_new_account
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from infra.organizations.changes import OrganizationError, find_by_email


def find_memberships(tenant: Tenant, email: str, *, stores: Stores) -> Sequence[Member]:
    """Find a member of an organization by the email address, and return all memberships of the person.

    The member comes first.

    Raises:
        OrganizationError: the organization has no active member with this address.
    """
    member = find_by_email(tenant, email, stores=stores)
    if member is None:
        raise OrganizationError(f"{tenant.name} has no member with this email address.")
    if not member.active:
        raise OrganizationError(f"{member.name} is disabled in {tenant.name}. Enable the member there first.")
    memberships = stores.members.list_for_person(member.person)
    return [member, *(each for each in memberships if each.member_id != member.member_id)]


def reset_sign_in(
    member: Member,
    *,
    delete_account: Callable[[str], None],
    create_account: Callable[[str], str],
    by: str,
    context: RunContext,
) -> None:
    """Delete a person's account, create a new one, and give it all memberships of the person.

    Args:
        member: One of the memberships.
        delete_account: Deletes the account of a person with the identity service.
        create_account: Creates the account of an address, emails a temporary password, and returns the person's id.
        by: The operator, for the audit trail of each organization.
        context: The tables and the time.

    Raises:
        OrganizationError: another reset was faster.
        UnavailableError: others changed the memberships at every try.
    """
    delete_account(member.person)
    person = create_account(member.email)

    def attempt() -> None:
        memberships = context.stores.members.list_for_person(member.person)
        if not memberships:
            raise OrganizationError("The sign-in of this person was just reset by someone else.")
        context.stores.transactions.commit(
            *prepare_new_account(memberships, person=person, actor_id=by, context=context)
        )

    commit_with_retry(attempt)
