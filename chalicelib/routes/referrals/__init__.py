"""Referrals: create, edit, read, report events."""
