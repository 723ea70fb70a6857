"""The conformance kit: developers of a center's system check that it sends updates correctly.

    event_inbox        decides about the events of one referral in memory, with the product's rules
    receiver           verifies, reads and decides a delivery as production does, and says what was wrong
    signature_faults   finds why a signature was refused
    checklist          the scenarios that a correct sender shows, and which were seen
    endpoint           serves the receiver on this machine
    recorded_feed      checks a file of deliveries, line by line
    player             plays a whole journey as signed deliveries
    secret_file        reads and creates the secret that both sides sign with

`referrals conformance` runs it. It needs no site, no cloud and no network. It prints ids, statuses and the names
of fields, never a secret or a value of a body.
"""
