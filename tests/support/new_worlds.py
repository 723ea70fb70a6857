"""Worlds of an API driver: opened once in a process, and put back as they were for each test."""

import copy
import os
from dataclasses import dataclass

import pytest

from chalicelib import wiring
from tests.support import aws_fakes as cloud
from tests.support.api_driver import ApiDriver, open_api_driver
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
