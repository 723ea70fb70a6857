"""Stored transition-of-care summaries, and the addresses of calendar feeds."""
