"""A health record system's token is good once."""

from datetime import datetime, timedelta

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.ehr.cds_tokens import LEEWAY_S, EhrVerifier
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.transactions import ConditionFailed

KEPT_LONGER = timedelta(seconds=2 * LEEWAY_S)
"""Beyond its expiry, so that no clock that is a little off can bring a token back."""


def require_ehr(
    token: str, *, audience: str, verifier: EhrVerifier, stores: Stores, now: datetime
) -> None:
    """Let a system of the allow-list pass, and its token never again.

    Raises:
        UnauthenticatedError: it is no such token, or was used before: one text for both.
    """
    claims = verifier.claims(token, audience=audience, now=now)
    until = datetime.fromtimestamp(claims["exp"], tz=now.tzinfo) + KEPT_LONGER
    use = stores.used_tokens.using(claims["iss"], claims["jti"], until=until, now=now)
    try:
        stores.ledger.commit(use)
    except ConditionFailed as e:
        raise UnauthenticatedError from e
