"""The return to the referring provider: the transition-of-care summary and the follow-up calendar."""
