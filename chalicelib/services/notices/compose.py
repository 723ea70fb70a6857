"""Compose an email when it is sent: the recipient, the notices that it is about, and its text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from chalicelib import mail as templates
from chalicelib.domain.consultation.invitations import CalendarInvitation, InvitationMethod
from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import Mail, MailKind, MailTiming, Preferences, compute_late_since
from chalicelib.domain.notices.notice_rules import PLANNED_CATEGORIES, Category
from chalicelib.domain.notices.weekly_digest import build_digest_entry
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, NextActor, Stage
from chalicelib.domain.referrals.worklists import summarize_stage
from chalicelib.mail import MailMessage
from chalicelib.mail.invitation import build_invitation_part
from chalicelib.services.notices.mail_facts import MailFacts
from chalicelib.services.notices.notify import get_member_zone
from chalicelib.services.notices.unsubscribe import build_unsubscribe_url
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.identity.members import to_member
from chalicelib.store.notices.mails import MailSkipReason
from chalicelib.store.notices.notices import Notice
from chalicelib.store.notices.recipients import read_preferences


def is_overtaken_by_ending(notice: Notice, referral: Referral) -> bool:
    """Whether the end of the referral has overtaken a notice that an email still waits to carry.

    An email may wait for the end of quiet hours, and the patient may die in these hours. What was
    planned is not sent after any ending. After a death, only critical news and what happened after
    the report are sent.
    """
    if referral.stage not in TERMINAL_STAGES or notice.category is Category.CRITICAL:
        return False
    reported_at = referral.status.ending_reported_at
    is_older = reported_at is None or notice.created_at <= reported_at
    return notice.category in PLANNED_CATEGORIES or (referral.stage is Stage.DECEASED and is_older)


def find_recipient(mail: Mail, *, context: RunContext) -> Member | None:
    """Find the member to whom an email is sent, with or without access, as of now."""
    return context.stores.members.find_recipient(
        mail.recipient_subject, tenant_id=mail.tenant_id, member_id=mail.member_id
    )


@dataclass
class OutgoingMail:
    """An email with everything that is looked up when it is sent."""

    mail: Mail
    facts: MailFacts
    context: RunContext

    @cached_property
    def recipient(self) -> Member | None:
        """The recipient with the current address; None if the person is no longer an active member with access."""
        item = self.facts.recipient
        member = to_member(item) if item else find_recipient(self.mail, context=self.context)
        return member if member and member.active and member.has_clinical_access else None

    @cached_property
    def preferences(self) -> Preferences:
        """The recipient's current email preferences."""
        return read_preferences(self.facts.preferences)

    @cached_property
    def skip_reason(self) -> MailSkipReason | None:
        """Why it must be skipped; None if it can be sent."""
        if self.recipient is None:
            return MailSkipReason.NOT_A_MEMBER
        is_invitation = self.mail.kind is MailKind.INVITATION
        reason = self._find_why_not_invited() if is_invitation else self._find_why_not_needed()
        return MailSkipReason.SUPPRESSED if reason is None and self._is_suppressed(self.recipient) else reason

    def _is_suppressed(self, recipient: Member) -> bool:
        item = self.facts.suppression
        return item is not None and self.context.stores.recipients.read_suppression(item, recipient) is not None

    def _find_why_not_needed(self) -> MailSkipReason | None:
        """Find why none of its notices needs an email."""
        if not self._unread_notices:
            return MailSkipReason.READ
        if not self._wanted_notices:
            return MailSkipReason.TURNED_OFF
        if self.notices:
            return None
        is_ended = bool(self._referrals) and self.mail.kind is not MailKind.DIGEST
        return MailSkipReason.ENDED if is_ended else MailSkipReason.NOT_VISIBLE

    def _find_why_not_invited(self) -> MailSkipReason | None:
        """Find why an invitation is not sent. A calendar must be updated also if the notice was read already."""
        referral = self._invited_referral
        if referral is None or self._invitation is None:
            return MailSkipReason.NOT_VISIBLE
        if self.preferences.get_timing(Category.STATUS_UPDATE) is MailTiming.NEVER:
            return MailSkipReason.TURNED_OFF
        later = self.context.stores.consultations.get_invitation(self.mail.referral_id, self._invitation.next_key)
        return MailSkipReason.SUPERSEDED if later else None

    @cached_property
    def _invitation(self) -> CalendarInvitation | None:
        return self.context.stores.consultations.get_invitation(self.mail.referral_id, self.mail.invitation)

    @cached_property
    def _invited_referral(self) -> Referral | None:
        """The referral of an invitation, if the recipient can see it now."""
        referral = self.facts.find_referral(self.mail.referral_id, stores=self.context.stores)
        return referral if referral and self.recipient and self.recipient.can_see(referral) else None

    @cached_property
    def notices(self) -> Sequence[Notice]:
        """Its notices that are unread, wanted, and about referrals that the recipient can see now."""
        if self.mail.kind is MailKind.DIGEST:
            return self._wanted_notices if self._listed_referrals else ()
        return [notice for notice in self._wanted_notices if self._is_needed(notice)]

    def _is_needed(self, notice: Notice) -> bool:
        referral = self._referrals.get(notice.referral_id)
        return referral is not None and not is_overtaken_by_ending(notice, referral)

    @cached_property
    def _unread_notices(self) -> Sequence[Notice]:
        return [notice for notice in self._list_notices() if notice.read_at is None]

    def _list_notices(self) -> Sequence[Notice]:
        notices = self.context.stores.notices
        if not self.facts.has_notices_of(self.mail):
            return notices.get_many(self.mail.member_id, self.mail.notice_ids)
        items = [self.facts.notices[notice_id] for notice_id in dict.fromkeys(self.mail.notice_ids)]
        return [notices.read_item(item) for item in items if item]

    @cached_property
    def _wanted_notices(self) -> Sequence[Notice]:
        get_timing = self.preferences.get_timing
        return [notice for notice in self._unread_notices if get_timing(notice.category) is not MailTiming.NEVER]

    @cached_property
    def _referrals(self) -> Mapping[str, Referral]:
        """The referrals that it is about and that the recipient can see now, by id."""
        is_digest = self.mail.kind is MailKind.DIGEST
        ids = self.mail.listed_referral_ids if is_digest else (n.referral_id for n in self._wanted_notices)
        stores = self.context.stores
        referrals = (self.facts.find_referral(referral_id, stores=stores) for referral_id in dict.fromkeys(ids))
        return {
            referral.referral_id: referral
            for referral in referrals
            if referral and self.recipient and self.recipient.can_see(referral)
        }

    def compose(self, sign_in_url: str, *, sender: str) -> MailMessage:
        """Compose the message. Call it only for an email that must not be skipped.

        Args:
            sign_in_url: Where the reader signs in.
            sender: The address that sends it, which is the organizer of an invitation.
        """
        if self.recipient is None:
            raise LookupError
        if self.mail.kind is MailKind.INVITATION:
            return self._compose_invitation(self.recipient.email, sign_in_url, sender)
        if self.mail.kind is MailKind.DIGEST:
            return self._compose_digest(self.recipient.email, sign_in_url)
        referral_ids = {notice.referral_id for notice in self.notices}
        alias = self._referrals[self.notices[0].referral_id].alias
        to, late, count = self.recipient.email, self._format_lateness(), len(self.notices)
        # The id of a notice says nothing about the patient, and only its reader can open it, after sign-in.
        link = f"{sign_in_url}/#/notices/{self.notices[0].notice_id}"
        if self.mail.kind is MailKind.CRITICAL:
            return templates.compose_critical_notice(to=to, alias=alias, sign_in_url=link, late_since_text=late)
        if self.mail.kind is MailKind.ESCALATION:
            return templates.compose_escalation(to=to, alias=alias, sign_in_url=link, late_since_text=late)
        unsubscribe = self._build_unsubscribe_url(sign_in_url)
        if len(referral_ids) == 1:
            return templates.compose_notice_waiting(
                to=to, alias=alias, count=count, sign_in_url=link, late_since_text=late, unsubscribe=unsubscribe
            )
        return templates.compose_notices_waiting(
            to=to,
            counts=self._count_by_alias(),
            sign_in_url=f"{sign_in_url}/#/notices",
            late_since_text=late,
            unsubscribe=unsubscribe,
        )

    def _compose_invitation(self, to: str, sign_in_url: str, sender: str) -> MailMessage:
        invitation, referral = self._invitation, self._invited_referral
        if invitation is None or referral is None:
            raise LookupError
        is_canceled = invitation.method is InvitationMethod.CANCEL
        message = templates.compose_invitation(
            to=to,
            alias=referral.alias,
            change="canceled" if is_canceled else "planned or moved",
            sign_in_url=sign_in_url,
            late_since_text=self._format_lateness(),
            unsubscribe=self._build_unsubscribe_url(sign_in_url),
        )
        part = build_invitation_part(
            invitation, alias=referral.alias, sender=sender, recipient=to, link=sign_in_url, now=self.context.now
        )
        return replace(message, calendar=part)

    def _compose_digest(self, to: str, sign_in_url: str) -> MailMessage:
        unsubscribe = self._build_unsubscribe_url(sign_in_url)
        return templates.compose_weekly_digest(
            to=to,
            aliases=[referral.alias for referral in self._listed_referrals],
            unlisted=self.mail.unlisted_count,
            sign_in_url=sign_in_url,
            late_since_text=self._format_lateness(),
            unsubscribe=unsubscribe,
        )

    @cached_property
    def _listed_referrals(self) -> Sequence[Referral]:
        """The referrals that a digest lists, if they still belong in it now."""
        side = NextActor(self.recipient.kind.value) if self.recipient else NextActor.NONE
        return [referral for referral in self._referrals.values() if self._is_listed(referral, side)]

    def _is_listed(self, referral: Referral, side: NextActor) -> bool:
        stage_summary, changed_at = summarize_stage(referral), referral.updated_at
        entry = build_digest_entry(
            referral.referral_id, stage_summary, changed_at=changed_at, side=side, now=self.context.now
        )
        return entry is not None

    def _count_by_alias(self) -> Sequence[tuple[str, int]]:
        """Each patient's alias and number of notices, starting with the patient who has the oldest notice."""
        counts = Counter(notice.referral_id for notice in self.notices)
        return [(self._referrals[referral_id].alias, count) for referral_id, count in counts.items()]

    def _format_lateness(self) -> str:
        since = compute_late_since(self.mail, now=self.context.now)
        if since is None or self.recipient is None:
            return ""
        return templates.format_time(
            since, get_member_zone(self.recipient, self.preferences, stores=self.context.stores)
        )

    def _build_unsubscribe_url(self, sign_in_url: str) -> str:
        """The address that turns off all of its categories; empty if one of them cannot be turned off."""
        categories = {notice.category for notice in self.notices}
        if Category.CRITICAL in categories:
            return ""
        return build_unsubscribe_url(
            self.mail.member_id, categories, sign_in_url=sign_in_url, stores=self.context.stores
        )
