"""A fictional world to try the product on: practices, centers, people, sixty referrals.

    places     practices and centers, in real towns
    people     who works there, and the one password of them all
    patients   what a practice sends of each patient
    stories    what happens to each referral
    timeline   a story as dated events, counted back from today
    packages   what a center hands a patient back with
    seeding    plays them into the product, through its own services
    past       keeps old news from being mailed
    accounts   the people's accounts with the identity service

docs/decisions/0007-fictional-world.md says why it is made this way.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from infra.world.people import DEMO_PASSWORD, MEMBERS, DemoMember, find_member
from infra.world.stories import STORIES, Story

__all__ = [
    "DEMO_PASSWORD",
    "DemoMember",
    "NotFictionalSiteError",
    "OutdatedWorldError",
    "find_member",
    "list_demo_accounts",
    "list_members",
    "seed_once",
]

_MARK = {"kind": "world", "tenant_id": "fictional"}
_LAYOUT = 2
"""Counts the changes after which tables of before are not read rightly any more. Fiction is made
again rather than moved; 2 since a tenant's people stand on its roster."""

_DEPLOYMENTS = frozenset({"local", "test"})
_SHOWN = ("willow-coordinator", "willow-provider", "bayou-coordinator", "bayou-clinician", "bayou-admin", "operator")


class NotFictionalSiteError(Exception):
    """Fiction was to be written where real patients are. The text is for a person."""


class OutdatedWorldError(Exception):
    """A world that an older version of the product wrote. The text is for a person."""


def list_members() -> Sequence[DemoMember]:
    """Everybody in the world who can sign in."""
    return MEMBERS


def list_demo_accounts() -> Sequence[DemoMember]:
    """A few of them, of either side, to be shown to somebody who wants to look around."""
    return [member for member in MEMBERS if member.handle in _SHOWN]


def seed_once(
    progress: Callable[[str], None], *, now: datetime | None = None, stories: Sequence[Story] = STORIES
) -> bool:
    """Make the world, unless it is there; finish one that was begun and not finished.

    Args:
        progress: Told how far it is, a line at a time.
        now: The day from which the stories are counted back; today, if not given. A world
            that was begun keeps the day of its beginning.
        stories: What is told.

    Returns:
        Whether there was anything to do.

    Raises:
        NotForRealError: this deployment is not for fiction.
        OutgrownError: what is there is of an older version.
    """
    # Not needed to list people, and most of a second to import.
    from chalicelib import wiring  # noqa: PLC0415
    from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp  # noqa: PLC0415
    from infra.world.accounts import CognitoAccounts  # noqa: PLC0415
    from infra.world.seeding import seed_world  # noqa: PLC0415

    settings, stores = wiring.get_settings(), wiring.get_stores()
    if settings.deployment not in _DEPLOYMENTS:
        raise NotFictionalSiteError(
            f"The fictional world is for {' and '.join(sorted(_DEPLOYMENTS))} deployments only."
        )
    marks = stores.tenants.table
    marks.put(
        {**_MARK, "layout": _LAYOUT, "began_at": to_timestamp(now or wiring.read_clock())},
        when="attribute_not_exists(tenant_id)",
    )
    mark = marks.get(_MARK) or {}
    if mark.get("layout") != _LAYOUT:
        raise OutdatedWorldError(
            "The fictional world in these tables is of another version of the product. On this "
            "machine, move the data folder away (.local, or DATA_DIR) and start again."
        )
    if "finished_at" in mark:
        return False
    progress("Making the fictional world, once")
    seed_world(
        stores=stores,
        accounts=CognitoAccounts(wiring.get_aws_client("cognito-idp"), settings.identity_pool_id),
        now=from_timestamp(mark["began_at"]),
        progress=progress,
        stories=stories,
    )
    marks.put({**mark, "finished_at": to_timestamp(wiring.read_clock())})
    return True
