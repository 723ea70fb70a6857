"""Which members have a second step at sign-in, as the identity service says now.

The identity service is asked for one person at a time, because its list of users does not say it. Therefore a page has
few people, and ends early when the identity service is slow or stops responding. Nothing is kept: a person who has just
lost or set up an authenticator is shown as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalicelib.domain.identity.members import Member, MemberStatus
from chalicelib.errors import UnavailableError
from chalicelib.services.identity.members import list_by_name
from chalicelib.services.platform.run_context import RunContext

PagePosition = Mapping[str, Any] | None


class SecondStep(StrEnum):
    """Whether sign-in asks a person for more than the password."""

    ON = "on"
    NOT_SET_UP = "not_set_up"
    NOT_KNOWN = "not_known"


_BY_ANSWER: Mapping[bool | None, SecondStep] = {
    True: SecondStep.ON,
    False: SecondStep.NOT_SET_UP,
    None: SecondStep.NOT_KNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSecondStep:
    """A member, and whether the member has a second step."""

    member: Member
    second_step: SecondStep


def list_second_steps(
    *,
    limit: int,
    start: PagePosition,
    by: Member,
    ask: Callable[[str], bool | None] | None,
    has_time: Callable[[], bool],
    context: RunContext,
) -> tuple[Sequence[MemberSecondStep], PagePosition]:
    """A page of the members who have signed in and are not disabled, by name.

    Args:
        limit: How many people the identity service is asked about at most.
        start: Where the page starts; None for the first one.
        by: The administrator.
        ask: Asks the identity service whether a person has a second step. It returns None if there is no such account.
            None if the site has no second step; then the list is empty.
        has_time: Whether there is time to ask once more.
        context: The tables and the time.

    Returns:
        The members, and where the next page starts; None if this is the last one.

    Raises:
        ForbiddenError: only an administrator can see it.
        UnavailableError: the identity service does not respond.
    """
    everyone = list_by_name(by=by, stores=context.stores)
    if ask is None:
        return [], None
    members = [each for each in everyone if _may_ask(each, context=context)]
    if start:
        after = (start["name"], start["member_id"])
        members = [each for each in members if (each.name, each.member_id) > after]
    found: list[MemberSecondStep] = []
    for member in members[:limit]:
        if found and not has_time():
            break
        try:
            answer = ask(member.person)
        except UnavailableError:
            if not found:
                raise
            # The next page asks again, and says so if the identity service is still not available.
            break
        found.append(MemberSecondStep(member=member, second_step=_BY_ANSWER[answer]))
    if len(found) == len(members):
        return found, None
    last = found[-1].member
    return found, {"name": last.name, "member_id": last.member_id}


def _may_ask(member: Member, *, context: RunContext) -> bool:
    """Whether the organization may know about the person's account.

    The account of someone who has not come yet can be older than the invitation, and then belongs to a person of
    another organization.
    """
    status = member.get_status(context.now)
    is_own_account = member.subject == member.person
    return status is MemberStatus.ACTIVE or (status is MemberStatus.NOT_KNOWN and is_own_account)
