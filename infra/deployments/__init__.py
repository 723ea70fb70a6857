"""What `python -m infra.deploy` checks, finds and prepares before it changes a deployment on AWS.

static_names   names that CloudFormation needs as plain text to take over existing resources
existing       what an earlier stack left behind: tables, buckets, logs, the key, the user pool
parameters     which parameters to send
index_rules    indexes that CloudFormation cannot change in one update
guards         mistakes that would lose data, or run on empty tables
protection     termination protection, stack policy, tags
"""


class DeployError(Exception):
    """The deployment was refused, or it failed and was rolled back. The message is shown to the user."""
