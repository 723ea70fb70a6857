"""The rules of a referral: stages, allowed transitions, events and what each event changes, turnaround, worklists."""
