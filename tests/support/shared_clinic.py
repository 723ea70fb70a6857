"""An API driver that the tests of a module share, because its tables take a second to create."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto import mock_aws

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from tests.support import aws_fakes as cloud
from tests.support import factories, tokens
from tests.support.api_driver import ApiDriver
from tests.support.new_worlds import open_new_world
from tests.support.packet_function import get_local_renderer

OPERATOR = Tenant(tenant_id="opr_house", kind=TenantKind.OPERATOR, name="Operations", time_zone="UTC")

EXTRA_MEMBERS: dict[str, Member] = {
    "provider": factories.build_member(role=Role.PROVIDER),
    "clinician": factories.build_member(factories.CENTER, role=Role.CLINICIAN),
    "center_admin": factories.build_member(factories.CENTER, role=Role.ADMIN),
    "operator": factories.build_member(OPERATOR, role=Role.OPERATOR),
    "disabled": factories.build_member(n=9, active=False),
}
"""Members whom only tests of roles need, besides the coordinators of `ApiDriver`."""


@contextmanager
def open_shared_clinic(folder: Path) -> Iterator[ApiDriver]:
    """Open an API driver with a member in every role, until the block ends.

    Tests that share it leave its data as it is, or write under ids of their own.
    """
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.build_environment(tokens.write_jwks(folder / "jwks.json")).items():
            patch.setenv(name, value)
        # Moto would run the function in a container.
        patch.setattr(wiring, "get_packet_renderer", get_local_renderer)
        driver = open_new_world(patch)
        driver.members |= EXTRA_MEMBERS
        factories.add_members(driver.stores, EXTRA_MEMBERS.values())
        yield driver
        wiring.reset()
