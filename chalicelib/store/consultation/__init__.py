"""Stored slots and weekly patterns of centers, and the consultation of each referral."""
