"""Stored referrals: their state, history and parked deliveries, name search, and last viewed versions."""
