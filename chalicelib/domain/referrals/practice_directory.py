"""The practice directory: the referring providers and payers that a practice has used in its referrals.

The form offers them, so that no one types them twice. An entry comes from a submitted referral or from a
correction of one, never from a draft, which is saved in the middle of a word. There is no list of payers
that the product made up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalicelib.domain.referrals.name_search import split_name
from chalicelib.domain.referrals.referral import Referral

MAX_ENTRIES = 50
"""How many entries of each kind a practice keeps. The one that was not used for the longest time goes first."""

_TITLES = frozenset({"dr", "doctor"})


class EntryKind(StrEnum):
    """What an entry is. The values are stored."""

    PROVIDER = "provider"
    PAYER = "payer"


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """A provider as the practice last entered it, or a payer, which has only a name. Field names are stored.

    Attributes:
        npi: The National Provider Identifier, 10 digits.
        phone: As `chalicelib.domain.platform.phone` writes it.
    """

    kind: EntryKind
    name: str
    npi: str | None = None
    phone: str | None = None
    email: str | None = None

    @property
    def identity(self) -> str:
        """What two spellings of one entry have in common: the NPI, or else the words of the name."""
        return f"{self.kind}/{self.npi or self.name_words}"

    @property
    def name_words(self) -> str:
        """The name without case, accents and punctuation."""
        return " ".join(split_name(self.name)) or self.name.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """An entry that is stored, and when a referral last used it."""

    entry_id: str
    entry: DirectoryEntry
    used_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryChange:
    """What a submission or a correction changes in the directory."""

    used: Sequence[DirectoryEntry] = ()
    forgotten: Sequence[KnownEntry] = ()


def list_used_entries(referral: Referral, before: Referral) -> Sequence[DirectoryEntry]:
    """List the entries that a write uses: all at the first submission, and later only what it corrects.

    Someone who corrects a phone number does not bring back a payer that the practice has removed.
    """
    if referral.submitted_at is None:
        return []
    earlier = [] if before.submitted_at is None else list(_list_entries(before.details))
    return [entry for entry in _list_entries(referral.details) if entry not in earlier]


def plan_change(
    used: Sequence[DirectoryEntry], before: Referral, known: Sequence[KnownEntry], *, now: datetime
) -> DirectoryChange:
    """Decide what to store and what to remove.

    Args:
        used: What the write uses, from `list_used_entries`.
        before: The referral before the write.
        known: Everything that the directory has.
        now: The time of the write.
    """
    stored = {each.entry.identity: each for each in known}
    changed = [entry for entry in used if _is_news(entry, stored.get(entry.identity), known, now=now)]
    replaced = _list_replaced(used, before if before.submitted_at else None, known)
    kept = [each for each in known if each not in replaced]
    crowded = [each for kind in EntryKind for each in _list_crowded_out(kind, changed, kept)]
    return DirectoryChange(used=changed, forgotten=[*replaced, *crowded])


def order_entries(known: Iterable[KnownEntry], kind: EntryKind) -> Sequence[KnownEntry]:
    """Order the entries of one kind, most recently used first."""
    entries = [each for each in known if each.entry.kind is kind]
    return sorted(entries, key=lambda each: (each.used_at, each.entry_id), reverse=True)[:MAX_ENTRIES]


def find_own_entry(providers: Sequence[KnownEntry], name: str) -> str | None:
    """Find the entry of a provider who signs in, by name; None if there is none or more than one."""
    own = [each.entry_id for each in providers if _get_person(each.entry.name) == _get_person(name)]
    return own[0] if len(own) == 1 else None


def _get_person(name: str) -> Sequence[str]:
    """The words of a name without "Dr." and what follows a comma, such as "MD"."""
    words = split_name(name.partition(",")[0])
    return words[1:] if words and words[0] in _TITLES else words


def _list_entries(details: Mapping[str, Any]) -> Iterator[DirectoryEntry]:
    provider, insurance = details.get("referring_provider") or {}, details.get("insurance") or {}
    if provider.get("name"):
        yield DirectoryEntry(
            kind=EntryKind.PROVIDER,
            name=provider["name"],
            npi=provider.get("npi"),
            phone=provider.get("phone"),
            email=provider.get("email"),
        )
    if insurance.get("payer"):
        yield DirectoryEntry(kind=EntryKind.PAYER, name=insurance["payer"])


def _is_news(entry: DirectoryEntry, stored: KnownEntry | None, known: Sequence[KnownEntry], *, now: datetime) -> bool:
    """Whether storing the entry changes the list. A use that is newer than this one is not overwritten."""
    if stored is None:
        return True
    if stored.used_at > now:
        return False
    return stored.entry != entry or order_entries(known, entry.kind)[0] != stored


def _list_replaced(
    used: Sequence[DirectoryEntry], before: Referral | None, known: Sequence[KnownEntry]
) -> Sequence[KnownEntry]:
    """List what a provider's entry replaces: the same name without an NPI, or with the NPI that was corrected."""
    corrected = {entry.identity for entry in _list_entries(before.details)} if before else set()
    return [
        each
        for each in known
        for entry in used
        if entry.kind is each.entry.kind is EntryKind.PROVIDER
        and entry.npi
        and entry.identity != each.entry.identity
        and entry.name_words == each.entry.name_words
        and (each.entry.npi is None or each.entry.identity in corrected)
    ]


def _list_crowded_out(
    kind: EntryKind, changed: Sequence[DirectoryEntry], kept: Sequence[KnownEntry]
) -> Sequence[KnownEntry]:
    """List the entries that no longer fit, those that were not used for the longest time."""
    identities = {entry.identity for entry in changed if entry.kind is kind}
    others = sorted(
        (each for each in kept if each.entry.kind is kind and each.entry.identity not in identities),
        key=lambda each: (each.used_at, each.entry_id),
    )
    return others[: max(0, len(others) + len(identities) - MAX_ENTRIES)]
