"""Notices: what each side is notified of and when, the wording, and the email that announces it."""
