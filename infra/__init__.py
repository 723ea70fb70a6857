"""What builds, runs and operates the product; never shipped to Lambda."""
