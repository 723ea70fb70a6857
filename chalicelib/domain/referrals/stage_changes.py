"""What an event does to a referral.

Pure, and never by order of arrival: an event that was true earlier than the head becomes
history, and one that cannot be legal yet waits for what is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.domain.referrals import reason_codes as reasons
from chalicelib.domain.referrals.events import Event, Order, Source, StageChange
from chalicelib.domain.referrals.monitoring_window import (
    Anchor,
    MonitoringProfile,
    local_day,
    open_window,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL, Stage
from chalicelib.domain.referrals.transitions import movers_to, moves_from, reachable_from


@dataclass(frozen=True, slots=True)
class Applied:
    """The event moves the referral."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class Recorded:
    """The event is older than what is known, or says it again: history, no move."""

    referral: Referral


@dataclass(frozen=True, slots=True)
class NotYet:
    """Something that must come before has not arrived."""


@dataclass(frozen=True, slots=True)
class Never:
    """No later event can make this one legal. `code` says why."""

    code: str
    reason: str


Verdict = Applied | Recorded | NotYet | Never

_IN_THE_JOURNEY: Mapping[Stage, tuple[bool, int]] = {
    stage: (stage in TERMINAL, place) for place, stage in enumerate(Stage)
}
"""The place of each stage among events of one instant; what ends a referral comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a decision has to know beside the referral.

    The product's monitoring profile, the center's time zone, and the time of the decision.
    """

    profile: MonitoringProfile
    time_zone: str
    now: datetime


def move(referral: Referral, change: StageChange, setting: Setting) -> Verdict:
    """Say what a change of stage does to `referral`."""
    if change.stage is Stage.INFUSED:
        # A feed that names no parts still speaks of a product that is given in several. Where
        # the last one is never given, the center reports `monitoring`.
        change = replace(change, of=max(change.of, setting.profile.infusion_parts))
    forbidden = _forbidden(change, setting)
    if forbidden:
        return forbidden
    if _is_older(change, referral):
        return Recorded(_with_history(referral, change, setting))
    if change.stage not in moves_from(referral.stage):
        return _not_legal_now(referral, change, setting)
    if change.actor not in moves_from(referral.stage)[change.stage]:
        return Never("not_your_move", "This move belongs to the other side.")
    if change.stage is Stage.INFUSED:
        return _infuse(referral, change, setting)
    moved = _with_last_part_dropped(_moved(referral, change, setting), setting)
    return Applied(as_extended(moved))


def _forbidden(change: StageChange, setting: Setting) -> Never | None:
    """What is wrong with a change wherever the referral stands."""
    if change.actor not in movers_to(change.stage):
        return Never("not_your_move", "This move belongs to the other side.")
    if change.stage is Stage.INFUSED and change.local_date:
        told = local_day(change.occurred_at, setting.time_zone)
        if abs(change.local_date - told) > timedelta(days=1):
            return Never(
                "local_date_wrong", "local_date is not the day of occurred_at at the center."
            )
    return None


def _is_older(change: StageChange, referral: Referral) -> bool:
    """Whether the referral has moved since `change` was true.

    Feeds stamp whole seconds and often send no sequence, so two events of one instant are
    common. Then the journey's own order tells which came later, unless only the other way
    round one leads to the other. By the id alone, half of such pairs would leave the referral
    behind; it only tells apart what is of the same stage.
    """
    if referral.head is None:
        return False
    mine, known = change.order[:2], referral.head[:2]
    if mine != known:
        return mine < known
    if change.stage is referral.stage:
        # Parts of a split dose have an order of their own.
        return change.stage is not Stage.INFUSED and change.event_id < referral.head.event_id
    is_next = change.stage in moves_from(referral.stage)
    was_before = referral.stage in moves_from(change.stage)
    if is_next and not was_before:
        return False
    return _IN_THE_JOURNEY[change.stage] < _IN_THE_JOURNEY[referral.stage]


def _not_legal_now(referral: Referral, change: StageChange, setting: Setting) -> Verdict:
    if referral.stage in TERMINAL:
        return Never("referral_closed", "The referral is closed.")
    # A stage that can be come back to waits even where one stands in it: between the two visits
    # something is missing, such as the failure that a second start of manufacturing follows.
    if change.stage in reachable_from(referral.stage):
        return NotYet()
    if change.stage is referral.stage:
        return Recorded(_with_history(referral, change, setting))
    return Never("move_not_legal", "No sequence of moves leads there from the present stage.")


def _infuse(referral: Referral, change: StageChange, setting: Setting) -> Verdict:
    """Part k of n: the parts come in order."""
    given = referral.part if referral.stage is Stage.INFUSED else 0
    if change.part <= given:
        return Recorded(_with_history(referral, change, setting))
    if change.part > given + 1:
        return NotYet()
    return Applied(_given(_moved(referral, change, setting), change, setting))


def _with_last_part_dropped(referral: Referral, setting: Setting) -> Referral:
    """Where monitoring came before the last part, the window is counted from the last one given.

    Made anew of what is known each time, so that it does not matter what was learned of first.
    """
    is_dropped = Stage.MONITORING in referral.reached and 0 < referral.part < referral.of
    if not is_dropped or setting.profile.anchor is Anchor.FIRST:
        return referral
    opened = open_window(
        infused_at=referral.reached[Stage.INFUSED],
        local_date=None,
        time_zone=setting.time_zone,
        profile=setting.profile,
    )
    known = referral.window.extensions if referral.window else ()
    return replace(referral, window=replace(opened, extensions=known))


