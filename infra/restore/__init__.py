"""Consistency between tables, after some of them were restored: what is missing, and how it is repaired.

Every write of the product is one transaction over several tables, so a restore of tables to different times is the
only way in which they come apart. `checks` finds it, and each finding has its own repair, if there is one. These
modules read whole tables page by page, which the product itself never does, so they are not part of the bundle.
"""
