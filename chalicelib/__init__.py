"""The CAR T Referral Dashboard: everything that runs on Lambda."""
