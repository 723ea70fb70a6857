"""Forget the snapshots of long lists, after rows were written with times that no one looks for.

A command can run for an hour, and has one time for all that it writes, so the clock is read again here.
"""

from chalicelib import wiring
from chalicelib.domain.identity.members import TenantKind
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import TransactionWrite


def forget_snapshots(stores: Stores) -> None:
    """Forget the snapshots of all practices and centers, also those that are being made."""
    practices = (tenant.tenant_id for tenant in stores.tenants.list_by_kind(TenantKind.PRACTICE))
    for tenant_id in (*practices, *stores.tenants.read_directory().centers):
        stores.transactions.commit(prepare_forget(tenant_id, stores=stores))


def prepare_forget(tenant_id: str, *, stores: Stores) -> TransactionWrite:
    """Build the write that forgets the snapshot of a tenant, for a transaction that is committed now."""
    return stores.list_snapshots.prepare_forget(tenant_id, now=wiring.read_clock())
