"""A clinic that a module of tests shares: its tables take a second to make."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from moto import mock_aws

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from tests.support import cloud, factories, tokens
from tests.support.clinic import Clinic, open_clinic

OPERATOR = Tenant(
    tenant_id="opr_house", kind=TenantKind.OPERATOR, name="Operations", time_zone="UTC"
)

MORE_PEOPLE: dict[str, Member] = {
    "provider": factories.a_member(role=Role.PROVIDER),
    "clinician": factories.a_member(factories.CENTER, role=Role.CLINICIAN),
    "center_admin": factories.a_member(factories.CENTER, role=Role.ADMIN),
    "operator": factories.a_member(OPERATOR, role=Role.OPERATOR),
    "disabled": factories.a_member(n=9, active=False),
}
"""Those whom only a test of roles needs, beside the coordinators of `Clinic`."""


@contextmanager
def open_world(folder: Path) -> Iterator[Clinic]:
    """The clinic with somebody in every role, until the block ends.

    Tests that share it leave it as it is, or write under ids of their own.
    """
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment(tokens.write_jwks(folder / "jwks.json")).items():
            patch.setenv(name, value)
        cloud.create_tables()
        patch.setenv("KMS_KEY_ID", cloud.create_key())
        cloud.verify_sender()
        clinic = open_clinic()
        for handle, member in MORE_PEOPLE.items():
            clinic.members[handle] = member
            clinic.stores.members.add(member)
        yield clinic
        wiring.forget()
