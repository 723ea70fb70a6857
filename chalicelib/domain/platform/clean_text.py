"""Text as people and systems send it: what no one can see and no word needs is dropped.

Record systems, word processors and phones put invisible characters into what is copied from them. They change
nothing that a person reads, so they must not be a reason to refuse a referral.

Source:
    Which characters are invisible and join letters: The Unicode Standard 15.0, sections 23.2 and 23.3; joiners are
    part of words in Persian and in the scripts of India.
"""

import re
import unicodedata

_DROPPED = frozenset(
    "\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff"
    # Embeddings and isolates set a direction, and come with phone numbers and names from address books.
    "\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
)
"""Soft hyphen, zero-width space, direction marks, word joiner, byte order mark, embeddings and isolates."""

_JOINERS = frozenset("\u200c\u200d")
"""Zero-width non-joiner and joiner: between two letters they are part of the word."""

_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode's categories of characters that control, hide, reorder or break lines. What is left of them after
cleaning, such as a direction override, could make one text look like another."""

_LINE_SEPARATORS = re.compile("[\u2028\u2029]")
_GAP = re.compile("[ \t]*[\t\u2028\u2029][ \t\u2028\u2029]*")


def clean_text(text: str, *, lines: bool) -> str:
    """Clean text: NFC, trimmed, without invisible characters that are no part of a word.

    Args:
        text: As it was sent.
        lines: Whether it may have several lines. If not, a tab becomes a space.

    Raises:
        ValueError: it contains a character that controls, hides or reorders other text.
    """
    text = text.replace("\r\n", "\n")
    text = _LINE_SEPARATORS.sub("\n", text) if lines else _GAP.sub(" ", text)
    normal = unicodedata.normalize("NFC", drop_invisible(text)).strip()
    allowed = {"\n", "\t"} | _JOINERS if lines else _JOINERS
    if any(char not in allowed and unicodedata.category(char) in _REFUSED_CATEGORIES for char in normal):
        raise ValueError("This text contains a hidden character. Delete it and type the text again.")
    return normal


def drop_invisible(text: str) -> str:
    """Drop the invisible characters that are no part of a word, and keep a joiner between two letters."""
    if text.isascii():
        return text
    visible = [char for char in text if char not in _DROPPED]
    kept: list[str] = []
    for place, char in enumerate(visible):
        if char in _JOINERS:
            following = next((other for other in visible[place + 1 :] if other not in _JOINERS), "")
            if not (kept and _is_letter(kept[-1]) and _is_letter(following)):
                continue
        kept.append(char)
    return "".join(kept)


def _is_letter(char: str) -> bool:
    """Whether this is a letter, or a mark that belongs to the letter before it."""
    return bool(char) and unicodedata.category(char)[0] in "LM"
