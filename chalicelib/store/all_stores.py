"""All stores as one value, so that a service asks for what it needs by one name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.store.audit.rows import Audit
from chalicelib.store.ehr.used_tokens import UsedTokens
from chalicelib.store.handback.calendar_feeds import Calendars
from chalicelib.store.handback.packages import Handbacks
from chalicelib.store.identity.members_and_tenants import Members, Tenants
from chalicelib.store.notices.digests import DigestRows
from chalicelib.store.notices.mails import Mails
from chalicelib.store.notices.notices import Notices
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.notices.overdue_alerts import AlarmRows
from chalicelib.store.notices.recipients import Recipients
from chalicelib.store.platform.dynamo import Table
from chalicelib.store.platform.envelope_encryption import Vault
from chalicelib.store.platform.heartbeats import Jobs
from chalicelib.store.platform.rate_limit import Allowances
from chalicelib.store.platform.transactions import Ledger
from chalicelib.store.referrals.items import ReferralItems
from chalicelib.store.referrals.last_viewed import LookStore
from chalicelib.store.referrals.referrals import Referrals
from chalicelib.store.webhooks.idempotency import Deliveries, Idempotency
from chalicelib.store.webhooks.secrets import WebhookSecrets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = (
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
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """One store a table or two, the ledger that commits over several, and the vault that seals."""

    referrals: Referrals
    members: Members
    tenants: Tenants
    secrets: WebhookSecrets
    deliveries: Deliveries
    idempotency: Idempotency
    used_tokens: UsedTokens
    outbox: Outbox
    alarms: AlarmRows
    digests: DigestRows
    mails: Mails
    recipients: Recipients
    notices: Notices
    audit: Audit
    jobs: Jobs
    allowances: Allowances
    looks: LookStore
    handbacks: Handbacks
    calendars: Calendars
    ledger: Ledger
    vault: Vault


def open_stores(
    *,
    prefix: str,
    kms_key_id: str,
    dynamodb: "Callable[[], DynamoDBClient]",
    kms: Callable[[], Any],
) -> Stores:
    """The stores over tables named `prefix` plus their name. Makes no call by itself."""
    tables = {name: Table(f"{prefix}{name}", dynamodb) for name in TABLES}
    vault = Vault(tables["keys"], kms, kms_key_id)
    audit = Audit(tables["audit"], anchors=tables["keys"])
    return Stores(
        referrals=Referrals(tables["referrals"], ReferralItems(vault), audit),
        members=Members(tables["members"], tables["roster"]),
        tenants=Tenants(tables["tenants"]),
        secrets=WebhookSecrets(tables["webhook_secrets"], vault),
        deliveries=Deliveries(tables["deliveries"]),
        idempotency=Idempotency(tables["idempotency"], vault),
        used_tokens=UsedTokens(tables["idempotency"]),
        outbox=Outbox(tables["outbox"]),
        alarms=AlarmRows(tables["outbox"]),
        digests=DigestRows(tables["outbox"]),
        mails=Mails(tables["outbox"]),
        recipients=Recipients(tables["recipients"], vault),
        notices=Notices(tables["notices"], vault),
        audit=audit,
        jobs=Jobs(tables["jobs"]),
        allowances=Allowances(tables["allowances"]),
        looks=LookStore(tables["looks"]),
        handbacks=Handbacks(tables["referrals"], vault),
        calendars=Calendars(tables["calendars"]),
        ledger=Ledger(dynamodb),
        vault=vault,
    )
