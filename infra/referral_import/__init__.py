"""Imports referrals of patients who are already on the way from a CSV file."""
