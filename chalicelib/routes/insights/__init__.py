"""Figures from an organization's own referrals."""
