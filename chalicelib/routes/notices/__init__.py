"""Notices, their settings, and what comes back from emails."""
