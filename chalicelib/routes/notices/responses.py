"""Mails as a page shows them."""

from collections.abc import Mapping

from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.store.notices.mail_status import MailStatusEntry

NOT_WANTED_STATE = "not_wanted"
"""Its reader chose not to be mailed of its category."""


def to_mail_response(mail_id: str | None, statuses: Mapping[str, MailStatusEntry]) -> dict[str, str | None]:
    """The life of the mail that a notice stands in."""
    life = statuses.get(mail_id or "")
    if life is None:
        return {"state": NOT_WANTED_STATE, "at": None, "why": None}
    return {"state": life.state, "at": format_timestamp(life.at), "why": life.skip_reason}
