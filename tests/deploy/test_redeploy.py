"""A deployment that failed or was deleted is repeated with its data, and several deployments share an account."""

import json
import re
import shutil
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import bundle, deploy
from infra.bundle.aliases import ALIAS
from infra.bundle.existing import KEY_PARAMETER, POOL_PARAMETER
from infra.deployments import DeployError
from infra.deployments.protection import STACK_POLICY, protect_stack
from tests.deploy.deployed import PASSWORD, DeployedApp
from tests.support.api_client import ApiClient

ADOPT, NEW = deploy.Intent(adopts=True), deploy.Intent(is_new=True)


def refuse(action: Callable[..., Any], *arguments: Any) -> str:
    """Return why a deployment is refused."""
    with pytest.raises(DeployError) as refused:
        action(*arguments)
    return str(refused.value)


def execute(deployed, *arguments):
    change_set = deployed.create_change_set(*arguments)
    assert change_set
    return deployed.execute_change_set(change_set)


def delete(deployed):
    client = deployed.session.create_client("cloudformation")
    client.delete_stack(StackName=deployed.name)
    client.get_waiter("stack_delete_complete").wait(StackName=deployed.name, WaiterConfig=deploy.WAITER_CONFIG)


def describe(deployed):
    client = deployed.session.create_client("cloudformation")
    return client.describe_stacks(StackName=deployed.name)["Stacks"][0]


def read_parameters(deployed):
    return {each["ParameterKey"]: each["ParameterValue"] for each in describe(deployed)["Parameters"]}


def template_names(template, kind):
    return [name for name, resource in template["Resources"].items() if resource["Type"] == kind]


def break_template(stack, folder):
    """Copy `dist/` with one more resource, which cannot be created after the tables, the key and the pool."""
    broken = shutil.copytree(stack.dist, folder / "dist")
    template = json.loads((broken / bundle.TEMPLATE).read_text())
    template["Resources"]["Broken"] = {
        "Type": "AWS::Logs::MetricFilter",
        "DependsOn": [*template_names(template, "AWS::DynamoDB::Table"), "UserPool"],
        "Properties": {"LogGroupName": "missing", "FilterPattern": "", "MetricTransformations": []},
    }
    (broken / bundle.TEMPLATE).write_text(json.dumps(template))
    return broken


@pytest.fixture(scope="module", autouse=True)
def _imports_buckets(stack):
    """Skip the checks before a deployment: the local cloud takes the name of a bucket to import for a conflict."""

    def skip_checks(params, **_):
        return params | {"DisableValidation": True}

    stack.deployed.session.register("provide-client-params.cloudformation.CreateChangeSet", skip_checks)


@pytest.fixture(scope="module")
def parameters(stack):
    return {
        "AskPayers": "true",
        "Deployment": "local",
        "IdentityEndpoint": stack.endpoint,
        "MailFrom": "notices@dashboard.example",
        "PublicUrl": "https://dashboard.example",
        "StorageEndpoint": stack.endpoint,
    }


@pytest.fixture(scope="module")
def again(stack, api, parameters):
    """A referral is submitted, the stack is deleted, and another stack takes over what it left."""
    made = api.refer(patient__family_name="Kept")
    deployed, kms = stack.deployed, stack.create_client("kms")
    key = {"KeyId": stack.outputs["KmsKeyId"]}
    delete(deployed)
    without_adopt = refuse(deployed.create_change_set, stack.dist, parameters, NEW)
    kms.schedule_key_deletion(**key, PendingWindowInDays=30)
    key_pending = refuse(deployed.create_change_set, stack.dist, parameters, ADOPT)
    kms.cancel_key_deletion(**key)
    key_disabled = refuse(deployed.create_change_set, stack.dist, parameters, ADOPT)
    kms.enable_key(**key)
    change_set = deployed.create_change_set(stack.dist, parameters, ADOPT)
    lines = list(deployed.list_changes(change_set))
    return SimpleNamespace(
        referral_id=made["referral_id"],
        without_adopt=without_adopt,
        key_pending=key_pending,
        key_disabled=key_disabled,
        lines=lines,
        outputs=deployed.execute_change_set(change_set),
    )


