"""Consultation times: a center publishes them, and a team books, moves and cancels one."""
