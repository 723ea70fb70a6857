"""What counts need to know of many referrals: the same after it was packed, on every day."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.referrals import list_snapshot
from chalicelib.domain.referrals.list_counts import FilterValues, ListCounts
from chalicelib.domain.referrals.list_snapshot import SnapshotRow, pack_snapshot, unpack_snapshot
from chalicelib.domain.referrals.monitoring_window import get_start_of_day, to_local_day
from chalicelib.domain.referrals.stages import NextActor, Stage
from chalicelib.domain.referrals.unread import LastViewed, LastWriter, ViewedReferral
from chalicelib.domain.referrals.worklist_days import WorklistDays, compute_worklist_days
from chalicelib.domain.referrals.worklists import ListViewer, Worklist, list_worklists
from tests.support.stage_summaries import ZONES, instants, stage_summaries

SIDE, NOW = NextActor.CENTER, datetime(2026, 11, 2, tzinfo=UTC)


@settings(max_examples=200)
@given(summary=stage_summaries, side=st.sampled_from([SIDE, NextActor.PRACTICE]), zone=st.sampled_from(ZONES))
def test_worklists_of_each_day_are_those_of_the_rules(summary, side, zone):
    """From before the referral was in its stage until long after its last limit, at both ends of each day."""
    computed = compute_worklist_days(summary, side=side, time_zone=zone)
    near = {day + timedelta(days=n) for day in (summary.since.date(), *computed.days) for n in range(-3, 4)}

    for day in sorted({*near, date(2026, 1, 1), date(2028, 1, 1)}):
        start = get_start_of_day(day, zone)
        for now in (start, start + timedelta(hours=22, minutes=59)):
            begun = sum(each <= to_local_day(now, zone) for each in computed.days)
            assert computed.worklists[begun] == list_worklists(summary, ListViewer(side=side, now=now, time_zone=zone))


values = st.builds(
    FilterValues,
    practice_id=st.sampled_from(["prc_1", "prc_2"]),
    center_id=st.sampled_from([None, "ctr_1"]),
    product_id=st.sampled_from([None, "carvykti", "none"]),
    provider_npi=st.sampled_from([None, "1", "2"]),
    provider_name=st.sampled_from(["", "Dr. Zoë Abel", "Dr. Z. Abel"]),
)
writers = st.builds(LastWriter, st.sampled_from(["", "me", "feed:ctr_1"]), st.integers(0, 9))
rows = st.lists(
    st.tuples(stage_summaries, values, st.integers(1, 9), writers, instants, st.booleans(), st.integers(0, 9)),
    max_size=12,
)


@settings(max_examples=80)
@given(rows=rows, now=instants, later=st.timedeltas(timedelta(), timedelta(days=99)), zone=st.sampled_from(ZONES))
def test_a_packed_list_is_counted_like_its_referrals(rows, now, later, zone):
    """Without those that changed since, and with what is unread for one member."""
    listed = sorted(enumerate(rows), key=lambda row: row[1][4], reverse=True)
    packed = pack_snapshot([to_snapshot_row(n, row, zone) for n, row in listed], now=now)
    viewed = {f"ref_{n}": ViewedReferral(version=row[6]) for n, row in listed if row[6]}
    last_viewed = LastViewed(member_id="me", referrals=viewed, now=now + later)
    changed = {f"ref_{n}" for n, row in listed if row[5]}
    counts = ListCounts()

    assert packed is not None
    unpack_snapshot(packed).add_to(
        counts, changed_ids=changed, today=to_local_day(last_viewed.now, zone), last_viewed=last_viewed
    )

    assert counts == count_directly([each for each in listed if not each[1][5]], zone, last_viewed)


def to_snapshot_row(n, row, zone):
    """What a snapshot gets of a referral."""
    summary, values, version, writer, updated_at, _, _ = row
    days = compute_worklist_days(summary, side=SIDE, time_zone=zone)
    return SnapshotRow(f"ref_{n}", summary.stage, days, values, version, writer, updated_at)


def count_directly(listed, zone, last_viewed):
    """Count each referral by the rules."""
    counts, viewer = ListCounts(), ListViewer(side=SIDE, now=last_viewed.now, time_zone=zone)
    for n, (summary, values, version, writer, updated_at, _, _) in listed:
        counts.add_stage(summary.stage, list_worklists(summary, viewer))
        counts.add_values(values)
        counts.worklists[Worklist.CHANGED_SINCE_SEEN] += last_viewed.has_unread(
            writer, referral_id=f"ref_{n}", version=version, updated_at=updated_at
        )
    return counts


def build_row(n):
    """A referral with its own filter values."""
    days = WorklistDays([], [frozenset()])
    provider = FilterValues("prc_1", None, None, str(n), "")
    return SnapshotRow(f"ref_{n}", Stage.SUBMITTED, days, provider, 1, LastWriter(), NOW)


def test_two_referrals_with_one_key_get_no_snapshot(monkeypatch):
    """One would hide the other one."""
    monkeypatch.setattr(list_snapshot, "_compute_key", lambda _: b"sixsix")

    assert pack_snapshot([build_row(n) for n in range(2)], now=NOW) is None


def test_a_list_with_too_many_different_values_gets_no_snapshot(monkeypatch):
    """Their numbers have two bytes."""
    monkeypatch.setattr(list_snapshot, "_MAX_NUMBERS", 3)

    assert pack_snapshot([build_row(n) for n in range(3)], now=NOW) is not None
    assert pack_snapshot([build_row(n) for n in range(4)], now=NOW) is None
