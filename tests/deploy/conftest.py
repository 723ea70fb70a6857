"""The packaged product, and its deployment on a local cloud that enforces its IAM policies."""

from typing import Any

import botocore.session
import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Role
from infra import bundle, deploy
from infra.local import environment
from infra.local.cloud import run_cloud
from infra.payers.server import Behavior, run_simulator
from infra.payers.setups import store_secrets
from tests.deploy.deployed import PASSWORD, DeployedDriver, Stack
from tests.support import factories
from tests.support.build_once import build_once
from tests.support.factories import CENTER, PRACTICE

BUCKET = "artifacts"


@pytest.fixture(scope="session")
def dist(tmp_path_factory, worker_id):
    """What `make package` writes."""
    return build_once(tmp_path_factory, worker_id, "production", bundle.build)


@pytest.fixture(scope="session")
def local_dist(tmp_path_factory, worker_id):
    """The same for this machine's processor."""
    return build_once(tmp_path_factory, worker_id, "local", lambda out: bundle.build(out, stage="local"))


@pytest.fixture(scope="module")
def stack(tmp_path_factory, local_dist):
    """The local bundle, deployed with a change set.

    While it exists, this process uses only its local cloud.
    """
    with (
        run_cloud(tmp_path_factory.mktemp("cloud"), enforce_policies=True, saving=False) as local_cloud,
        run_simulator(behavior=Behavior(slow_s=0.01)) as payers,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in environment.build_product_environment(local_cloud.endpoint).items():
            patch.setenv(name, value)
        patch.setattr(deploy, "WAITER_CONFIG", {"Delay": 0.2, "MaxAttempts": 600})
        session = botocore.session.Session()
        s3: Any = session.create_client("s3")
        s3.create_bucket(Bucket=BUCKET)
        store_secrets(session.create_client("secretsmanager"), payers.url)
        deployed = deploy.DeployedStack(session, "cart-referrals", BUCKET)
        change_set = deployed.create_change_set(
            local_dist,
            {
                "AskPayers": "true",
                "Deployment": "local",
                "IdentityEndpoint": local_cloud.endpoint,
                "MailFrom": "notices@dashboard.example",
                "PublicUrl": "https://dashboard.example",
                "StorageEndpoint": local_cloud.endpoint,
            },
            deploy.Intent(is_new=True),
        )
        assert change_set
        outputs = deployed.execute_change_set(change_set)
        _configure_this_process(patch, outputs)
        yield Stack(local_cloud.endpoint, deployed, local_dist, outputs)
        wiring.reset()


def _configure_this_process(patch, outputs):
    """Apply the settings with which the tests create members and secrets through the product's stores."""
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
        "CALL_THREADS": "0",
        "PUBLIC_URL": "unused",
        "DEPLOYMENT": "test",
        "COMMIT": "",
        "AUDIT_HEADS_BUCKET": "unused",
        "QUARANTINE_BUCKET": "unused",
        "QUARANTINE_URL": "unused",
        "DOCUMENTS_BUCKET": "unused",
        "DOCUMENTS_URL": "unused",
        "PACKET_FUNCTION": "unused",
    }.items():
        patch.setenv(name, value)
    wiring.reset()


@pytest.fixture(scope="module")
def api(stack):
    """A practice and a center with their members, in the deployed tables and user pool."""
    stores = wiring.get_stores()
    driver = DeployedDriver(stores, stack.site)
    factories.add_tenants(stores, factories.TENANTS)
    for handle, tenant in (("practice", PRACTICE), ("center", CENTER)):
        member = factories.build_member(tenant, role=Role.COORDINATOR)
        subject = _create_user(stack, member.email)
        driver.members[handle] = factories.build_member(tenant, subject=subject)
        stores.members.add(driver.members[handle])
    driver.secrets[CENTER.tenant_id] = factories.create_webhook_secret(stores, CENTER, now=wiring.read_clock())
    return driver


def _create_user(stack, email):
    """Create a user as an administrator does, and return the identity service's ID."""
    cognito = stack.create_client("cognito-idp")
    user_key = {"UserPoolId": stack.outputs["UserPoolId"], "Username": email}
    user = cognito.admin_create_user(**user_key, UserAttributes=[{"Name": "email", "Value": email}])
    cognito.admin_set_user_password(**user_key, Password=PASSWORD, Permanent=True)
    attributes = {each["Name"]: each["Value"] for each in user["User"]["Attributes"]}
    return attributes["sub"]
