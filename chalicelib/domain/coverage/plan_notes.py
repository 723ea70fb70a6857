"""What people must know about a plan type before they ask the payer. Read 2026-11-28."""

from collections.abc import Mapping, Sequence

_MEDICARE = (
    "Medicare has no prior authorization for CAR T. NCD 110.24 covers autologous CAR T for label or compendia use "
    "since August 7, 2019. Its text still asks for a REMS-enrolled facility although the REMS ended; the center "
    "confirms what applies. Source: CMS NCD 110.24, record of January 2026."
)
_MEDICARE_ADVANTAGE = "The plan must follow NCD 110.24. Source: CMS rules for Medicare Advantage, as of February 2024."
_SWITCH = (
    "After a switch into Medicare Advantage, ask the plan about the 90 days in which an active course of treatment "
    "needs no new authorization."
)
_FUNDING = "A self-funded plan follows federal law (ERISA), a fully insured plan also state law. Ask which one it is."
_MARKETPLACE = "The federal decision times of CMS-0057-F do not apply to marketplace plans."

PLAN_NOTES: Mapping[str, Sequence[str]] = {
    "medicare_ffs": (_MEDICARE,),
    "medicare_advantage": (_MEDICARE_ADVANTAGE, _SWITCH),
    "commercial": (_FUNDING,),
    "marketplace": (_MARKETPLACE,),
}
"""Notes by the plan type of the insurance. Other plan types have none."""
