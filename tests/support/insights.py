"""Referrals with known days, and the insights that are computed from them."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib import wiring
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.api_driver import ApiDriver
from tests.support.factories import CENTER

INSIGHTS, CSV = "/v1/insights", "/v1/insights/tables.csv"
DAY_OF_STAGE = {"received": 1, "accepted": 3, "consult_completed": 12, "apheresis_completed": 40, "infused": 72}
"""The day of each reported stage after the referral; the others are on the day of the one before."""


def get_moment(days_ago: int) -> datetime:
    """This time of the day, some days ago."""
    return wiring.read_clock() - timedelta(days=days_ago)


def refer(site: ApiDriver, *, days_ago: int = 100, **changed: Any) -> str:
    """Refer a patient who was referred some days ago, and return the id."""
    referred_on = get_moment(days_ago).astimezone(ZoneInfo(CENTER.time_zone)).date()
    referral_id: str = site.refer(referred_on=referred_on.isoformat(), **changed)["referral_id"]
    return referral_id


def move(site: ApiDriver, referral_id: str, *stages: str, days_ago: int = 100, **data: Any) -> None:
    """Report stages on the days of `DAY_OF_STAGE`."""
    day = 0
    for stage in stages:
        day = DAY_OF_STAGE.get(stage, day)
        answer = site.deliver(referral_id, stage, at=get_moment(days_ago - day).isoformat(), **data)
        assert answer.status == 200, f"{stage}: {answer.text}"


def decline(site: ApiDriver, referral_id: str, reason: str = "disease_progression") -> None:
    """Let the center decline a referral."""
    move(site, referral_id, "declined", reason_code=reason)


def get_insights(member: ApiClient, **query: str) -> dict[str, Any]:
    """Read the figures as a member."""
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    answer = member.get(f"{INSIGHTS}?{parameters}" if parameters else INSIGHTS)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def count(group: Mapping[str, Any]) -> dict[str, int | None]:
    """The counts of the steps, by step."""
    return {each["stage"]: each["referrals"] for each in group["milestones"]}


def list_days(group: Mapping[str, Any], name: str) -> tuple[float | None, float | None, float | None, int | None]:
    """The quartiles of an interval, and how many referrals have it."""
    found = next(each for each in group["intervals"] if each["interval"] == name)
    return found["first_quartile_days"], found["median_days"], found["third_quartile_days"], found["referrals"]


def read_csv(answer: ApiAnswer) -> list[dict[str, str]]:
    """The rows of an export."""
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
