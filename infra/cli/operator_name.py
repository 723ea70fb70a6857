"""The name under which the audit trail records what an operator does."""

UNNAMED = "operator:command-line"


def find_operator_name() -> str:
    """Find the last part of the caller's AWS identity, which is the person's name in a role session.

    `UNNAMED` if AWS does not answer, as in the local run.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 as in `commands`

    from chalicelib import clients  # noqa: PLC0415 after the settings of the site

    try:
        arn = str(clients.create_aws_client("sts").get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError, KeyError):
        return UNNAMED
    name = arn.rpartition("/")[2]
    return f"operator:{name}" if name and name != arn else UNNAMED
