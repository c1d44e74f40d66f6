"""Storage: Redis for live games, PostgreSQL for results, and the feed from the one to the other."""
