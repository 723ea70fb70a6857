"""A referral's alias: checked, proposed without a collision, and used by one open referral of a practice.

Email carries nothing but the alias, so two patients with one alias would be mixed up. The same patient may
be referred twice, for example to two centers, and keeps the alias. Each alias
has a row that names the referral that uses it, and the row is written in the transaction of the referral:
of two requests at the same moment, one gets the alias. The alias of a closed referral is free. A referral
of an earlier release gets its row when its facts are corrected, or from `migrate`.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from chalicelib import catalog
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.alias import propose_alias
from chalicelib.domain.referrals.alias_checks import (
    ALIAS_MESSAGES,
    AliasFault,
    find_alias_fault,
    is_same_patient,
    normalize_alias,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import ConflictError, FieldError, MalformedError, UnavailableError
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import TransactionWrite

MAX_PROPOSALS = 64
"""How many aliases are tried before the practice must choose one."""

_COMMON_WORDS = frozenset({"cell", "large", "small", "multiple", "chronic", "acute", "zone", "precursor", "b"})
"""Words in the names of diseases that reveal nothing on their own."""

_SHORTEST_WORD = 2

_OTHER_DISEASE_TERMS = (
    *("lymphoma", "leukemia", "leukaemia", "myeloma", "cancer", "oncology", "tumor"),
    *("DLBCL", "PMBCL", "HGBCL", "NHL", "CLL", "SLL", "LBCL", "B-ALL", "CAR-T"),
)
"""What people write for these diseases and their treatment besides the names of the catalog."""


def require_harmless_alias(referral: Referral, before: Referral | None = None) -> None:
    """Check that the alias reveals nothing about the patient.

    Args:
        referral: With the alias, and the facts that it must not reveal.
        before: The referral before a change. An alias that someone chose before this check existed does
            not block a correction of other facts.

    Raises:
        MalformedError: it contains a name, a date, a record number, a disease or a product.
    """
    fault = _find_fault(referral.alias, referral)
    if fault is None or (before and before.alias == referral.alias and _find_fault(before.alias, before)):
        return
    message = ALIAS_MESSAGES[fault]
    raise MalformedError(fault.value, message, errors=[FieldError("/patient/alias", fault.value, message)])


def prepare_alias_writes(
    referral: Referral, before: Referral | None, *, stores: Stores, saved_too: str | None = None
) -> Sequence[TransactionWrite]:
    """Build the writes that give a referral its alias, and free the one it had.

    Args:
        referral: With the alias that it should have.
        before: The referral as it was; None for a new one.
        stores: The tables.
        saved_too: The id of a referral that the same transaction saves, so that it needs no other check.

    Raises:
        ConflictError: the open referral of another patient uses the alias.
    """
    is_same = before is not None and normalize_alias(before.alias) == normalize_alias(referral.alias)
    writes = _prepare_take(referral, stores=stores, saved_too=saved_too)
    if is_same:
        return writes or ()
    if writes is None:
        message = "Another patient of your practice has this alias. Choose another one."
        raise ConflictError("alias_in_use", message, errors=[FieldError("/patient/alias", "alias_in_use", message)])
    return [*writes, *(_prepare_give_up(before, stores=stores) if before else ())]


def prepare_first_claim(referral: Referral, *, stores: Stores) -> Sequence[TransactionWrite] | None:
    """Build the writes that give the referral of an earlier release the row of its alias.

    Returns:
        No writes if it has the row, or is closed: the alias of a closed referral is free. None if the open
        referral of another patient has the alias.
    """
    return [] if referral.stage in TERMINAL_STAGES else _prepare_take(referral, stores=stores)


def choose_alias(referral: Referral, *, stores: Stores) -> tuple[str, Sequence[TransactionWrite]]:
    """Choose an alias that reveals nothing and is free, and build the writes that take it.

    Raises:
        UnavailableError: no free alias was found.
    """
    for attempt in range(MAX_PROPOSALS):
        alias = propose_alias(referral.referral_id, attempt)
        if _find_fault(alias, referral) is None:
            writes = _prepare_take(replace(referral, alias=alias), stores=stores)
            if writes is not None:
                return alias, writes
    raise UnavailableError("busy")


def keep_or_replace_alias(
    referral: Referral, before: Referral, *, stores: Stores
) -> tuple[Referral, Sequence[TransactionWrite]]:
    """Keep the alias of a referral that is reopened, or choose another one if it was used again meanwhile."""
    if before.stage not in TERMINAL_STAGES or referral.stage in TERMINAL_STAGES:
        return referral, ()
    writes = _prepare_take(referral, stores=stores)
    if writes is not None:
        return referral, writes
    alias, writes = choose_alias(referral, stores=stores)
    return replace(referral, alias=alias), writes


def _prepare_take(
    referral: Referral, *, stores: Stores, saved_too: str | None = None
) -> Sequence[TransactionWrite] | None:
    """Build the writes that take an alias; None if the open referral of another patient has it."""
    alias, practice_id = normalize_alias(referral.alias), referral.practice_id
    holder_id = stores.aliases.find_holder(alias, practice_id=practice_id)
    if holder_id == referral.referral_id:
        return []
    take = stores.aliases.prepare_take(alias, referral.referral_id, practice_id=practice_id, after=holder_id)
    if holder_id is None:
        return [take]
    holder = stores.referrals.get(holder_id)
    if holder and holder.stage not in TERMINAL_STAGES and normalize_alias(holder.alias) == alias:
        return [] if is_same_patient(holder.details, referral.details) else None
    if holder_id == saved_too:
        return [take]
    # The holder must still be closed when the alias changes hands, because it can be reopened.
    return [take, stores.referrals.prepare_check_unchanged(holder_id, holder)]


def _prepare_give_up(before: Referral, *, stores: Stores) -> Iterator[TransactionWrite]:
    alias, practice_id = normalize_alias(before.alias), before.practice_id
    if stores.aliases.find_holder(alias, practice_id=practice_id) == before.referral_id:
        yield stores.aliases.prepare_give_up(alias, practice_id=practice_id)


def _find_fault(alias: str, referral: Referral) -> AliasFault | None:
    clinical = referral.details.get("clinical") or {}
    own_terms = [term for term in (clinical.get("histology"), clinical.get("icd10")) if term]
    return find_alias_fault(
        alias, referral.details, diseases=[*_list_disease_terms(), *own_terms], products=_list_product_terms()
    )


@cache
def _list_disease_terms() -> Sequence[str]:
    words = {word for name in catalog.DISEASE_NAMES.values() for word in name.replace("-", " ").split()}
    telling = {word for word in words if len(word) > _SHORTEST_WORD and word.casefold() not in _COMMON_WORDS}
    return sorted({*catalog.DISEASES, *_OTHER_DISEASE_TERMS, *telling})


@cache
def _list_product_terms() -> Sequence[str]:
    products = catalog.load_products().values()
    return sorted(
        {term for product in products for term in (product.product_id, product.name, *product.generic.split())}
    )
