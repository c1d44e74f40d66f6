"""Telegram's face of the quiz."""
