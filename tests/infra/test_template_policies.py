"""What each function may do, as its packaged policy says for production."""

import json
from itertools import product

import pytest

from chalicelib.store.all_stores import TABLE_NAMES

ROLES = {
    "api": "ApiHandlerRole",
    "outbox": "OutboxRole",
    "relay": "RelayRole",
    "notices": "NoticesRole",
    "clocks": "ClocksRole",
    "digest": "DigestRole",
    "checkpoints": "CheckpointsRole",
}
JOBS = ("relay", "notices", "clocks", "digest")
SENDERS = ("outbox", *JOBS)

# Actions for which IAM knows no narrower resource.
WITHOUT_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "ses:GetAccount"}

DONE_AND_READ = ("ConditionCheckItem", "GetItem", "PutItem", "UpdateItem")

# The whole table of who may touch what; a cell that is not here is refused.
MAY = {
    ("api", "referrals"): {"ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query"},
    ("api", "members"): {"BatchGetItem", "GetItem", "PutItem"},
    ("api", "roster"): {"GetItem", "PutItem", "Query"},
    ("api", "tenants"): {"GetItem", "Query"},
    ("api", "keys"): {"GetItem", "PutItem"},
    ("api", "webhook_secrets"): {"PutItem", "Query", "UpdateItem"},
    ("api", "deliveries"): {"GetItem", "PutItem", "Query"},
    ("api", "idempotency"): {"GetItem", "PutItem"},
    ("api", "outbox"): {*DONE_AND_READ, "BatchGetItem"},
    ("api", "notices"): {"PutItem", "Query", "UpdateItem"},
    ("api", "recipients"): {"GetItem", "PutItem"},
    ("api", "audit"): {"PutItem", "Query"},
    ("api", "allowances"): {"GetItem", "UpdateItem"},
    ("api", "looks"): {"GetItem", "PutItem", "Query"},
    ("api", "calendars"): {"DeleteItem", "GetItem", "PutItem"},
    ("checkpoints", "audit"): {"PutItem", "Query"},
    ("checkpoints", "keys"): {"GetItem", "PutItem"},
    ("checkpoints", "jobs"): {"PutItem"},
    ("relay", "jobs"): {"BatchGetItem", "PutItem"},
    ("notices", "jobs"): {"PutItem"},
    ("clocks", "jobs"): {"PutItem"},
    ("digest", "jobs"): {"PutItem"},
    ("relay", "outbox"): {*DONE_AND_READ, "BatchGetItem", "Query"},
    ("notices", "outbox"): {*DONE_AND_READ, "BatchGetItem", "Query"},
    ("clocks", "outbox"): {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
    ("clocks", "referrals"): {"GetItem"},
    ("digest", "outbox"): {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
    ("digest", "referrals"): {"GetItem", "Query"},
    ("outbox", "outbox"): {
        *(*DONE_AND_READ, "BatchGetItem"),
        *("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
    },
} | {
    (sender, table): actions
    for sender in SENDERS
    for table, actions in {
        "members": {"BatchGetItem", "GetItem"},
        "roster": {"Query"},
        "tenants": {"GetItem", "Query"},
        "keys": {"GetItem", "PutItem"},
        "notices": {"BatchGetItem", "PutItem"},
        "recipients": {"BatchGetItem", "GetItem", "PutItem"},
    }.items()
}
MAY |= {
    (sender, table): actions
    for sender in SENDERS
    if sender not in {"clocks", "digest"}  # They look at a referral and change none.
    for table, actions in {
        "referrals": {"ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query"},
        "deliveries": {"GetItem", "PutItem", "UpdateItem"},
        "audit": {"PutItem", "Query"},
    }.items()
}


def statements(template, who):
    (policy,) = template["Resources"][ROLES[who]]["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def grants(template, who):
    """Each action with each resource that it is granted for."""
    for statement in statements(template, who):
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        resources = resources if isinstance(resources, list) else [resources]
        yield from product(actions, map(json.dumps, resources))


def granted_on(template, who, logical_name):
    return {a for a, resource in grants(template, who) if logical_name in resource}


def logical_name(table):
    return "".join(word.title() for word in table.split("_")) + "Table"


@pytest.mark.parametrize("who", ROLES)
def test_no_action_is_a_pattern(production, who):
    """Every permission is named, so that a review sees it."""
    assert not [action for action, _ in grants(production, who) if "*" in action]


@pytest.mark.parametrize("who", ROLES)
def test_every_permission_is_for_something(production, who):
    """Only what IAM cannot narrow is granted for everything."""
    wide = {action for action, resource in grants(production, who) if resource == '"*"'}

    assert wide <= WITHOUT_RESOURCE


@pytest.mark.parametrize(("who", "table"), list(product(ROLES, TABLE_NAMES)))
def test_a_function_touches_only_its_tables(production, who, table):
    """A cell that is not in `MAY` is nobody's business."""
    granted = granted_on(production, who, logical_name(table)) - {"dynamodb:DescribeTable"}

    assert granted == {f"dynamodb:{action}" for action in MAY.get((who, table), ())}


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_the_api_may_ask_whether_a_table_is_there(production, table):
    """Each, or it would never be ready."""
    assert "dynamodb:DescribeTable" in granted_on(production, "api", logical_name(table))


def test_the_api_sends_no_mail(production):
    """Whoever takes over the function that strangers talk to cannot write to anyone."""
    sending = {action for action, _ in grants(production, "api") if action.startswith("ses:Send")}

    assert sending == set()


@pytest.mark.parametrize("who", SENDERS)
def test_a_job_sends_from_one_address_only(production, who):
    """By our own identity and configuration set, and never in another name."""
    (statement,) = (s for s in statements(production, who) if s["Action"] == ["ses:SendEmail"])

    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}
    assert [r["Fn::Sub"].rpartition(":")[2] for r in statement["Resource"]] == [
        "identity/${MailIdentity}",
        "configuration-set/${MailConfigurationSet}",
    ]


@pytest.mark.parametrize("who", SENDERS)
def test_a_job_reads_no_webhook_secret(production, who):
    """Only what verifies a signature may know what makes one."""
    assert granted_on(production, who, "WebhookSecretsTable") == set()


@pytest.mark.parametrize("who", ROLES)
def test_the_audit_is_only_appended_to(production, who):
    """No function can change or remove who touched what; a new row is chained to the last."""
    granted = granted_on(production, who, "AuditTable") - {"dynamodb:DescribeTable"}

    assert granted <= {"dynamodb:PutItem", "dynamodb:Query"}


@pytest.mark.parametrize("who", ROLES)
def test_a_key_opens_for_a_named_scope_only(production, who):
    """A call without the scope that a data key was made for is refused by KMS itself."""
    (statement,) = (s for s in statements(production, who) if "kms:Decrypt" in s["Action"])

    assert statement["Resource"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
    assert statement["Condition"] == {"Null": {"kms:EncryptionContext:scope": "false"}}


@pytest.mark.parametrize("who", SENDERS)
def test_a_job_may_not_touch_accounts(production, who):
    """No scheduled function has anything to ask of Cognito."""
    assert not [action for action, _ in grants(production, who) if action.startswith("cognito")]


def test_the_api_may_make_an_account_and_nothing_else_of_cognito(production):
    """Sign-in is proved by the person's password or token; only an invitation needs our role."""
    granted = {action for action, _ in grants(production, "api") if action.startswith("cognito")}

    assert granted == {"cognito-idp:AdminCreateUser", "cognito-idp:AdminGetUser"}


@pytest.mark.parametrize("who", JOBS)
def test_a_job_may_leave_what_it_failed_at(production, who):
    """The queue of failed runs is useless if the function may not write there."""
    assert "sqs:SendMessage" in granted_on(production, who, "FailedRuns")