@pytest.fixture(scope="module")
def second(stack, api, parameters, tmp_path_factory):
    """The first deployment of another prefix fails, and is repeated."""
    deployed = deploy.DeployedStack(stack.deployed.session, "second", stack.deployed.bucket)
    own = parameters | {"Prefix": "second-", "CreateMailIdentity": "false"}
    without_new = refuse(deployed.create_change_set, stack.dist, own)
    broken = break_template(stack, tmp_path_factory.mktemp("broken"))
    failure = refuse(execute, deployed, broken, own, NEW)
    without_adopt = refuse(deployed.create_change_set, stack.dist, own, NEW)
    outputs = execute(deployed, stack.dist, own, ADOPT)
    return SimpleNamespace(
        deployed=deployed,
        parameters=own,
        without_new=without_new,
        failure=failure,
        without_adopt=without_adopt,
        outputs=outputs,
    )


def test_a_deleted_stack_is_not_started_with_a_new_key(again):
    """With one, no row could be read, although the tables and their key still exist."""
    assert re.fullmatch(r"17 tables cart-\* of an earlier stack exist\. .* deploy with --adopt\.", again.without_adopt)


def test_tables_files_and_logs_are_imported_and_none_is_created_again(again):
    changes = [line.split()[:3] for line in again.lines]
    imported = {name for action, name, _ in changes if action == "Import"}
    added = {kind for action, _, kind in changes if action == "Add"}

    assert {"ReferralsTable", "KeysTable", "FilesBucket", "QuarantineBucket", "ApiLogs"} <= imported
    assert not added & {"AWS::DynamoDB::Table", "AWS::Logs::LogGroup", "AWS::S3::Bucket"}


def test_no_second_key_or_user_pool_is_created(stack, again):
    """The local cloud lists them among the changes, although their condition is false."""
    client = stack.create_client("cloudformation")
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.deployed.name)
    created = {each["ResourceType"] for page in pages for each in page["StackResourceSummaries"]}

    assert "AWS::Lambda::Function" in created
    assert not created & {"AWS::KMS::Key", "AWS::Cognito::UserPool"}


def test_the_key_and_the_user_pool_are_found(stack, again):
    found = read_parameters(stack.deployed)

    assert found[KEY_PARAMETER].endswith(stack.outputs["KmsKeyId"])
    assert found[POOL_PARAMETER] == again.outputs["UserPoolId"] == stack.outputs["UserPoolId"]


def test_people_sign_in_and_read_what_they_wrote_before(stack, api, again):
    """With the same passwords, from the same rows, decrypted with the same key."""
    site = ApiClient(DeployedApp(stack.endpoint, again.outputs["RestAPIId"]))
    session = site.post("/v1/sessions", {"email": api.members["practice"].email, "password": PASSWORD}, key=None)
    assert session.status == 200, session.text

    answer = site.with_token(session.json["access_token"]).get(f"/v1/referrals/{again.referral_id}")

    assert answer.status == 200, answer.text
    assert answer.json["patient"]["family_name"] == "Kept"


def test_the_next_deployment_keeps_the_key(stack, again):
    assert stack.deployed.create_change_set(stack.dist, {}) is None


def test_the_key_of_the_rows_cannot_be_replaced(stack, again):
    reason = refuse(stack.deployed.create_change_set, stack.dist, {KEY_PARAMETER: ""})

    assert reason.startswith(f"{KEY_PARAMETER} cannot change: the rows are encrypted with arn:")


def test_a_key_that_cannot_be_used_is_not_adopted(again):
    """Scheduled for deletion, or disabled."""
    assert "is scheduled for deletion" in again.key_pending
    assert "aws kms cancel-key-deletion" in again.key_pending
    assert again.key_disabled.endswith("is Disabled. Enable it first.")


def test_a_first_deployment_that_failed_is_repeated(stack, second):
    """It left tables, a key, a user pool and an empty stack. Nothing had to be deleted by hand."""
    assert second.failure.startswith("ROLLBACK_COMPLETE")
    assert second.without_adopt.endswith("deploy with --adopt.")

    ready = ApiClient(DeployedApp(stack.endpoint, second.outputs["RestAPIId"])).get("/health/ready")
    assert ready.status == 200, ready.text


def test_two_deployments_share_an_account_and_an_email_domain(stack, second):
    """Staging next to production: other tables, another key and another pool."""
    assert second.outputs["TablePrefix"] == "second-"
    assert second.outputs["UserPoolId"] != stack.outputs["UserPoolId"]
    assert read_parameters(second.deployed)[KEY_PARAMETER].endswith(second.outputs["KmsKeyId"].rpartition("/")[2])


