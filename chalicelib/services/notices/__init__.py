"""Notices and email: who is notified about what, when, and what happens if a message does not arrive."""
