"""The whole product on one machine: `python -m infra.local`, which is what `make run` does.

    __main__     reads the settings, takes the data folder, and says what went wrong
    lifecycle    the order in which everything starts and stops
    introduction what a person reads when it runs
    environment  the settings of a local run, and nothing of the person who runs it
    cloud        starts and stops the local cloud, a process of its own
    child/       that process: ministack on loopback, with checkpoints and a mail record
    stack        tables, identities, keys and mail settings from `infra/resources.json`
    server       listens on loopback, a thread per connection
    http1        reads requests from a socket, strictly
    gateway      an HTTP request as the event that API Gateway makes of it, and back
    functions    what Lambda hands to a function beside the event
    schedules    fires the product's schedules for real
    streams      hands what a table's stream tells to the functions that follow it
    mailbox      the mail that was sent, as pages
    reports      tells the product what became of it, as SES and SNS would

docs/decisions/0003-local-cloud.md says why it is made this way.
"""
