"""What a deployment checks before it changes anything, and how it protects the stack afterwards."""

import copy
import json
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from infra.commit import ROOT
from infra.deployments.domains import close_default_address, list_sender_problems, must_close_default_address
from infra.deployments.guards import list_replacements
from infra.deployments.index_rules import list_index_problems
from infra.deployments.protection import STACK_POLICY, build_tags
from infra.deployments.static_names import evaluate, list_kept_names

RESOURCES = json.loads((ROOT / "infra" / "resources.json").read_text("utf-8"))


@pytest.fixture
def after():
    """A template in which a test changes the indexes of the referrals."""
    return copy.deepcopy({"Resources": RESOURCES["Resources"]})


def get_indexes(template):
    return template["Resources"]["ReferralsTable"]["Properties"]["GlobalSecondaryIndexes"]


def list_problems(after):
    return list(list_index_problems(RESOURCES, after))


def test_the_same_indexes_are_no_problem(after):
    """Also when attributes are in another order, which DynamoDB ignores."""
    get_indexes(after)[0]["Projection"]["NonKeyAttributes"].reverse()

    assert list_problems(after) == []


def test_a_new_column_needs_an_index_of_another_name(after):
    get_indexes(after)[0]["Projection"]["NonKeyAttributes"].append("coverage")

    [problem] = list_problems(after)
    assert problem == (
        "ReferralsTable: the index by_practice cannot change. Give the changed index another name, such as "
        "by_practice_2, and keep by_practice until the next deployment."
    )


def test_a_second_change_counts_on(after):
    indexes = get_indexes(after)
    before = copy.deepcopy(after)
    get_indexes(before).append({**copy.deepcopy(indexes[0]), "IndexName": "by_practice_2"})
    changed = copy.deepcopy(before)
    get_indexes(changed)[-1]["Projection"]["NonKeyAttributes"].append("coverage")

    [problem] = list_index_problems(before, changed)

    assert "such as by_practice_3" in problem


def test_one_new_index_can_be_created(after):
    get_indexes(after).append({**copy.deepcopy(get_indexes(after)[0]), "IndexName": "by_practice_2"})

    assert list_problems(after) == []


@pytest.mark.parametrize("removed", [0, 1])
def test_an_index_is_not_replaced_by_another_in_one_deployment(after, removed):
    """It would be missing while the next one is filled."""
    indexes = get_indexes(after)
    old = indexes.pop(removed)
    indexes.append({**old, "IndexName": f"{old['IndexName']}_2"})

    [problem] = list_problems(after)
    assert problem == (
        f"ReferralsTable: only one index can be created or removed in one deployment, not {old['IndexName']} and "
        f"{old['IndexName']}_2."
    )


def test_the_key_of_a_table_cannot_change(after):
    after["Resources"]["KeysTable"]["Properties"]["KeySchema"][0]["AttributeName"] = "tenant"

    assert list_problems(after) == ["KeysTable: the key of a table cannot change; its rows would be in another table."]


def test_a_table_that_would_be_replaced_is_named():
    change = {"LogicalResourceId": "KeysTable", "ResourceType": "AWS::DynamoDB::Table", "Action": "Modify"}
    alarm = change | {"ResourceType": "AWS::CloudWatch::Alarm", "Replacement": "True"}

    assert list(list_replacements([{"ResourceChange": each} for each in (change, alarm)])) == []
    replaced = {"ResourceChange": change | {"Replacement": "True"}}
    assert list(list_replacements([replaced])) == [
        "KeysTable (AWS::DynamoDB::Table) would be replaced by an empty one."
    ]


def test_everything_that_outlives_the_stack_has_a_name_that_can_be_imported():
    """CloudFormation takes over a resource only if its name in the template is plain text."""
    values = {"Prefix": "cart-", "AWS::AccountId": "123456789012", "MailFrom": "notices@clinic.example"}

    names = list_kept_names(RESOURCES, values)

    assert names["KeysTable"] == "cart-keys"
    assert names["FilesBucket"] == "cart-documents-123456789012"
    assert names["ApiLogs"] == "/aws/lambda/cart-api"
    assert names["MailIdentity"] == "clinic.example"
    kept = {name for name, each in RESOURCES["Resources"].items() if each.get("DeletionPolicy") == "Retain"}
    # The key and the pool have no name; parameters name them. The other two belong to the account.
    assert kept - names.keys() == {"DataKey", "UserPool", "GatewayLogRole", "GatewayAccount"}


