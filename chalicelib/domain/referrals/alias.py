"""Patient aliases: the only name for a patient that an email may contain."""

import hashlib

COLORS = [
    "Amber",
    "Azure",
    "Blue",
    "Bronze",
    "Cedar",
    "Copper",
    "Coral",
    "Crimson",
    "Golden",
    "Green",
    "Grey",
    "Hazel",
    "Indigo",
    "Ivory",
    "Jade",
    "Maple",
    "Olive",
    "Orange",
    "Pearl",
    "Purple",
    "Quiet",
    "Red",
    "Ruby",
    "Silver",
    "Slate",
    "Snowy",
    "Teal",
    "Velvet",
    "White",
    "Winter",
    "Yellow",
    "Zephyr",
]
BIRDS = [
    "Avocet",
    "Bunting",
    "Crane",
    "Curlew",
    "Dove",
    "Egret",
    "Falcon",
    "Finch",
    "Grouse",
    "Gull",
    "Harrier",
    "Heron",
    "Ibis",
    "Jay",
    "Kestrel",
    "Kite",
    "Lark",
    "Linnet",
    "Martin",
    "Osprey",
    "Owl",
    "Petrel",
    "Plover",
    "Puffin",
    "Raven",
    "Robin",
    "Sparrow",
    "Swan",
    "Swift",
    "Tern",
    "Thrush",
    "Wren",
]


_NUMBERED_AFTER = 8
"""After how many proposals in use a number is added. A practice with a thousand open referrals needs it."""


def propose_alias(referral_id: str, attempt: int = 0) -> str:
    """Derive a color and a bird from the id, so that the alias reveals nothing about the patient.

    Each `attempt` gives another alias, for the case that the earlier ones cannot be used.
    """
    seed = f"{referral_id}#{attempt}" if attempt else referral_id
    digest = hashlib.sha256(seed.encode()).digest()
    number = f" {digest[2] + 2}" if attempt >= _NUMBERED_AFTER else ""
    return f"{COLORS[digest[0] % len(COLORS)]} {BIRDS[digest[1] % len(BIRDS)]}{number}"
