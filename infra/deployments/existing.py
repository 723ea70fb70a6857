"""Finds what an earlier stack left behind, so that a new stack can use it.

Tables, buckets, logs and the email identity are found by their names. The data key is the one with which the tables
are encrypted, and the user pool has the name of the deployment.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session

from infra.bundle.existing import KEY_PARAMETER, POOL_PARAMETER
from infra.deployments import DeployError

KEY_DESCRIPTION = "Encrypts the health data in the tables "
"""How the description of a data key begins. The prefix of the tables follows."""

_OWNS_NOTHING = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"})
"""States of a stack that has no resources. A first deployment that failed has left its tables to no one."""

_MARKER_TABLE = "referrals"
"""Every release has this table. Its name shows a deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingData:
    """The tables of a deployment that exist.

    Attributes:
        tables: Their names.
        key_arn: The key of the tables; empty if there is none.
        stack: The stack that owns them; empty if none does.
        is_protected: Whether any is protected against deletion, as in production.
    """

    tables: tuple[str, ...]
    key_arn: str
    stack: str
    is_protected: bool


def find_existing_data(session: Session, table_names: list[str], *, prefix: str) -> ExistingData | None:
    """Find the tables among these names that exist. None if there is none."""
    dynamodb: Any = session.create_client("dynamodb")
    found = {name: table for name in table_names if (table := _describe_table(dynamodb, name))}
    if not found:
        return None
    keys = {table.get("SSEDescription", {}).get("KMSMasterKeyArn", "") for table in found.values()}
    if len(keys) > 1:
        raise DeployError(f"The tables are encrypted with different keys: {', '.join(sorted(keys))}.")
    return ExistingData(
        tables=tuple(found),
        key_arn=keys.pop() or _find_described_key(session, prefix),
        stack=_find_owner(session, prefix),
        is_protected=any(table.get("DeletionProtectionEnabled", False) for table in found.values()),
    )


def adopt(session: Session, data: ExistingData, *, prefix: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the parameters with which a new stack uses the key and the user pool of the existing tables.

    Args:
        session: The account and region.
        data: The tables.
        prefix: The start of all names.
        given: Parameters that the operator gave. A user pool among them is used without a search.

    Raises:
        DeployError: the key cannot be used, or there is not exactly one user pool.
    """
    if not data.key_arn:
        raise DeployError(f"The tables of {prefix} have no key of their own. They are not of this product.")
    _require_enabled_key(session, data.key_arn)
    if POOL_PARAMETER in given:
        return {KEY_PARAMETER: data.key_arn}
    pools = [pool["Id"] for pool in _list_pools(session) if pool["Name"] == f"{prefix}members"]
    if len(pools) != 1:
        raise DeployError(
            f"There are {len(pools)} user pools named {prefix}members ({', '.join(sorted(pools)) or 'none'}). "
            f"Name the one with the members: {POOL_PARAMETER}=ID. If it is lost, {POOL_PARAMETER}= creates an empty "
            "one; then no member can sign in until the operator invites them again."
        )
    return {KEY_PARAMETER: data.key_arn, POOL_PARAMETER: pools[0]}


def list_prefixes(session: Session) -> list[str]:
    """List the prefixes of all deployments in the account and region."""
    dynamodb: Any = session.create_client("dynamodb")
    pages = dynamodb.get_paginator("list_tables").paginate()
    names = {name for page in pages for name in page["TableNames"]}
    prefixes = {name.removesuffix(_MARKER_TABLE) for name in names if name.endswith(f"-{_MARKER_TABLE}")}
    return sorted(prefix for prefix in prefixes if f"{prefix}keys" in names)


def _describe_table(dynamodb: Any, name: str) -> dict[str, Any] | None:
    try:
        table: dict[str, Any] = dynamodb.describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    return table


def _find_owner(session: Session, prefix: str) -> str:
    """The name of the stack with this prefix; empty if there is none, for example because it was deleted."""
    cloudformation: Any = session.create_client("cloudformation")
    pages = cloudformation.get_paginator("describe_stacks").paginate()
    for stack in (stack for page in pages for stack in page["Stacks"]):
        values = {each["ParameterKey"]: each.get("ParameterValue") for each in stack.get("Parameters", ())}
        if values.get("Prefix") == prefix and stack["StackStatus"] not in _OWNS_NOTHING:
            return str(stack["StackName"])
    return ""


def _find_described_key(session: Session, prefix: str) -> str:
    """Find the key by its description in the template, where DynamoDB does not say which one encrypts a table."""
    kms: Any = session.create_client("kms")
    pages = kms.get_paginator("list_keys").paginate()
    for key in (key for page in pages for key in page["Keys"]):
        found = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if found.get("Description") == f"{KEY_DESCRIPTION}{prefix}*":
            return str(found["Arn"])
    return ""


def _require_enabled_key(session: Session, key_arn: str) -> None:
    kms: Any = session.create_client("kms")
    try:
        state = kms.describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"]
    except ClientError as error:
        raise DeployError(f"The key of the tables cannot be read: {error}") from error
    if state == "PendingDeletion":
        raise DeployError(
            f"The key of the tables, {key_arn}, is scheduled for deletion. After that no row can be read. Cancel it "
            f"(aws kms cancel-key-deletion --key-id {key_arn}; aws kms enable-key --key-id {key_arn}), and try again."
        )
    if state != "Enabled":
        raise DeployError(f"The key of the tables, {key_arn}, is {state}. Enable it first.")


def _list_pools(session: Session) -> Iterator[Mapping[str, Any]]:
    cognito: Any = session.create_client("cognito-idp")
    for page in cognito.get_paginator("list_user_pools").paginate(MaxResults=60):
        yield from page["UserPools"]
