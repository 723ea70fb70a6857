"""The steps of a restore to a point in time, as commands with the names of this deployment."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

RESOURCES = Path(__file__).parents[1] / "resources.json"


_NAMED = "--function-name $name"
_FILTER_LOG = (
    "aws logs filter-log-events --log-group-name /aws/lambda/$name"
    " --filter-pattern '\"email sent\"' --query 'events[].[message]' --output text"
)


class RestoreStep(NamedTuple):
    """One step: what it does, and its commands."""

    title: str
    commands: Sequence[str]


class NotRestorableError(Exception):
    """A table cannot be restored to this time. The message is shown to the user."""


@cache
def load_tables() -> Mapping[str, Mapping[str, Any]]:
    """The properties of each table of the template, by the name of the table without its prefix."""
    resources = json.loads(RESOURCES.read_text("utf-8"))["Resources"]
    tables = (each["Properties"] for each in resources.values() if each.get("Type") == "AWS::DynamoDB::Table")
    return {_read_name(each["TableName"]): each for each in tables}


def _read_name(name: Any) -> str:
    text = name["Fn::Sub"] if isinstance(name, dict) else name
    return str(text).removeprefix("${Prefix}")


def check_restorable(dynamodb: Any, prefix: str, tables: Sequence[str], at: datetime) -> None:
    """Check that each table that exists can be restored to a time.

    Raises:
        NotRestorableError: the time is outside of what a table has kept, or it keeps nothing.
    """
    for name in tables:
        try:
            description = dynamodb.describe_continuous_backups(TableName=f"{prefix}{name}")
        except dynamodb.exceptions.TableNotFoundException:
            continue  # Its last backup stays for 35 days; `build_steps` says how to use it.
        recovery = description["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        earliest, latest = (
            _to_time(recovery.get(name)) for name in ("EarliestRestorableDateTime", "LatestRestorableDateTime")
        )
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
            raise NotRestorableError(f"{prefix}{name} keeps no point-in-time recovery.")
        if earliest and latest and not earliest <= at <= latest:
            raise NotRestorableError(f"{prefix}{name} can be restored to a time from {earliest} to {latest}.")


def _to_time(value: Any) -> datetime | None:
    """Convert a time of a response, which the product's client leaves as seconds."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value if isinstance(value, datetime) else None


def build_steps(prefix: str, tables: Sequence[str], at: datetime, *, export_bucket: str = "") -> Iterator[RestoreStep]:
    """Build the steps of a restore.

    Args:
        prefix: What the names of all tables and functions of the deployment begin with.
        tables: The tables to set back, without the prefix.
        at: The time to set them back to.
        export_bucket: Also export the tables as they are now to this bucket, before anything is written.
    """
    second = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    functions = (
        f"for name in $(aws lambda list-functions --output text --query "
        f"\"Functions[?starts_with(FunctionName, '{prefix}')].FunctionName\"); do"
    )
    yield RestoreStep(
        "Stop every function. Requests get a 5xx, and centers' systems send again.",
        [f"{functions} aws lambda put-function-concurrency --reserved-concurrent-executions 0 {_NAMED}; done"],
    )
    if export_bucket:
        yield RestoreStep(
            "Keep the tables as they are now.",
            [_build_export(f"{prefix}{name}", export_bucket) for name in tables],
        )
    yield RestoreStep(
        "Restore each table under another name. It takes minutes to hours.", list(_restore(prefix, tables, second))
    )
    yield RestoreStep(
        "Download which emails were sent since then. The log is not set back.",
        [f"{functions} {_FILTER_LOG} --start-time {int(at.timestamp() * 1000)}; done > sent.log"],
    )
    yield RestoreStep(
        "Copy what differs back into the tables of the stack. Names, streams, expiry and protection stay.",
        [f"referrals restore copy {name} --from {prefix}restored-{name}" for name in tables],
    )
    yield RestoreStep(
        "Erase again the patients who were erased since then, and make the tables fit together.",
        [
            "referrals erase-restored",
            f"referrals restore check --since {second} --sent-log sent.log",
            f"referrals restore repair --since {second} --sent-log sent.log",
            f"referrals restore check --since {second} --sent-log sent.log",
        ],
    )
    yield RestoreStep(
        "Start the functions. If the stack reserves concurrency, deploy it again afterwards.",
        [f"{functions} aws lambda delete-function-concurrency {_NAMED}; done"],
    )
    yield RestoreStep(
        "Ask the centers to send again what they sent since then. Then repair what follows from it, and verify.",
        [
            f"referrals restore repair --since {second} --sent-log sent.log",
            "referrals doctor",
            f"referrals audit verify --since {at:%Y-%m-%d}",
        ],
    )
    yield RestoreStep(
        "When everything is checked, delete the restored copies.",
        [f"aws dynamodb delete-table --table-name {prefix}restored-{name}" for name in tables],
    )


def _build_export(table: str, bucket: str) -> str:
    arn = f"$(aws dynamodb describe-table --table-name {table} --query Table.TableArn --output text)"
    return (
        f"aws dynamodb export-table-to-point-in-time --table-arn {arn}"
        f" --s3-bucket {bucket} --s3-prefix before-restore/{table} --export-format DYNAMODB_JSON"
    )


def _restore(prefix: str, tables: Sequence[str], second: str) -> Iterator[str]:
    for name in tables:
        yield (
            f"aws dynamodb restore-table-to-point-in-time --source-table-name {prefix}{name}"
            f" --target-table-name {prefix}restored-{name} --restore-date-time {second}"
        )
    for name in tables:
        yield f"aws dynamodb wait table-exists --table-name {prefix}restored-{name}"


def build_settings_commands(prefix: str, name: str) -> Iterator[str]:
    """Build the commands that give a table that was deleted, and restored under its own name, its settings again."""
    properties, table = load_tables()[name], f"{prefix}{name}"
    yield (
        f"aws dynamodb update-continuous-backups --table-name {table}"
        " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
    )
    yield f"aws dynamodb update-table --table-name {table} --deletion-protection-enabled"
    expiry = properties.get("TimeToLiveSpecification")
    if expiry:
        yield (
            f"aws dynamodb update-time-to-live --table-name {table}"
            f" --time-to-live-specification Enabled=true,AttributeName={expiry['AttributeName']}"
        )
    stream = properties.get("StreamSpecification")
    if stream:
        yield (
            f"aws dynamodb update-table --table-name {table}"
            f" --stream-specification StreamEnabled=true,StreamViewType={stream['StreamViewType']}"
        )
