"""The notices of a consultation that carry an invitation to a calendar."""

from dataclasses import replace

from chalicelib.domain.consultation.invitations import CalendarInvitation, InvitationMethod
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.plan_notices import CONSULTATION_BOOKED_RULE, CONSULTATION_CANCELED_RULE
from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.referrals.events import PlanChanged, ReferralEvent, StageChange
from chalicelib.domain.referrals.stages import Stage


def add_invitation(task: OutboxTask, event: ReferralEvent, invitation: CalendarInvitation) -> OutboxTask:
    """Add an invitation to the task that notifies of an event.

    A booking is in the calendars of both teams, so both are notified when the center's own report moves or
    cancels it. Other events, such as an ending, keep their own notice.
    """
    task = replace(task, invitation=invitation.key)
    is_about_date = isinstance(event, PlanChanged) or (
        isinstance(event, StageChange) and event.stage is Stage.CONSULT_SCHEDULED
    )
    if not (is_about_date and invitation.with_center):
        return task
    is_canceled = invitation.method is InvitationMethod.CANCEL
    rule = CONSULTATION_CANCELED_RULE if is_canceled else CONSULTATION_BOOKED_RULE
    return replace(task, rule=rule, stage=None, side=None)


def is_invited(invitation: CalendarInvitation, side: TenantKind) -> bool:
    """Whether the team of a side gets an invitation."""
    return side is TenantKind.PRACTICE or invitation.with_center
