"""A clinic that a module of tests shares: its tables take a second to make."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto import mock_aws

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from tests.support import aws_fakes as cloud
from tests.support import factories, tokens
from tests.support.api_driver import ApiDriver, open_api_driver

OPERATOR = Tenant(tenant_id="opr_house", kind=TenantKind.OPERATOR, name="Operations", time_zone="UTC")

EXTRA_MEMBERS: dict[str, Member] = {
    "provider": factories.build_member(role=Role.PROVIDER),
    "clinician": factories.build_member(factories.CENTER, role=Role.CLINICIAN),
    "center_admin": factories.build_member(factories.CENTER, role=Role.ADMIN),
    "operator": factories.build_member(OPERATOR, role=Role.OPERATOR),
    "disabled": factories.build_member(n=9, active=False),
}
"""Those whom only a test of roles needs, beside the coordinators of `Clinic`."""


@contextmanager
def open_shared_clinic(folder: Path) -> Iterator[ApiDriver]:
    """The clinic with somebody in every role, until the block ends.

    Tests that share it leave it as it is, or write under ids of their own.
    """
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.build_environment(tokens.write_jwks(folder / "jwks.json")).items():
            patch.setenv(name, value)
        cloud.create_tables()
        patch.setenv("KMS_KEY_ID", cloud.create_key())
        cloud.verify_sender()
        clinic = open_api_driver()
        for handle, member in EXTRA_MEMBERS.items():
            clinic.members[handle] = member
            clinic.stores.members.add(member)
        yield clinic
        wiring.reset()
