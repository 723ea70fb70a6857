"""Organizations and their first administrators, as the operator adds, shows, locks and unlocks them.

requests   what to add: from arguments or a file, with every fault named
changes    adds organizations and administrators; safe to repeat after an interruption
access     lists, shows, locks and unlocks organizations
"""
