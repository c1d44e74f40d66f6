"""What outlives the process: Redis for live games, PostgreSQL for results, the feed between them."""
