"""Sample data for demonstrations: fictional practices, centers, members, and 60 referrals.

    places       practices and centers, located in real cities
    people       the members of each organization and their shared password; one provider works in two practices
    patients     the patient data that a practice sends with each referral
    stories      what happens to each referral
    timeline     turns a story into dated events, counted back from today
    packages     the transition-of-care summaries that centers write
    seeding      creates everything through the product's own services
    backdating   prevents notices and overdue alerts about old events
    accounts     the members' accounts in the identity service

docs/decisions/0007-fictional-world.md explains this design.
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

_MARKER_KEY = {"kind": "world", "tenant_id": "fictional"}
_LAYOUT = 2
"""The version of the sample data. It increases with every change that makes older tables unreadable.
Older sample data is created again, not migrated. 2: each tenant has a roster of its members."""

_DEPLOYMENTS = frozenset({"local", "test"})
_DEMO_HANDLES = (
    "willow-coordinator",
    "willow-provider",
    "bayou-coordinator",
    "bayou-clinician",
    "bayou-admin",
    "operator",
)


class NotFictionalSiteError(Exception):
    """Sample data must not be written to a deployment with real patients. The message is shown to the user."""


class OutdatedWorldError(Exception):
    """An older version of the product wrote the sample data. The message is shown to the user."""


def list_members() -> Sequence[DemoMember]:
    """List all sample accounts."""
    return MEMBERS


def list_demo_accounts() -> Sequence[DemoMember]:
    """List a few sample accounts of a practice, a center, and the operator, for people who want to try the product."""
    return [member for member in MEMBERS if member.handle in _DEMO_HANDLES]


def seed_once(
    progress: Callable[[str], None], *, now: datetime | None = None, stories: Sequence[Story] = STORIES
) -> bool:
    """Create the sample data if it does not exist. Finish it if an earlier run was interrupted.

    Args:
        progress: Called with each line of progress.
        now: The time from which the stories are counted back. Default: the current time. Sample data
            from an interrupted run keeps its start time.
        stories: The stories to create.

    Returns:
        Whether anything was created.

    Raises:
        NotFictionalSiteError: sample data is not allowed in this deployment.
        OutdatedWorldError: the existing sample data was made by an older version.
    """
    # These imports take most of a second, and listing members does not need them.
    from chalicelib import wiring  # noqa: PLC0415
    from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp  # noqa: PLC0415
    from infra.world.accounts import CognitoAccounts  # noqa: PLC0415
    from infra.world.seeding import seed_world  # noqa: PLC0415

    settings, stores = wiring.get_settings(), wiring.get_stores()
    if settings.deployment not in _DEPLOYMENTS:
        raise NotFictionalSiteError(
            f"Sample data can only be used in {' and '.join(sorted(_DEPLOYMENTS))} deployments."
        )
    table = stores.tenants.table
    table.put(
        {**_MARKER_KEY, "layout": _LAYOUT, "began_at": to_timestamp(now or wiring.read_clock())},
        when="attribute_not_exists(tenant_id)",
    )
    marker = table.get(_MARKER_KEY) or {}
    if marker.get("layout") != _LAYOUT:
        raise OutdatedWorldError(
            "The sample data was made by another version. Move the data folder (.local or DATA_DIR) and start again."
        )
    if "finished_at" in marker:
        return False
    progress("Creating sample data (first run only)")
    seed_world(
        stores=stores,
        accounts=CognitoAccounts(wiring.get_aws_client("cognito-idp"), settings.identity_pool_id),
        now=from_timestamp(marker["began_at"]),
        progress=progress,
        stories=stories,
    )
    table.put({**marker, "finished_at": to_timestamp(wiring.read_clock())})
    return True
