"""The command line `referrals`, for people who run, test, or connect to the product.

    commands        all commands, each with `--help`
    common          exit codes, JSON output, error messages, questions, and audit rows that all commands share
    site            finds the running local site and its settings
    time_arguments  parses dates and times as people type them
    sending         signs and sends events as a center's system would
    stack           reads the settings of a deployed stack for `--stack`
    organizations   adds, shows, locks and unlocks practices and centers
    centers         imports and exports the center directory and lists its versions
    catalog         checks product files, and lists what is due for review
    operating       checks the audit trail, replays deliveries, and retries failed tasks
    conformance     checks that a center's system sends updates correctly
    hooks           calls the CDS Hooks services as the simulated EHR would
    erasing         erases a patient, also one whom a restore brought back
    retaining       removes rows that are older than their period
    exporting       moves an organization to another deployment, in one file
    keys            ends webhook secrets, and changes the keys that encrypt data
    restoring       plans a restore of tables, and makes them fit together
    importing       enters patients who are already on the way
    migrating       writes rows of earlier releases again
    jobs            runs a scheduled job now
    doctor          checks everything that the product depends on

Exit codes: 0 success, 1 a check or a task failed, 2 invalid input, 3 no running site.
"""


def main() -> None:
    """Run the command that the arguments name."""
    # The commands import typer and rich. Other importers of this package do not need them.
    from infra.cli.commands import app  # noqa: PLC0415

    app()
