"""The permissions of each function, from its packaged policy for production."""

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
    "documents": "DocumentsRole",
    "document-check": "DocumentCheckRole",
    "slots": "SlotsRole",
    "packet-pdf": "PacketPdfRole",
}
JOBS = ("relay", "notices", "clocks", "digest")
SENDERS = ("outbox", *JOBS)

# Actions for which IAM supports no narrower resource.
ACTIONS_WITHOUT_RESOURCE = {"ses:GetAccount"}

READ_AND_COMPLETE = ("ConditionCheckItem", "GetItem", "PutItem", "UpdateItem")

# The allowed actions of each function on each table. All others are forbidden.
ALLOWED_ACTIONS = {
    ("api", "referrals"): {"ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"},
    ("documents", "referrals"): {"ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"},
    ("documents", "tenants"): {"GetItem", "Query"},
    ("documents", "outbox"): {*READ_AND_COMPLETE},
    ("documents", "audit"): {"PutItem", "Query"},
    ("documents", "keys"): {"GetItem", "PutItem"},
    ("api", "members"): {"BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"},
    ("api", "roster"): {"GetItem", "PutItem", "Query"},
    ("api", "tenants"): {"ConditionCheckItem", "GetItem", "Query"},
    ("api", "keys"): {"GetItem", "PutItem"},
    ("api", "webhook_secrets"): {"PutItem", "Query", "UpdateItem"},
    ("api", "deliveries"): {"GetItem", "PutItem", "Query"},
    ("api", "idempotency"): {"GetItem", "PutItem"},
    ("api", "outbox"): {*READ_AND_COMPLETE, "BatchGetItem", "Query"},
    # The operations page.
    ("api", "jobs"): {"BatchGetItem"},
    ("api", "notices"): {"PutItem", "Query", "UpdateItem"},
    ("api", "recipients"): {"BatchGetItem", "GetItem", "PutItem"},
    ("api", "audit"): {"PutItem", "Query"},
    ("api", "allowances"): {"GetItem", "UpdateItem"},
    ("api", "looks"): {"GetItem", "Query", "UpdateItem"},
    ("api", "calendars"): {"DeleteItem", "GetItem", "PutItem"},
    ("api", "slots"): {"ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query"},
    ("slots", "slots"): {"ConditionCheckItem", "DeleteItem", "PutItem", "Query"},
    ("slots", "tenants"): {"GetItem", "Query"},
    ("slots", "keys"): {"GetItem", "PutItem"},
    ("slots", "jobs"): {"PutItem"},
    ("checkpoints", "audit"): {"PutItem", "Query"},
    ("checkpoints", "keys"): {"GetItem", "PutItem"},
    # How far the verification is.
    ("checkpoints", "jobs"): {"GetItem", "PutItem"},
    ("checkpoints", "referrals"): {"GetItem", "Query"},
    ("checkpoints", "tenants"): {"Query"},
    ("relay", "jobs"): {"BatchGetItem", "PutItem"},
    ("notices", "jobs"): {"PutItem"},
    ("clocks", "jobs"): {"PutItem"},
    ("digest", "jobs"): {"PutItem"},
    ("relay", "outbox"): {*READ_AND_COMPLETE, "BatchGetItem", "Query"},
    ("notices", "outbox"): {*READ_AND_COMPLETE, "BatchGetItem", "Query"},
    ("clocks", "outbox"): {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
    ("clocks", "referrals"): {"BatchGetItem", "GetItem"},
    ("digest", "outbox"): {"BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem"},
    ("digest", "referrals"): {"BatchGetItem", "GetItem", "Query"},
    ("outbox", "outbox"): {
        *(*READ_AND_COMPLETE, "BatchGetItem"),
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
        # The turns to send email, and for some the states of payers.
        "allowances": {"GetItem", "UpdateItem"},
    }.items()
}
ALLOWED_ACTIONS |= {
    (sender, table): actions
    for sender in SENDERS
    if sender not in {"clocks", "digest"}  # They read referrals but do not change them.
    for table, actions in {
        "referrals": {"BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query"},
        "deliveries": {"GetItem", "PutItem", "UpdateItem"},
        "audit": {"PutItem", "Query"},
        # A seat is free again when the center moves or cancels a booked consultation.
        "slots": {"GetItem", "PutItem"},
    }.items()
}
# It rejects files that never came, which gives their space back.
ALLOWED_ACTIONS["relay", "referrals"] |= {"UpdateItem"}


def list_statements(template, function):
    (policy,) = template["Resources"][ROLES[function]]["Properties"]["Policies"]
    return policy["PolicyDocument"]["Statement"]


def list_grants(template, function):
    """List each action with each resource for which it is granted."""
    for statement in list_statements(template, function):
        assert statement["Effect"] == "Allow"
        actions, resources = statement["Action"], statement["Resource"]
        resources = resources if isinstance(resources, list) else [resources]
        yield from product(actions, map(json.dumps, resources))


def list_actions_on(template, function, logical_name):
    return {action for action, resource in list_grants(template, function) if logical_name in resource}


def get_logical_name(table):
    return "".join(word.title() for word in table.split("_")) + "Table"


@pytest.mark.parametrize("function", ROLES)
def test_permissions_use_no_wildcards(production, function):
    """Actions have no wildcards, and only actions that IAM cannot narrow apply to all resources."""
    grants = list(list_grants(production, function))

    assert not [action for action, _ in grants if "*" in action]
    assert {action for action, resource in grants if resource == '"*"'} <= ACTIONS_WITHOUT_RESOURCE


@pytest.mark.parametrize("function", ROLES)
def test_a_function_has_only_the_allowed_actions_on_each_table(production, function):
    for table in TABLE_NAMES:
        actions = list_actions_on(production, function, get_logical_name(table)) - {"dynamodb:DescribeTable"}
        allowed = {f"dynamodb:{action}" for action in ALLOWED_ACTIONS.get((function, table), ())}
        assert actions == allowed, table


def test_the_api_can_check_whether_each_table_exists(production):
    """Otherwise it would never be ready."""
    for table in TABLE_NAMES:
        assert "dynamodb:DescribeTable" in list_actions_on(production, "api", get_logical_name(table)), table


def test_only_what_asks_payers_reads_their_credentials(production):
    """An attacker who takes over the public function learns which payers there are, and no password."""
    readable = {
        function: {
            json.loads(resource)["Fn::Sub"].rpartition("secret:${Prefix}")[2]
            for action, resource in list_grants(production, function)
            if action.startswith("secretsmanager:")
        }
        for function in ROLES
    }

    assert {function: names for function, names in readable.items() if names} == {
        "api": {"payers-*"},
        "outbox": {"payers-*", "payer-credentials/*"},
        "relay": {"payers-*", "payer-credentials/*"},
    }


def test_secrets_are_read_and_never_written(production):
    actions = {action for function in ROLES for action, _ in list_grants(production, function)}

    assert {action for action in actions if action.startswith("secretsmanager:")} == {"secretsmanager:GetSecretValue"}


UPLOADS = "${QuarantineBucket.Arn}/uploads/*"
CLEANED = "${QuarantineBucket.Arn}/cleaned/*"
QUARANTINE = "${QuarantineBucket.Arn}/*"
FILES = "${FilesBucket.Arn}/*"

ALLOWED_ON_FILES = {
    "api": {("s3:PutObject", UPLOADS), ("s3:GetObjectVersion", FILES)},
    "outbox": {("s3:DeleteObjectVersion", FILES), ("s3:DeleteObjectVersion", QUARANTINE)},
    # It writes where the audit trail ends, and can neither change nor remove it.
    "checkpoints": {("s3:PutObject", "${AuditHeadsBucket.Arn}/checkpoints/*")},
    "document-check": {
        ("s3:GetObject", UPLOADS),
        ("s3:GetObjectVersion", UPLOADS),
        ("s3:PutObject", CLEANED),
    },
} | {
    function: {
        ("s3:GetObject", CLEANED),
        ("s3:GetObjectVersion", CLEANED),
        ("s3:PutObject", FILES),
        ("s3:DeleteObjectVersion", FILES),
        ("s3:DeleteObjectVersion", QUARANTINE),
    }
    for function in ("documents", "relay")
}


@pytest.mark.parametrize("function", ROLES)
def test_a_function_has_only_the_allowed_actions_on_files(production, function):
    """Only the check reads uploads, and it reads nothing else. The API reads no upload and no copy of one."""
    grants = {
        (action, json.loads(resource).get("Fn::Sub"))
        for action, resource in list_grants(production, function)
        if action.startswith("s3:") and not action.startswith("s3:List")
    }

    assert grants == ALLOWED_ON_FILES.get(function, set())


@pytest.mark.parametrize("function", ["document-check", "relay"])
def test_a_function_sends_events_only_as_the_product(production, function):
    """So it cannot send the result of a scanner."""
    (statement,) = (s for s in list_statements(production, function) if s["Action"] == ["events:PutEvents"])

    assert statement["Condition"] == {"StringEquals": {"events:source": "cart.documents"}}


def test_the_check_has_no_access_to_tables_or_keys(production):
    """It reads the bytes of strangers."""
    actions = {action.partition(":")[0] for action, _ in list_grants(production, "document-check")}

    assert actions == {"events", "guardduty", "logs", "s3", "sqs"}


def test_the_function_that_sets_pdfs_can_only_write_its_log(production):
    """The API sends it everything that it needs."""
    grants = list_grants(production, "packet-pdf")

    assert {action.partition(":")[0] for action, _ in grants} == {"logs"}


def test_only_the_relay_asks_for_the_state_of_the_key(production):
    """For its metric. The answer contains no secret."""
    asking = {
        function for function in ROLES for action, _ in list_grants(production, function) if action == "kms:DescribeKey"
    }

    assert asking == {"relay"}


@pytest.mark.parametrize("function", ROLES)
def test_only_the_api_calls_another_function(production, function):
    """And only the one that sets PDFs."""
    calls = {
        (action, json.loads(resource)["Ref"])
        for action, resource in list_grants(production, function)
        if action.startswith("lambda:")
    }

    assert calls == ({("lambda:InvokeFunction", "PacketPdf.Alias")} if function == "api" else set())


def test_the_api_cannot_send_mail(production):
    """An attacker who takes over the public function cannot send email to anyone."""
    actions = {action for action, _ in list_grants(production, "api") if action.startswith("ses:Send")}

    assert actions == set()


@pytest.mark.parametrize("function", SENDERS)
def test_a_job_can_send_from_one_address_only(production, function):
    """It must use the deployment's identity and configuration set."""
    (statement,) = (s for s in list_statements(production, function) if "ses:SendEmail" in s["Action"])

    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}
    identity, configuration_set = (resource["Fn::Sub"] for resource in statement["Resource"])
    assert identity[0].endswith(":identity/${MailDomain}")
    assert identity[1] == {"MailDomain": {"Fn::Select": [1, {"Fn::Split": ["@", {"Ref": "MailFrom"}]}]}}
    assert configuration_set.endswith(":configuration-set/${MailConfigurationSet}")


