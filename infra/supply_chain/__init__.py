"""Checks what the product is made of, offline: licenses, secrets, risky calls, and the policies of the template.

`python -m infra.supply_chain` runs all checks and writes the bill of materials. `reviewed.toml` has the findings that
a person looked at, each with a reason. A finding that is not in it fails, and so does an entry that finds nothing.
"""
