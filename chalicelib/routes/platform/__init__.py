"""What every route uses: declare, parse, check, answer."""
