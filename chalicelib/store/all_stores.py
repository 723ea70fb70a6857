"""All stores as one value, so that a service gets everything that it needs under one name.

A store is created when it is first needed, and its module is imported then: most requests need five of
forty, and with the value classes that they store they are a third of a cold start.
"""

import copy
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.store.audit.rows import AuditLog
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.item_formats import FORMATS
from chalicelib.store.platform.transactions import Transactions

if TYPE_CHECKING:
    from typing import Self

    from mypy_boto3_dynamodb import DynamoDBClient

    from chalicelib.store.audit.heads import AuditHeads
    from chalicelib.store.audit.rotation import AuditRotationRow
    from chalicelib.store.consultation.consultations import Consultations
    from chalicelib.store.consultation.slots import Slots
    from chalicelib.store.coverage.checks import CoverageChecks
    from chalicelib.store.coverage.letters import CoverageLetters
    from chalicelib.store.coverage.payer_states import PayerStates
    from chalicelib.store.coverage.tracks import CoverageTracks
    from chalicelib.store.documents.documents import Documents
    from chalicelib.store.documents.files import DocumentFiles
    from chalicelib.store.ehr.chart_links import ChartLinks
    from chalicelib.store.ehr.used_tokens import UsedTokens
    from chalicelib.store.handback.calendar_feeds import CalendarFeeds
    from chalicelib.store.handback.packages import HandbackVersions
    from chalicelib.store.identity.members import Members
    from chalicelib.store.identity.tenants import Tenants
    from chalicelib.store.notices.digests import DigestRows
    from chalicelib.store.notices.mail_turns import MailTurns
    from chalicelib.store.notices.mails import Mails
    from chalicelib.store.notices.notices import Notices
    from chalicelib.store.notices.outbox import Outbox
    from chalicelib.store.notices.overdue_alerts import OverdueAlertRows
    from chalicelib.store.notices.recipients import Recipients
    from chalicelib.store.platform.heartbeats import JobHeartbeats
    from chalicelib.store.platform.idempotency import IdempotencyRecords
    from chalicelib.store.platform.migration_progress import MigrationProgress
    from chalicelib.store.platform.rate_limit import RateLimits
    from chalicelib.store.referrals.aliases import Aliases
    from chalicelib.store.referrals.erasures import Erasures
    from chalicelib.store.referrals.fact_changes import FactChanges
    from chalicelib.store.referrals.information_requests import InformationRequests
    from chalicelib.store.referrals.last_viewed import LastViewedStore
    from chalicelib.store.referrals.list_snapshots import ListSnapshots
    from chalicelib.store.referrals.messages import Messages
    from chalicelib.store.referrals.practice_directory import PracticeDirectories
    from chalicelib.store.referrals.referrals import Referrals
    from chalicelib.store.referrals.saved_views import SavedViewsStore
    from chalicelib.store.webhooks.delivery_log import DeliveryLog
    from chalicelib.store.webhooks.secrets import WebhookSecrets

TABLE_NAMES = (
    "referrals",
    "members",
    "roster",
    "tenants",
    "keys",
    "webhook_secrets",
    "deliveries",
    "idempotency",
    "outbox",
    "notices",
    "audit",
    "jobs",
    "allowances",
    "looks",
    "calendars",
    "recipients",
    "slots",
)


