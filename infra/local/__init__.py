"""Runs the whole product on one machine: `python -m infra.local`, which `make run` starts.

    __main__      reads the settings, locks the data folder, and prints errors
    lifecycle     starts and stops all parts in order
    introduction  the text that the terminal shows when the product runs
    environment   the settings of a local run, without the settings of the user
    cloud         starts and stops the local cloud, which is a separate process
    child/        that process: ministack on loopback, with checkpoints and a mail record
    stack         tables, identities, keys, and mail settings from `infra/resources.json`
    server        listens on loopback, with one thread per connection
    http1         parses requests with h11, and rejects what two programs could read differently
    gateway       converts an HTTP request into an API Gateway event, and the result into a response
    functions     the Lambda context and time limit of a function
    schedules     runs the product's schedules with rules of the local cloud
    streams       passes new rows of a table's stream to the functions that follow it
    mailbox       shows sent mail as web pages
    mail_events   posts delivery and bounce events to the product, as SES and SNS would

docs/decisions/0003-local-cloud.md explains this design.
"""
