"""Worlds of an API driver or a service driver: prepared once, and put back as they were for each test."""

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from chalicelib import wiring
from chalicelib.store.all_stores import Stores
from tests.support import aws_fakes as cloud
from tests.support.api_driver import ApiDriver, open_api_driver
from tests.support.service_driver import MailRecorder, ServiceDriver, open_service_driver
from tests.support.stores import restart_stores
from tests.support.world_snapshots import AwsSnapshot, take_snapshot


@dataclass(frozen=True, slots=True)
class SavedWorld:
    """The AWS of a driver as it was when it was saved, and the driver."""

    aws: AwsSnapshot
    kms_key_id: str
    driver: ApiDriver

    def reopen(self) -> ApiDriver:
        """Put AWS back, and return a driver as in functions that have just started."""
        self.aws.restore()
        cloud.create_audit_heads()
        wiring.reset()
        result = copy.copy(self.driver)  # It counts on in the ids of deliveries, which are in the tables.
        result.members, result.secrets = dict(self.driver.members), dict(self.driver.secrets)
        result.stores = wiring.get_stores()
        return result


def save_world(driver: ApiDriver) -> SavedWorld:
    """Save the world of a driver, which can go on with it."""
    return SavedWorld(take_snapshot(), os.environ["KMS_KEY_ID"], copy.copy(driver))


_saved: list[SavedWorld] = []


def open_new_world(patch: pytest.MonkeyPatch) -> ApiDriver:
    """Open a world in which no one has done anything, in the `mock_aws` and the environment of the caller.

    Its people, their secrets and the key are the same each time.
    """
    if not _saved:
        cloud.create_tables()
        patch.setenv("KMS_KEY_ID", cloud.create_key())
        cloud.verify_sender()
        _saved.append(save_world(open_api_driver()))
    [saved] = _saved
    patch.setenv("KMS_KEY_ID", saved.kms_key_id)
    return saved.reopen()


_prepared: dict[tuple[str, Callable[[ServiceDriver], ServiceDriver]], tuple[AwsSnapshot, ServiceDriver]] = {}


def open_services_after(prepare: Callable[[ServiceDriver], ServiceDriver], stores: Stores) -> ServiceDriver:
    """Open services with all that `prepare` did; it runs once for each set of tables, which have their own key.

    The stores have empty caches, as in a new function, and what the mail service accepted is there too.
    """
    key = stores.encryption.kms_key_id, prepare
    if key not in _prepared:
        driver = prepare(open_service_driver(stores))
        _prepared[key] = take_snapshot(), driver
    aws, driver = _prepared[key]
    aws.restore()
    return replace(driver, stores=restart_stores(stores), postbox=MailRecorder(list(driver.postbox.accepted)))
