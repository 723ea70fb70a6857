"""The disclaimers that accompany every referral, on every page and on paper.

An operator can change their wording, but no one can remove them. Emails follow their meaning.

Source: the meaning of the statements on Bristol Myers Squibb's page for referring providers
(as gathered by 2026-04), in this product's own words.
"""

DISCLAIMERS = (
    "The referring provider and the patient alone decide whether to refer and which treatment center to use.",
    (
        "Only a treatment center authorized for the therapy can decide whether CAR T cell therapy "
        "is right for a patient. Nothing in this dashboard is that decision."
    ),
)

DISCLAIMERS_IN_SHORT = (
    "The provider and the patient decide whether and where to refer. Only an authorized center decides on CAR T."
)
"""Both statements in two lines of a phone, where the full ones open with one tap."""

EMERGENCY_CALL = (
    "If a patient may have cytokine release syndrome, a neurologic change, or a serious infection, "
    "call 911 or the treatment center's 24/7 line."
)

EMERGENCY_NOTE = f"Not for emergencies. {EMERGENCY_CALL}"

EMERGENCY_NOTE_IN_SHORT = "Not for emergencies. Call 911 or the center's 24/7 line."
"""One line of a phone. The full note opens with one tap."""
