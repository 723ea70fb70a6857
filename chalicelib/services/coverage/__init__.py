"""The coverage of a referral: recording its moves, benefits checks with payers, and letters."""
