"""Stored tenants and the directory of centers."""

from dataclasses import replace

import pytest

from chalicelib.domain.identity.members import TenantKind
from tests.support import faults
from tests.support.factories import CENTER, CENTER_FACTS, OTHER_CENTER, PRACTICE


def test_a_stored_tenant_is_found_by_kind_and_id(stores):
    """The same id of the other kind is another tenant, and a second tenant cannot take the id."""
    stores.tenants.add(PRACTICE, {})

    assert stores.tenants.get(TenantKind.PRACTICE, PRACTICE.tenant_id) == PRACTICE
    assert stores.tenants.get(TenantKind.CENTER, PRACTICE.tenant_id) is None
    assert not stores.tenants.add(replace(PRACTICE, name="Impostor"), {})


def test_the_directory_has_every_center_and_no_practice(stores):
    """In the order of their names, each with its listing."""
    for tenant in (OTHER_CENTER, PRACTICE, CENTER):
        stores.tenants.add(tenant, CENTER_FACTS)

    centers = stores.tenants.list_centers()

    assert [center.tenant for center in centers.values()] == [CENTER, OTHER_CENTER]
    assert centers[CENTER.tenant_id].listing == CENTER_FACTS
    assert centers[CENTER.tenant_id].center_id == CENTER.tenant_id


def test_the_directory_is_cached(stores):
    """It rarely changes, and every decision needs a center's time zone."""
    stores.tenants.add(CENTER, CENTER_FACTS)
    stores.tenants.list_centers()

    with faults.inject_faults(faults.plan_never) as calls:
        cached = [stores.tenants.get_center(CENTER.tenant_id) for _ in range(5)]

    assert calls.operations == []
    assert all(cached)


def test_adding_a_center_clears_the_cached_directory(stores):
    """The process that added the center sees it at once."""
    stores.tenants.add(CENTER, CENTER_FACTS)
    stores.tenants.list_centers()

    stores.tenants.add(OTHER_CENTER, CENTER_FACTS)

    assert OTHER_CENTER.tenant_id in stores.tenants.list_centers()


@pytest.mark.parametrize("center_id", [None, "", "ctr_unknown", PRACTICE.tenant_id])
def test_an_id_that_is_no_center_finds_none(stores, center_id):
    """No id, an unknown id, or the id of a practice."""
    stores.tenants.add(PRACTICE, {})

    assert stores.tenants.get_center(center_id) is None
