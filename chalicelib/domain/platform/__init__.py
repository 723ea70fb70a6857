"""Rules that every capability uses and no user sees: rate limits and the periods of scheduled jobs."""
