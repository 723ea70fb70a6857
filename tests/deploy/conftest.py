"""The packaged product, deployed on a local cloud that enforces its IAM policies."""

from typing import Any

import botocore.session
import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from infra import bundle, deploy
from infra.local import cloud, environment
from tests.deploy.deployed import PASSWORD, DeployedClinic, Stack
from tests.support import factories
from tests.support.factories import CENTER, PRACTICE

BUCKET = "artifacts"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """The local bundle, deployed by a change set.

    While it stands, this process talks to its cloud and to no other.
    """
    dist = tmp_path_factory.mktemp("dist")
    bundle.build(dist, stage="local")
    with (
        cloud.run_cloud(tmp_path_factory.mktemp("cloud"), enforce_policies=True) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in environment.build_product_environment(running.endpoint).items():
            patch.setenv(name, value)
        patch.setattr(deploy, "WAITER_CONFIG", {"Delay": 0.2, "MaxAttempts": 600})
        session = botocore.session.Session()
        s3: Any = session.create_client("s3")
        s3.create_bucket(Bucket=BUCKET)
        deployed = deploy.DeployedStack(session, "cart-referrals", BUCKET)
        change_set = deployed.create_change_set(
            dist,
            {
                "Deployment": "local",
                "IdentityEndpoint": running.endpoint,
                "MailFrom": "notices@dashboard.example",
                "PublicUrl": "https://dashboard.example",
            },
        )
        assert change_set
        outputs = deployed.execute_change_set(change_set)
        _let_this_process_join(patch, outputs)
        yield Stack(running.endpoint, deployed, dist, outputs)
        wiring.reset()


def _let_this_process_join(patch, outputs):
    """The tests put people and secrets in place with the product's own stores."""
    for name, value in {
        "TABLE_PREFIX": outputs["TablePrefix"],
        "KMS_KEY_ID": outputs["KmsKeyId"],
        "IDENTITY_POOL_ID": outputs["UserPoolId"],
        "IDENTITY_CLIENT_ID": outputs["UserPoolClientId"],
        "IDENTITY_ISSUER": "unused",
        "IDENTITY_JWKS_URL": "unused",
        "MAIL_FROM": "unused",
        "MAIL_CONFIGURATION_SET": "",
        "FEED_LIMIT": "",
        "MEMBER_LIMIT": "",
        "PUBLIC_URL": "unused",
        "DEPLOYMENT": "test",
        "COMMIT": "",
    }.items():
        patch.setenv(name, value)
    wiring.reset()


@pytest.fixture(scope="module")
def api(stack):
    """A practice and a center with their people, in the deployed tables and user pool."""
    stores = wiring.get_stores()
    clinic = DeployedClinic(stores, stack.site)
    factories.add_tenants(stores, factories.TENANTS)
    for handle, tenant in (("practice", PRACTICE), ("center", CENTER)):
        member = factories.build_member(tenant, role=Role.COORDINATOR)
        subject = _create_user(stack, member.email)
        clinic.members[handle] = factories.build_member(tenant, subject=subject)
        stores.members.add(clinic.members[handle])
    clinic.secrets[CENTER.tenant_id] = factories.create_webhook_secret(stores, CENTER, now=wiring.read_clock())
    return clinic


def _create_user(stack, email):
    """Invite somebody as an administrator does; the identity service's id of the person."""
    cognito = stack.client("cognito-idp")
    who = {"UserPoolId": stack.outputs["UserPoolId"], "Username": email}
    user = cognito.admin_create_user(**who, UserAttributes=[{"Name": "email", "Value": email}])
    cognito.admin_set_user_password(**who, Password=PASSWORD, Permanent=True)
    attributes = {each["Name"]: each["Value"] for each in user["User"]["Attributes"]}
    return attributes["sub"]
