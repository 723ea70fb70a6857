"""List prices of AWS in US East (N. Virginia), each with its source and date.

Check them before you quote a figure: AWS changes prices without notice, and other regions cost up to a quarter more.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """A list price in US dollars.

    Attributes:
        what: What is paid for.
        dollars: For one `unit`.
        source: The page of AWS that states it.
        as_of: The newest month or year for which a copy of the page, or a text that quotes it, could be read.
    """

    what: str
    dollars: float
    unit: str
    source: str
    as_of: str


_AWS = "https://aws.amazon.com"
_CLOUDWATCH = f"{_AWS}/cloudwatch/pricing/"
_DYNAMODB = f"{_AWS}/dynamodb/pricing/on-demand/"
_GATEWAY = f"{_AWS}/api-gateway/pricing/"
_WAF = f"{_AWS}/waf/pricing/"

WRITE = Price("DynamoDB, on-demand writes", 0.625, "1 million WRU", _DYNAMODB, "2025-07")
READ = Price("DynamoDB, on-demand reads", 0.125, "1 million RRU", _DYNAMODB, "2025-07")
TABLE_STORAGE = Price("DynamoDB, storage", 0.25, "GB a month", _DYNAMODB, "2025-07")
RECOVERY = Price("DynamoDB, recovery to any second of 35 days", 0.20, "GB a month", _DYNAMODB, "2025")
BACKUP = Price("AWS Backup, copies of tables", 0.10, "GB a month", f"{_AWS}/backup/pricing/", "2025")
BACKUP_TRANSFER = Price("AWS Backup, copy to another region", 0.02, "GB", f"{_AWS}/backup/pricing/", "2026-06")
GATEWAY_TIERS = (
    (333, Price("API Gateway, REST, first 333 million", 3.50, "1 million requests", _GATEWAY, "2025-12")),
    (667, Price("API Gateway, REST, next 667 million", 2.80, "1 million requests", _GATEWAY, "2025-12")),
    (19_000, Price("API Gateway, REST, next 19 billion", 2.38, "1 million requests", _GATEWAY, "2025-12")),
)
"""How many million requests have each price."""
RUN = Price("Lambda, runs", 0.20, "1 million runs", f"{_AWS}/lambda/pricing/", "2026-05")
GB_SECOND = Price("Lambda, arm64", 0.0000133334, "GB-second", f"{_AWS}/lambda/pricing/", "2026-05")
EMAIL = Price("SES, email", 0.10, "1,000 emails", f"{_AWS}/ses/pricing/", "2025")
MAIL_EVENT = Price("SNS, delivery over HTTPS", 0.60, "1 million events", f"{_AWS}/sns/pricing/", "2026")
LOG = Price("CloudWatch, log lines", 0.50, "GB", _CLOUDWATCH, "2026-02")
CUSTOM_METRIC = Price("CloudWatch, custom metric, after 10", 0.30, "metric a month", _CLOUDWATCH, "2026-02")
ALARM = Price("CloudWatch, metric of an alarm, after 10", 0.10, "metric a month", _CLOUDWATCH, "2026-02")
DASHBOARD = Price("CloudWatch, dashboard, after 3", 3.00, "dashboard a month", _CLOUDWATCH, "2026-02")
KEY = Price("KMS, key", 1.00, "key a month", f"{_AWS}/kms/pricing/", "2025")
MEMBER = Price("Cognito, Essentials, after 10,000", 0.015, "active member", f"{_AWS}/cognito/pricing/", "2025")
PLUS_MEMBER = Price("Cognito, Plus", 0.02, "active member", f"{_AWS}/cognito/pricing/", "2025")
WEB_ACL = Price("WAF, web ACL", 5.00, "web ACL a month", _WAF, "2026")
WEB_RULE = Price("WAF, rule or managed group", 1.00, "rule a month", _WAF, "2026")
WEB_REQUEST = Price("WAF, requests", 0.60, "1 million requests", _WAF, "2026")

PRICES = (
    *(WRITE, READ, TABLE_STORAGE, RECOVERY, BACKUP, BACKUP_TRANSFER),
    *(price for _, price in GATEWAY_TIERS),
    *(RUN, GB_SECOND, EMAIL, MAIL_EVENT, LOG, CUSTOM_METRIC, ALARM, DASHBOARD, KEY),
    *(MEMBER, PLUS_MEMBER, WEB_ACL, WEB_RULE, WEB_REQUEST),
)

FREE_METRICS = 10
"""Custom metrics of an account that cost nothing, and again metrics of alarms."""

FREE_MEMBERS = 10_000
"""Active members a month that cost nothing with Essentials. Plus has none."""
