"""The text that the terminal shows when the product runs: addresses, sample accounts, and what to try."""

from collections.abc import Iterator
from pathlib import Path

from chalicelib import wiring
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.stages import Stage
from infra import world
from infra.world.places import find_center


def build_introduction(url: str, data_dir: Path) -> Iterator[str]:
    """Yield the introduction line by line."""
    yield from (
        "",
        f"  Dashboard  {url}",
        f"  API docs   {url}/docs",
        f"  Email      {url}/mailbox   (nothing leaves this machine)",
        f"  Data       {data_dir}",
        "",
        "  Sample accounts (all people and organizations are fictional):",
    )
    for account in world.list_demo_accounts():
        yield f"  {account.email:<26} {account.password:<20} {account.role}"
    yield from _build_suggestion(data_dir)
    yield ""
    yield "  Press Ctrl-C to stop. The data is kept."
    yield ""


def _build_suggestion(data_dir: Path) -> Iterator[str]:
    """Suggest the command with which a center's system accepts a submitted referral."""
    for account in world.list_demo_accounts():
        if account.tenant.kind is TenantKind.CENTER:
            waiting = wiring.get_stores().referrals.list_page(
                index="by_center",
                tenant_id=account.tenant.tenant_id,
                where={"stage": [Stage.SUBMITTED]},
                limit=1,
                start=None,
            )
            for item in waiting.items:
                yield ""
                yield "  Try it: a treatment center's system accepts a referral"
                prefix = "" if data_dir == Path(".local") else f"DATA_DIR={data_dir} "
                yield (
                    f"  {prefix}.venv/bin/referrals send-event "
                    f"--center {find_center(account.tenant.tenant_id).handle} --referral {item['referral_id']} "
                    f"--stage {Stage.ACCEPTED}"
                )
                return
