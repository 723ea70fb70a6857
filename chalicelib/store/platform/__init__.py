"""What every store uses: DynamoDB access, transactions, envelope encryption, rate limits and heartbeats."""
