"""Names in the few characters that every payer reads: A-Z, 0-9, space and `-'.,`.

X12 has no escape for a delimiter inside of data, so what could be one must not be sent.
"""

import re
import unicodedata

# These have no decomposition in Unicode. Source: ICAO Doc 9303 part 3, section 6, transliteration of letters.
# The others are what word processors write for an apostrophe or a hyphen.
_LETTERS = str.maketrans(
    {
        "Æ": "AE",
        "Đ": "D",
        "Ð": "D",
        "Ħ": "H",
        "Ł": "L",
        "Ø": "O",
        "Œ": "OE",
        "Þ": "TH",
        "Ŧ": "T",
        "\u2019": "'",
        "\u2018": "'",
        "\u02bc": "'",
        "\u2010": "-",
        "\u2011": "-",
        "\u2013": "-",
    }
)
_REFUSED = re.compile(r"[^A-Z0-9 \-'.,]+", re.ASCII)
_SPACES = re.compile(r" {2,}")


def fold_to_x12(text: str) -> str:
    """Fold a name or an id: "Núñez-Łoś" becomes "NUNEZ-LOS". What has no Latin form is dropped.

    The result is empty if nothing of the text can be written, as with a name in Chinese.
    """
    upper = unicodedata.normalize("NFKD", text.upper().translate(_LETTERS)).upper()
    plain = "".join(char for char in upper if not unicodedata.combining(char))
    return _SPACES.sub(" ", _REFUSED.sub(" ", plain)).strip(" ")
