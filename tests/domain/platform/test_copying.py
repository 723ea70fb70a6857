"""`replace` copies as `dataclasses.replace` does."""

import dataclasses

import pytest

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.referral import ReferralStatus
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import build_referral


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    n: int = 1


@dataclasses.dataclass(frozen=True)
class Checked:
    n: int = 1

    def __post_init__(self) -> None:
        """Refuse what is negative."""
        if self.n < 0:
            raise ValueError(self.n)


def test_a_copy_of_a_referral_is_that_of_the_standard_library():
    referral = build_referral()

    copy = replace(referral, version=7, stage=Stage.ACCEPTED)

    assert copy == dataclasses.replace(referral, version=7, stage=Stage.ACCEPTED)


def test_the_value_itself_does_not_change():
    status = ReferralStatus(reason_code="other")

    replace(status, reason_code=None)

    assert status.reason_code == "other"


def test_what_a_newer_release_stored_is_copied():
    """Its field is in a slot of the base class."""
    status = ReferralStatus(unknown_members={"new": {"mood": 1}})

    assert replace(status, updates_lost=1).unknown_members == {"new": {"mood": 1}}
    assert replace(status, unknown_members={}).unknown_members == {}


@pytest.mark.parametrize("value", [ReferralStatus(), Slotted(), Checked()])
def test_a_field_that_does_not_exist_is_refused(value):
    with pytest.raises(TypeError):
        replace(value, mood=1)


def test_a_class_that_checks_its_values_still_does():
    with pytest.raises(ValueError):
        replace(Checked(), n=-1)


def test_a_class_with_slots_is_copied():
    assert replace(Slotted(), n=2) == Slotted(2)
