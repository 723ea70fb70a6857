"""Figures from an organization's own referrals: how long steps take, how far referrals get, why they end."""
