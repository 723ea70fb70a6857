"""Consultation times of centers, and the consultation of a referral."""
