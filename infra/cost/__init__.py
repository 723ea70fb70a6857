"""What a deployment costs a month, by size: `python -m infra.cost` writes `docs/costs.md`, or prints one size.

prices     list prices, each with its source and date
workload   what one active referral uses in a month
model      both together, and what each optional parameter adds
page       the tables of the page
"""
