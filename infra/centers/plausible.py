"""What in a center's row is probably wrong: a time zone of another state, a ZIP code without its zeros."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

_EAST, _CENTRAL = "America/New_York", "America/Chicago"
_MOUNTAIN, _PACIFIC = "America/Denver", "America/Los_Angeles"
_STATES_BY_ZONES: Mapping[tuple[str, ...], str] = {
    (_EAST,): "CT DE DC GA ME MD MA NH NJ NY NC OH PA RI SC VT VA WV",
    (_EAST, _CENTRAL): "FL IN KY MI TN",
    (_CENTRAL,): "AL AR IL IA LA MN MS MO OK WI",
    (_CENTRAL, _MOUNTAIN): "KS NE ND SD TX",
    (_MOUNTAIN,): "CO MT NM UT WY",
    (_MOUNTAIN, _PACIFIC): "ID NV OR",
    (_PACIFIC,): "CA WA",
    ("America/Anchorage", "America/Adak"): "AK",
    # The Navajo Nation observes daylight saving time.
    ("America/Phoenix", _MOUNTAIN): "AZ",
    ("Pacific/Honolulu",): "HI",
    ("America/Puerto_Rico",): "PR VI",
    ("Pacific/Guam",): "GU MP",
    ("Pacific/Pago_Pago",): "AS",
}

ZONES_BY_STATE: Mapping[str, tuple[str, ...]] = {
    state: zones for zones, states in _STATES_BY_ZONES.items() for state in states.split()
}
"""The time zones of each state and territory, as 49 CFR part 71 divides them. Not compared with it line by line: a
mistake here gives or omits a warning, and stops nothing."""

ZERO_PREFIXES_BY_STATE: Mapping[str, tuple[str, ...]] = {
    "NY": ("005", "063"),
    "PR": ("006", "007", "009"),
    "VI": ("008",),
    "MA": ("01", "020", "021", "022", "023", "024", "025", "026", "027", "055"),
    "RI": ("028", "029"),
    "NH": ("030", "031", "032", "033", "034", "035", "036", "037", "038"),
    "ME": ("039", "04"),
    "VT": ("050", "051", "052", "053", "054", "056", "057", "058", "059"),
    "CT": ("06",),
    "NJ": ("07", "08"),
}
"""How the ZIP codes that begin with 0 begin in each state, as the Postal Service groups them by three digits. A test
compares them with the ZIP codes that exist."""

_SEASONS = (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC))
"""Two zones count as the same if they agree in both: the names of zones have many aliases."""


def check_time_zone(zone: str, state: str) -> str | None:
    """A sentence if the time zone is not one of the state."""
    known = ZONES_BY_STATE.get(state)
    if not known or _get_offsets(zone) in {_get_offsets(each) for each in known}:
        return None
    return f"is not a time zone of {state}, which has {' and '.join(known)}. Days and monitoring windows follow it"


def restore_zeros(zip_code: str, state: str) -> str | None:
    """The ZIP code with the zeros that a spreadsheet dropped, if the state has such a code."""
    base, plus, extension = zip_code.partition("-")
    if not (base.isascii() and base.isdigit() and 3 <= len(base) <= 4):
        return None
    restored = base.zfill(5)
    is_of_state = restored.startswith(ZERO_PREFIXES_BY_STATE.get(state, ("none",)))
    return f"{restored}{plus}{extension}" if is_of_state else None


@cache
def _get_offsets(zone: str) -> tuple[object, ...]:
    return tuple(season.astimezone(ZoneInfo(zone)).utcoffset() for season in _SEASONS)
