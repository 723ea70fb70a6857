"""Stored members, tenants and the roster that lists the members of each tenant."""
