"""A flow of one request: views of the worklist are shared."""

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.saved_views import SavedView, SavedViews
from chalicelib.services.referrals.saved_views import ViewOwner, save_views
from tests.simulation.flows import Scene
from tests.simulation.single_requests import MEMBER, SingleRequest, name_for_scene
from tests.support.invariants import TableSnapshot

VIEW = SavedView(name="Late", query={"worklist": "late"})


class ShareViews(SingleRequest):
    """A member shares saved views with an organization that has none yet."""

    name = "views"

    def send(self, scene: Scene) -> None:
        """Share them. A repeat succeeds too."""
        member = _build_sharing_member(scene)
        save_views(ViewOwner.SHARED, [VIEW], version=0, member=member, context=scene.world.driver.context)

    def find_wrong(self, scene: Scene, tables: TableSnapshot) -> Iterator[str]:
        """The views are stored and in the audit trail, once."""
        member = _build_sharing_member(scene)
        _, shared = scene.world.stores.saved_views.get_both(member)
        if shared != SavedViews(views=[VIEW], version=1):
            yield f"version {shared.version} with {len(shared.views)} views"
        rows = tables.list_rows_about("audit", f"views#{member.tenant_id}/reads")
        if [row["action"] for row in rows] != ["views.share"]:
            yield f"{len(rows)} audit rows"


def _build_sharing_member(scene: Scene) -> Member:
    """A member of an organization that no other scene has."""
    return replace(MEMBER, tenant_id=f"prc_{name_for_scene(scene)}")
