"""A mail with everything that is looked up when it is sent: to whom, about what, in which words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from chalicelib import mail as words
from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import Mail, MailKind, Preferences, Timing, lateness
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.weekly_digest import entry_of
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Owner
from chalicelib.domain.referrals.worklists import standing_of
from chalicelib.mail import Message
from chalicelib.services.notices.notify import zone_of
from chalicelib.services.notices.unsubscribe import address_for
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.mails import Why
from chalicelib.store.notices.notices import Notice


@dataclass
class Letter:
    """A mail with everything that is looked up when it is sent."""

    mail: Mail
    stores: Stores
    now: datetime

    @cached_property
    def member(self) -> Member | None:
        """Whom it is for, with the address of now; None if the person may not work here."""
        member = self.stores.members.get(self.mail.subject)
        return member if member and member.active and member.cares else None

    @cached_property
    def preferences(self) -> Preferences:
        """How its recipient wants to be mailed now."""
        return self.stores.recipients.preferences(self.mail.member_id)

    @cached_property
    def why_not(self) -> Why | None:
        """Why it is not to be sent, if it is not."""
        if self.member is None:
            return Why.NOT_A_MEMBER
        if not self._unread:
            return Why.READ
        if not self._wanted:
            return Why.TURNED_OFF
        if not self.notices:
            return Why.NOT_VISIBLE
        if self.stores.recipients.suppression(self.member):
            return Why.SUPPRESSED
        return None

    @cached_property
    def notices(self) -> Sequence[Notice]:
        """What it tells of: unread, wanted, and about what its recipient may see now."""
        if self.mail.kind is MailKind.DIGEST:
            return self._wanted if self._on_the_digest else ()
        return [notice for notice in self._wanted if notice.referral_id in self._referrals]

    @cached_property
    def _unread(self) -> Sequence[Notice]:
        those = self.stores.notices.those(self.mail.member_id, self.mail.notice_ids)
        return [notice for notice in those if notice.read_at is None]

    @cached_property
    def _wanted(self) -> Sequence[Notice]:
        timing = self.preferences.timing
        return [n for n in self._unread if timing(n.category) is not Timing.NEVER]

    @cached_property
    def _referrals(self) -> Mapping[str, Referral]:
        """The referrals that it is about and its recipient may see now, by id."""
        is_digest = self.mail.kind is MailKind.DIGEST
        about = self.mail.listed if is_digest else (n.referral_id for n in self._wanted)
        asked = dict.fromkeys(about)
        found = (self.stores.referrals.get(referral_id) for referral_id in asked)
        return {
            referral.referral_id: referral
            for referral in found
            if referral and self.member and self.member.may_see(referral)
        }

    def message(self, link: str) -> Message:
        """The mail in its words. Only to be asked of one that is to be sent."""
        if self.member is None:
            raise LookupError
        if self.mail.kind is MailKind.DIGEST:
            return self._digest(self.member.email, link)
        about = {notice.referral_id for notice in self.notices}
        alias = self._referrals[self.notices[0].referral_id].alias
        to, late, count = self.member.email, self._late(), len(self.notices)
        if self.mail.kind is MailKind.CRITICAL:
            return words.critical_notice(to=to, alias=alias, link=link, late=late)
        if self.mail.kind is MailKind.ESCALATION:
            return words.escalation(to=to, alias=alias, link=link, late=late)
        leave = self._unsubscribe(link)
        if len(about) == 1:
            return words.notice_waiting(
                to=to, alias=alias, count=count, link=link, late=late, unsubscribe=leave
            )
        return words.notices_waiting(
            to=to, counts=self._counts(), link=link, late=late, unsubscribe=leave
        )

    def _digest(self, to: str, link: str) -> Message:
        leave = self._unsubscribe(link)
        return words.weekly_digest(
            to=to,
            aliases=[referral.alias for referral in self._on_the_digest],
            unlisted=self.mail.unlisted,
            link=link,
            late=self._late(),
            unsubscribe=leave,
        )

    @cached_property
    def _on_the_digest(self) -> Sequence[Referral]:
        """The referrals that a digest lists, as far as they belong on it now."""
        side = Owner(self.member.kind.value) if self.member else Owner.NONE
        return [each for each in self._referrals.values() if self._is_listed(each, side)]

    def _is_listed(self, referral: Referral, side: Owner) -> bool:
        standing, changed_at = standing_of(referral), referral.updated_at
        entry = entry_of(
            referral.referral_id, standing, changed_at=changed_at, side=side, now=self.now
        )
        return entry is not None

    def _counts(self) -> Sequence[tuple[str, int]]:
        """Each patient's alias and number of notices, those with the oldest notice first."""
        counts = Counter(notice.referral_id for notice in self.notices)
        return [(self._referrals[each].alias, count) for each, count in counts.items()]

    def _late(self) -> str:
        since = lateness(self.mail, now=self.now)
        if since is None or self.member is None:
            return ""
        return words.spelled_time(since, zone_of(self.member, self.preferences, stores=self.stores))

    def _unsubscribe(self, link: str) -> str:
        """Where all of its categories are turned off; empty if one of them cannot be."""
        categories = {notice.category for notice in self.notices}
        if Category.CRITICAL in categories:
            return ""
        return address_for(self.mail.member_id, categories, link=link, stores=self.stores)
