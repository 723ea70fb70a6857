"""The referral journey as pure rules: standard library only, no clock, no environment.

Everything here is a value or a function over values, so that its tests read as the clinical
rules do and run in milliseconds. Instants are aware datetimes; a calendar day is a `date`.
"""
