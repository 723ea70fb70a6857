"""A health record system can use each token only once."""

from collections.abc import Collection
from datetime import datetime, timedelta

from chalicelib.errors import UnauthenticatedError
from chalicelib.services.ehr.cds_tokens import LEEWAY_S, CdsTokenVerifier
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.platform.transactions import ConditionFailedError

REPLAY_MARGIN = timedelta(seconds=2 * LEEWAY_S)
"""How long a used token is kept after it expires, so that a small clock error does not make it valid again."""


def verify_ehr_token_once(
    token: str, *, audiences: Collection[str], verifier: CdsTokenVerifier, context: RunContext
) -> None:
    """Accept the token of a system on the allow-list, and never accept it again.

    Raises:
        UnauthenticatedError: the token is not valid, or it was used before; one text for both.
    """
    claims = verifier.verify(token, audiences=audiences, now=context.now)
    until = datetime.fromtimestamp(claims["exp"], tz=context.now.tzinfo) + REPLAY_MARGIN
    use = context.stores.used_tokens.prepare_use(claims["iss"], claims["jti"], until=until, now=context.now)
    try:
        context.stores.transactions.commit(use)
    except ConditionFailedError as e:
        raise UnauthenticatedError from e
