"""Stored values: what was left out because it equals its default is read as the default again."""

import dataclasses
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from chalicelib import store
from chalicelib.catalog import get_monitoring_profile
from chalicelib.domain.referrals.coverage_status import TrackStatus
from chalicelib.domain.referrals.events import EVENT_TYPE_BY_CLASS
from chalicelib.domain.referrals.monitoring_window import MonitoringProfile
from chalicelib.domain.referrals.referral import Hold, ReferralStatus
from chalicelib.domain.referrals.stages import Actor
from chalicelib.domain.referrals.worklists import StageSummary, summarize_stage
from chalicelib.store.platform import codec
from tests.support.factories import NOON
from tests.support.referral_values import build_referral

PINNED_DEFAULTS: dict[str, Any] = {
    "StageChange.of": 1,
    "StageChange.part": 1,
    "ToxicityNoticed.kind": "other",
    "TrackStatus.agreement": "not_needed",
    "TrackStatus.authorization": "unknown",
    "TrackStatus.verification": "not_started",
}
"""Defaults of sparsely stored types that are not empty. Stored rows lack members that equal them: none may change."""

HOLD = Hold(since=NOON, reason_code="other", until=None, by=Actor.CENTER)
STORE = Path(store.__file__).parent
_SPARSE_KIND = re.compile(r"\bto_sparse_(?:json|members)\(([A-Z]\w+),")


def list_sparse_kinds() -> Iterator[type]:
    """The types whose values are stored without members that have their default."""
    yield from EVENT_TYPE_BY_CLASS
    for path in STORE.rglob("*.py"):
        names = _SPARSE_KIND.findall(path.read_text())
        module = importlib.import_module(".".join(("chalicelib.store", *path.relative_to(STORE).with_suffix("").parts)))
        yield from (getattr(module, name) for name in names)


def list_dataclasses(kind: Any, seen: set[type]) -> None:
    """Add a type and the types within it."""
    for part in get_args(kind):
        list_dataclasses(part, seen)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind not in seen:
        seen.add(kind)
        for hint in get_type_hints(kind).values():
            list_dataclasses(hint, seen)


def test_no_default_of_a_sparsely_stored_type_changes():
    """It would change what earlier rows say."""
    kinds: set[type] = set()
    for kind in list_sparse_kinds():
        list_dataclasses(kind, kinds)

    found = {}
    for kind in kinds:
        for field in dataclasses.fields(kind):
            if field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            elif field.default is not dataclasses.MISSING:
                default = field.default
            else:
                continue
            is_empty = default == type(default)() if isinstance(default, tuple(kinds)) else not default
            if not is_empty:
                found[f"{kind.__name__}.{field.name}"] = default

    assert len(kinds) > 30
    assert found == PINNED_DEFAULTS


def test_what_equals_its_default_is_not_stored():
    status = ReferralStatus(updates_lost=2)

    assert codec.to_sparse_json(ReferralStatus, status) == '{"updates_lost":2}'
    assert codec.from_json(ReferralStatus, '{"updates_lost":2}') == status


def test_a_row_of_an_earlier_release_has_all_members_and_nothing_unknown():
    text = json.dumps(codec._to_all_members(ReferralStatus, ReferralStatus(hold=HOLD)))

    read = codec.from_json(ReferralStatus, text)

    assert '"hold_head": null' in text
    assert not read.unknown_members
    assert read.hold is not None


def test_every_other_kind_is_stored_with_all_members():
    """A window keeps the figures that it was opened with, also if the catalog's default changes."""
    text = codec.to_json(MonitoringProfile, get_monitoring_profile(None))

    assert set(json.loads(text)) == {field.name for field in dataclasses.fields(MonitoringProfile)}


def test_a_part_without_values_keeps_its_new_members():
    """It equals its default, because comparisons ignore what only a newer release knows."""
    coverage = TrackStatus(unknown_members={"new": {"added": 1}})
    summary = replace(summarize_stage(build_referral()), coverage=coverage)

    assert codec.to_sparse_members(StageSummary, summary)["coverage"]["added"] == 1


def test_a_part_of_a_larger_value_is_read_as_it_was_stored():
    status = ReferralStatus(hold=HOLD, updates_lost=1)

    assert codec.from_members(ReferralStatus, codec.to_sparse_members(ReferralStatus, status)) == status


def test_a_new_member_of_a_part_is_written_back():
    read = codec.from_members(ReferralStatus, {"new": {"a": [1]}, "updates_lost": 1})

    assert codec.to_sparse_members(ReferralStatus, read)["new"] == {"a": [1]}
