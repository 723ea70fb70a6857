"""What a person reads when the product runs: where it is, who may sign in, what to try."""

from collections.abc import Iterator
from pathlib import Path

from chalicelib import wiring
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.stages import Stage
from infra import world


def build_introduction(url: str, data_dir: Path) -> Iterator[str]:
    """The introduction, a line at a time."""
    yield from (
        "",
        f"  Dashboard  {url}",
        f"  API docs   {url}/docs",
        f"  Mailbox    {url}/mailbox",
        f"  Data       {data_dir}",
        "",
        "  Fictional people who may sign in:",
    )
    for account in world.list_demo_accounts():
        yield f"  {account.email:<26} {account.password:<20} {account.role}"
    yield from _build_suggestions(data_dir)
    yield ""


def _build_suggestions(data_dir: Path) -> Iterator[str]:
    """A referral that waits for a center, and how the center's own system would answer."""
    for account in world.list_demo_accounts():
        if account.tenant.kind is TenantKind.CENTER:
            waiting = wiring.get_stores().referrals.list_page(
                index="by_center",
                tenant_id=account.tenant.tenant_id,
                where={"stage": Stage.SUBMITTED},
                limit=1,
                start=None,
            )
            for item in waiting.items:
                yield ""
                yield "  A center's own system accepts a referral:"
                elsewhere = "" if data_dir == Path(".local") else f"DATA_DIR={data_dir} "
                yield (
                    f"  {elsewhere}.venv/bin/referrals send-event "
                    f"--center {account.tenant.tenant_id} --referral {item['referral_id']} "
                    f"--stage {Stage.ACCEPTED}"
                )
                return