class Stores:
    """The stores, each for one or two tables; the files; the transactions over several tables; and the encryption.

    Some tables have older names: `allowances` has the rate limits and the turns to send email, and `looks` the last
    viewed versions.
    """

    def __init__(
        self,
        tables: Mapping[str, DynamoTable],
        *,
        encryption: EnvelopeEncryption,
        transactions: Transactions,
        open_files: "Callable[[], DocumentFiles]",
        open_audit_heads: "Callable[[], AuditHeads]",
    ) -> None:
        """Create the stores over these tables."""
        self._tables = tables
        self._open_files = open_files
        self._open_audit_heads = open_audit_heads
        self.encryption = encryption
        self.transactions = transactions
        self.audit_log = AuditLog(tables["audit"], anchors=tables["keys"])

    def replace(self, **stores: Any) -> "Self":
        """Copy these stores, with others under some of the names."""
        copied = copy.copy(self)
        for name, store in stores.items():
            if name not in vars(self) and not hasattr(type(self), name):
                raise AttributeError(f"no store is named {name}")
            setattr(copied, name, store)
        return copied

    @cached_property
    def files(self) -> "DocumentFiles":
        return self._open_files()

    @cached_property
    def audit_heads(self) -> "AuditHeads":
        return self._open_audit_heads()

    @cached_property
    def referrals(self) -> "Referrals":
        from chalicelib.store.referrals.items import ReferralItems
        from chalicelib.store.referrals.referrals import Referrals

        return Referrals(self._tables["referrals"], ReferralItems(self.encryption), self.audit_log)

    @cached_property
    def members(self) -> "Members":
        from chalicelib.store.identity.members import Members

        return Members(self._tables["members"], self._tables["roster"])

    @cached_property
    def tenants(self) -> "Tenants":
        from chalicelib.store.identity.tenants import Tenants

        return Tenants(self._tables["tenants"])

    @cached_property
    def secrets(self) -> "WebhookSecrets":
        from chalicelib.store.webhooks.secrets import WebhookSecrets

        return WebhookSecrets(self._tables["webhook_secrets"], self.encryption)

    @cached_property
    def delivery_log(self) -> "DeliveryLog":
        from chalicelib.store.webhooks.delivery_log import DeliveryLog

        return DeliveryLog(self._tables["deliveries"])

    @cached_property
    def idempotency_records(self) -> "IdempotencyRecords":
        from chalicelib.store.platform.idempotency import IdempotencyRecords

        return IdempotencyRecords(self._tables["idempotency"], self.encryption)

    @cached_property
    def used_tokens(self) -> "UsedTokens":
        from chalicelib.store.ehr.used_tokens import UsedTokens

        return UsedTokens(self._tables["idempotency"])

    @cached_property
    def chart_links(self) -> "ChartLinks":
        from chalicelib.store.ehr.chart_links import ChartLinks

        return ChartLinks(self._tables["idempotency"])

    @cached_property
    def outbox(self) -> "Outbox":
        from chalicelib.store.notices.outbox import Outbox

        return Outbox(self._tables["outbox"])

    @cached_property
    def overdue_alerts(self) -> "OverdueAlertRows":
        from chalicelib.store.notices.overdue_alerts import OverdueAlertRows

        return OverdueAlertRows(self._tables["outbox"])

    @cached_property
    def digests(self) -> "DigestRows":
        from chalicelib.store.notices.digests import DigestRows

        return DigestRows(self._tables["outbox"])

    @cached_property
    def mails(self) -> "Mails":
        from chalicelib.store.notices.mails import Mails

        return Mails(self._tables["outbox"])

    @cached_property
    def mail_turns(self) -> "MailTurns":
        from chalicelib.store.notices.mail_turns import MailTurns

        return MailTurns(self._tables["allowances"])

    @cached_property
    def recipients(self) -> "Recipients":
        from chalicelib.store.notices.recipients import Recipients

        return Recipients(self._tables["recipients"], self.encryption)

    @cached_property
    def notices(self) -> "Notices":
        from chalicelib.store.notices.notices import Notices

        return Notices(self._tables["notices"], self.encryption)

    @cached_property
    def audit_rotation(self) -> "AuditRotationRow":
        from chalicelib.store.audit.rotation import AuditRotationRow

        return AuditRotationRow(self._tables["jobs"])

    @cached_property
    def heartbeats(self) -> "JobHeartbeats":
        from chalicelib.store.platform.heartbeats import JobHeartbeats

        return JobHeartbeats(self._tables["jobs"])

    @cached_property
    def migration_progress(self) -> "MigrationProgress":
        from chalicelib.store.platform.migration_progress import MigrationProgress

        return MigrationProgress(self._tables["jobs"])

    @cached_property
    def rate_limits(self) -> "RateLimits":
        from chalicelib.store.platform.rate_limit import RateLimits

        return RateLimits(self._tables["allowances"])

    @cached_property
    def last_viewed(self) -> "LastViewedStore":
        from chalicelib.store.referrals.last_viewed import LastViewedStore

        return LastViewedStore(self._tables["looks"])

    @cached_property
    def list_snapshots(self) -> "ListSnapshots":
        from chalicelib.store.referrals.list_snapshots import ListSnapshots

        return ListSnapshots(self._tables["idempotency"], self.encryption)

    @cached_property
    def information_requests(self) -> "InformationRequests":
        from chalicelib.store.referrals.information_requests import InformationRequests

        return InformationRequests(self._tables["referrals"], self.encryption)

    @cached_property
    def messages(self) -> "Messages":
        from chalicelib.store.referrals.messages import Messages

        return Messages(self._tables["referrals"], self.encryption)

    @cached_property
    def handbacks(self) -> "HandbackVersions":
        from chalicelib.store.handback.packages import HandbackVersions

        return HandbackVersions(self._tables["referrals"], self.encryption)

    @cached_property
    def aliases(self) -> "Aliases":
        from chalicelib.store.referrals.aliases import Aliases

        return Aliases(self._tables["referrals"], self.encryption)

    @cached_property
    def erasures(self) -> "Erasures":
        from chalicelib.store.referrals.erasures import Erasures

        return Erasures(self._tables.__getitem__)

    @cached_property
    def fact_changes(self) -> "FactChanges":
        from chalicelib.store.referrals.fact_changes import FactChanges

        return FactChanges(self._tables["referrals"], self.encryption)

    @cached_property
    def practice_directories(self) -> "PracticeDirectories":
        from chalicelib.store.referrals.practice_directory import PracticeDirectories

        return PracticeDirectories(self._tables["referrals"], self.encryption)

    @cached_property
    def saved_views(self) -> "SavedViewsStore":
        from chalicelib.store.referrals.saved_views import SavedViewsStore

        return SavedViewsStore(self._tables["referrals"], self.encryption)

    @cached_property
    def coverage_tracks(self) -> "CoverageTracks":
        from chalicelib.store.coverage.tracks import CoverageTracks

        return CoverageTracks(self._tables["referrals"], self.encryption)

    @cached_property
    def coverage_letters(self) -> "CoverageLetters":
        from chalicelib.store.coverage.letters import CoverageLetters

        return CoverageLetters(self._tables["referrals"], self.encryption)

    @cached_property
    def coverage_checks(self) -> "CoverageChecks":
        from chalicelib.store.coverage.checks import CoverageChecks

        return CoverageChecks(self._tables["referrals"], self.encryption)

    @cached_property
    def payer_states(self) -> "PayerStates":
        from chalicelib.store.coverage.payer_states import PayerStates

        return PayerStates(self._tables["allowances"])

    @cached_property
    def calendar_feeds(self) -> "CalendarFeeds":
        from chalicelib.store.handback.calendar_feeds import CalendarFeeds

        return CalendarFeeds(self._tables["calendars"])

    @cached_property
    def documents(self) -> "Documents":
        from chalicelib.store.documents.documents import Documents

        return Documents(self._tables["referrals"], self.encryption)

    @cached_property
    def consultations(self) -> "Consultations":
        from chalicelib.store.consultation.consultations import Consultations

        return Consultations(self._tables["referrals"], self.encryption)

    @cached_property
    def slots(self) -> "Slots":
        from chalicelib.store.consultation.slot_ids import SlotIds
        from chalicelib.store.consultation.slots import Slots

        return Slots(self._tables["slots"], SlotIds(self.encryption))


def open_stores(
    *,
    prefix: str,
    kms_key_id: str,
    dynamodb: "Callable[[], DynamoDBClient]",
    kms: Callable[[], Any],
    files: "Callable[[], DocumentFiles]",
    audit_heads: "Callable[[], AuditHeads]",
) -> Stores:
    """Create the stores over tables named `prefix` plus their name. Calls no AWS service."""
    tables = {name: DynamoTable(f"{prefix}{name}", dynamodb, FORMATS.get(name, 1)) for name in TABLE_NAMES}
    return Stores(
        tables,
        encryption=EnvelopeEncryption(tables["keys"], kms, kms_key_id),
        transactions=Transactions(dynamodb),
        open_files=files,
        open_audit_heads=audit_heads,
    )
