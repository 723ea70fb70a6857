"""All stores as one value, so that a service gets everything that it needs under one name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.store.audit.heads import AuditHeads
from chalicelib.store.audit.rotation import AuditRotationRow
from chalicelib.store.audit.rows import AuditLog
from chalicelib.store.consultation.consultations import Consultations
from chalicelib.store.consultation.slot_ids import SlotIds
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
from chalicelib.store.platform.dynamo import DynamoTable
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.heartbeats import JobHeartbeats
from chalicelib.store.platform.idempotency import IdempotencyRecords
from chalicelib.store.platform.item_formats import FORMATS
from chalicelib.store.platform.migration_progress import MigrationProgress
from chalicelib.store.platform.rate_limit import RateLimits
from chalicelib.store.platform.transactions import Transactions
from chalicelib.store.referrals.aliases import Aliases
from chalicelib.store.referrals.erasures import Erasures
from chalicelib.store.referrals.fact_changes import FactChanges
from chalicelib.store.referrals.information_requests import InformationRequests
from chalicelib.store.referrals.items import ReferralItems
from chalicelib.store.referrals.last_viewed import LastViewedStore
from chalicelib.store.referrals.messages import Messages
from chalicelib.store.referrals.practice_directory import PracticeDirectories
from chalicelib.store.referrals.referrals import Referrals
from chalicelib.store.referrals.saved_views import SavedViewsStore
from chalicelib.store.webhooks.delivery_log import DeliveryLog
from chalicelib.store.webhooks.secrets import WebhookSecrets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The stores, each for one or two tables; the files; the transactions over several tables; and the encryption.

    Some tables have older names: `allowances` has the rate limits and the turns to send email, and `looks` the last
    viewed versions.
    """

    referrals: Referrals
    members: Members
    tenants: Tenants
    secrets: WebhookSecrets
    delivery_log: DeliveryLog
    idempotency_records: IdempotencyRecords
    used_tokens: UsedTokens
    chart_links: ChartLinks
    outbox: Outbox
    overdue_alerts: OverdueAlertRows
    digests: DigestRows
    mails: Mails
    mail_turns: MailTurns
    recipients: Recipients
    notices: Notices
    audit_log: AuditLog
    audit_heads: AuditHeads
    audit_rotation: AuditRotationRow
    heartbeats: JobHeartbeats
    migration_progress: MigrationProgress
    rate_limits: RateLimits
    last_viewed: LastViewedStore
    information_requests: InformationRequests
    messages: Messages
    handbacks: HandbackVersions
    aliases: Aliases
    erasures: Erasures
    fact_changes: FactChanges
    practice_directories: PracticeDirectories
    saved_views: SavedViewsStore
    coverage_tracks: CoverageTracks
    coverage_letters: CoverageLetters
    coverage_checks: CoverageChecks
    payer_states: PayerStates
    calendar_feeds: CalendarFeeds
    documents: Documents
    files: DocumentFiles
    consultations: Consultations
    slots: Slots
    transactions: Transactions
    encryption: EnvelopeEncryption


def open_stores(
    *,
    prefix: str,
    kms_key_id: str,
    dynamodb: "Callable[[], DynamoDBClient]",
    kms: Callable[[], Any],
    files: DocumentFiles,
    audit_heads: AuditHeads,
) -> Stores:
    """Create the stores over tables named `prefix` plus their name. Calls no AWS service."""
    tables = {name: DynamoTable(f"{prefix}{name}", dynamodb, FORMATS.get(name, 1)) for name in TABLE_NAMES}
    encryption = EnvelopeEncryption(tables["keys"], kms, kms_key_id)
    audit_log = AuditLog(tables["audit"], anchors=tables["keys"])
    return Stores(
        referrals=Referrals(tables["referrals"], ReferralItems(encryption), audit_log),
        members=Members(tables["members"], tables["roster"]),
        tenants=Tenants(tables["tenants"]),
        secrets=WebhookSecrets(tables["webhook_secrets"], encryption),
        delivery_log=DeliveryLog(tables["deliveries"]),
        idempotency_records=IdempotencyRecords(tables["idempotency"], encryption),
        used_tokens=UsedTokens(tables["idempotency"]),
        chart_links=ChartLinks(tables["idempotency"]),
        outbox=Outbox(tables["outbox"]),
        overdue_alerts=OverdueAlertRows(tables["outbox"]),
        digests=DigestRows(tables["outbox"]),
        mails=Mails(tables["outbox"]),
        mail_turns=MailTurns(tables["allowances"]),
        recipients=Recipients(tables["recipients"], encryption),
        notices=Notices(tables["notices"], encryption),
        audit_log=audit_log,
        audit_heads=audit_heads,
        audit_rotation=AuditRotationRow(tables["jobs"]),
        heartbeats=JobHeartbeats(tables["jobs"]),
        migration_progress=MigrationProgress(tables["jobs"]),
        rate_limits=RateLimits(tables["allowances"]),
        last_viewed=LastViewedStore(tables["looks"]),
        information_requests=InformationRequests(tables["referrals"], encryption),
        messages=Messages(tables["referrals"], encryption),
        handbacks=HandbackVersions(tables["referrals"], encryption),
        aliases=Aliases(tables["referrals"], encryption),
        erasures=Erasures(tables.__getitem__),
        fact_changes=FactChanges(tables["referrals"], encryption),
        practice_directories=PracticeDirectories(tables["referrals"], encryption),
        saved_views=SavedViewsStore(tables["referrals"], encryption),
        coverage_tracks=CoverageTracks(tables["referrals"], encryption),
        coverage_letters=CoverageLetters(tables["referrals"], encryption),
        coverage_checks=CoverageChecks(tables["referrals"], encryption),
        payer_states=PayerStates(tables["allowances"]),
        calendar_feeds=CalendarFeeds(tables["calendars"]),
        documents=Documents(tables["referrals"], encryption),
        files=files,
        consultations=Consultations(tables["referrals"], encryption),
        slots=Slots(tables["slots"], SlotIds(encryption)),
        transactions=Transactions(dynamodb),
        encryption=encryption,
    )
