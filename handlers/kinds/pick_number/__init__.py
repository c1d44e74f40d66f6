"""The Telegram side of Pick Your Number."""
