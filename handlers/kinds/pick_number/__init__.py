"""Telegram's face of Pick Your Number."""
