"""What one row of an import file becomes: a referral and events, each with an id that is the same in every run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.routes.referrals.new_referrals import to_new_referral
from chalicelib.services.referrals.create import NewReferral, build_draft
from infra.referral_import.sheet import ImportRow

_NOON = time(12)
"""The hour of a step whose time the file does not contain, at the center, as in `referrals send-event`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporters:
    """Who imports: a member of the practice, and a member of each center whose steps are imported."""

    practice: Member
    centers: Sequence[Member] = ()

    def find_for_center(self, center_id: str | None) -> Member | None:
        """Find the member who reports the steps of a center."""
        return next((member for member in self.centers if member.tenant_id == center_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedImport:
    """What one row becomes."""

    row: ImportRow
    new_referral: NewReferral
    referral_id: str
    draft: Referral
    events: Sequence[StageChange]


def get_event_id(referral_id: str, stage: Stage) -> str:
    """Get the id of an imported step, which is the same in every run."""
    return derive_id("evt", "import", referral_id, stage)


def plan_import(row: ImportRow, reporters: Reporters, *, time_zone: str, now: datetime) -> PlannedImport:
    """Plan the referral and the events of a row, the earliest first."""
    new_referral = to_new_referral(row.body)
    practice = reporters.practice
    referral_id = derive_id("ref", "import", practice.tenant_id, row.row_id)
    reporter = reporters.find_for_center(row.body.center_id)
    events = [
        _build_event(referral_id, stage, on, reporter, time_zone=time_zone, now=now)
        for stage, on in row.steps.items()
        if reporter
    ]
    return PlannedImport(
        row=row,
        new_referral=new_referral,
        referral_id=referral_id,
        draft=build_draft(new_referral, referral_id=referral_id, member=practice, now=now),
        events=sorted(events, key=lambda event: event.occurred_at),
    )


def _build_event(
    referral_id: str, stage: Stage, on: date, reporter: Member, *, time_zone: str, now: datetime
) -> StageChange:
    noon = datetime.combine(on, _NOON, ZoneInfo(time_zone)).astimezone(now.tzinfo)
    is_today = on == now.astimezone(ZoneInfo(time_zone)).date()
    return StageChange(
        event_id=get_event_id(referral_id, stage),
        referral_id=referral_id,
        # Noon of today may be still to come.
        occurred_at=min(noon, now) if is_today else noon,
        recorded_at=now,
        actor=Actor.CENTER,
        source=EventSource.CENTER,
        actor_id=reporter.member_id,
        actor_name=reporter.name,
        stage=stage,
        local_date=on if stage is Stage.INFUSED else None,
    )