def test_a_misspelled_prefix_creates_no_empty_deployment(second):
    """The product would run, and no one would see a referral."""
    assert second.without_new == (
        "There is no stack second, so this would be a new deployment with empty tables second-*. In this account and "
        "region there are tables of: cart-. If it is meant to be new, deploy with --new."
    )


def test_the_tables_of_another_stack_are_not_taken_over(stack, second):
    """The name of the stack was misspelled."""
    misspelled = deploy.DeployedStack(stack.deployed.session, "secnd", stack.deployed.bucket)

    reason = refuse(misspelled.create_change_set, stack.dist, second.parameters, ADOPT)

    assert reason.startswith("The tables second-* belong to the stack second. Update it with --stack second")


def test_a_live_stack_changes_neither_its_prefix_nor_its_kind(stack, second):
    prefix = refuse(second.deployed.create_change_set, stack.dist, {"Prefix": "cart-"})
    kind = refuse(second.deployed.create_change_set, stack.dist, {"Deployment": "production"})

    assert prefix.startswith("Prefix cannot change from second- to cart-: the product would run on empty tables")
    assert kind.startswith("Deployment cannot change from local to production")


def test_an_earlier_release_with_fewer_parameters_is_deployed_again(stack, second, tmp_path):
    """CloudFormation refuses the previous value of a parameter that a template does not declare."""
    earlier = shutil.copytree(stack.dist, tmp_path / "dist")
    template = json.loads((earlier / bundle.TEMPLATE).read_text())
    del template["Parameters"]["LogRetentionDays"]
    text = json.dumps(template).replace('{"Ref": "LogRetentionDays"}', "30")
    (earlier / bundle.TEMPLATE).write_text(text)

    execute(second.deployed, earlier, {})

    assert "LogRetentionDays" not in read_parameters(second.deployed)


def test_a_changed_setting_reaches_the_version_that_runs(stack, second):
    """An alias keeps the settings of its version, so they need a new one."""
    functions = stack.create_client("lambda")
    running = {"FunctionName": "second-api", "Qualifier": ALIAS}
    before = functions.get_function_configuration(**running)["Version"]

    execute(second.deployed, stack.dist, {"PublicUrl": "https://moved.example"})

    after = functions.get_function_configuration(**running)
    assert after["Environment"]["Variables"]["PUBLIC_URL"] == "https://moved.example"
    assert int(after["Version"]) > int(before)


def test_a_parameter_of_another_release_is_refused_by_name(stack):
    reason = refuse(stack.deployed.create_change_set, stack.dist, {"LogRetention": "30"})

    assert reason.startswith("The template has no parameter LogRetention. It has: ")
    assert "LogRetentionDays" in reason


def test_the_stack_has_the_tags_that_a_bill_needs(second):
    tags = {tag["Key"]: tag["Value"] for tag in describe(second.deployed)["Tags"]}

    assert tags == {"application": "cart-referrals", "deployment": "second"}


@pytest.fixture(scope="module")
def protected(second):
    """The stack with the protection that one in production gets."""
    protect_stack(second.deployed.session.create_client("cloudformation"), "second")
    return second.deployed


def test_a_protected_stack_cannot_be_deleted_by_mistake(protected):
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        protected.session.create_client("cloudformation").delete_stack(StackName="second")


def test_a_protected_stack_has_the_policy_that_keeps_its_data(protected):
    policy = protected.session.create_client("cloudformation").get_stack_policy(StackName="second")["StackPolicyBody"]

    assert policy == STACK_POLICY


def test_a_changed_index_is_refused_before_cloudformation_rolls_back(stack, second, tmp_path):
    changed = shutil.copytree(stack.dist, tmp_path / "dist")
    template = json.loads((changed / bundle.TEMPLATE).read_text())
    index = template["Resources"]["ReferralsTable"]["Properties"]["GlobalSecondaryIndexes"][0]
    index["Projection"]["NonKeyAttributes"].append("coverage")
    (changed / bundle.TEMPLATE).write_text(json.dumps(template))

    reason = refuse(second.deployed.create_change_set, changed, {})

    assert "Give the changed index another name, such as by_practice_2" in reason
    assert reason.endswith("docs/deploy.md, 'Change an index', has the steps.")