def _given(referral: Referral, change: StageChange, setting: Setting) -> Referral:
    """The referral with this infusion counted; the anchoring one opens the window.

    Also where the infusion is learned of late: the days of a patient who is being monitored
    already are counted from it all the same, though they were counted from an earlier part.
    """
    window, is_new = referral.window, change.part > referral.part
    anchors = setting.profile.starts_with(part=change.part, of=change.of)
    if anchors and (window is None or is_new):
        opened = open_window(
            infused_at=change.occurred_at,
            local_date=change.local_date,
            time_zone=setting.time_zone,
            profile=setting.profile,
        )
        window = replace(opened, extensions=window.extensions) if window else opened
    part, of = max(referral.part, change.part), max(referral.of, change.of)
    return replace(referral, window=window, part=part, of=of)


def _moved(referral: Referral, change: StageChange, setting: Setting) -> Referral:
    submitted = change.occurred_at if change.stage is Stage.SUBMITTED else None
    ends = change.stage in TERMINAL
    overlay = replace(
        referral.overlay,
        reason_code=_reason(change),
        revisit_on=change.revisit_on,
        suggested_center_id=change.suggested_center_id,
        first_visit_on=_first_visit(referral, change),
        # An ending ends the pause and answers the request; nothing waits any more.
        hold=None if ends else referral.overlay.hold,
        hold_head=_latest(referral.overlay.hold_head, change.order if ends else None),
        withdrawal_requested_at=None if ends else referral.overlay.withdrawal_requested_at,
    )
    moved = replace(
        referral,
        stage=change.stage,
        stage_since=change.occurred_at,
        head=change.order,
        reached={**referral.reached, change.stage: change.occurred_at},
        submitted_at=referral.submitted_at or submitted,
        overlay=overlay,
    )
    return written(_after_treatment(moved), change, setting)


def _after_treatment(referral: Referral) -> Referral:
    """A death of somebody who was infused is one after treatment, whatever was said or left out.

    A death before it asks nothing more of anybody; one after it may have to be reported.
    """
    told = referral.overlay.reason_code
    if told != reasons.Reason.DEATH_BEFORE_TREATMENT or Stage.INFUSED not in referral.reached:
        return referral
    after = replace(referral.overlay, reason_code=reasons.Reason.DEATH_AFTER_TREATMENT)
    return replace(referral, overlay=after)


def _first_visit(referral: Referral, change: StageChange) -> date | None:
    """The day that the hand-back was acknowledged with; later moves leave it."""
    is_back = change.stage is Stage.HANDED_BACK
    return change.first_visit_on if is_back else referral.overlay.first_visit_on


def _latest(*orders: Order | None) -> Order | None:
    return max((order for order in orders if order), default=None)


def stood_at(referral: Referral) -> Stage:
    """The open stage that was entered last: where an ended referral stood before its end."""
    places = [
        (at, _IN_THE_JOURNEY[stage], stage)
        for stage, at in referral.reached.items()
        if stage not in TERMINAL
    ]
    return max(places)[-1]


def as_extended(referral: Referral) -> Referral:
    """Monitored again, if the center's last word on the window is later than the last move."""
    window, head = referral.window, referral.head
    if window is None or not window.extensions or referral.stage not in BEFORE_HANDBACK:
        return referral
    word = window.extensions[-1]
    if head is not None and word.order <= head:
        return referral
    return replace(
        referral, stage=Stage.MONITORING, stage_since=word.order.occurred_at, head=word.order
    )


BEFORE_HANDBACK = frozenset({Stage.MONITORING, Stage.WINDOW_COMPLETE, Stage.HANDBACK_READY})
"""Where an extension has the patient monitored again, from the table of moves."""


def _reason(change: StageChange) -> str | None:
    """The reason as given; an ending that came without one has an unknown one."""
    if change.reason_code or change.stage not in reasons.NEEDED_FOR:
        return change.reason_code
    return reasons.DEFAULT_FOR.get(change.stage, reasons.Reason.UNKNOWN)


def written(referral: Referral, event: Event, setting: Setting) -> Referral:
    """The referral as one write later, with the feed's numbering kept up."""
    overlay = referral.overlay
    if event.source is Source.CENTER_FEED and event.sequence is not None:
        overlay = replace(overlay, feed=overlay.feed.counting(event.sequence))
    return replace(referral, overlay=overlay, updated_at=setting.now, version=referral.version + 1)


def _with_history(referral: Referral, change: StageChange, setting: Setting) -> Referral:
    """The same referral, knowing more of how it came to where it stands."""
    known = referral.reached.get(change.stage, change.occurred_at)
    reached = {**referral.reached, change.stage: max(known, change.occurred_at)}
    told = written(_after_treatment(replace(referral, reached=reached)), change, setting)
    counts = change.stage is Stage.INFUSED and not _awaits_infusion(referral)
    return _with_last_part_dropped(_given(told, change, setting) if counts else told, setting)


def _awaits_infusion(referral: Referral) -> bool:
    """Whether the infusion is still to come, so that one reported of before was not it."""
    return referral.stage is not Stage.INFUSED and Stage.INFUSED in reachable_from(referral.stage)
