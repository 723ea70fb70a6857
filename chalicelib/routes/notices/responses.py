"""Mails as a page shows them."""

from collections.abc import Mapping

from chalicelib.routes.platform.timestamps import instant
from chalicelib.store.notices.mail_status import MailLife

NOT_WANTED = "not_wanted"
"""Its reader chose not to be mailed of its category."""


def mail_told(mail_id: str | None, lives: Mapping[str, MailLife]) -> dict[str, str | None]:
    """The life of the mail that a notice stands in."""
    life = lives.get(mail_id or "")
    if life is None:
        return {"state": NOT_WANTED, "at": None, "why": None}
    return {"state": life.state, "at": instant(life.at), "why": life.why}
