"""The command line `referrals`: for people who run, try or connect to the product.

    commands   what there is, each with `--help`
    site       finds the local site that runs, and its settings
    moments    reads times as people type them
    sending    signs and sends events as a center's own system would
    centers    imports, exports and recounts the directory of centers
    doctor     looks whether all that the product depends on is there

Exit status: 0 done, 1 something is off, 2 not understood, 3 no site to talk to.
"""


def main() -> None:
    """Run the command that the arguments name."""
    # The commands bring typer and rich; whoever only imports this package needs neither.
    from infra.cli.commands import app  # noqa: PLC0415

    app()
