"""Stored notices, emails, preferences and overdue alerts, and the outbox whose tasks send them."""
