"""What must always be read beside a referral: on every page, on paper, in every mail's spirit.

An operator may word them anew; nobody may leave them out.

Source: the meaning of the statements on Bristol Myers Squibb's page for referring providers
(as gathered by 2026-04), in this product's own words.
"""

DISCLAIMERS = (
    (
        "The decision to refer, and the choice of a treatment center, are made solely by the "
        "referring provider and the patient."
    ),
    (
        "Only a treatment center authorized for the therapy can decide whether CAR T cell therapy "
        "is right for a patient. Nothing shown here is that decision."
    ),
)

EMERGENCY_CALL = (
    "If a patient may have cytokine release syndrome, a neurologic change or a serious infection, "
    "call the treatment center's 24/7 line or 911."
)

EMERGENCY_NOTE = f"Not for emergencies. {EMERGENCY_CALL}"
