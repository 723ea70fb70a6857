"""Simulated payers: one process on this machine that speaks the two wire protocols of real ones.

`/core` is the CAQH CORE SOAP envelope around X12, and `/json` a clearing house. Both know the same
members, XEX0001 to XEX0010, and write their answers without the product's own reader or writer, so
that a mistake there is not on both sides. This package does not ship.
"""
