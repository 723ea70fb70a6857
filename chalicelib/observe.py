"""Logs: an event and a few fields from an allow-list, never a body, a name, an address or a token."""

from typing import Any

from aws_lambda_powertools import Logger

_LOGGABLE = frozenset(
    {
        "center_id",
        "code",
        "counts",
        "error",
        "event_id",
        "function",
        "head",
        "member_id",
        "method",
        "ms",
        "notice_ids",
        "outbox_id",
        "outcome",
        "referral_id",
        "request_id",
        "route",
        "stage",
        "status",
        "where",
    }
)

logger = Logger(service="cart-referrals", location=None, log_uncaught_exceptions=False)


class EventLog:
    """The logger of the product. It refuses a field that is not on the list; tests find such a bug."""

    def info(self, event: str, /, **fields: Any) -> None:
        """Log that something happened."""
        logger.info(event, extra=_check_fields(fields))

    def warning(self, event: str, /, **fields: Any) -> None:
        """Log that something went wrong and was handled."""
        logger.warning(event, extra=_check_fields(fields))

    def error(self, event: str, /, **fields: Any) -> None:
        """Log that something went wrong that a person must look at."""
        logger.error(event, extra=_check_fields(fields))


def _check_fields(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = fields.keys() - _LOGGABLE
    if unknown:
        raise ValueError(f"not a loggable field: {', '.join(sorted(unknown))}")
    return fields


log = EventLog()