@pytest.mark.parametrize("function", SENDERS)
def test_a_job_cannot_read_webhook_secrets_or_use_cognito(production, function):
    """Only the API verifies signatures, and only the API invites users."""
    assert list_actions_on(production, function, "WebhookSecretsTable") == set()
    assert not [action for action, _ in list_grants(production, function) if action.startswith("cognito")]


@pytest.mark.parametrize("function", ROLES)
def test_no_function_can_change_or_delete_audit_rows(production, function):
    """Functions can only append rows. Each new row is chained to the previous one."""
    actions = list_actions_on(production, function, "AuditTable") - {"dynamodb:DescribeTable"}

    assert actions <= {"dynamodb:PutItem", "dynamodb:Query"}


@pytest.mark.parametrize("function", sorted(ROLES.keys() - {"document-check", "packet-pdf"}))
def test_a_data_key_can_only_be_used_with_its_scope(production, function):
    """KMS itself rejects a call without the scope for which a data key was created."""
    (statement,) = (s for s in list_statements(production, function) if "kms:Decrypt" in s["Action"])

    assert statement["Resource"] == {"Fn::GetAtt": ["DataKey", "Arn"]}
    assert statement["Condition"] == {"Null": {"kms:EncryptionContext:scope": "false"}}


def test_the_api_can_only_manage_cognito_users(production):
    """Sign-in uses the user's password or token. Only an invitation needs the role of the function."""
    actions = {action for action, _ in list_grants(production, "api") if action.startswith("cognito")}

    names = {"AdminCreateUser", "AdminDeleteUser", "AdminGetUser", "AdminUserGlobalSignOut"}
    assert actions == {f"cognito-idp:{name}" for name in names}


