"""The eligibility check (in the API: screen)."""
