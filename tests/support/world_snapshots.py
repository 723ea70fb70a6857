"""The AWS of this process as it was at one moment: an expensive start is made once, and each test has it as new.

A snapshot has the tables with their rows, the keys, the mail service with its email, and the kept ends of the audit
trail. It can be restored into another `mock_aws` of the same process. The caches of the product are not in it: open
new stores after each restore.
"""

import copy
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.ses.models import ses_backends

from tests.support.aws_fakes import AUDIT_HEADS

_ACCOUNT, _REGION = "123456789012", "us-east-1"  # As in `aws_fakes`
_WITHOUT_STATE = frozenset({"iam", "sesv2"})
"""Moto asks the first one for each request; the second one keeps its state in `ses`."""

_COVERED = frozenset({"dynamodb", "kms", "s3", "ses"}) | _WITHOUT_STATE
_WHOLE = frozenset({"S", "N", "B", "BOOL", "NULL"})
"""The types of values that nothing changes in place."""


class NotCoveredError(Exception):
    """A service is in use whose state would stay as it is."""


@dataclass(frozen=True, slots=True)
class AwsSnapshot:
    """The state of each covered service; nothing in it changes."""

    tables: Mapping[str, Any]
    keys: Mapping[str, Any]
    mails: Mapping[str, Any]
    heads: Mapping[str, Any]

    def restore(self) -> None:
        """Make AWS what it was. A test can change it again, and the snapshot stays.

        Raises:
            NotCoveredError: a service is in use that the snapshot does not cover.
        """
        _refuse_other_services()
        dynamodb: Any = dynamodb_backends[_ACCOUNT][_REGION]
        dynamodb.tables = _copy_tables(self.tables)
        vars(kms_backends[_ACCOUNT][_REGION]).update(copy.deepcopy(self.keys))
        vars(ses_backends[_ACCOUNT][_REGION]).update(copy.deepcopy(self.mails))
        _list_buckets().update(_copy_buckets(self.heads))


def take_snapshot() -> AwsSnapshot:
    """Take a snapshot of AWS as it is now.

    Raises:
        NotCoveredError: a service is in use that a snapshot does not cover, for example one with files.
    """
    _refuse_other_services()
    return AwsSnapshot(
        tables=_copy_tables(dynamodb_backends[_ACCOUNT][_REGION].tables),
        keys=copy.deepcopy(vars(kms_backends[_ACCOUNT][_REGION])),
        mails=copy.deepcopy(vars(ses_backends[_ACCOUNT][_REGION])),
        heads=_copy_buckets(_list_buckets()),
    )


def _refuse_other_services() -> None:
    used = {each.service_name for each in BackendDict._instances if each}  # type: ignore[misc]
    if others := used - _COVERED:
        raise NotCoveredError(f"a snapshot does not cover {', '.join(sorted(others))}")
    if files := _list_buckets().keys() - {AUDIT_HEADS}:
        raise NotCoveredError(f"a snapshot does not cover the files in {', '.join(sorted(files))}")


def _list_buckets() -> dict[str, Any]:
    buckets: dict[str, Any] = s3_backends[_ACCOUNT]["aws"].buckets
    return buckets


def _copy_buckets(buckets: Mapping[str, Any]) -> dict[str, Any]:
    """Copy buckets and the lists of what they keep. What is kept there is locked, so it is shared."""
    copies: dict[str, Any] = {}
    for name, bucket in buckets.items():
        copied: Any = bucket.__class__.__new__(bucket.__class__)
        vars(copied).update(vars(bucket))
        copied.keys = type(bucket.keys)()
        for key, versions in dict.items(bucket.keys):
            dict.__setitem__(copied.keys, key, list(versions))
        copies[name] = copied
    return copies


def _copy_tables(tables: Mapping[str, Any]) -> dict[str, Any]:
    copies: dict[str, Any] = OrderedDict()
    for name, table in tables.items():
        copied: Any = table.__class__.__new__(table.__class__)
        vars(copied).update(vars(table))
        copied.items = type(table.items)(dict)
        for key, held in table.items.items():
            copied.items[key] = _copy_held(held) if isinstance(held, dict) else _copy_row(held)
        copies[name] = copied
    return copies


def _copy_held(held: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: _copy_row(row) for key, row in held.items()}


def _copy_row(row: Any) -> Any:
    result = copy.deepcopy(row)  # A shallow copy too, as moto has it.
    dict.update(result.attrs, {n: copy.deepcopy(v) for n, v in row.attrs.items() if v.type not in _WHOLE})
    return result