@pytest.mark.parametrize("function", JOBS)
def test_a_job_can_write_to_the_queue_of_failed_runs(production, function):
    assert "sqs:SendMessage" in list_actions_on(production, function, "FailedRuns")


OPERATOR_ACTIONS = {
    "members": {"BatchGetItem", "ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "UpdateItem"},
    "roster": {"GetItem", "PutItem", "Query"},
    "tenants": {"ConditionCheckItem", "DeleteItem", "GetItem", "PutItem", "Query"},
    "recipients": {"GetItem"},
    "calendars": {"DeleteItem"},
    "outbox": {"GetItem", "Query", "UpdateItem"},
    "audit": {"PutItem", "Query"},
    "jobs": {"BatchGetItem"},
}
"""What the operator role may do with each table. It reads no referral, notice, delivery or stored response."""


@pytest.fixture(scope="module")
def operator_grants(production):
    """Each action of the operator role with each resource."""
    (policy,) = production["Resources"]["OperatorRole"]["Properties"]["Policies"]
    return [
        (action, json.dumps(resource))
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    ]


@pytest.mark.parametrize("table", TABLE_NAMES)
def test_the_operator_role_has_only_the_allowed_actions_on_each_table(operator_grants, table):
    actions = {action for action, resource in operator_grants if get_logical_name(table) in resource}

    allowed = {f"dynamodb:{action}" for action in OPERATOR_ACTIONS.get(table, ())}
    assert actions - {"dynamodb:DescribeTable"} == allowed
    assert "dynamodb:DescribeTable" in actions


def test_the_operator_role_decrypts_nothing_and_reads_no_file(operator_grants):
    """It checks that the key and the buckets are there."""
    actions = {action for action, _ in operator_grants}

    assert {action for action in actions if action.startswith("kms:")} == {"kms:DescribeKey"}
    assert {action for action in actions if action.startswith("s3:")} == {
        "s3:GetBucketCORS",
        "s3:GetBucketNotification",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketVersioning",
    }
    assert not [action for action in actions if "*" in action]
    assert '"*"' not in {resource for _, resource in operator_grants}


def test_only_this_account_can_use_the_operator_role(production):
    """And in it only identities whose own policies allow it."""
    (statement,) = production["Resources"]["OperatorRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    assert (statement["Principal"], statement["Action"]) == ({"AWS": root}, "sts:AssumeRole")
