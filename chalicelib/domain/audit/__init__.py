"""The tamper-evident hash chain of the audit trail."""
