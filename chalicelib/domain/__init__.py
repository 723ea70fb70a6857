"""The clinical and product rules as pure functions: standard library only, no clock, no environment.

Everything here is a value or a function of values, so tests read as the clinical rules do and
run in milliseconds. Points in time are aware datetimes; a calendar day is a `date`.
"""