def test_a_name_of_another_form_is_not_guessed():
    with pytest.raises(ValueError, match="not a name"):
        evaluate({"Fn::GetAtt": ["KeysTable", "Arn"]}, {})


def test_no_update_replaces_or_deletes_what_holds_data():
    """The stack policy names types that the template has."""
    policy = json.loads(STACK_POLICY)
    [deny] = [statement for statement in policy["Statement"] if statement["Effect"] == "Deny"]
    assert deny["Action"] == ["Update:Delete", "Update:Replace"]
    types = {resource.get("Type") for resource in RESOURCES["Resources"].values()}
    assert set(deny["Condition"]["StringEquals"]["ResourceType"]) <= types


def test_tags_of_the_operator_and_of_the_product_are_kept():
    tags = build_tags({"cost-center": "42"}, {"owner": "ops", "cost-center": "1"}, prefix="cart-")

    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "application": "cart-referrals",
        "deployment": "cart",
        "cost-center": "42",
        "owner": "ops",
    }


BEFORE = {"MailFrom": "notices@old.example", "CertificateArn": ""}
AFTER = {"MailFrom": "notices@new.example", "CreateMailIdentity": "false", "CertificateArn": "arn:aws:acm:x"}


class FakeSes:
    """The identities of an account."""

    def __init__(self, **identities):
        self.identities = identities

    def create_client(self, service):
        assert service == "sesv2"
        return self

    def get_email_identity(self, *, EmailIdentity):  # noqa: N803 the name of the API
        if EmailIdentity not in self.identities:
            raise ClientError({"Error": {"Code": "NotFoundException"}}, "GetEmailIdentity")
        return self.identities[EmailIdentity]


def list_sender(after=AFTER, **identities):
    session: Any = FakeSes(**identities)
    return list(list_sender_problems(session, BEFORE, after))


def test_a_sender_whose_domain_is_unknown_is_refused():
    [problem] = list_sender()

    assert problem.startswith("Amazon SES does not know new.example, so no email could be sent.")


def test_a_sender_whose_domain_has_no_dkim_yet_is_refused_with_the_records_to_publish():
    [problem] = list_sender(
        **{"new.example": {"VerifiedForSendingStatus": False, "DkimAttributes": {"Tokens": ["a1", "b2"]}}}
    )

    assert problem.startswith("new.example is not verified yet")
    assert "\n  a1._domainkey.new.example CNAME a1.dkim.amazonses.com\n  b2._domainkey" in problem


def test_a_verified_domain_is_used_and_not_created_again():
    verified = {"new.example": {"VerifiedForSendingStatus": True}}

    assert list_sender(**verified) == []
    assert list_sender(AFTER | {"CreateMailIdentity": "true"}, **verified) == [
        "The identity of new.example exists already. Deploy with CreateMailIdentity=false."
    ]


def test_another_address_of_the_same_domain_is_no_change_of_the_domain():
    assert list_sender(BEFORE | {"MailFrom": "care@old.example"}) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(BEFORE, AFTER, True), (AFTER, AFTER, False), (BEFORE, BEFORE, False), (AFTER, BEFORE, False)],
    ids=["added", "kept", "never", "removed"],
)
def test_only_a_new_certificate_closes_the_default_address(before, after, expected):
    assert must_close_default_address(before, after) is expected


def test_the_default_address_is_closed_with_a_new_deployment_of_the_stage(aws):
    """API Gateway applies the setting only then."""
    session = botocore.session.Session()
    gateway: Any = session.create_client("apigateway")
    api_id = gateway.create_rest_api(name="cart-api")["id"]
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    gateway.put_method(restApiId=api_id, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api_id, resourceId=root, httpMethod="GET", type="MOCK")
    first = gateway.create_deployment(restApiId=api_id, stageName="api")["id"]

    close_default_address(session, api_id)

    assert gateway.get_stage(restApiId=api_id, stageName="api")["deploymentId"] != first
